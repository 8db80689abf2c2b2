"""What many statements mean by one word is said in one place: a known lead, the primary models of scores and phases."""

import re
from pathlib import Path

import pytest

from hagukumi.kit import sql

ROOT = Path(__file__).resolve().parents[2] / "src/hagukumi"
SPELLED = {
    "known_lead": re.compile(r"\bknown_at IS NOT NULL\b"),
    "primary_score_model": re.compile(r"min\(id\) FROM score_model|FROM score_model ORDER BY"),
    "primary_phase_model": re.compile(r"FROM phase_model ORDER BY"),
}
BY_THEMSELVES = {
    "people/identity/intake.sql": "a lead asked for by number is followed to the one it became part of",
    "collect/tracking/queries.sql": "whether the reader of a mail is known, whoever it became",
}


@pytest.mark.parametrize("word", SPELLED)
def test_no_statement_spells_it_out(word):
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.sql") if SPELLED[word].search(path.read_text())}
    assert found == (set(BY_THEMSELVES) if word == "known_lead" else set())


def test_a_statement_gets_the_meaning():
    sql.load_rooms()
    pages = [query for query in sql.registered() if "{known_lead}" in query.text]
    assert len(pages) > 10
    assert all("l.known_at IS NOT NULL AND l.merged_into IS NULL" in query.compose() for query in pages)
