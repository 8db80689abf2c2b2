"""The kinds of activity that the mail room writes. Codes are stored: never change or reuse one."""

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

KINDS = (MAIL_SENT, MAIL_OPENED, MAIL_CLICKED, MAIL_FAILED)

OBJECTS = (Object("message"), Object("sender"))
