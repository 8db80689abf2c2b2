"""`python -m hagukumi.kit.template_lines`: template lines wider than 160 columns, of which no editor shows the end.

The formatter (djangofmt) breaks between elements and attributes; what it leaves is broken by hand: an if-chain over
several lines where white space does not show, `{% blocktranslate trimmed %}` for a long sentence. A line that is one
single tag cannot be broken and passes.
"""

import re
import sys
import unicodedata
from pathlib import Path

LIMIT = 160
_ONE_TAG = re.compile(r"\s*(?:{%[^%]*%}|{{[^}]*}})\s*")


def columns(line: str) -> int:
    """How wide a line is: Japanese letters take two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def too_wide(root: Path) -> list[str]:
    """`path:line: columns` of every line that is too wide, below `root`."""
    return [
        f"{path.relative_to(root)}:{number}: {columns(line)} columns, at most {LIMIT}"
        for path in sorted(root.rglob("*.html"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LIMIT // 2 and columns(line) > LIMIT and not _ONE_TAG.fullmatch(line)
    ]


if __name__ == "__main__":
    found = too_wide(Path(__file__).parents[1])
    print("\n".join(found))
    sys.exit(bool(found))
