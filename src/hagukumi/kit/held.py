"""A file held by one process at a time, where one appends to it, another renames it and a third rewrites it.

The lock is on the file itself (flock, given back by the kernel when a process dies). Whoever has waited for it looks
whether the name still leads to the same file, and opens it again where it does not.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, flags: int = os.O_RDWR, *, wait: bool = True) -> Iterator[int]:
    """The file, open and locked against every other that is opened by `held`.

    FileNotFoundError where there is none (and `flags` make none); BlockingIOError where somebody has it and `wait` is
    False.
    """
    while True:
        fd = os.open(path, flags, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if not _is(path, fd):
                continue
            yield fd
            return
        finally:
            os.close(fd)


def _is(path: Path, fd: int) -> bool:
    """Whether the name leads to this open file."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(fd))
