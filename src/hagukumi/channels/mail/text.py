"""The text part of a mail, made from its HTML; and the language in which a template speaks."""

import re
from html.parser import HTMLParser

from .expressions import EXPRESSION
from .marks import MARK

_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
VALUE_LINK = re.compile("\x02(hgkm\\d{4}mkgh)")
"""In a text made from HTML: a link whose address is a value as a whole."""
_MARKUP = re.compile(r"<[^<>]*>")


def language_of(*parts: str) -> str:
    """ja or en, by the letters of what a template says itself: one Japanese letter makes it Japanese."""
    said = " ".join(_MARKUP.sub(" ", EXPRESSION.sub(" ", part)) for part in parts)
    return "ja" if _JAPANESE.search(said) or not re.search(r"[A-Za-z]{2}", said) else "en"


def text_of(html: str) -> str:
    """The plain text of an HTML mail: blocks on lines of their own, links as `words ( address )`."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return re.sub(
        r"\n{3,}", "\n\n", "\n".join(re.sub(r" {2,}", " ", line).strip() for line in "".join(reader.out).split("\n"))
    ).strip()


class _TextReader(HTMLParser):
    _BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "ul", "ol", "table"})

    def __init__(self) -> None:
        super().__init__()
        self.out: list[str] = []
        self._hidden = 0
        self._href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("head", "style", "title"):
            self._hidden += 1
        elif tag in self._BLOCKS:
            self.out.append("\n・" if tag == "li" else "\n")
        elif tag == "a":
            self._href = dict(attrs).get("href") or ""
        elif tag == "img" and (alt := dict(attrs).get("alt")):
            self.out.append(f"[{alt}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("head", "style", "title"):
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BLOCKS:
            self.out.append("\n")
        elif tag == "a" and self._href:
            shown = "".join(self.out[-8:]).rstrip().endswith(self._href)
            if self._href.startswith("http") and not shown:
                self.out.append(f"\n{self._href}\n")
            elif MARK.match(self._href):
                self.out.append(f"\n\x02{self._href}\n")
            self._href = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.out.append(re.sub(r"[ \t\r\n\f]+", " ", data))
