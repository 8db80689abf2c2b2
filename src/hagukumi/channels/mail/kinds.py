"""The kinds of activity that the messages room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

MAIL_SENT = Kind(10, "mail_sent", "メール送信", "Mail sent", "send", "mail", object="message")
MAIL_OPENED = Kind(
    11, "mail_opened", "メール開封", "Mail opened", "mail-opened", "mail", object="message", own=True, doubtful=True
)
MAIL_CLICKED = Kind(
    12, "mail_clicked", "メールのクリック", "Mail link clicked", "click", "mail", object="message", own=True, doubtful=True,
    evidence=4,
)  # fmt: skip
MAIL_FAILED = Kind(13, "mail_failed", "メール不達", "Mail not delivered", "mail-x", "mail", object="message")
UNSUBSCRIBED = Kind(14, "unsubscribed", "配信停止", "Unsubscribed", "mail-off", "mail", object="message", own=True)

KINDS = (MAIL_SENT, MAIL_OPENED, MAIL_CLICKED, MAIL_FAILED, UNSUBSCRIBED)

OBJECTS = (
    Object("message"),
    Object("sender"),
    Object("broadcast", "m.name", key="b.id", source="broadcast b JOIN message m ON m.id = b.message_id"),
)
