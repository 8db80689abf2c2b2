"""The kind of activity that this room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind

UNSUBSCRIBED = Kind(14, "unsubscribed", "配信停止", "Unsubscribed", "mail-off", "mail", object="message", own=True)

KINDS = (UNSUBSCRIBED,)
