"""From a template to bytes: everything that is the same for all is done once per message, the rest per recipient.

`compile_mail` turns source, sender and footer into one minijinja template (HTML, text and subject in one pass) with
tracked links and pixel in place; `Compiled.fill` gives one recipient's mail as SMTP content.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache, partial
from hashlib import blake2b
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import css_inline
import minijinja
import mrml
from django.utils.translation import gettext

from hagukumi.channels.outbox.rules import MARKETING
from hagukumi.kit import tokens

from . import links as addresses
from . import mime
from .allowed import NotAllowedError, only_allowed, without_comments
from .markup import is_mjml, to_mjml
from .rules import BY_NAME, FIELDS
from .values import values_of

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BARE_NAME = re.compile(r"\{\{-?\s*([^\W\d]\w*)\s*-?\}\}")
_HREF = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*)(")', re.IGNORECASE)
_SOURCE = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]*)(")', re.IGNORECASE)
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
_MARKUP = re.compile(r"<[^<>]*>")
_WORDS_IN_QUOTES = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_FILTER = re.compile(r"\|\s*([^\W\d]\w*)")
_STATEMENT = re.compile(r"\{%[-+]?\s*(\w*)")
_STATEMENTS = frozenset((
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "with", "endwith", "raw", "endraw",
))  # fmt: skip
_OPENING = frozenset(("if", "for", "with"))
_FILTERS = frozenset((
    "default", "d", "upper", "lower", "title", "capitalize", "trim", "replace", "length", "count", "int", "float",
    "round", "abs", "first", "last", "join", "urlencode", "escape", "e", "safe", "string", "bool", "list", "sort",
    "unique", "reverse", "min", "max", "sum",
))  # fmt: skip
"""What a mail needs. The others only make text grow without end (`format`, `indent`) or call others by name (`map`)."""
MOST_SOURCE = 100_000
_MOST_EXPRESSION = 500
_MOST_EXPRESSIONS = 2_000
_MOST_NESTED = 20
_MARK = re.compile(r"hgkm(\d{4})mkgh")
_VALUE_LINK = re.compile("\x02(hgkm\\d{4}mkgh)")
"""In a text made from HTML: a link whose address is a value as a whole."""
_MJ_TAG = re.compile(r"</?(mj-?[a-z-]*)")
CONFIRMING = frozenset(("確認リンク", "confirm_url"))
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


class UnlawfulError(ValueError):
    """A finished mail lacks what the law asks for; the message names it, as it should have stood there."""


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
        self,
        environment: minijinja.Environment,
        names: frozenset[str],
        links: list[str],
        identity: Identity,
        kind: str,
        *,
        tracked: bool,
    ) -> None:
        self.names = names
        self._must_show = _must_show(identity, kind) if tracked else ()
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
        self._seal_stop, self._seal_confirm = tokens.sealer("unsubscribe"), tokens.sealer("confirm")

    def render(self, values: Mapping[str, Any], lead_id: int, delivery_id: int) -> Rendered:
        """Subject, HTML and text for one person. minijinja.TemplateError where the template fails on these values."""
        context = dict(values)
        for field in FIELDS:
            context.setdefault(field, {})
        context["_unsubscribe"] = self._seal_stop(lead_id, delivery_id)
        context["_open"] = self._seal_open(lead_id, delivery_id)
        context["_trap"] = self._seal_click(lead_id, delivery_id, tokens.TRAP_LINK, text=self._identity.base_url)
        if not CONFIRMING.isdisjoint(self.names):
            address = f"{self._identity.base_url.rstrip('/')}/k/{self._seal_confirm(lead_id, delivery_id)}"
            context.update(dict.fromkeys(CONFIRMING, address))
        for number, url in enumerate(self._links):
            target = self._filled_link(number, context) if number in self._templated else url
            context[f"_link{number}"] = self._seal_click(lead_id, delivery_id, number, text=target)
        html, text, subject = self._environment.render_template("mail.html", **context).split(_SEPARATOR)
        return Rendered(mime.one_line(subject), html, text)

    def fill(self, values: Mapping[str, Any], address: str, lead_id: int, delivery_id: int, now: datetime) -> bytes:
        """One person's mail as SMTP content: CRLF lines, no line that begins with a dot.

        UnlawfulError where a display item or the stop link is not in what this person would get.
        """
        done = self.render(values, lead_id, delivery_id)
        for in_html, in_text in self._must_show:
            if in_html not in done.html or in_text not in done.text:
                raise UnlawfulError(in_text)
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


def _must_show(identity: Identity, kind: str) -> tuple[tuple[str, str], ...]:
    """What every mail has to hold, as (in its HTML, in its text): the display items, the stop link of advertising."""
    items = [
        item.replace("{", "｛") for item in (identity.legal_name, identity.postal_address, identity.contact) if item
    ]
    must = [(escape(item, quote=False).replace("\xa0", "&nbsp;"), item) for item in items]
    if kind == MARKETING:
        must.append((f'href="{identity.base_url.rstrip("/")}/u/', f"{identity.base_url.rstrip('/')}/u/"))
    return tuple(must)


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
    language = language_of(subject, preheader, source, text)
    marks = _Marks(language)
    protected = marks.protect(source)
    title, preheader = marks.protect(mime.one_line(subject)), marks.protect(preheader)
    html = _html(protected, title, preheader, marks.protect(_footer(identity, kind, language)), language)
    marks.must_be_in(html, protected)
    plain = marks.protect(text) if text.strip() else text_of(_html(protected, title, "", "", language))
    links: list[str] = []
    html, plain = _linked(html, plain, marks, links, identity, tracked=tracked)
    plain = f"{plain.rstrip()}\n{marks.protect(_text_footer(identity, kind, language))}"
    plain = plain.replace("\r\n", "\n").replace("\n", "\r\n")  # canonical line ends, for base64 (RFC 2045 6.8)
    if tracked:
        address = f"{identity.collector_url.rstrip('/')}/o/{{{{ _open }}}}.gif"
        pixel = f'<img src="{address}" width="1" height="1" alt="" style="display:none" />'
        trap = _trap(identity) if kind == MARKETING else ""
        html = html.replace("</body>", f"{trap}{pixel}</body>", 1)
    plain, title = "{% autoescape false %}" + marks.restore(plain), marks.restore(title) + "{% endautoescape %}"
    whole = _SEPARATOR.join([marks.restore(html), plain, title])
    environment = _environment()
    environment.add_filter("_link", partial(_whole_address, identity.base_url))
    environment.add_template("mail.html", whole)
    names = frozenset(environment.undeclared_variables_in_str(whole))
    for url in links:
        names |= environment.undeclared_variables_in_str(url)
    return Compiled(environment, names, links, identity, kind, tracked=tracked)


def _trap(identity: Identity) -> str:
    """The link that no reader can see, hear or reach by keyboard, for programs that follow whatever the source holds.

    It stands in nobody's text. Mail clients drop one attribute or another, so each of three keeps a reader away by
    itself: nothing to see or press, `visibility`, `aria-hidden` with `tabindex`. Not `display:none`, by which programs
    know what to leave out.
    """
    address = f"{identity.collector_url.rstrip('/')}/c/{{{{ _trap }}}}"
    hidden = "visibility:hidden;height:0;max-height:0;overflow:hidden;mso-hide:all"
    return f'<div aria-hidden="true" style="{hidden}"><a href="{address}" tabindex="-1"></a></div>'


def language_of(*parts: str) -> str:
    """ja or en, by the letters of what a template says itself: one Japanese letter makes it Japanese."""
    said = " ".join(_MARKUP.sub(" ", _EXPRESSION.sub(" ", part)) for part in parts)
    return "ja" if _JAPANESE.search(said) or not re.search(r"[A-Za-z]{2}", said) else "en"


def _whole_address(instead: str, value: object) -> str:
    """A link that is a value as a whole: only where it is an address of the web."""
    text = str(value).strip()
    return text if text.startswith(("http://", "https://")) else instead


def _in_address(value: object) -> str:
    """A value inside a link, percent-encoded: `A&B` and `a+b@` must arrive as they are."""
    return quote(str(value), safe="")


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


def too_much() -> str:
    """What to say of a template that a confined child could not finish."""
    return gettext(
        "テンプレートの処理が重すぎるか、入れ子が深すぎるため、途中で打ち切りました。短く、簡単にしてください"
    )


def template_words(error: minijinja.TemplateError) -> str:
    detail = {"line": error.line, "detail": error.detail or error.kind}
    return gettext("%(line)s行目の差し込みに誤りがあります（%(detail)s）") % detail


def preview(
    *, subject: str, preheader: str, source: str, text: str, kind: str, identity: Identity, facts: Mapping[str, Any]
) -> Rendered:
    """The mail as a person with these `facts` (columns) would see it, nothing tracked. For a child process.

    TemplateProblemError where it cannot become a mail.
    """
    compiled = compile_mail(
        subject=subject, preheader=preheader, source=source, text=text, kind=kind, identity=identity, tracked=False
    )
    try:
        return compiled.render(values_of(facts, identity.name, compiled.names), 0, 0)
    except minijinja.TemplateError as error:
        raise TemplateProblemError(template_words(error)) from error


def test_content(
    *, subject: str, preheader: str, source: str, text: str, kind: str, identity: Identity, facts: Mapping[str, Any],
    to: str, now: datetime,
) -> bytes:  # fmt: skip
    """A test mail to `to`, filled in with these facts, as SMTP content. For a child process.

    TemplateProblemError where it cannot become a mail.
    """
    compiled = compile_mail(
        subject=subject, preheader=preheader, source=source, text=text, kind=kind, identity=identity, tracked=False
    )
    try:
        return compiled.fill(values_of(facts, identity.name, compiled.names), to, 0, 0, now)
    except minijinja.TemplateError as error:
        raise TemplateProblemError(template_words(error)) from error


def text_of(html: str) -> str:
    """The plain text of an HTML mail: blocks on lines of their own, links as `words ( address )`."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return re.sub(
        r"\n{3,}", "\n\n", "\n".join(re.sub(r" {2,}", " ", line).strip() for line in "".join(reader.out).split("\n"))
    ).strip()


def _environment() -> minijinja.Environment:
    environment = minijinja.Environment()
    environment.fuel = 200_000
    environment.pycompat = False
    for name in ("range", "debug", "dict", "namespace"):
        environment.remove_global(name)
    environment.add_filter("safe", str)  # nobody's data is trusted as HTML
    environment.add_filter("_link", str)
    environment.add_filter("_url", _in_address)
    return environment


def _limit_problems(part: str) -> list[str]:
    """What is too much or not for a mail, seen before any parser reads it: length, depth, statements, filters.

    The template engine's parser ends the process on deep nesting; no `except` would see that.
    """
    if len(part) > MOST_SOURCE:
        return [gettext("長すぎます（%(n)s 文字まで）") % {"n": f"{MOST_SOURCE:,}"}]
    found = list(_EXPRESSION.finditer(part))
    if len(found) > _MOST_EXPRESSIONS:
        return [gettext("差し込みが多すぎます（%(n)s 個まで）") % {"n": f"{_MOST_EXPRESSIONS:,}"}]
    depth = 0
    for one in found:
        line = part.count("\n", 0, one.start()) + 1
        if (problem := _limit_problem(one[0])) is not None:
            return [gettext("%(line)s行目: %(problem)s") % {"line": line, "problem": problem}]
        statement = _STATEMENT.match(one[0])
        depth += bool(statement and statement[1] in _OPENING)
        depth -= bool(statement and statement[1].startswith("end"))
        if depth > _MOST_NESTED:
            return [gettext("%(line)s行目: %(problem)s") % {"line": line, "problem": gettext("入れ子が深すぎます")}]
    return []


def _limit_problem(expression: str) -> str | None:
    if expression.startswith("{#"):
        return None
    if len(expression) > _MOST_EXPRESSION:
        return gettext("差し込みが長すぎます（%(n)s 文字まで）") % {"n": _MOST_EXPRESSION}
    statement = _STATEMENT.match(expression)
    if statement and statement[1] not in _STATEMENTS:
        return gettext("{%% %(name)s %%} は使えません") % {"name": statement[1]}
    bare = _WORDS_IN_QUOTES.sub("''", expression)
    for name in _FILTER.findall(bare):
        if name not in _FILTERS:
            return gettext("「%(name)s」という加工は使えません") % {"name": name}
    return gettext("掛け算は使えません") if "*" in bare else None


def _expression_problems(part: str, field_keys: frozenset[str] | None) -> list[str]:
    if problems := _limit_problems(part):
        return problems
    environment = _environment()
    try:
        environment.add_template("part.html", part)
        environment.render_template("part.html", **{field: {} for field in FIELDS})
    except minijinja.TemplateError as error:
        return [template_words(error)]
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

    def __init__(self, language: str) -> None:
        self._kept: list[str] = []
        self._language = language

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
        return self._put(_BARE_NAME.sub(self._with_fallback, found[0]))

    def _put(self, expression: str) -> str:
        self._kept.append(expression)
        return f"hgkm{len(self._kept) - 1:04d}mkgh"

    def _with_fallback(self, found: re.Match[str]) -> str:
        variable = BY_NAME.get(found[1])
        fallback = variable.fallback_in(self._language) if variable else ""
        return f'{{{{ {found[1]}|default("{fallback}") }}}}' if fallback else found[0]

    def in_address(self, url: str) -> str:
        """The address with its values percent-encoded, and one that is a value as a whole held to be an address."""

        def encoded(found: re.Match[str]) -> str:
            kept = self._kept[int(found[1])]
            if not kept.startswith("{{"):
                return found[0]
            use = "_link" if found.start() == 0 else "_url"
            return self._put(f"{{{{ ({kept[2:-2].strip('-').strip()})|{use} }}}}")

        return _MARK.sub(encoded, url)


def _html(source: str, subject: str, preheader: str, footer: str, language: str) -> str:
    if is_mjml(source):
        source = without_comments(source)
    for number, line in enumerate(source.split("\n") if is_mjml(source) else (), 1):
        if unknown := set(_MJ_TAG.findall(line)) - _TAGS:
            raise TemplateProblemError(
                gettext("%(line)s行目の <%(tag)s> は使えません") % {"line": number, "tag": sorted(unknown)[0]}
            )
    try:
        made = mrml.to_html(
            to_mjml(source, subject=subject, preheader=preheader, footer=footer, language=language)
        ).content
    except (OSError, ValueError) as error:
        raise TemplateProblemError(gettext("MJML の書き方に誤りがあります（%(why)s）") % {"why": error}) from error
    for _before, href, _after in _HREF.findall(made):
        if href and not unescape(href).lower().startswith(_SAFE_LINK) and not _MARK.match(href):
            wrong = gettext("リンク先「%(href)s」は http(s)・mailto・tel のいずれかにしてください")
            raise TemplateProblemError(wrong % {"href": href})
    made = made.replace(' lang="und"', f' lang="{language}"').replace(' dir="auto"', "")
    try:
        return only_allowed(_INLINER.inline(made))
    except NotAllowedError as error:
        raise TemplateProblemError(str(error)) from error


def _linked(
    html: str, plain: str, marks: _Marks, links: list[str], identity: Identity, *, tracked: bool
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
        web = url.lower().startswith(("http://", "https://")) or _MARK.match(url) is not None
        if tracked and web:
            return f"{found[1]}{address(marks.in_address(url))}{found[3]}"
        return f"{found[1]}{escape(marks.in_address(url))}{found[3]}"

    def in_text(url: str) -> str:
        url = marks.in_address(url)
        return address(url) if tracked and not url.startswith(own) else url

    def picture(found: re.Match[str]) -> str:
        return f"{found[1]}{escape(marks.in_address(unescape(found[2])))}{found[3]}"

    html = _SOURCE.sub(picture, _HREF.sub(in_html, html))
    return html, _VALUE_LINK.sub(lambda found: in_text(found[1]), addresses.replace(plain, in_text))


@dataclass(frozen=True)
class _Footer:
    """The words at the end of every mail, in one language."""

    contact: str
    stop: str
    link: str
    text_link: str


_FOOTERS = {
    "ja": _Footer("お問い合わせ", "このメールの配信は、いつでも停止できます。", "配信停止のお手続き", "配信停止"),
    "en": _Footer("Contact", "You can stop these e-mails at any time. ", "Unsubscribe", "Unsubscribe"),
}


def _footer_lines(identity: Identity, words: _Footer) -> list[str]:
    return [
        line.replace("{", "｛")
        for line in (
            identity.legal_name,
            identity.postal_address,
            identity.contact and f"{words.contact}: {identity.contact}",
        )
        if line
    ]


def _footer(identity: Identity, kind: str, language: str) -> str:
    words = _FOOTERS[language]
    lines = [escape(line) for line in _footer_lines(identity, words)]
    if kind == MARKETING:
        url = f"{identity.base_url.rstrip('/')}/u/{{{{ _unsubscribe }}}}"
        lines.append(f'{words.stop}<a href="{url}" style="color:#6b6b6b">{words.link}</a>')
    return (
        '<mj-section padding="16px 8px"><mj-column><mj-text font-size="12px" line-height="1.7" color="#6b6b6b">'
        f"{'<br />'.join(lines)}</mj-text></mj-column></mj-section>"
    )


def _text_footer(identity: Identity, kind: str, language: str) -> str:
    words = _FOOTERS[language]
    lines = ["", "-- ", *_footer_lines(identity, words)]
    if kind == MARKETING:
        lines += [words.stop.strip(), f"{words.text_link}: {identity.base_url.rstrip('/')}/u/{{{{ _unsubscribe }}}}"]
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
            shown = "".join(self.out[-8:]).rstrip().endswith(self._href)
            if self._href.startswith("http") and not shown:
                self.out.append(f"\n{self._href}\n")
            elif _MARK.match(self._href):
                self.out.append(f"\n\x02{self._href}\n")
            self._href = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.out.append(re.sub(r"[ \t\r\n\f]+", " ", data))
