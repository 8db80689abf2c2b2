"""The long drill, ten times the load: every part killed twenty times, no database, a full disk, a clock that jumps.

It takes minutes, so it runs only when asked for: `HAGUKUMI_DRILL=1 pytest tests/faults/test_long_drill.py -s`.
"""

import os
import random
import resource
import time
import uuid

import pytest
from fault_rig import Load, Sink, all_is_well, asked, fill, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("HAGUKUMI_DRILL"), reason="the long drill: set HAGUKUMI_DRILL=1"),
]
PEOPLE = 15_000
CHUNK = 300
EVENTS = 10
KILLS = 20
OUTAGE_SECONDS = 30
FULL_SECONDS = 10
JUMP_SECONDS = 7200
CATCH_UP_SECONDS = 300
SEED = 20261126


@pytest.fixture
def mails() -> Sink:
    return Sink(seconds=0.02)


def limit_files(pid: int, size: int) -> None:
    """No file of the process grows beyond `size`: to it, a disk that is full."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_the_long_drill(house, postgres, mails, tmp_path):
    chance = random.Random(SEED)
    clock = tmp_path / "clock"
    clock.write_text("0")
    house.environment["HAGUKUMI_CLOCK"] = str(clock)
    segment_id = fill(house, PEOPLE)
    parts = ("collector", "worker", "sender")
    for name in parts:
        house.start(name)
    collector = int(house.environment["HAGUKUMI_COLLECTOR_PORT"])
    load = Load(postgres.url, collector, segment_id, people=PEOPLE, chunk=CHUNK, events=EVENTS)
    until(lambda: load.post([str(uuid.uuid4())], "visitor0000"), 30, "the collector answers")
    told: dict[str, float] = {}
    load.start()
    began = time.monotonic()
    try:
        until(lambda: sum(mails.got.values()) > 60, 60, "mails arrive")
        kills = [name for name in parts for _ in range(KILLS)]
        chance.shuffle(kills)
        for name in kills:
            time.sleep(chance.uniform(0, 2))
            house.kill(name)
            house.start(name)
        told["seconds of kills"] = time.monotonic() - began

        before = len(load.acked)
        postgres.stop()
        time.sleep(OUTAGE_SECONDS)
        told["acked while the database was away"] = len(load.acked) - before
        assert told["acked while the database was away"] > 0

        limit_files(house.parts["collector"].pid, 1)
        time.sleep(2)  # what was under way has been answered
        full = len(load.acked)
        time.sleep(FULL_SECONDS)
        told["acked while neither disk nor database took them"] = len(load.acked) - full
        limit_files(house.parts["collector"].pid, resource.RLIM_INFINITY)
        postgres.start()

        for seconds in (JUMP_SECONDS, JUMP_SECONDS - 60):
            clock.write_text(str(seconds))
            time.sleep(10)
        until(lambda: len(load.entered) == PEOPLE, 240, "everybody is told")
    finally:
        load.stop()
    stopped = time.monotonic()
    counts = all_is_well(postgres.url, load, mails, CATCH_UP_SECONDS)
    told |= {
        "kills": len(kills), "acked": len(load.acked), "mails got": sum(mails.got.values()), **counts,
        "seconds to catch up": time.monotonic() - stopped,
        "facts": asked(postgres.url, "SELECT count(*) FROM activity"),
    }  # fmt: skip
    print("\n" + "\n".join(f"{name}: {value:,.0f}" for name, value in told.items()))
    assert told["acked while neither disk nor database took them"] == 0
