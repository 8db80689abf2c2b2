"""The links of a mail: values in them encoded, each led through the collector; the pixel and the trap."""

import re
from html import escape, unescape

from . import links as addresses
from .document import HREF
from .identity import Identity
from .marks import MARK, Marks
from .text import VALUE_LINK

_SOURCE = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]*)(")', re.IGNORECASE)


def linked(
    html: str, plain: str, marks: Marks, links: list[str], identity: Identity, *, tracked: bool
) -> tuple[str, str]:
    """HTML and text with the values in their links encoded and, where `tracked`, each link led through the collector.

    The targets of tracked links are appended to `links`.
    """
    root = identity.collector_url.rstrip("/") + "/c/"
    own = identity.base_url.rstrip("/") + "/u/"

    def address(url: str) -> str:
        url = marks.restore(url)
        if url not in links:
            links.append(url)
        return f"{root}{{{{ _link{links.index(url)} }}}}"

    def in_html(found: re.Match[str]) -> str:
        url = unescape(found[2])
        if url.startswith(own):
            return found[0]
        web = url.lower().startswith(("http://", "https://")) or MARK.match(url) is not None
        if tracked and web:
            return f"{found[1]}{address(marks.in_address(url))}{found[3]}"
        return f"{found[1]}{escape(marks.in_address(url))}{found[3]}"

    def in_text(url: str) -> str:
        url = marks.in_address(url)
        return address(url) if tracked and not url.startswith(own) else url

    def picture(found: re.Match[str]) -> str:
        return f"{found[1]}{escape(marks.in_address(unescape(found[2])))}{found[3]}"

    html = _SOURCE.sub(picture, HREF.sub(in_html, html))
    return html, VALUE_LINK.sub(lambda found: in_text(found[1]), addresses.replace(plain, in_text))


def whole_address(instead: str, value: object) -> str:
    """A link that is a value as a whole: only where it is an address of the web."""
    text = str(value).strip()
    return text if text.startswith(("http://", "https://")) else instead


def trap_link(identity: Identity) -> str:
    """The link that no reader can see, hear or reach by keyboard, for programs that follow whatever the source holds.

    It stands in nobody's text. Mail clients drop one attribute or another, so each of three keeps a reader away by
    itself: nothing to see or press, `visibility`, `aria-hidden` with `tabindex`. Not `display:none`, by which programs
    know what to leave out.
    """
    address = f"{identity.collector_url.rstrip('/')}/c/{{{{ trap }}}}"
    hidden = "visibility:hidden;height:0;max-height:0;overflow:hidden;mso-hide:all"
    return f'<div aria-hidden="true" style="{hidden}"><a href="{address}" tabindex="-1"></a></div>'
