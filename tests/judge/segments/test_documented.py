"""Every condition type is documented."""

import re
from pathlib import Path

import hagukumi
from hagukumi.judge.segments.conditions import leaves

DOCS = Path(hagukumi.__file__).parents[2] / "docs" / "conditions.md"


def test_every_condition_type_is_in_the_docs():
    named = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|([^|]*)\|", DOCS.read_text(), re.MULTILINE))))
    assert set(leaves()) == named
