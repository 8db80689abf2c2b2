"""Small promises about processes: who dies with whom, who runs as whom, and who holds a lock."""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PG_USER = "hagukumi-pg"


def die_with_parent(sig: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn`: the child gets `sig` when the thread that started it ends, however it ends (Linux; else nothing).

    The C library is looked up here, before the fork, so that the child does no importing.
    """
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os.kill(os.getpid(), sig)

    return arm


def start_time(pid: int) -> str | None:
    """The kernel's start stamp of a process (Linux), so that a reused pid is not mistaken for the old process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rsplit(")", 1)[1].split()[19]


def alive(pid: int) -> bool:
    """True while the process exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return True


def lock_file(path: Path) -> int | None:
    """Take an exclusive lock that the kernel drops when this process ends; its descriptor, or None when it is held."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def unprivileged_user(data: Path) -> pwd.struct_passwd | None:
    """The account PostgreSQL runs as: None = ourselves; as root (which it refuses) the data's owner or one of its own.

    An account is made at first use; where `useradd` is missing, `nobody` serves.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    try:
        return pwd.getpwnam(_PG_USER)
    except KeyError:
        pass
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _PG_USER]
        if subprocess.run(command, capture_output=True, check=False).returncode in (0, 9):  # 9: someone else just did
            return pwd.getpwnam(_PG_USER)
    return pwd.getpwnam("nobody")


def let_through(path: Path) -> None:
    """Let other accounts walk (not list) the folders above `path`; needed only when root runs PostgreSQL as another."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
