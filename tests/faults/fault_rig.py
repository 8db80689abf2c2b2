"""The house as processes of its own, a mail server that counts, and load on both: what the fault tests stand on."""

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
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

SITE = "https://www.aoba.example.co.jp"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


class Sink:
    """Takes every mail, slowly enough that a kill meets mails on the wire."""

    def __init__(self, seconds: float = 0.12) -> None:
        self.got: Counter[str] = Counter()
        self.seconds = seconds

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.update(envelope.rcpt_tos)
        await asyncio.sleep(self.seconds)
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


class Load:
    """Two streams until stopped: visitors' page views to the collector, and people entering a segment.

    `people` enter, `chunk` every half second; a request holds `events` views.
    """

    def __init__(
        self, url: str, port: int, segment_id: int, *, people: int, chunk: int, events: int = 1, readers: int = 3
    ) -> None:
        self.url, self.port, self.segment_id = url, port, segment_id
        self.people, self.chunk, self.events = people, chunk, events
        self.acked: set[str] = set()
        self.entered: list[int] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._views, args=(n,)) for n in range(readers)]
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
            ids = [str(uuid.uuid4()) for _ in range(self.events)]
            if self.post(ids, f"visitor{reader}{turn % (40 * self.events):04d}"):
                self.acked.update(ids)

    def post(self, ids: list[str], visitor: str) -> bool:
        """True once the collector has said that it has the events."""
        now = time.time() * 1000
        events = [{"k": "view", "id": one, "t": now, "u": f"{SITE}/{one}", "ti": "製品"} for one in ids]
        body = json.dumps({"v": visitor, "s": now, "e": events})
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
        for first in range(1, self.people + 1, self.chunk):
            people = list(range(first, first + self.chunk))
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


def fill(house: House, people: int) -> int:
    """Seed the house; the id of the segment that people enter."""
    seed = Path(__file__).with_name("seed_house.py")
    command = [sys.executable, str(seed), str(people), SITE]
    made = subprocess.run(command, env=house.environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return int(made.stdout.split()[-1])


def all_is_well(url: str, load: Load, mails: Sink, seconds: float) -> Counter[str]:
    """Everything has caught up by itself, nothing acknowledged is lost, nothing is doubled; deliveries by state."""
    people = load.people

    def rested() -> bool:
        still = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM pulse)"
        waiting = "SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending')"
        made = "SELECT count(*) FROM delivery"
        return [asked(url, question) for question in (still, waiting, made)] == [0, 0, people]

    until(rested, seconds, "inbox, pulses and queue are empty")

    with psycopg.connect(url) as session:
        views = session.execute("SELECT p.url FROM activity a JOIN page p ON p.id = a.object_id WHERE a.kind = 1")
        seen = Counter(url.removeprefix(f"{SITE}/") for (url,) in views.fetchall())
    assert load.acked <= set(seen), "nothing acknowledged is lost"
    assert max(seen.values()) == 1, "nothing is counted twice"
    done = "SELECT count(*) FROM enrollment WHERE state = 'done' AND visit = 1"
    assert asked(url, done) == asked(url, "SELECT count(*) FROM enrollment") == people
    assert asked(url, "SELECT count(*) FROM lead_tag WHERE tag = '送った'") == people
    assert asked(url, "SELECT count(*) FROM activity WHERE kind = 92") == people

    assert max(mails.got.values()) == 1, "nobody got the mail twice"
    with psycopg.connect(url) as session:
        states = dict(session.execute("SELECT address, state FROM delivery").fetchall())
        counts = Counter(state for (state,) in session.execute("SELECT state FROM delivery").fetchall())
    assert counts["sent"] + counts["unknown"] == people, counts
    assert counts["unknown"] > 0, "a sender was killed with mails in its hand, and that is shown"
    assert {address for address, state in states.items() if state == "sent"} <= set(mails.got)
    doubtful = set(mails.got) - {address for address, state in states.items() if state == "sent"}
    assert len(doubtful) <= counts["unknown"]
    assert asked(url, "SELECT count(*) FROM heart_step WHERE error <> ''") == 0
    assert asked(url, "SELECT count(*) FROM set_aside") == 0
    return counts
