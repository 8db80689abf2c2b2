"""The ASVS checklist names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_the_checklist_names_exists():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+/(?:[a-z_]+/)*(?:test_[a-z_]+\.py)?)`", text))
    assert len(named) > 15
    assert {name for name in named if not (ROOT / "tests" / name).exists() and name != "tests/"} == set()


def test_no_line_is_left_without_a_proof_or_a_reason():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if re.match(r"\| \d", line) or line.startswith("| V")]
    assert len(rows) > 50
    assert [row[1].strip() for row in rows if not row[3].strip()] == []
