"""Mail: who sends, what is said, to whom it went, and what became of each."""

from django.db import models


class Sender(models.Model):
    """A sender identity with the display items of 特定電子メール法 (legal name, postal address, contact)."""

    name = models.CharField(max_length=80)
    email = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, default="", db_default="", blank=True)
    legal_name = models.CharField(max_length=120, default="", db_default="", blank=True)
    postal_address = models.CharField(max_length=200, default="", db_default="", blank=True)
    contact = models.CharField(max_length=200, default="", db_default="", blank=True)

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


class Broadcast(models.Model):
    """One mail to one segment at one time. `state`: draft, scheduled, sending, paused, done, cancelled.

    What is over a person's daily cap is carried over to the next days, until `carry_until` (NULL = CARRY_DAYS).
    """

    message = models.ForeignKey(Message, models.PROTECT)
    segment = models.ForeignKey("hagukumi.Segment", models.PROTECT)
    state = models.CharField(max_length=10, default="draft", db_default="draft")
    scheduled_at = models.DateTimeField(null=True)
    carry_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey("hagukumi.User", models.PROTECT, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "broadcast"


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


class Delivery(models.Model):
    """One row per send key (lead, message, occurrence). `state`: queued, sending, sent, failed, skipped, unknown.

    `occurrence` names the cause: `b<broadcast>`, `s<scenario>.<visit>.<node>`, `t<test>`. `due_at` is when a queued row
    may go (its first time, or the retry after a soft failure). `reason` is a code of `messages.rules.REASONS`.
    """

    pk = models.CompositePrimaryKey("lead_id", "message_id", "occurrence")
    lead_id = models.BigIntegerField()
    message_id = models.BigIntegerField()
    occurrence = models.CharField(max_length=60)
    id = models.BigIntegerField()  # from sequence delivery_id_seq: short, for tokens
    broadcast_id = models.BigIntegerField(null=True)
    scenario_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, default="queued", db_default="queued")
    reason = models.CharField(max_length=30, default="", db_default="")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_by = models.CharField(max_length=40, default="", db_default="")
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=254, default="", db_default="")
    receipt = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "delivery"
        indexes = [
            models.Index(fields=["due_at"], name="delivery_queued", condition=models.Q(state="queued")),
            models.Index(fields=["lease_until"], name="delivery_sending", condition=models.Q(state="sending")),
            models.Index(fields=["message_id", "state"], name="delivery_message"),
            models.Index(fields=["id"], name="delivery_id"),
        ]
