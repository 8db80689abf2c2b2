"""The mail that asks the owner of an address whether they want mail, and the answer they give (double opt-in).

It says nothing that a form's sender typed: whoever typed the address may not be its owner. It is an ordinary template
(業務連絡) that staff may word anew, sent through the ordinary queue.
"""

from datetime import datetime

from psycopg import sql

from hagukumi.channels.outbox import services as outbox
from hagukumi.channels.outbox.rules import OPERATIONAL
from hagukumi.kit import tokens
from hagukumi.people.consent import services as consent

from .channel import EMAIL, author
from .models import Message, Sender

PURPOSE = "confirm"
REASON = "本人が受信を申し込んだかどうかを、その住所の持ち主に一度たずねるため"
SUBJECT = "【ご確認】ご案内メールの受信について / Please confirm"
BODY = """このメールアドレスで、ご案内メールの受信が申し込まれました。

受信を希望されるときは、次のボタンから確定してください。

[[受信を確定する]]({{ 確認リンク }})

お心当たりがないときは、何もなさらないでください。ご案内メールはお送りしません。

---

Somebody asked for our mails with this address. If it was you, please confirm with the button above.
If not, do nothing: you will not get any.
"""


def queue_asked(now: datetime) -> int:
    """Queue the mail for everybody whom the consent room wants asked; how many. They wait where there is no sender."""
    sender = Sender.objects.filter(archived_at=None).order_by("id").first()
    lead_ids = consent.take_asked() if sender else []
    if sender is None or not lead_ids:
        return 0
    message = _message(sender, now)
    select = sql.SQL(
        "SELECT unnest({ids}::bigint[]) AS lead_id, {key}::text AS occurrence, {now}::timestamptz AS due_at"
    ).format(
        ids=sql.Literal(lead_ids), key=sql.Literal(f"k{int(now.timestamp())}"), now=sql.Literal(now.isoformat())
    )  # fmt: skip
    return outbox.queue_from(select, EMAIL, message_id=message.pk, now=now)


def asked(token: str) -> tuple[int, str, str] | None:
    """(lead_id, address, sender's legal name) of the link in such a mail; None where it is none of ours."""
    try:
        numbers, _text = tokens.unseal("confirm", token)
        lead_id, delivery_id = numbers
    except ValueError:
        return None
    row = outbox.delivery(lead_id, delivery_id)
    return (row["lead_id"], row["address"], author(row["message_id"])) if row and row["address"] else None


def confirm(token: str, now: datetime) -> bool:
    """The owner of the address wants mail. False for a link that is none of ours or to which nobody was asked."""
    found = asked(token)
    if found is None:
        return False
    return consent.confirm(found[0], address=found[1], evidence="confirmed by mail", now=now)


def _message(sender: Sender, now: datetime) -> Message:
    """The template in use; the first time, made."""
    return Message.objects.filter(purpose=PURPOSE, archived_at=None).first() or Message.objects.create(
        name="受信の確認（ダブルオプトイン）", kind=OPERATIONAL, subject=SUBJECT, mjml=BODY, sender=sender,
        created_at=now, updated_at=now, purpose=PURPOSE, kind_reason=REASON,
    )  # fmt: skip
