"""The lines that explain a score, wherever they are drawn: signed points, and a dash where a line gives none."""

import re
from dataclasses import dataclass

from django.template.loader import render_to_string


@dataclass
class Line:
    label: str
    points: int
    counted: bool = True
    holds: bool = True
    evidence: tuple = ()


def test_points_are_signed_and_add_up():
    lines = [
        Line("課長", 2),
        Line("料金ページ", 6),
        Line("学生", -5),
        Line("主任", 1, counted=False),
        Line("来場", 9, holds=False),
    ]
    html = render_to_string("judge/scoring/lines.html", {"lines": lines})
    points = re.findall(r'text-end">\s*(\S+)\s*<', html)
    assert points == ["+2", "+6", "-5", "—"]
    assert sum(int(shown) for shown in points if shown != "—") == 3
    assert "来場" not in html


def test_no_line_says_so():
    assert "加点された規則はありません" in render_to_string("judge/scoring/lines.html", {"lines": []})
