"""One message, compiled: filled for one person at a time, into the parts of a mail or into SMTP content."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import minijinja

from hagukumi.channels.outbox.rules import MARKETING
from hagukumi.kit import tokens

from . import mime
from .expressions import SEPARATOR
from .footer import must_show
from .identity import Identity
from .rules import FIELDS


class UnlawfulError(ValueError):
    """A finished mail lacks what the law asks for; the message names it, as it should have stood there."""


@dataclass(frozen=True)
class Rendered:
    subject: str
    html: str
    text: str


CONFIRMING = frozenset(("確認リンク", "confirm_url"))


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
        self._must_show = must_show(identity, kind) if tracked else ()
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
        context["trap"] = self._seal_click(lead_id, delivery_id, tokens.TRAP_LINK, text=self._identity.base_url)
        if not CONFIRMING.isdisjoint(self.names):
            address = f"{self._identity.base_url.rstrip('/')}/k/{self._seal_confirm(lead_id, delivery_id)}"
            context.update(dict.fromkeys(CONFIRMING, address))
        for number, url in enumerate(self._links):
            target = self._filled_link(number, context) if number in self._templated else url
            context[f"_link{number}"] = self._seal_click(lead_id, delivery_id, number, text=target)
        html, text, subject = self._environment.render_template("mail.html", **context).split(SEPARATOR)
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


@lru_cache(maxsize=8)
def _date_of(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))
