"""Bulk work is measured out by how long beats take."""

import pytest

from hagukumi.worker import heart
from hagukumi.worker.heart import BeatReport, paced


@pytest.mark.parametrize(
    ("room", "bulk", "share", "then"),
    [
        (2000, 2000, 0.5, 4000),  # half the time: twice as much
        (2000, 2000, 0.01, 4000),  # never more than twice at once
        (2000, 2000, 2.0, 1000),
        (2000, 2000, 60.0, 500),
        (2000, 900, 0.1, 2000),  # the queue was empty before the room was used: it says nothing
        (2000, 0, 4.0, 500),  # slow without any bulk work: what comes by due time counts as well
        (heart.LEAST_ROOM, 500, 30.0, heart.LEAST_ROOM),
        (heart.MOST_ROOM, 50_000, 0.1, heart.MOST_ROOM),
    ],
)
def test_room_follows_the_time_that_a_beat_took(room, bulk, share, then):
    """`share`: of the time that a beat with bulk work is to take."""
    assert paced(room, BeatReport(pulses=bulk, bulk=bulk), share * heart.BULK_SECONDS) == then
