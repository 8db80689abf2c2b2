"""What would go out as it was typed, though somebody meant something else by it: told before a mail is saved.

Other tools' placeholders (`%姓%`, `{contactfield=…}`), links that are none, pasted HTML. A warning, not a refusal: who
really wants to write about `%姓%` may.
"""

import re
from collections.abc import Callable, Iterator

from django.utils.translation import gettext

from . import links
from .markup import is_mjml
from .rules import BY_NAME

_OURS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_STYLE = re.compile(r"<(mj-style|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_NAME = r"[^\W\d][\w .\-]{0,40}"
_FOREIGN = re.compile(
    "|".join(
        [
            rf"(?<![\d０-９%％]){mark}{_NAME}{mark}(?!\d)" for mark in ("%%", "%", "##", "@@", r"\$\$", "％")
        ] + [
            r"(?<![{$#%!])\{[^\W\d][\w.=|\- ]{0,60}\}(?!\})",  # {name}, {contactfield=firstname}
            r"\*\|[^|\n]{1,60}\|\*", r"\$\{[^}\n]{1,60}\}", r"\{!\$?[^}\n]{1,60}\}", r"<%.{1,60}?%>",
            r"<<[^<>\n]{1,40}>>", r"\[\[[^\[\]\n]{1,40}\]\](?!\()", r"\[%[^\n]{1,40}?%\]",
            r"｛{1,2}[^｛｝\n]{1,40}｝{1,2}",
        ]
    )
)  # fmt: skip
_HTML = re.compile(
    r"</?(?:a|b|i|u|p|br|div|span|img|font|strong|em|table|tr|td|h[1-6]|ul|ol|li|style|center)\b[^>]*>", re.I
)
_MARKED_LINK = re.compile(r"\[[^\[\]\n]{1,300}\]\]?[(（]([^()（）\n]{0,2000})[)）]")
_HREF = re.compile(r"""\b(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)


def warnings(*, subject: str, preheader: str, source: str, text: str) -> list[tuple[str, str]]:
    """Likely slips as (part, sentence with the line), in the language in force; parts as in `render.check`."""
    found = []
    for part, words in (("subject", subject), ("preheader", preheader), ("mjml", source), ("text", text)):
        for at, problem in _of(words, part):
            line = words.count("\n", 0, at) + 1
            found.append((part, gettext("%(line)s行目: %(problem)s") % {"line": line, "problem": problem}))
    return found


def _of(words: str, part: str) -> Iterator[tuple[int, str]]:
    bare = _blanked(_STYLE, _blanked(_OURS, words))
    if part == "mjml":
        yield from _links(words, bare)
        if not is_mjml(words) and (html := _HTML.search(bare)):
            yield html.start(), gettext("「%(text)s」は HTML のまま文字として表示されます") % {"text": html[0][:60]}
    for start, end in links.find(bare):
        bare = bare[:start] + " " * (end - start) + bare[end:]
    for found in _FOREIGN.finditer(bare):
        name = found[0].strip("%％#@$*|{}[]<>!｛｝ ")
        if found[0].startswith("｛") and name not in BY_NAME and not found[0].startswith("｛｛"):
            continue
        if found[0].startswith("<") and part == "mjml" and is_mjml(words):
            continue
        yield (
            found.start(),
            gettext("「%(text)s」は差し込まれず、そのまま届きます。差し込みは {{ 姓 }} のように書きます")
            % {"text": found[0]},
        )


def _links(words: str, bare: str) -> Iterator[tuple[int, str]]:
    for found in _HREF.finditer(bare) if is_mjml(words) else _MARKED_LINK.finditer(bare):
        target = next((group for group in found.groups() if group is not None), "")
        if re.search(r"\s", target.strip()) and "://" in target:
            yield (
                found.start(),
                gettext("リンク先「%(url)s」に空白があり、リンクになりません") % {"url": target.strip()[:80]},
            )
        elif "（" in found[0] and "://" in target:
            yield (
                found.start(),
                gettext("「%(text)s」のかっこが全角のため、リンクになりません") % {"text": found[0][:80]},
            )


def _blanked(pattern: re.Pattern[str], words: str) -> str:
    """`words` with what matches replaced by blanks of the same length, so that places and lines stay."""
    keep: Callable[[re.Match[str]], str] = lambda found: re.sub(r"[^\n]", "\x00", found[0])  # noqa: E731
    return pattern.sub(keep, words)
