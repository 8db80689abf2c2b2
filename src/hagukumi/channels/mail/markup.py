"""The simple way to write a mail: plain lines, with a few marks, become MJML. Experts may write MJML themselves.

`# 見出し` · `- 箇条書き` · `---` (line) · `[言葉](https://…)` (link) · `**太字**` · a blank line begins a paragraph;
alone on a line: `[[ボタン]](https://…)` (button) · `![説明](https://…)` (picture).
"""

import re
from html import escape

from . import links

FONT = "'Hiragino Sans','Hiragino Kaku Gothic ProN','Noto Sans JP','Yu Gothic',Meiryo,sans-serif"
_ACCENT = "#3d7f43"
_URL = r"\(\s*((?:[^\s()（）]|\([^\s()]{0,200}\)){1,2000})\s*\)"
"""An address in round brackets, which may hold a pair of its own (as Wikipedia's do)."""
_BUTTON = re.compile(r"\[\[([^\n]{1,300}?)\]\]" + _URL)
_PICTURE = re.compile(r"!\[([^\[\]\n]{0,300})\]" + _URL)
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]" + _URL)
_BOLD = re.compile(r"\*\*([^*\n]{1,2000}?)\*\*")
_BODY_END = re.compile(r"</mj-body\s*>")


def is_mjml(source: str) -> bool:
    return source.lstrip().startswith("<mj")


def to_mjml(source: str, *, subject: str, preheader: str, footer: str, language: str = "ja") -> str:
    """A whole MJML document: the source (marks, MJML body or document) with `footer` sections at its end.

    A document without an end of its body gets no footer; the law's gate sees that.
    """
    body = source.strip()
    if not is_mjml(body):
        body = _sections(body)
    if body.startswith("<mjml"):
        ends = list(_BODY_END.finditer(body))
        return f"{body[: ends[-1].start()]}{footer}{body[ends[-1].start() :]}" if ends else body
    head = (
        f"<mj-title>{escape(subject)}</mj-title><mj-preview>{escape(preheader)}</mj-preview>"
        f'<mj-attributes><mj-all font-family="{FONT}" /><mj-text font-size="15px" line-height="1.8" color="#2b2b2b" />'
        f'<mj-button background-color="{_ACCENT}" border-radius="6px" font-size="15px" /></mj-attributes>'
    )
    return (
        f'<mjml lang="{language}"><mj-head>{head}</mj-head>'
        f'<mj-body background-color="#f6f4ef" width="600px">{body}{footer}</mj-body></mjml>'
    )


def _sections(source: str) -> str:
    parts = [_block(block) for block in re.split(r"\n\s*\n", source.replace("\r\n", "\n")) if block.strip()]
    inside = "".join(parts) or "<mj-text></mj-text>"
    return f'<mj-section background-color="#ffffff" padding="24px 8px"><mj-column>{inside}</mj-column></mj-section>'


def _block(block: str) -> str:
    text = block.strip("\n")
    if (found := _BUTTON.fullmatch(text.strip())) is not None:
        return f'<mj-button href="{_attribute(found[2])}">{_inline(found[1])}</mj-button>'
    if (found := _PICTURE.fullmatch(text.strip())) is not None:
        return f'<mj-image src="{_attribute(found[2])}" alt="{_attribute(found[1])}" />'
    if text.strip() == "---":
        return '<mj-divider border-width="1px" border-color="#dcd8cf" />'
    lines = text.split("\n")
    if lines[0].startswith("#"):
        rest = _block("\n".join(lines[1:])) if lines[1:] else ""
        title = _inline(lines[0].lstrip("# "))
        return f'<mj-text font-size="20px" line-height="1.5"><h1 style="{_H1}">{title}</h1></mj-text>{rest}'
    if all(line.startswith(("- ", "・")) for line in lines):
        items = "".join(f"<li>{_inline(line.removeprefix('- ').removeprefix('・'))}</li>" for line in lines)
        return f'<mj-text><ul style="margin:0;padding-left:1.4em">{items}</ul></mj-text>'
    return f"<mj-text>{'<br />'.join(_inline(line) for line in lines)}</mj-text>"


_H1 = "margin:0;font-size:20px"


def _attribute(value: str) -> str:
    return escape(value, quote=True)


def _inline(text: str) -> str:
    kept: list[str] = []

    def keep(label: str, url: str) -> str:
        kept.append(f'<a href="{_attribute(url)}" style="color:{_ACCENT}">{label}</a>')
        return f"\x00{len(kept) - 1}\x00"

    for pattern in (_BUTTON, _LINK):  # a button that does not stand alone is a link
        text = pattern.sub(lambda found: keep(escape(found[1]), found[2]), text)
    text = links.replace(text, lambda url: keep(escape(url), url))
    text = _BOLD.sub(r"<strong>\1</strong>", escape(text, quote=False))
    return re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], text)
