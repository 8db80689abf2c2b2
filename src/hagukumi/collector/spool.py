"""The spool: lines on disk while the database is away. A line is acknowledged once it is on the disk, not before.

Appends go to `spool/current`. When the database is back, `current` becomes a numbered file, which is copied in parts
and deleted after its last commit. A crash between the two copies lines twice: the digest knows repeats by event id.

Each file is held while it is written, renamed or copied (`kit.held`): who erases a person rewrites them in between.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from hagukumi.kit.held import held

CHUNK_LINES = 5_000
ROOM_BYTES = 64 * 1024 * 1024
"""With less room than this on its disk, the spool is said to be in trouble before it is."""


class Spool:
    """Files under `folder`. The buffer calls `append` off the event loop. `waiting`: something is on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._current = folder / "current"
        self._mend()
        self.waiting = any(folder.iterdir())
        self._refused = False

    def append(self, data: bytes) -> None:
        """Write lines and wait for the disk. OSError when the disk is full."""
        with held(self._current, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as fd:
            size = os.fstat(fd).st_size
            try:
                written = 0
                while written < len(data):
                    written += os.write(fd, data[written:])
                os.fsync(fd)
            except OSError:
                self._refused = True
                os.ftruncate(fd, size)
                raise
        self.waiting, self._refused = True, False

    def takes(self) -> bool:
        """Whether the disk would take events: it has room, and the last append did not fail."""
        try:
            found = os.statvfs(self.folder)
        except OSError:
            return False
        return not self._refused and found.f_bavail * found.f_frsize >= ROOM_BYTES

    def bytes_waiting(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    def take(self) -> Path | None:
        """The oldest file to copy; `current` is closed for writing first. None when nothing waits."""
        with contextlib.suppress(FileNotFoundError, BlockingIOError), held(self._current, wait=False):
            self._current.rename(self.folder / f"{self._next_number():08d}.lines")
        files = sorted(self.folder.glob("*.lines"))
        self.waiting = bool(files) or self._current.exists()
        return files[0] if files else None

    def chunks(self, path: Path) -> Iterator[list[str]]:
        """The file's lines in parts; a last line without its newline was never acknowledged and is left out.

        The file is held until the last part has been taken. BlockingIOError where it is being rewritten.
        """
        lines: list[str] = []
        with held(path, os.O_RDONLY, wait=False) as fd, open(fd, encoding="utf-8", newline="\n", closefd=False) as file:
            for line in file:
                if not line.endswith("\n"):
                    break
                lines.append(line)
                if len(lines) >= CHUNK_LINES:
                    yield lines
                    lines = []
        if lines:
            yield lines

    def done(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def _mend(self) -> None:
        """Cut a torn last line, so that the next append does not continue it."""
        if not self._current.exists():
            return
        with held(self._current):
            data = self._current.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole != len(data):
                os.truncate(self._current, whole)

    def _next_number(self) -> int:
        numbers = [int(path.stem) for path in self.folder.glob("*.lines") if path.stem.isdigit()]
        return max(numbers, default=0) + 1
