"""Facts by people are one definition: a query on the ledger asks for it, or says why it does not."""

import re
from pathlib import Path

import hagukumi

SOURCE = Path(hagukumi.__file__).parent
READS = re.compile(r"\b(?:FROM|JOIN|USING)\s+activity\b")
OPT_OUT = re.compile(r"^-- every act: \w.{5,}$", re.MULTILINE)


def statements():
    """(file, name, text with its comments) of every named statement."""
    for path in sorted(SOURCE.rglob("*.sql")):
        parts = re.split(r"^-- name:\s*(\w+)\s*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        yield from ((path.relative_to(SOURCE), name, text) for name, text in zip(parts[1::2], parts[2::2], strict=True))


def test_a_statement_on_the_ledger_counts_people_or_says_why_not():
    silent = []
    for path, name, text in statements():
        body = re.sub(r"^\s*--.*\n?", "", text, flags=re.MULTILINE)
        if READS.search(body) and "{by_a_person}" not in body and not OPT_OUT.search(text):
            silent.append(f"{path} {name}")
    assert silent == []


def test_sql_composed_in_python_uses_the_same_definition():
    benches = SOURCE / "bench"
    silent = [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        if benches not in path.parents and READS.search(text := path.read_text()) and "BY_A_PERSON" not in text
    ]
    assert silent == []


def test_nobody_spells_the_verdicts_out_but_their_room():
    """`details ->> 'by' = 'suspect'` in a query would be a second definition."""
    spelled = re.compile(r"->>\s*'by'")
    found = {str(path) for path, _name, text in statements() if spelled.search(text)}
    assert {path.split("/")[-2] for path in found} <= {"ledger", "tracking", "mail"}, sorted(found)
