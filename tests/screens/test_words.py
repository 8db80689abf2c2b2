"""How numbers, money and instants are written, and how tags and charts hold what is hostile."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import translation

from hagukumi.screens.shell import words


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (None, "—"),
        (0, "0円"),
        (9_800, "9,800円"),
        (12_000_000, "1,200万円"),
        (12_345, "1.2万円"),
        (120_000_000, "1.2億円"),
    ],
)
def test_yen_as_one_says_it(amount, written):
    assert words.yen(amount) == written


def test_yen_in_english_is_exact():
    with translation.override("en"):
        assert words.yen(12_345) == "¥12,345"


@pytest.mark.parametrize(
    ("gap", "written"),
    [
        (timedelta(0), "たった今"),
        (-timedelta(minutes=59), "59分前"),
        (-timedelta(hours=23), "23時間前"),
        (timedelta(hours=5), "あと5時間"),
        (-timedelta(days=1), "11月19日 10:00"),
        (-timedelta(days=400), "2025年10月16日"),
    ],
)
def test_near_and_far_in_japanese_time(gap, written, now):
    assert words.near(now + gap, now) == written


def test_the_exact_instant_crosses_midnight_in_tokyo():
    assert words.exact(datetime(2026, 11, 20, 15, 0, tzinfo=UTC)) == "2026年11月21日(土)00:00"


@pytest.mark.parametrize(("rate", "written"), [(None, "—"), (0, "0.0%"), (0.1234, "12.3%"), (1, "100.0%")])
def test_rates(rate, written):
    assert words.percent(rate) == written


def test_a_charts_table_holds_its_numbers():
    options = {"xAxis": {"data": ["4月", "5月"]}, "yAxis": {}, "series": [{"name": "受注", "data": [3, {"value": 5}]}]}
    assert words.chart_table(options) == {"columns": ["", "受注"], "rows": [["4月", 3], ["5月", 5]]}


def test_hostile_words_stay_words():
    hostile = "</script><script>alert(1)</script>"
    options = {"xAxis": {"data": [hostile]}, "series": [{"name": hostile, "data": [1]}]}
    template = Template('{% chart "c" options 100 %}{% empty hostile hostile "/" hostile %}{% phase phase %}')
    page = template.render(Context({"options": options, "hostile": hostile, "phase": {"name": hostile, "hue": 99}}))
    assert "<script>alert" not in page
    assert "phase-4" in page
