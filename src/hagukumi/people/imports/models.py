"""Files taken in, and the rows that were not."""

from django.db import models


class Import(models.Model):
    """One file taken in. `state`: draft, queued, running, done, cancelled, failed. The file lies in the home."""

    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    encoding = models.CharField(max_length=20, default="", db_default="")
    header_key = models.CharField(max_length=64, default="", db_default="", db_index=True)
    mapping = models.JSONField(default=dict)
    source = models.ForeignKey("hagukumi.Source", models.PROTECT, null=True)
    basis = models.CharField(max_length=20, default="", db_default="")
    state = models.CharField(max_length=12, default="draft", db_default="draft")
    cancel_asked = models.BooleanField(default=False, db_default=False)
    rows = models.IntegerField(default=0, db_default=0)
    done_rows = models.IntegerField(default=0, db_default=0)
    created = models.IntegerField(default=0, db_default=0)
    updated = models.IntegerField(default=0, db_default=0)
    unchanged = models.IntegerField(default=0, db_default=0)
    rejected = models.IntegerField(default=0, db_default=0)
    stopped = models.IntegerField(default=0, db_default=0)  # people whose stop stands against the file's basis
    message = models.JSONField(default=dict)
    user = models.ForeignKey("hagukumi.User", models.PROTECT, null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "import_file"


class ImportReject(models.Model):
    """A row that was not taken in: its number in the file (header = 1), the row as it was, and a reason code."""

    pk = models.CompositePrimaryKey("import_id", "row_no")
    import_id = models.BigIntegerField()
    row_no = models.IntegerField()
    raw = models.JSONField()
    reason = models.CharField(max_length=30)
    column = models.CharField(max_length=120, default="", db_default="")
    value = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        db_table = "import_reject"


class ImportRow(models.Model):
    """A row that was taken in: whose it is and how it came out (`rules.OUTCOMES`). Made by SQL, without a key.

    Written once, in the import's own statement, and deleted with the file; an index of each row would cost more than
    the rare searches of the table do (by import_id there is a BRIN).
    """

    pk = models.CompositePrimaryKey("import_id", "row_no")
    import_id = models.BigIntegerField()
    lead_id = models.BigIntegerField()
    row_no = models.IntegerField()
    outcome = models.SmallIntegerField()

    class Meta:
        db_table = "import_row"


class ImportNotice(models.Model):
    """A cell that was left out of a row that was taken in, and why (`imports.rules.REASONS`)."""

    pk = models.CompositePrimaryKey("import_id", "row_no", "column")
    import_id = models.BigIntegerField()
    row_no = models.IntegerField()
    column = models.CharField(max_length=120)
    reason = models.CharField(max_length=30)
    value = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        db_table = "import_notice"
