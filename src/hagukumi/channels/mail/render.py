"""From a template to bytes: everything that is the same for all is done once per message, the rest per recipient.

`compile_mail` turns source, sender and footer into one minijinja template (HTML, text and subject in one pass) with
tracked links and pixel in place; `Compiled.fill` gives one recipient's mail as SMTP content.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any

import css_inline
import minijinja
import mrml
from django.utils.translation import gettext

from hagukumi.kit import tokens

from . import mime
from .markup import is_mjml, to_mjml
from .rules import BY_NAME, FIELDS, MARKETING

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BARE_NAME = re.compile(r"\{\{-?\s*([^\W\d]\w*)\s*-?\}\}")
_HREF = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*)(")', re.IGNORECASE)
_TEXT_URL = re.compile(r"https?://[^\s<>\"]+")
_MARK = re.compile(r"hgkm(\d{4})mkgh")
_MJ_TAG = re.compile(r"</?(mj-?[a-z-]*)")
_SEPARATOR = "\x1e"
_SAFE_LINK = ("http://", "https://", "mailto:", "tel:", "#")
_TAGS = {
    *(
        "mjml",
        "mj-head",
        "mj-body",
        "mj-attributes",
        "mj-all",
        "mj-class",
        "mj-preview",
        "mj-title",
        "mj-style",
        "mj-font",
    ),
    *(
        "mj-breakpoint",
        "mj-section",
        "mj-column",
        "mj-group",
        "mj-wrapper",
        "mj-text",
        "mj-button",
        "mj-image",
        "mj-raw",
    ),
    *(
        "mj-divider",
        "mj-spacer",
        "mj-table",
        "mj-social",
        "mj-social-element",
        "mj-hero",
        "mj-navbar",
        "mj-navbar-link",
    ),
}
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


class TemplateProblemError(ValueError):
    """The template cannot become a mail; the message says where and why, in the language in force."""


@dataclass(frozen=True)
class Identity:
    """The sender's side of a mail: From, Reply-To, the display items, and where links lead."""

    name: str
    email: str
    reply_to: str
    legal_name: str
    postal_address: str
    contact: str
    base_url: str
    collector_url: str


@dataclass(frozen=True)
class Rendered:
    subject: str
    html: str
    text: str


class Compiled:
    """One message, ready to be filled. `names`: the variables its template asks for."""

    def __init__(
        self, environment: minijinja.Environment, names: frozenset[str], links: list[str], identity: Identity, kind: str
    ) -> None:
        self.names = names
        self._environment = environment
        self._links = links
        self._identity = identity
        self._marketing = kind == MARKETING
        self._templated = [number for number, url in enumerate(links) if "{{" in url or "{%" in url]
        for number in self._templated:
            environment.add_template(f"link{number}.txt", links[number])
        boundary = "=_" + blake2b(f"{identity.email}{links}".encode(), digest_size=12).hexdigest()
        self._top = mime.mailbox("From", identity.name, identity.email)
        if identity.reply_to:
            self._top += mime.mailbox("Reply-To", "", identity.reply_to)
        self._domain = identity.email.rpartition("@")[2].encode()
        part = b"--" + boundary.encode() + b"\r\n"
        kinds = b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        self._before_text = (
            b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="'
            + boundary.encode()
            + b'"\r\n\r\n'
            + part
            + kinds % b"plain"
        )
        self._before_html = part + kinds % b"html"
        self._end = b"--" + boundary.encode() + b"--\r\n"
        self._unsubscribe_root = identity.base_url.rstrip("/") + "/u/"
        self._seal_click, self._seal_open = tokens.sealer("click"), tokens.sealer("open")
        self._seal_stop = tokens.sealer("unsubscribe")

    def render(self, values: Mapping[str, Any], lead_id: int, delivery_id: int) -> Rendered:
        """Subject, HTML and text for one person. minijinja.TemplateError where the template fails on these values."""
        context = dict(values)
        for field in FIELDS:
            context.setdefault(field, {})
        context["_unsubscribe"] = self._seal_stop(lead_id, delivery_id)
        context["_open"] = self._seal_open(lead_id, delivery_id)
        for number, url in enumerate(self._links):
            target = self._filled_link(number, context) if number in self._templated else url
            context[f"_link{number}"] = self._seal_click(lead_id, delivery_id, number, text=target)
        html, text, subject = self._environment.render_template("mail.html", **context).split(_SEPARATOR)
        return Rendered(mime.one_line(subject), html, text)

    def fill(self, values: Mapping[str, Any], address: str, lead_id: int, delivery_id: int, now: datetime) -> bytes:
        """One person's mail as SMTP content: CRLF lines, no line that begins with a dot."""
        done = self.render(values, lead_id, delivery_id)
        head = [
            self._top,
            mime.mailbox("To", "", address),
            mime.header("Subject", done.subject),
            f"Date: {_date_of(int(now.timestamp()))}\r\nMessage-ID: <{delivery_id}.{lead_id}@".encode()
            + self._domain
            + b">\r\n",
        ]
        if self._marketing:
            token = self._seal_stop(lead_id, delivery_id)
            head.append(
                f"List-Unsubscribe: <{self._unsubscribe_root}{token}>\r\n"
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode()
            )
        text, html = mime.base64_lines(done.text.encode()), mime.base64_lines(done.html.encode())
        return b"".join([*head, self._before_text, text, self._before_html, html, self._end])

    def _filled_link(self, number: int, context: Mapping[str, Any]) -> str:
        url = self._environment.render_template(f"link{number}.txt", **context).strip()
        return url if url.startswith(("http://", "https://")) else self._identity.base_url


@lru_cache(maxsize=8)
def _date_of(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


def compile_mail(
    *, subject: str, preheader: str, source: str, text: str, kind: str, identity: Identity, tracked: bool = True
) -> Compiled:
    """Make the template of one message. `tracked=False` leaves links alone and adds no pixel (preview, test mail).

    TemplateProblemError names the first thing that is wrong.
    """
    _check_expressions(subject, preheader, source, text)
    marks = _Marks()
    protected = marks.protect(source)
    title, preheader = marks.protect(mime.one_line(subject)), marks.protect(preheader)
    html = _html(protected, title, preheader, marks.protect(_footer(identity, kind)))
    marks.must_be_in(html, protected)
    plain = marks.protect(text) if text.strip() else text_of(_html(protected, title, "", ""))
    plain = f"{plain.rstrip()}\n{marks.protect(_text_footer(identity, kind))}"
    plain = plain.replace("\r\n", "\n").replace("\n", "\r\n")  # canonical line ends, for base64 (RFC 2045 6.8)
    links: list[str] = []
    if tracked:
        html, plain = _tracked(html, plain, marks, links, identity)
        address = f"{identity.collector_url.rstrip('/')}/o/{{{{ _open }}}}.gif"
        pixel = f'<img src="{address}" width="1" height="1" alt="" style="display:none" />'
        html = html.replace("</body>", f"{pixel}</body>", 1)
    plain, title = "{% autoescape false %}" + marks.restore(plain), marks.restore(title) + "{% endautoescape %}"
    whole = _SEPARATOR.join([marks.restore(html), plain, title])
    environment = _environment()
    environment.add_template("mail.html", whole)
    names = frozenset(environment.undeclared_variables_in_str(whole))
    for url in links:
        names |= environment.undeclared_variables_in_str(url)
    return Compiled(environment, names, links, identity, kind)


def check(
    *, subject: str, preheader: str, source: str, text: str, field_keys: frozenset[str] | None = None
) -> list[tuple[str, str]]:
    """Everything about a template that would stop a mail, as (part, sentence): syntax, unknown variables, MJML, links.

    Parts: subject, preheader, mjml, text.
    """
    parts = (("subject", subject), ("preheader", preheader), ("mjml", source), ("text", text))
    found = [(part, problem) for part, words in parts for problem in _expression_problems(words, field_keys)]
    if found:
        return found
    nobody = Identity("", "x@example.jp", "", "", "", "", "https://example.jp", "https://example.jp")
    try:
        compiled = compile_mail(
            subject=subject, preheader=preheader, source=source, text=text, kind=MARKETING, identity=nobody
        )
        compiled.render({}, 1, 1)
    except (TemplateProblemError, minijinja.TemplateError) as error:
        found.append(("mjml", str(error)))
    return found


def text_of(html: str) -> str:
    """The plain text of an HTML mail: blocks on lines of their own, links as `words ( address )`."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in "".join(reader.out).split("\n"))).strip()


def _environment() -> minijinja.Environment:
    environment = minijinja.Environment()
    environment.fuel = 200_000
    environment.add_filter("safe", str)  # nobody's data is trusted as HTML
    return environment


def _expression_problems(part: str, field_keys: frozenset[str] | None) -> list[str]:
    environment = _environment()
    try:
        environment.add_template("part.html", part)
        environment.render_template("part.html", **{field: {} for field in FIELDS})
    except minijinja.TemplateError as error:
        detail = {"line": error.line, "detail": error.detail or error.kind}
        return [gettext("%(line)s行目の差し込みに誤りがあります（%(detail)s）") % detail]
    problems = []
    for name in sorted(environment.undeclared_variables_in_str(part, nested=True)):
        first, _dot, rest = name.partition(".")
        known = first in BY_NAME or (first in FIELDS and (field_keys is None or not rest or rest in field_keys))
        if not known:
            line = next((n for n, text in enumerate(part.split("\n"), 1) if name in text), 1)
            detail = {"line": line, "name": name}
            problems.append(gettext("%(line)s行目の「%(name)s」という差し込み項目はありません") % detail)
    return problems


def _check_expressions(*parts: str) -> None:
    for part in parts:
        if _SEPARATOR in part:
            raise TemplateProblemError(gettext("使えない制御文字が含まれています"))
        if problems := _expression_problems(part, None):
            raise TemplateProblemError(problems[0])


class _Marks:
    """Keeps `{{ … }}` safe from markup, MJML and CSS inlining: each becomes a word that none of them touches."""

    def __init__(self) -> None:
        self._kept: list[str] = []

    def protect(self, text: str) -> str:
        return _EXPRESSION.sub(self._keep, text)

    def restore(self, text: str) -> str:
        return _MARK.sub(lambda found: self._kept[int(found[1])], text)

    def must_be_in(self, html: str, source: str) -> None:
        for found in _MARK.finditer(source):
            if found[0] not in html and not self._kept[int(found[1])].startswith("{#"):
                raise TemplateProblemError(
                    gettext("「%(text)s」が本文に現れません。mj-text などの要素の中に書いてください。")
                    % {"text": self._kept[int(found[1])]}
                )

    def _keep(self, found: re.Match[str]) -> str:
        self._kept.append(_BARE_NAME.sub(_with_fallback, found[0]))
        return f"hgkm{len(self._kept) - 1:04d}mkgh"


def _with_fallback(found: re.Match[str]) -> str:
    variable = BY_NAME.get(found[1])
    if variable is None or not variable.fallback:
        return found[0]
    return f'{{{{ {found[1]}|default("{variable.fallback}") }}}}'


def _html(source: str, subject: str, preheader: str, footer: str) -> str:
    for number, line in enumerate(source.split("\n") if is_mjml(source) else (), 1):
        if unknown := set(_MJ_TAG.findall(line)) - _TAGS:
            raise TemplateProblemError(
                gettext("%(line)s行目の <%(tag)s> は使えません") % {"line": number, "tag": sorted(unknown)[0]}
            )
    try:
        made = mrml.to_html(to_mjml(source, subject=subject, preheader=preheader, footer=footer)).content
    except (OSError, ValueError) as error:
        raise TemplateProblemError(gettext("MJML の書き方に誤りがあります（%(why)s）") % {"why": error}) from error
    if re.search(r"<(script|iframe|object|embed|form)\b|\son[a-z]+\s*=", made, re.IGNORECASE):
        raise TemplateProblemError(gettext("スクリプトや入力フォームはメールに入れられません"))
    for _before, href, _after in _HREF.findall(made):
        if href and not unescape(href).startswith(_SAFE_LINK) and not _MARK.match(href):
            wrong = gettext("リンク先「%(href)s」は http(s)・mailto・tel のいずれかにしてください")
            raise TemplateProblemError(wrong % {"href": href})
    return _INLINER.inline(made.replace(' lang="und"', ' lang="ja"').replace(' dir="auto"', ""))


def _tracked(html: str, plain: str, marks: _Marks, links: list[str], identity: Identity) -> tuple[str, str]:
    root = identity.collector_url.rstrip("/") + "/c/"
    own = identity.base_url.rstrip("/") + "/u/"

    def address(url: str) -> str:
        url = marks.restore(url)
        if url not in links:
            links.append(url)
        return f"{root}{{{{ _link{links.index(url)} }}}}"

    def in_html(found: re.Match[str]) -> str:
        url = unescape(found[2])
        if url.startswith(own) or not (url.startswith(("http://", "https://")) or _MARK.match(url)):
            return found[0]
        return f"{found[1]}{address(url)}{found[3]}"

    def in_text(found: re.Match[str]) -> str:
        return found[0] if found[0].startswith(own) else address(found[0])

    return _HREF.sub(in_html, html), _TEXT_URL.sub(in_text, plain)


def _footer_lines(identity: Identity) -> list[str]:
    return [
        line.replace("{", "｛")
        for line in (
            identity.legal_name,
            identity.postal_address,
            identity.contact and f"お問い合わせ: {identity.contact}",
        )
        if line
    ]


_STOP = "このメールの配信は、いつでも停止できます。"


def _footer(identity: Identity, kind: str) -> str:
    lines = [escape(line) for line in _footer_lines(identity)]
    if kind == MARKETING:
        url = f"{identity.base_url.rstrip('/')}/u/{{{{ _unsubscribe }}}}"
        lines.append(f'{_STOP}<a href="{url}" style="color:#6b6b6b">配信停止のお手続き</a>')
    return (
        '<mj-section padding="16px 8px"><mj-column><mj-text font-size="12px" line-height="1.7" color="#6b6b6b">'
        f"{'<br />'.join(lines)}</mj-text></mj-column></mj-section>"
    )


def _text_footer(identity: Identity, kind: str) -> str:
    lines = ["", "-- ", *_footer_lines(identity)]
    if kind == MARKETING:
        lines += [_STOP, f"配信停止: {identity.base_url.rstrip('/')}/u/{{{{ _unsubscribe }}}}"]
    return "\n".join(lines) + "\n"


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
            if self._href.startswith("http") and not "".join(self.out).rstrip().endswith(self._href):
                self.out.append(f"\n{self._href}\n")
            self._href = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.out.append(re.sub(r"\s+", " ", data))
