"""Shapes of SQL that the house does not use, and why."""

import re

import pytest

from hagukumi.kit import sql


def refused(text: str) -> bool:
    """Whether a statement changes rows `IN (SELECT … LIMIT n)`.

    The planner may join the two and run the sub-select once a row: with FOR UPDATE SKIP LOCKED, or without an order,
    each run yields other rows, and the limit holds nothing back. `= ANY(ARRAY(…))` and a MATERIALIZED CTE run it once.
    """
    for part in re.split(r"(?=\b(?:DELETE FROM|UPDATE \w+ (?:\w+ )?SET)\b)", text)[1:]:
        start = 0
        while found := re.search(r"\bIN\s*\(", part[start:], re.IGNORECASE):
            begin = start + found.end()
            depth, end = 1, begin
            while depth and end < len(part):
                depth += {"(": 1, ")": -1}.get(part[end], 0)
                end += 1
            if re.search(r"\bLIMIT\b", part[begin:end], re.IGNORECASE):
                return True
            start = begin
    return False


def test_no_statement_changes_rows_in_a_limited_sub_select():
    sql.load_rooms()
    assert len(sql.registered()) > 100
    assert [query.name for query in sql.registered() if refused(query.text)] == []


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("DELETE FROM pulse WHERE id IN (SELECT id FROM pulse ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED)", True),
        ("WITH x AS (DELETE FROM a WHERE (b, c) IN (\n SELECT b, c FROM a LIMIT 5\n) RETURNING *) SELECT 1", True),
        ("UPDATE enrollment SET s = 1 WHERE lead_id IN (SELECT lead_id FROM (SELECT 1 LIMIT 1) x)", True),
        ("DELETE FROM pulse WHERE id = ANY(ARRAY(SELECT id FROM pulse ORDER BY id LIMIT 5))", False),
        ("WITH x AS (SELECT 1 LIMIT 1) DELETE FROM a WHERE b IN (SELECT * FROM x)", False),
        ("SELECT * FROM a WHERE b IN (SELECT b FROM c LIMIT 5)", False),
    ],
)
def test_the_check_knows_the_shape(text, is_refused):
    assert refused(text) is is_refused


CITUS = {
    "a bare EXISTS list": re.compile(r"\bEXISTS\s*\(\s*SELECT\s+FROM\b", re.IGNORECASE),
    "VALUES inside UNION": re.compile(
        r"\bUNION\s+(?:ALL\s+)?\(?\s*VALUES\b|\bVALUES\b[^;]*?\)\s*UNION\b", re.IGNORECASE
    ),
}
"""Shapes that PostgreSQL takes and Citus refuses, whatever the tables."""
CORRELATED = {
    "nurture.scenarios.due_nodes": (
        "asked in every idle beat: one probe a place, correlated with the given places. As UNION ALL of probes, which"
        " Citus takes, 150 places cost 5.6 ms to plan and 2.6 ms to run instead of 0.1 and 0.4. A heart per shard group"
        " runs it as it is"
    ),
}
"""Statements that correlate LATERAL with what is no lead-owned table, and why each may."""
LATERAL = re.compile(r"\bLATERAL\s*\(\s*SELECT\b", re.IGNORECASE)


@pytest.mark.parametrize("shape", CITUS.values(), ids=CITUS)
def test_no_statement_has_a_shape_that_citus_refuses(shape):
    sql.load_rooms()
    assert [query.name for query in sql.registered() if shape.search(query.text)] == []


def test_no_further_statement_correlates_lateral():
    sql.load_rooms()
    taking_in = "people.identity."  # its outer side is the batch's own temporary table, probed by key (see intake.sql)
    found = {query.name for query in sql.registered() if LATERAL.search(query.text)}
    assert {name for name in found if not name.startswith(taking_in)} == set(CORRELATED)
