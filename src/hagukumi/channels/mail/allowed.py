"""What a mail's HTML may hold: an allowlist, laid over the finished document rather than over its source."""

import re
from html.parser import HTMLParser

import nh3
from django.utils.translation import gettext

_TABLE = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "colgroup", "col"}
_WORDS = {
    "a", "b", "i", "u", "s", "em", "strong", "small", "sub", "sup", "span", "font", "code", "br", "wbr", "abbr",
    "mark", "del", "ins", "ruby", "rt", "rp", "bdi", "bdo", "kbd", "q", "cite", "time",
}  # fmt: skip
_BLOCKS = {
    "p", "div", "center", "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl",
    "dt", "dd", "img", "picture", "figure", "figcaption", "section", "article", "header", "footer", "main", "nav",
    "address", "style",
}  # fmt: skip
TAGS = _TABLE | _WORDS | _BLOCKS
_HEAD = {"html", "head", "title", "meta", "style", "link", "body"}
_EVERYWHERE = {
    "style", "class", "id", "title", "dir", "lang", "role", "align", "valign", "width", "height", "bgcolor",
    "background", "border", "cellpadding", "cellspacing", "color", "face", "size", "aria-label", "aria-hidden",
    "aria-roledescription",
}  # fmt: skip
_OWN = {
    "a": {"href", "target", "name"}, "img": {"src", "alt", "srcset"}, "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "scope"}, "ol": {"start", "type"}, "col": {"span"}, "time": {"datetime"},
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_BODY = re.compile(r"(<body\b[^>]*>)(.*)(</body\s*>)", re.DOTALL | re.IGNORECASE)
_cleaner = nh3.Cleaner(
    tags=TAGS, attributes={"*": _EVERYWHERE, **_OWN}, clean_content_tags={"script", "title", "iframe"},
    strip_comments=False, url_schemes=_SCHEMES, link_rel=None, generic_attribute_prefixes={"data-"},
)  # fmt: skip


class NotAllowedError(ValueError):
    """The HTML holds what no mail may; the message names it, in the language in force."""


def only_allowed(html: str) -> str:
    """The document with nothing but what is allowed in its body. NotAllowedError for what a writer must be told about.

    Harmless leftovers (an unknown attribute) just go. Comments stay: they are MJML's own, for Outlook; the writer's
    went before (`without_comments`).
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    found = _BODY.search(html)
    if found is None:
        raise NotAllowedError(gettext("本文がありません"))
    return f"{html[: found.start()]}{found[1]}{_cleaner.clean(found[2])}{found[3]}</html>"


def without_comments(source: str) -> str:
    """Source without its comments, which could hold for Outlook what nobody else sees."""
    return re.sub(r"<!--.*?(?:-->|\Z)", "", source, flags=re.DOTALL)


class _Reader(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS | _HEAD:
            words = gettext(
                "<%(tag)s> はメールに入れられません（スクリプトや入力フォームなど、受信側で動くものは使えません）"
            )
            raise NotAllowedError(words % {"tag": tag[:40]})
        for name, _value in attrs:
            if name.startswith("on"):
                raise NotAllowedError(gettext("スクリプト（%(name)s）はメールに入れられません") % {"name": name[:40]})
