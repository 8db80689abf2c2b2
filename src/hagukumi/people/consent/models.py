"""What each person agreed to, by which basis, and who must never be mailed."""

from django.db import models


class ConsentText(models.Model):
    """The exact words a person agreed to. Never edited: a new wording is a new row (same key, next version)."""

    key = models.SlugField(max_length=40)
    version = models.SmallIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "consent_text"
        constraints = [models.UniqueConstraint(fields=["key", "version"], name="consent_text_version")]


class Consent(models.Model):
    """Append-only. `basis`: optin, card, relation, published, optout. `channel`: email (others later)."""

    pk = models.CompositePrimaryKey("lead_id", "id")
    lead_id = models.BigIntegerField()
    id = models.BigIntegerField()  # from sequence consent_id_seq
    channel = models.CharField(max_length=10)
    granted = models.BooleanField()
    basis = models.CharField(max_length=12)
    text = models.ForeignKey(ConsentText, models.PROTECT, null=True, db_constraint=False)
    evidence = models.CharField(max_length=200, default="", db_default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "consent"


class ConsentNow(models.Model):
    """The folded state that the gate reads: the last word of each person per channel."""

    pk = models.CompositePrimaryKey("lead_id", "channel")
    lead_id = models.BigIntegerField()
    channel = models.CharField(max_length=10)
    granted = models.BooleanField()
    basis = models.CharField(max_length=12)
    at = models.DateTimeField()

    class Meta:
        db_table = "consent_now"


class Suppression(models.Model):
    """An address that is never mailed, whoever owns it. `reason`: unsubscribe, hard_bounce, complaint, manual.

    `source` says where the reason comes from: the way of the stop, the file, or the server's own words.
    """

    pk = models.CompositePrimaryKey("channel", "value")
    channel = models.CharField(max_length=10)
    value = models.CharField(max_length=254)
    reason = models.CharField(max_length=15)
    source = models.CharField(max_length=300, default="", db_default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "suppression"


class AddressCheck(models.Model):
    """An address that somebody typed into a form of ours and that nobody has shown to be theirs yet.

    While `confirmed_at` is null, mail to it says nothing that was typed. `asked_at`: its owner was asked, by mail,
    whether they want mail (`text`, `evidence`: to what they would agree); `asked_times` bounds how often; `waiting`:
    the mail is still to be queued.
    """

    pk = models.CompositePrimaryKey("lead_id", "value")
    lead_id = models.BigIntegerField()
    value = models.CharField(max_length=254)
    since = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    asked_times = models.SmallIntegerField(default=0, db_default=0)
    text = models.ForeignKey(ConsentText, models.PROTECT, null=True, db_constraint=False)
    evidence = models.CharField(max_length=200, default="", db_default="")
    confirmed_at = models.DateTimeField(null=True)
    waiting = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "address_check"
        indexes = [models.Index(fields=["lead_id"], name="address_check_waiting", condition=models.Q(waiting=True))]


class StopKept(models.Model):
    """An address that must not be mailed, of a person who was erased: its SHA-256 (of lower case) and why are kept."""

    pk = models.CompositePrimaryKey("channel", "digest")
    channel = models.CharField(max_length=10)
    digest = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=15)
    at = models.DateTimeField()

    class Meta:
        db_table = "stop_kept"
