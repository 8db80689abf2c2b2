"""The shared cache keeps its promises, and the database's log stays empty."""

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext


def test_add_gives_way_to_what_is_there(db) -> None:
    """In one statement that cannot fail: a unique violation is an ERROR line in the database's log."""
    assert cache.add("limit", 1, 60) is True
    with CaptureQueriesContext(connection) as asked:
        assert cache.add("limit", 2, 60) is False
    assert [one["sql"].split(" ")[0] for one in asked] == ["SAVEPOINT", "INSERT", "RELEASE"]
    assert "ON CONFLICT" in asked[1]["sql"]
    assert cache.get("limit") == 1


def test_add_takes_the_place_of_what_is_over(db) -> None:
    cache.set("limit", 1, -1)
    assert cache.get("limit") is None
    assert cache.add("limit", 2, 60) is True and cache.get("limit") == 2


def test_set_touch_and_for_ever(db) -> None:
    cache.set("word", {"育": [1, 2]}, None)
    cache.set("word", {"育": [3]}, None)
    assert cache.get("word") == {"育": [3]} and cache.touch("word", -1) and cache.get("word") is None
    cache.set("n", 1, 60)
    assert cache.incr("n") == 2


def test_a_thousand_counters_are_kept(db) -> None:
    """Django's own throws entries out beyond 300: whoever makes 300 new ones would lift everybody's lock-out."""
    cache.set("locked", 1, 600)
    for n in range(1000):
        cache.set(f"c{n}", n, 600)
    assert cache.get("locked") == 1 and cache.get("c0") == 0
