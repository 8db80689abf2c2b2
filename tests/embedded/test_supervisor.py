"""The supervisor, run as its own process with tiny parts in place of the house's."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hagukumi.embedded.postgres import EmbeddedPostgres
from hagukumi.embedded.process import alive

PART = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + PART

PROGRAM = """
    import sys
    from pathlib import Path
    from hagukumi.embedded.errors import StartError
    from hagukumi.embedded.home import Ports
    from hagukumi.embedded.parts import Part
    from hagukumi.embedded.supervisor import Plan, Supervisor
    home, port, *sources = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
    parts = tuple(
        Part(f"part{i}", (sys.executable, "-c", source, str(home / f"part{i}.pids")))
        for i, source in enumerate(sources)
    )
    plan = Plan(home, Ports(port, port + 1, port + 2, port + 3), parts=parts, prepare_database=False)
    try:
        raise SystemExit(Supervisor(plan).run())
    except StartError as error:
        print(error)
        raise SystemExit(1)
"""


def until(check: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def pids(home: Path, index: int) -> list[int]:
    path = home / f"part{index}.pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def up(home: Path, four_ports: Callable[[], int]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a supervisor on `home` with the given parts' programs; whatever is left is ended after the test."""
    started: list[subprocess.Popen[str]] = []
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}

    def start(*sources: str, port: int | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(home), str(port or four_ports()), *sources]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(15)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_in_order(home: Path, up: Callable[..., subprocess.Popen[str]], sig: int) -> None:
    process = up(PART, PART)
    until(lambda: pids(home, 0) and pids(home, 1))
    server = EmbeddedPostgres(home).pid
    process.send_signal(sig)
    assert process.wait(10) == 0
    assert server is not None
    assert not any(alive(pid) for pid in [*pids(home, 0), *pids(home, 1), server])
    assert not (home / "postgres" / "postmaster.pid").exists()
    assert "終了しました" in (process.stdout.read() if process.stdout else "")


def test_a_part_that_dies_is_started_again(home: Path, up: Callable[..., subprocess.Popen[str]]) -> None:
    up(PART)
    until(lambda: len(pids(home, 0)) == 1)
    os.kill(pids(home, 0)[0], signal.SIGKILL)
    until(lambda: len(pids(home, 0)) == 2)


def test_a_database_that_dies_is_started_again(home: Path, up: Callable[..., subprocess.Popen[str]]) -> None:
    up(PART)
    server = EmbeddedPostgres(home)
    until(lambda: server.running() and pids(home, 0))
    first = server.pid
    os.kill(first or 0, signal.SIGKILL)
    until(lambda: server.pid not in (None, first) and server.running())
    psycopg.connect(server.url).close()


def test_a_part_that_will_not_stop_is_made_to(home: Path, up: Callable[..., subprocess.Popen[str]]) -> None:
    process = up(STUBBORN)
    until(lambda: pids(home, 0))
    process.terminate()
    assert process.wait(12) == 0
    assert not alive(pids(home, 0)[0])


def test_killed_itself_it_leaves_nothing_and_starts_again(home: Path, up: Callable[..., subprocess.Popen[str]]) -> None:
    process = up(PART, STUBBORN)
    until(lambda: pids(home, 0) and pids(home, 1))
    process.kill()
    process.wait()
    until(lambda: not alive(pids(home, 0)[0]))
    again = up(PART)
    until(lambda: len(pids(home, 0)) == 2)
    assert not alive(pids(home, 1)[0])
    again.terminate()
    assert again.wait(12) == 0


def test_a_second_one_on_the_same_home_says_so(home: Path, up: Callable[..., subprocess.Popen[str]]) -> None:
    up(PART)
    until(lambda: pids(home, 0))
    second = up(PART)
    output, _ = second.communicate(timeout=15)
    assert second.returncode == 1
    assert "別の hagukumi up が動いています" in output and len(output.strip().splitlines()) == 1


def test_a_taken_port_says_so(home: Path, up: Callable[..., subprocess.Popen[str]]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        second = up(PART, port=other.getsockname()[1])
        output, _ = second.communicate(timeout=15)
    assert second.returncode == 1
    assert "使われています" in output and not (home / "postgres").exists()
