"""Mail as the outbox sees it: its messages, a lead's address, the cap, its reasons. See `outbox.channel`."""

from psycopg import sql

from hagukumi.channels.outbox.channel import Channel
from hagukumi.ledger import services as ledger
from hagukumi.people.consent.rules import CHANNEL

from . import kinds, rules
from .queries import SQL

_MESSAGES = """
SELECT m.id AS message_id, m.kind,
    CASE WHEN btrim(f.legal_name) = '' OR btrim(f.postal_address) = '' OR btrim(f.contact) = ''
        THEN 'sender_incomplete' ELSE '' END AS unfit
FROM message m LEFT JOIN sender f ON f.id = m.sender_id
"""
"""A LEFT JOIN, so that whoever asks for the kind alone reads no sender. Display items: 特定電子メール法 4条."""
_UNSENDABLE = r"""l.email ~ '[^!-~]' OR l.email !~ '^[^][@<>"(),;:\\]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}$'"""
_CAP = "(SELECT daily_mail_cap FROM workspace WHERE id = 1)"
_UNPROVEN = sql.SQL(
    "EXISTS (SELECT 1 FROM address_check c"
    " WHERE c.lead_id = d.lead_id AND c.value = lower(l.email) AND c.confirmed_at IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM activity a WHERE a.lead_id = d.lead_id AND a.kind = {clicked} AND {by_a_person})"
).format(clicked=sql.Literal(kinds.MAIL_CLICKED.code), by_a_person=ledger.BY_A_PERSON)


def author(message_id: int) -> str:
    """The legal name in which a mail goes out; '' for one that is gone."""
    return SQL.author.value({"id": message_id}) or ""


EMAIL = Channel(
    key=CHANNEL,
    sent=kinds.MAIL_SENT,
    failed=kinds.MAIL_FAILED,
    messages=_MESSAGES,
    address="l.email",
    unsendable=_UNSENDABLE,
    cap=_CAP,
    unproven=_UNPROVEN.as_string(None),
    reasons=rules.REASONS,
    resendable=rules.RESENDABLE,
    author=author,
)
