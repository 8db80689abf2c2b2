"""Marks of pages: what goes in comes out, to the microsecond; what somebody typed is none."""

from datetime import UTC, datetime

import pytest

from hagukumi.kit import keyset

AT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)


def test_keys_come_back_as_they_went():
    assert keyset.read(keyset.mark(AT, 12), datetime, int) == (AT, 12)
    assert keyset.read(keyset.mark(5), int) == (5,)
    assert keyset.read(keyset.mark(AT, -12), datetime, int) == (AT, -12)
    assert keyset.read(keyset.mark(AT, "山田~+x@例え.jp"), datetime, str) == (AT, "山田~+x@例え.jp")
    assert keyset.read(keyset.mark(AT, ""), datetime, str) == (AT, "")


@pytest.mark.parametrize("typed", ["1~é", "1~a", "1~_w", "1~AA", "1~" + "a" * 1001, "1~YQ~YQ", "1"])
def test_a_text_that_nobody_marked_is_none(typed):
    assert keyset.read(typed, datetime, str) is None


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "x",
        "1",
        "1~2~3",
        "--1~2",
        "-~2",
        f"1~{-(2**63) - 1}",
        "1.5~2",
        "１~２",
        "1~",
        "9" * 30 + "~1",
        f"1~{2**63}",
        f"{2**63 - 1}~1",
        None,
    ],
)
def test_what_is_no_mark_is_none(typed):
    assert keyset.read(typed, datetime, int) is None


def test_a_page_ends_with_the_mark_of_its_last_row():
    rows = [{"at": AT, "id": number} for number in (9, 8, 7)]
    assert keyset.page(rows, "at", "id", size=2) == (rows[:2], keyset.mark(AT, 8))
    assert keyset.page(rows, "at", "id", size=3) == (rows, "")
