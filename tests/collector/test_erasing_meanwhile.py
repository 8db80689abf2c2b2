"""A person is taken out of the spool while a real collector writes it and copies it back: no other line is lost."""

import itertools
import threading
import time
import uuid

from hagukumi.integrations.privacy import files

ERASED, STAYS = "visitor-gone", "visitor-here"  # with a number behind: one visitor may not say so much


def wait_until(check, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


class Load:
    """Views of two visitors, in threads, until stopped; `acked` holds the ids that the collector has said it has."""

    def __init__(self, collector):
        self.collector = collector
        self.acked = {ERASED: set(), STAYS: set()}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._views, args=pair) for pair in enumerate((ERASED, STAYS, STAYS))]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _views(self, turn, who):
        for number in itertools.count():
            if self._stop.is_set():
                return
            event = str(uuid.uuid4())
            if self.collector.say({"id": event}, visitor=f"{who}-{turn}-{number}") == 204:
                self.acked[who].add(event)


def found(collector, who):
    return {str(row["event_id"]) for row in collector.rows("drop_reason = ''") if who in row["visitor"]}


def test_a_line_written_while_a_person_is_erased_is_not_lost(collector, postgres):
    postgres.stop()
    times = 0
    with Load(collector) as load:
        assert wait_until(lambda: len(load.acked[ERASED]) > 20 and len(load.acked[STAYS]) > 20)
        while len(load.acked[STAYS]) < 400:
            times += bool(files.erase(collector.home, [ERASED]))
    assert times > 5, "it was erased from files that were being written"
    files.erase(collector.home, [ERASED])
    postgres.start()
    assert wait_until(lambda: load.acked[STAYS] <= found(collector, STAYS), 20)
    assert found(collector, ERASED) == set()


def test_a_spool_that_is_copied_back_meanwhile_loses_nothing(collector, postgres):
    postgres.stop()
    with Load(collector) as load:
        assert wait_until(lambda: len(load.acked[STAYS]) > 300, 20)
        over = threading.Event()
        eraser = threading.Thread(
            target=lambda: [files.erase(collector.home, [ERASED]) for _ in iter(over.is_set, True)]
        )
        eraser.start()
        postgres.start()
        assert wait_until(lambda: load.acked[STAYS] & found(collector, STAYS), 20)
    over.set()
    eraser.join()
    assert wait_until(lambda: load.acked[STAYS] <= found(collector, STAYS), 20)
