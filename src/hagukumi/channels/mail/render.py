"""From a template to bytes: everything that is the same for all is done once per message, the rest per recipient.

`compile_mail` turns source, sender and footer into one minijinja template (HTML, text and subject in one pass) with
tracked links and pixel in place; `Compiled.fill` gives one recipient's mail as SMTP content.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import minijinja

from hagukumi.channels.outbox.rules import MARKETING

from . import footer, mime
from .compiled import Compiled, Rendered
from .document import html_of
from .expressions import SEPARATOR, TemplateProblemError, engine, problems_of, refuse_problems, template_words
from .identity import Identity
from .marks import Marks
from .text import language_of, text_of
from .tracking import linked, trap_link, whole_address
from .values import values_of


def compile_mail(
    *, subject: str, preheader: str, source: str, text: str, kind: str, identity: Identity, tracked: bool = True
) -> Compiled:
    """Make the template of one message. `tracked=False` leaves links alone and adds no pixel (preview, test mail).

    TemplateProblemError names the first thing that is wrong.
    """
    refuse_problems(subject, preheader, source, text)
    language = language_of(subject, preheader, source, text)
    marks = Marks(language)
    protected = marks.protect(source)
    title, preheader = marks.protect(mime.one_line(subject)), marks.protect(preheader)
    html = html_of(protected, title, preheader, marks.protect(footer.in_mjml(identity, kind, language)), language)
    marks.must_be_in(html, protected)
    plain = marks.protect(text) if text.strip() else text_of(html_of(protected, title, "", "", language))
    links: list[str] = []
    html, plain = linked(html, plain, marks, links, identity, tracked=tracked)
    plain = f"{plain.rstrip()}\n{marks.protect(footer.in_text(identity, kind, language))}"
    plain = plain.replace("\r\n", "\n").replace("\n", "\r\n")  # canonical line ends, for base64 (RFC 2045 6.8)
    if tracked:
        address = f"{identity.collector_url.rstrip('/')}/o/{{{{ _open }}}}.gif"
        pixel = f'<img src="{address}" width="1" height="1" alt="" style="display:none" />'
        trap = trap_link(identity) if kind == MARKETING else ""
        html = html.replace("</body>", f"{trap}{pixel}</body>", 1)
    plain, title = "{% autoescape false %}" + marks.restore(plain), marks.restore(title) + "{% endautoescape %}"
    whole = SEPARATOR.join([marks.restore(html), plain, title])
    environment = engine()
    environment.add_filter("_link", partial(whole_address, identity.base_url))
    environment.add_template("mail.html", whole)
    names = frozenset(environment.undeclared_variables_in_str(whole))
    for url in links:
        names |= environment.undeclared_variables_in_str(url)
    return Compiled(environment, names, links, identity, kind, tracked=tracked)


def check(
    *, subject: str, preheader: str, source: str, text: str, field_keys: frozenset[str] | None = None
) -> list[tuple[str, str]]:
    """Everything about a template that would stop a mail, as (part, sentence): syntax, unknown variables, MJML, links.

    Parts: subject, preheader, mjml, text.
    """
    parts = (("subject", subject), ("preheader", preheader), ("mjml", source), ("text", text))
    found = [(part, problem) for part, words in parts for problem in problems_of(words, field_keys)]
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
