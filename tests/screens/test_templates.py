"""Every template compiles: a tag or filter that does not exist is found here and not by the first reader."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

FOLDER = Path(__file__).parents[2] / "src" / "hagukumi" / "screens"


@pytest.mark.parametrize("name", sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html")))
def test_template_compiles(name):
    get_template(name)


@pytest.mark.parametrize("name", sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html")))
def test_words_hold_no_element(name):
    """What stands in `{% translate "…" %}` is not escaped: a `<mj-section>` in it is an element that nobody sees."""
    words = re.findall(r'\{%\s*translate\s+"([^"]*)"', (FOLDER / name).read_text(encoding="utf-8"))
    assert [word for word in words if "<" in word] == []
