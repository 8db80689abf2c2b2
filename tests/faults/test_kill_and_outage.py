"""The whole house under load, killed part by part, and its database gone for ten seconds.

Real processes (worker, sender, collector), a real PostgreSQL, a real SMTP server. Afterwards: nothing acknowledged is
lost, nothing is sent twice, what cannot be known is `unknown` and counted, and everything has caught up by itself.
"""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from hagukumi.embedded.postgres import EmbeddedPostgres, free_port

pytestmark = pytest.mark.slow
PEOPLE = 1500
CHUNK = 30
SITE = "https://www.aoba.example.co.jp"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
OUTAGE_SECONDS = 10
CATCH_UP_SECONDS = 90


class Sink:
    """Takes every mail, slowly enough that a kill meets mails on the wire."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.update(envelope.rcpt_tos)
        await asyncio.sleep(0.12)
        return "250 OK"


class House:
    """Parts as processes of their own, to be killed and started again."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log
        self.parts: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        with (self.log / f"{name}.log").open("ab") as log:
            self.parts[name] = subprocess.Popen(
                [sys.executable, "-m", "hagukumi", name],
                env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """As the kernel would when memory runs out: the part and all that it started."""
        os.killpg(self.parts[name].pid, signal.SIGKILL)
        self.parts[name].wait()

    def stop(self) -> None:
        for part in self.parts.values():
            part.send_signal(signal.SIGTERM)
        for part in self.parts.values():
            try:
                part.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(part.pid, signal.SIGKILL)


@pytest.fixture
def postgres(tmp_path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "home") as server:
        yield server


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    handler, port = Sink(), free_port()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, port
    server.stop()


@pytest.fixture
def house(tmp_path, postgres, sink) -> Iterator[House]:
    environment = os.environ | {
        "HAGUKUMI_HOME": str(tmp_path / "home"),
        "DATABASE_URL": postgres.url,
        "SMTP_URL": f"smtp://127.0.0.1:{sink[1]}",
        "HAGUKUMI_COLLECTOR_PORT": str(free_port()),
        "PORT": str(free_port()),
        "DJANGO_SETTINGS_MODULE": "hagukumi.app.settings",
        "HAGUKUMI_SECRET_KEY": "only-for-tests",
    }
    environment.pop("HAGUKUMI_CLOCK", None)
    parts = House(environment, tmp_path)
    yield parts
    parts.stop()


class Load:
    """Two streams until stopped: visitors' page views to the collector, and people entering a segment."""

    def __init__(self, url: str, port: int, segment_id: int) -> None:
        self.url, self.port, self.segment_id = url, port, segment_id
        self.acked: set[str] = set()
        self.entered: list[int] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._views, args=(n,)) for n in range(3)]
        self._threads.append(threading.Thread(target=self._entries))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _views(self, reader: int) -> None:
        turn = 0
        while not self._stop.wait(0.02):
            turn += 1
            event_id = str(uuid.uuid4())
            if self._post(event_id, f"visitor{reader}{turn % 40:04d}", f"{SITE}/{event_id}"):
                self.acked.add(event_id)

    def _post(self, event_id: str, visitor: str, url: str) -> bool:
        """True once the collector has said that it has the event."""
        event = {"k": "view", "id": event_id, "t": time.time() * 1000, "u": url, "ti": "製品"}
        body = json.dumps({"v": visitor, "s": time.time() * 1000, "e": [event]})
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            line.request("POST", "/e", body, {"User-Agent": AGENT, "Origin": SITE})
            return line.getresponse().status < 300
        except OSError:
            return False
        finally:
            line.close()

    def _entries(self) -> None:
        """Chunk after chunk enters; one whose commit was not heard of is told again, as the same facts."""
        told = datetime.now(UTC)
        for first in range(1, PEOPLE + 1, CHUNK):
            people = list(range(first, first + CHUNK))
            while not self._tell(people, told):
                time.sleep(0.5)
            self.entered += people
            time.sleep(0.5)

    def _tell(self, people: list[int], at: datetime) -> bool:
        facts = {"people": people, "at": at, "segment": self.segment_id}
        try:
            with psycopg.connect(self.url, connect_timeout=5) as session:
                session.execute("SELECT ensure_activity_months(%(at)s, %(at)s)", facts)
                session.execute(_ENTER, facts)
        except psycopg.OperationalError:
            return False
        return True


_ENTER = """
WITH told AS (
    INSERT INTO activity (lead_id, at, kind, object_id)
    SELECT unnest(%(people)s::bigint[]), %(at)s, 50, %(segment)s RETURNING lead_id, at, kind, object_id
)
INSERT INTO pulse (lead_id, at, kind, object_id) SELECT lead_id, at, kind, object_id FROM told
"""


def until(holds: Callable[[], Any], seconds: float, what: str) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        time.sleep(0.25)


def asked(url: str, question: str) -> Any:
    """One value from the database."""
    with psycopg.connect(url, connect_timeout=5) as session:
        row = session.execute(question).fetchone()
    assert row is not None
    return row[0]


def test_nothing_acked_is_lost_nothing_is_sent_twice_and_everything_catches_up(house, postgres, sink, tmp_path):
    mails, _port = sink
    seed = Path(__file__).with_name("seed_house.py")
    command = [sys.executable, str(seed), str(PEOPLE), SITE]
    made = subprocess.run(command, env=house.environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    for name in ("collector", "worker", "sender"):
        house.start(name)
    collector = int(house.environment["HAGUKUMI_COLLECTOR_PORT"])
    load = Load(postgres.url, collector, int(made.stdout.split()[-1]))
    until(lambda: load._post(str(uuid.uuid4()), "visitor0000", f"{SITE}/first"), 20, "the collector answers")
    load.start()
    try:
        until(lambda: sum(mails.got.values()) > 60, 30, "mails arrive")
        for name in ("worker", "sender", "collector", "sender", "worker"):
            house.kill(name)
            time.sleep(0.5)
            house.start(name)
            time.sleep(2.5)
        before = len(load.acked)
        postgres.stop()
        time.sleep(OUTAGE_SECONDS)
        assert len(load.acked) > before, "the collector acknowledges while the database is away"
        postgres.start()
        until(lambda: len(load.entered) == PEOPLE, 60, "everybody is told")
    finally:
        load.stop()

    def rested() -> bool:
        still = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM pulse)"
        waiting = "SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending')"
        made = "SELECT count(*) FROM delivery"
        return [asked(postgres.url, question) for question in (still, waiting, made)] == [0, 0, PEOPLE]

    until(rested, CATCH_UP_SECONDS, "inbox, pulses and queue are empty")

    with psycopg.connect(postgres.url) as session:
        views = session.execute("SELECT p.url FROM activity a JOIN page p ON p.id = a.object_id WHERE a.kind = 1")
        seen = Counter(url.removeprefix(f"{SITE}/") for (url,) in views.fetchall())
    assert load.acked <= set(seen), "nothing acknowledged is lost"
    assert max(seen.values()) == 1, "nothing is counted twice"
    done = "SELECT count(*) FROM enrollment WHERE state = 'done' AND visit = 1"
    assert asked(postgres.url, done) == asked(postgres.url, "SELECT count(*) FROM enrollment") == PEOPLE
    assert asked(postgres.url, "SELECT count(*) FROM lead_tag WHERE tag = '送った'") == PEOPLE
    assert asked(postgres.url, "SELECT count(*) FROM activity WHERE kind = 92") == PEOPLE

    assert max(mails.got.values()) == 1, "nobody got the mail twice"
    with psycopg.connect(postgres.url) as session:
        states = dict(session.execute("SELECT address, state FROM delivery").fetchall())
        counts = Counter(state for (state,) in session.execute("SELECT state FROM delivery").fetchall())
    assert counts["sent"] + counts["unknown"] == PEOPLE, counts
    assert counts["unknown"] > 0, "a sender was killed with mails in its hand, and that is shown"
    assert {address for address, state in states.items() if state == "sent"} <= set(mails.got)
    doubtful = set(mails.got) - {address for address, state in states.items() if state == "sent"}
    assert len(doubtful) <= counts["unknown"]
    assert asked(postgres.url, "SELECT count(*) FROM heart_step WHERE error <> ''") == 0
    assert asked(postgres.url, "SELECT count(*) FROM set_aside") == 0
    print(f"acked {len(load.acked)} · {dict(counts)} · got {len(mails.got)}")
