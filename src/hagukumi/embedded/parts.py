"""A part of the running house (web, collector, worker ...): one program, kept alive, ended cleanly."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hagukumi.embedded.process import alive, die_with_parent

MARK = "HAGUKUMI_UP"  # in the environment of each part: the home it serves
_WAITS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before the next try, one step further with each quick death
_SETTLED = 30.0  # seconds after which a part's earlier deaths are forgiven
LOG_LIMIT = 20 * 2**20  # bytes


@dataclass(frozen=True)
class Part:
    """What to run. `first`: started before the others. `last`: stopped after them (the mailbox: mail still comes)."""

    name: str
    command: tuple[str, ...]
    last: bool = False
    first: bool = False


@dataclass(frozen=True)
class Death:
    """A part that ended by itself. `code` as subprocess has it (negative: a signal); restarted in `wait` s."""

    name: str
    code: int
    wait: float


class Keeper:
    """Runs one part and runs it again when it dies."""

    def __init__(self, part: Part, environment: Mapping[str, str], log: Path) -> None:
        self.part = part
        self.log = log
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0
        self._due = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the part in a session of its own, so that it and what it starts can be ended together."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.part.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self._environment),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        self._started = time.monotonic()

    def look(self) -> Death | None:
        """Notice a death (told once) and start again when its wait is over. Called several times a second."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        self._signal(signal.SIGKILL)  # what it left behind would hold its port
        lived = time.monotonic() - self._started
        self._deaths = 1 if lived > _SETTLED else self._deaths + 1
        wait = _WAITS[min(self._deaths, len(_WAITS)) - 1]
        self._process, self._due = None, time.monotonic() + wait
        return Death(self.part.name, code, wait)

    def ask_to_stop(self) -> None:
        """SIGTERM to the part itself; what it started is its own to end."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)

    def stopped(self) -> bool:
        return self.pid is None

    def end(self) -> None:
        """Whatever is left of the part's session goes now."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _signal(self, sig: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, sig)


def trim_logs(folder: Path, limit: int = LOG_LIMIT) -> None:
    """Keep one older log of each part and of the database. All append, so cutting a file to nothing is safe."""
    for log in folder.glob("*.log"):
        with suppress(OSError):
            if log.stat().st_size > limit:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)


def stop_all(keepers: Iterable[Keeper], seconds: float) -> None:
    """SIGTERM to all but the last ones, those after; SIGKILL to what is left when `seconds` are over."""
    keepers = list(keepers)
    deadline = time.monotonic() + seconds
    for last in (False, True):
        group = [keeper for keeper in keepers if keeper.part.last is last]
        for keeper in group:
            keeper.ask_to_stop()
        while time.monotonic() < deadline and not all(keeper.stopped() for keeper in group):
            time.sleep(0.05)
        for keeper in group:
            keeper.end()


def leftovers(home: Path) -> list[int]:
    """Processes of an earlier supervisor of this home that outlived it (Linux; found by the mark we gave them)."""
    mark = f"{MARK}={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid not in (os.getpid(), os.getppid())]


def clear_leftovers(home: Path, seconds: float = 4) -> int:
    """End them: asked first, made to after `seconds`; how many there were."""
    pids = leftovers(home)
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    for pid in pids:
        if alive(pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    return len(pids)
