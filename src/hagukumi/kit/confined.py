"""Work on what others have written (a template, a file) in a child of its own, with limits on memory, time and depth.

Native parsers can be driven to a crash or to eat the machine, and no `except` of ours sees that. So a small server
process (`python -m hagukumi.kit.confined`, started with the first task, gone with its parent) forks once for each task;
what the task does to its child harms nobody, and a task costs a fork, not a start of Python. Tasks use no database.
"""

import atexit
import importlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

SECONDS = 5.0
MEGABYTES = 512
_MOST = 64 * 1024 * 1024
"""Bytes of one question or answer."""
_SIZE = struct.Struct(">Q")
_START_SECONDS = 60.0
_REST_SECONDS = 60.0


class ConfinedError(ValueError):
    """The task did not come to an answer. `why`: slow, crashed or memory."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a confined task failed: {why}")
        self.why = why


def call(
    task: Callable[..., Any],
    *args: Any,
    language: str | None = None,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
    **more: Any,
) -> Any:
    """What `task(*args, **more)` returns, worked out in a child; what it raises is raised here.

    `task` is a function of a module; arguments, answer and errors are pickled; it speaks `language` where one is given.
    ConfinedError past a limit or a crash.
    """
    question = pickle.dumps((task.__module__, task.__qualname__, args, more, language, seconds, megabytes))
    state, answer = _server.ask(question, seconds)
    if state == "failed":
        raise answer
    if state != "done":
        raise ConfinedError(state)
    return answer


class _Server:
    """The process that forks, as its parent sees it. One task at a time; started anew where it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, question: bytes, seconds: float) -> tuple[str, Any]:
        with self._lock:
            for _attempt in (1, 2):
                process = self._running()
                try:
                    _put(process.stdin, question)
                    answer = _get(process.stdout, seconds + _START_SECONDS)
                    break
                except (OSError, EOFError):
                    rested = process.poll() == 0  # it had just gone to rest: ask a new one
                    self.close()
                    if not rested:
                        return "crashed", None
            else:
                return "crashed", None
        state, value = pickle.loads(answer)  # noqa: S301 - our own child pickled what our own task returned
        return state, value

    def _running(self) -> "subprocess.Popen[bytes]":
        forked = self._owner != os.getpid()
        if self._process is None or forked or self._process.poll() is not None:
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
            )
        return self._process

    def close(self) -> None:
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        self._process = None


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


_server = _Server()
atexit.register(_server.close)


def _put(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    pipe.write(_SIZE.pack(len(data)) + data)
    pipe.flush()


def _get(pipe: IO[bytes] | None, seconds: float | None = None) -> bytes:
    """One framed message. EOFError where the other side is gone, falls silent for `seconds`, or says too much."""
    assert pipe is not None
    until = None if seconds is None else time.monotonic() + seconds
    (size,) = _SIZE.unpack(_read(pipe.fileno(), _SIZE.size, until))
    if size > _MOST:
        raise EOFError
    return _read(pipe.fileno(), size, until)


def _read(number: int, size: int, until: float | None) -> bytes:
    parts = []
    while size:
        left = None if until is None else max(0.0, until - time.monotonic())
        if not select.select([number], [], [], left)[0]:
            raise EOFError
        part = os.read(number, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


# --- the server's side


def serve() -> None:
    """Answer questions from standard input until it ends, or is silent for a minute: nobody pays for an idle server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        import django

        django.setup()
    while True:
        try:
            question = _get(sys.stdin.buffer, _REST_SECONDS)
        except EOFError:
            return
        module, *_rest, seconds, megabytes = pickle.loads(question)  # noqa: S301 - from our own parent
        importlib.import_module(module)  # once, here: every later child has it
        _put(sys.stdout.buffer, _in_child(question, seconds, megabytes))


def _in_child(question: bytes, seconds: float, megabytes: int) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(question, writing, seconds, megabytes)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            return _get(pipe, seconds)
    except EOFError:
        os.kill(child, signal.SIGKILL)
        late = os.WIFSIGNALED(status := os.waitpid(child, 0)[1]) and os.WTERMSIG(status) in (
            signal.SIGKILL,
            signal.SIGXCPU,
        )
        child = 0
        return pickle.dumps(("slow" if late else "crashed", None))
    finally:
        if child:
            os.waitpid(child, 0)


def _work(question: bytes, writing: int, seconds: float, megabytes: int) -> None:
    """The child's whole life. Never returns."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_held() + megabytes * 1024 * 1024,) * 2)
        module, name, args, more, language, *_limits = pickle.loads(question)  # noqa: S301 - from our own parent
        task = getattr(importlib.import_module(module), name)
        if language:
            from django.utils import translation

            translation.activate(language)
        try:
            answer: tuple[str, Any] = ("done", task(*args, **more))
        except MemoryError:
            answer = ("memory", None)
        except Exception as error:
            answer = ("failed", error)
        with os.fdopen(writing, "wb") as pipe:
            _put(pipe, pickle.dumps(answer))
    finally:
        os._exit(0)


def _held() -> int:
    """Bytes of address space that this process has already."""
    return (
        int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    )


if __name__ == "__main__":
    serve()
