"""The law's gate: what a finished mail must show before it may go out, looked for in the rendered HTML and text.

特定電子メール法 4条, 施行規則 7-9条: the legal name, the address, where to complain, and how mail can be stopped.
The display items are asked of every mail, the stop link of advertising. What is looked at is what the recipient would
get: a template may lose its footer in ways that its source does not show.
"""

import ipaddress
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import minijinja
from django.conf import settings
from django.utils.translation import gettext

from hagukumi.channels.outbox.rules import MARKETING
from hagukumi.kit import smtp

from .compiled import Compiled
from .expressions import TemplateProblemError, template_words
from .identity import Identity
from .render import compile_mail
from .rules import DISPLAY_ITEMS, free_mail_domain, missing_item_problems, missing_items

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def problems(compiled: Compiled, identity: Identity, kind: str, *, for_real: bool) -> list[str]:
    """Why the law, or what receivers ask, forbids this mail: a sentence each. Empty = it may go.

    `for_real`: it goes to a server that reaches people (`server_is_real`), so that its links must do so too.
    minijinja.TemplateError where the template fails on a person of whom nothing is known.
    """
    links = link_problems(identity) if for_real else []
    return [*sender_problems(identity), *links, *_shown_problems(compiled, identity, kind)]


def server_is_real() -> bool:
    """Whether the mail server that is set reaches people."""
    return smtp.is_real(smtp.server_of(settings.SMTP_URL))


def sender_problems(identity: Identity) -> list[str]:
    """What is wrong with the sender's side alone: display items that say nothing, a From address anybody can have."""
    found = missing_item_problems(missing_items(identity.legal_name, identity.postal_address, identity.contact))
    domain = free_mail_domain(identity.email)
    if domain:
        found.append(
            gettext(
                "差出人「%(email)s」は無料メール（%(domain)s）のアドレスです。なりすましとして拒否されるため、"
                "自社ドメインのアドレスにしてください。"
            )
            % {"email": identity.email, "domain": domain}
        )
    return found


def link_problems(identity: Identity) -> list[str]:
    """What is wrong with where links lead, for mail that reaches people: https, and no address of this machine."""
    places = {gettext("配信停止のリンク"): identity.base_url, gettext("クリック計測のリンク"): identity.collector_url}
    return [problem for what, url in places.items() for problem in _address_problems(what, url)]


def _address_problems(what: str, url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield gettext("%(what)sが https ではありません（%(url)s）。設定で公開の URL を直してください。") % {
            "what": what, "url": url,
        }  # fmt: skip
    if _own_machine(parts.hostname or ""):
        yield gettext("%(what)sが、この計算機からしか開けません（%(url)s）。設定で公開の URL を直してください。") % {
            "what": what, "url": url,
        }  # fmt: skip


def _own_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in ("", "localhost") or host.endswith((".localhost", ".local", ".internal")) or "." not in host
    return not address.is_global


def _shown_problems(compiled: Compiled, identity: Identity, kind: str) -> Iterator[str]:
    done = compiled.render({}, 0, 0)
    reader = _Visible()
    reader.feed(done.html)
    reader.close()
    seen = {
        gettext("HTML 版"): " ".join("".join(reader.out).split()),
        gettext("テキスト版"): " ".join(done.text.split()),
    }
    items = {"legal_name": identity.legal_name, "postal_address": identity.postal_address, "contact": identity.contact}
    for part, words in seen.items():
        for name, value in items.items():
            shown = " ".join(value.replace("{", "｛").split())
            if shown and shown not in words:
                yield _missing(part, name)
    if kind == MARKETING:
        stop = f"{identity.base_url.rstrip('/')}/u/"
        if not any(href.startswith(stop) for href in reader.links):
            yield _missing(gettext("HTML 版"), "stop_link")
        if stop not in done.text:
            yield _missing(gettext("テキスト版"), "stop_link")


def _missing(part: str, item: str) -> str:
    words = gettext(
        "仕上がりの%(part)sに「%(item)s」が見えません。特定電子メール法により、この表示のないメールは送れません。"
    )
    return words % {"part": part, "item": DISPLAY_ITEMS[item]}


class _Visible(HTMLParser):
    """The words and link targets of a document that a reader sees; what a style hides does not count."""

    def __init__(self) -> None:
        super().__init__()
        self.out: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        hides = tag in ("head", "style", "title", "script") or _HIDES.search(given.get("style") or "") is not None
        hidden = hides or "hidden" in given or self._hidden
        if tag == "a" and not hidden and given.get("href"):
            self.links.append(given["href"] or "")
        if tag not in _VOID:
            self._open.append((tag, hidden))
        self.out.append(" ")

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                break

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.out.append(data)

    @property
    def _hidden(self) -> bool:
        return bool(self._open and self._open[-1][1])


def rehearse(
    *, subject: str, preheader: str, source: str, text: str, kind: str, identity: Identity, for_real: bool
) -> list[str]:
    """Make this mail once, for nobody: what the law's gate says of it. For a child process: see `kit.confined`.

    TemplateProblemError where it cannot become a mail.
    """
    compiled = compile_mail(
        subject=subject, preheader=preheader, source=source, text=text, kind=kind, identity=identity, tracked=False
    )
    try:
        return problems(compiled, identity, kind, for_real=for_real)
    except minijinja.TemplateError as error:
        raise TemplateProblemError(template_words(error)) from error
