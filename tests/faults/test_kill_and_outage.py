"""The whole house under load, killed part by part, and its database gone for ten seconds.

Real processes (worker, sender, collector), a real PostgreSQL, a real SMTP server. Afterwards: nothing acknowledged is
lost, nothing is sent twice, what cannot be known is `unknown` and counted, and everything has caught up by itself.
"""

import time
import uuid

import pytest
from fault_rig import Load, all_is_well, fill, until

pytestmark = pytest.mark.slow
PEOPLE = 1500
CHUNK = 30
OUTAGE_SECONDS = 10
CATCH_UP_SECONDS = 90


def test_nothing_acked_is_lost_nothing_is_sent_twice_and_everything_catches_up(house, postgres, mails):
    segment_id = fill(house, PEOPLE)
    for name in ("collector", "worker", "sender"):
        house.start(name)
    collector = int(house.environment["HAGUKUMI_COLLECTOR_PORT"])
    load = Load(postgres.url, collector, segment_id, people=PEOPLE, chunk=CHUNK)
    until(lambda: load.post([str(uuid.uuid4())], "visitor0000"), 20, "the collector answers")
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
    counts = all_is_well(postgres.url, load, mails, CATCH_UP_SECONDS)
    print(f"acked {len(load.acked)} · {dict(counts)} · got {len(mails.got)}")
