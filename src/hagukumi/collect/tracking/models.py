"""What the collector takes in before it is in the ledger: the inbox, seen events, drops; pages and sites."""

from django.db import models


class Inbox(models.Model):
    """What the collector has acknowledged and the digest has not yet resolved. Written by COPY; columns in wire order.

    `kind` is a wire word: view, dwell, scroll, download, click, open, form, custom. `drop_reason`: typed, or ''.
    """

    event_id = models.UUIDField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    visitor = models.CharField(max_length=40, default="", db_default="")
    lead_id = models.BigIntegerField(null=True)
    delivery_id = models.BigIntegerField(null=True)
    object_id = models.BigIntegerField(null=True)
    url = models.TextField(default="", db_default="")
    title = models.TextField(default="", db_default="")
    referrer = models.TextField(default="", db_default="")
    amount = models.FloatField(null=True)
    drop_reason = models.CharField(max_length=20, default="", db_default="")
    details = models.JSONField(null=True)

    class Meta:
        db_table = "inbox"


class SeenEvent(models.Model):
    """The client's event ids of the last days, so that a repeat is known as one."""

    event_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "seen_event"


class Drop(models.Model):
    """How many events left the pipeline, per JST day and typed reason."""

    pk = models.CompositePrimaryKey("day", "reason")
    day = models.DateField()
    reason = models.CharField(max_length=20)
    count = models.BigIntegerField()

    class Meta:
        db_table = "dropped"


class Page(models.Model):
    """A URL, once. `category` marks pages that mean something (price, case, product ...)."""

    url = models.TextField(unique=True)
    title = models.TextField(default="", db_default="")
    category = models.CharField(max_length=20, default="", db_default="")
    first_seen_at = models.DateTimeField()

    class Meta:
        db_table = "page"


class Site(models.Model):
    """A website that may send events: its origin (`https://www.example.co.jp`)."""

    origin = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "site"


class RollupDue(models.Model):
    """A JST day and kind of activity whose row in `activity_day` is to be counted anew at `due_at`."""

    pk = models.CompositePrimaryKey("day", "kind")
    day = models.DateField()
    kind = models.SmallIntegerField()
    due_at = models.DateTimeField()

    class Meta:
        db_table = "rollup_due"
