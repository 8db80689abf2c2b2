"""Mail: who sends, what is said, and which lines stand still."""

from django.db import models


class Sender(models.Model):
    """A sender identity with the display items of 特定電子メール法 (legal name, postal address, contact)."""

    name = models.CharField(max_length=80)
    email = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, default="", db_default="", blank=True)
    legal_name = models.CharField(max_length=120, default="", db_default="", blank=True)
    postal_address = models.CharField(max_length=200, default="", db_default="", blank=True)
    contact = models.CharField(max_length=200, default="", db_default="", blank=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sender"


class Message(models.Model):
    """A mail template. `mjml` is simple marks or MJML, see `mail.markup`.

    `kind`: marketing or operational; an operational mail reaches those who stopped mail, and `kind_reason` says why.
    `purpose` 'confirm': the one that asks the owner of an address whether they want mail.
    """

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, default="marketing", db_default="marketing")
    kind_reason = models.CharField(max_length=200, default="", db_default="", blank=True)
    subject = models.CharField(max_length=200)
    preheader = models.CharField(max_length=200, default="", db_default="", blank=True)
    mjml = models.TextField()
    text = models.TextField(default="", db_default="", blank=True)
    sender = models.ForeignKey(Sender, models.PROTECT)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    purpose = models.CharField(max_length=12, default="", db_default="", blank=True)

    class Meta:
        db_table = "message"
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"], name="message_purpose", condition=models.Q(archived_at=None) & ~models.Q(purpose="")
            )
        ]


class MailLine(models.Model):
    """A line that stands still: the server's word was about us, not a recipient. `sender` '' = the whole route."""

    pk = models.CompositePrimaryKey("route", "sender")
    route = models.CharField(max_length=260)
    sender = models.CharField(max_length=254)
    reason = models.CharField(max_length=30)
    reply = models.CharField(max_length=300)
    since = models.DateTimeField()
    tries = models.IntegerField()
    retry_at = models.DateTimeField()

    class Meta:
        db_table = "mail_line"
