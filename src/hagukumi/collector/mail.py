"""What comes back from a mail: clicks, opens, and the arrival of the reader on a tagged site."""

import hashlib
import uuid
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from hagukumi.kit import tokens

from . import networks, page_url, pipeline, wire

ARRIVAL_SECONDS = 600
"""How long the token that a redirect adds may tie a browser to a person: a copied address is soon worthless."""
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"


Verdict = dict[str, str]
"""What a request says of who made it: {} or `by` ("suspect", "bot") and `why`. Its timing is the digest's to judge."""
PERSON: Verdict = {}
BOT: Verdict = {"by": "bot", "why": "agent"}
TRAPPED: Verdict = {"by": "bot", "why": "trap"}
BARE: Verdict = {"by": "suspect", "why": "agent"}
PREFETCHED: Verdict = {"by": "suspect", "why": "prefetch"}
HOSTED: Verdict = {"by": "suspect", "why": "network"}


@dataclass(frozen=True, slots=True)
class Click:
    """A sealed link of one delivery. `url` is http or https."""

    lead_id: int
    delivery_id: int
    link_no: int
    url: str


def read_click(token: str) -> Click:
    """BadTokenError for what we did not seal, or what does not lead to the web."""
    numbers, url = tokens.unseal("click", token)
    if len(numbers) != 3 or not pipeline.origin_of(url):
        raise tokens.BadTokenError("click")
    lead_id, delivery_id, link_no = numbers
    return Click(lead_id, delivery_id, link_no, quote(url, safe=_URL_SAFE))


def read_open(token: str) -> tuple[int, int]:
    numbers, _ = tokens.unseal("open", token)
    if len(numbers) != 2:
        raise tokens.BadTokenError("open")
    return numbers[0], numbers[1]


def with_arrival(click: Click, sites: frozenset[str], at: float) -> str:
    """The target; on a registered site with `hgk`, by which the tag there ties the browser to the reader."""
    if pipeline.origin_of(click.url) not in sites:
        return click.url
    parts = urlsplit(click.url)
    token = "hgk=" + tokens.seal("arrive", click.lead_id, click.delivery_id, int(at))
    return urlunsplit(parts._replace(query=f"{parts.query}&{token}" if parts.query else token))


def read_arrival(token: str, now: float) -> tuple[int | None, int | None, str]:
    """Lead, delivery and an id by which a second use of the token is known; nothing when stale or foreign."""
    try:
        (lead_id, delivery_id, made_at), _ = tokens.unseal("arrive", token)
    except (tokens.BadTokenError, ValueError):
        return None, None, ""
    if not -60 <= now - made_at <= ARRIVAL_SECONDS:
        return None, None, ""
    digest = hashlib.blake2b(f"{lead_id}.{delivery_id}.{made_at}".encode(), digest_size=16).digest()
    return lead_id, delivery_id, str(uuid.UUID(bytes=digest))


def judge_click(click: Click, agent: str, purpose: str, caller: str) -> Verdict:
    """Who follows this link, as far as the request and the address it comes from tell."""
    return TRAPPED if click.link_no == tokens.TRAP_LINK else _judge(agent, purpose, caller)


def judge_open(agent: str, purpose: str, caller: str) -> Verdict:
    """Who fetches the pixel. The proxies of the great mailboxes fetch it when their reader opens the mail."""
    return PERSON if pipeline.is_picture_proxy(agent) else _judge(agent, purpose, caller)


def _judge(agent: str, purpose: str, caller: str) -> Verdict:
    if pipeline.is_scanner(agent):
        return BOT
    if purpose:
        return PREFETCHED
    if agent == "Mozilla/5.0":
        return BARE
    return HOSTED if networks.is_a_machine_room(caller) else PERSON


def click_line(click: Click, at: float, verdict: Verdict, private: frozenset[str] = frozenset()) -> str:
    details = {"link": click.link_no, **verdict}
    url = page_url.clean(click.url, private)
    return wire.line("click", at, lead_id=click.lead_id, delivery_id=click.delivery_id, url=url, details=details)


def open_line(lead_id: int, delivery_id: int, at: float, verdict: Verdict) -> str:
    return wire.line("open", at, lead_id=lead_id, delivery_id=delivery_id, details=dict(verdict))
