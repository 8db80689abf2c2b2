"""The end of every mail: who sends it, where to complain, how to stop it (特定電子メール法 4条)."""

from dataclasses import dataclass
from html import escape

from hagukumi.channels.outbox.rules import MARKETING

from .identity import Identity


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


def in_mjml(identity: Identity, kind: str, language: str) -> str:
    words = _FOOTERS[language]
    lines = [escape(line) for line in _footer_lines(identity, words)]
    if kind == MARKETING:
        url = f"{identity.base_url.rstrip('/')}/u/{{{{ _unsubscribe }}}}"
        lines.append(f'{words.stop}<a href="{url}" style="color:#6b6b6b">{words.link}</a>')
    return (
        '<mj-section padding="16px 8px"><mj-column><mj-text font-size="12px" line-height="1.7" color="#6b6b6b">'
        f"{'<br />'.join(lines)}</mj-text></mj-column></mj-section>"
    )


def in_text(identity: Identity, kind: str, language: str) -> str:
    words = _FOOTERS[language]
    lines = ["", "-- ", *_footer_lines(identity, words)]
    if kind == MARKETING:
        lines += [words.stop.strip(), f"{words.text_link}: {identity.base_url.rstrip('/')}/u/{{{{ _unsubscribe }}}}"]
    return "\n".join(lines) + "\n"


def must_show(identity: Identity, kind: str) -> tuple[tuple[str, str], ...]:
    """What every mail has to hold, as (in its HTML, in its text): the display items, the stop link of advertising."""
    items = [
        item.replace("{", "｛") for item in (identity.legal_name, identity.postal_address, identity.contact) if item
    ]
    must = [(escape(item, quote=False).replace("\xa0", "&nbsp;"), item) for item in items]
    if kind == MARKETING:
        must.append((f'href="{identity.base_url.rstrip("/")}/u/', f"{identity.base_url.rstrip('/')}/u/"))
    return tuple(must)
