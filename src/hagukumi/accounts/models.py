"""People who sign in, what they may do, the workspace they share, and the tokens of other systems."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A member of staff. `role` is one of `accounts.rules.ROLES`: admin, marketing, sales."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=20, default="marketing", db_default="marketing")
    language = models.CharField(max_length=5, default="ja", db_default="ja")
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        db_table = "staff"

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class Workspace(models.Model):
    """The one organisation of this installation (row id 1): its name, rhythm and limits.

    `double_optin`: kinds of forms whose ticked box must be confirmed by mail. `second_step`: roles that must sign in
    with a second step. `idle_minutes`: after so long without a request a session ends.
    """

    name = models.CharField(max_length=120)
    fiscal_month = models.SmallIntegerField(default=4, db_default=4)
    daily_mail_cap = models.SmallIntegerField(default=1, db_default=1)
    sla_hours = models.SmallIntegerField(default=24, db_default=24)
    set_up_at = models.DateTimeField(null=True)
    double_optin = ArrayField(models.CharField(max_length=12), default=list, db_default=[], blank=True)
    second_step = ArrayField(models.CharField(max_length=20), default=list, db_default=[], blank=True)
    idle_minutes = models.SmallIntegerField(default=480, db_default=480)

    class Meta:
        db_table = "workspace"


class ApiToken(models.Model):
    """A bearer token: only its SHA-256 is kept; `prefix` lets people recognise it."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    created_by = models.ForeignKey(User, models.PROTECT)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_token"


class StaffSession(models.Model):
    """Where a member is signed in. Ended by deleting the session it names; kept up about once a minute."""

    session_key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    address = models.CharField(max_length=45, default="", db_default="")
    agent = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        db_table = "staff_session"


class AuditEntry(models.Model):
    """Who did what to which definition or person, when and from where. Only added to: a trigger refuses the rest.

    `door`: screen, api, command, public, system. `origin`: the client's address, or the machine's user of a command.
    `details.changes`: {what: [before, after]}.
    """

    at = models.DateTimeField()
    user = models.ForeignKey(User, models.PROTECT, null=True)
    token = models.ForeignKey(ApiToken, models.PROTECT, null=True)
    door = models.CharField(max_length=10, default="system", db_default="system")
    origin = models.CharField(max_length=64, default="", db_default="")
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_entry"
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_latest"),
            models.Index(fields=["object_kind", "object_id", "-at"], name="audit_object"),
        ]


class Throttle(models.Model):
    """How often a subject (an address, an account, a form) has tried something in its running window."""

    pk = models.CompositePrimaryKey("scope", "subject")
    scope = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    since = models.DateTimeField()
    hits = models.IntegerField()
    refused = models.IntegerField(default=0, db_default=0)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "throttle"


class IdempotencyKey(models.Model):
    """The answer once given to an API request, so that a repeat gets the same and nothing happens twice."""

    token = models.ForeignKey(ApiToken, models.CASCADE)
    key = models.CharField(max_length=120)
    request_digest = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_key"
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="idempotency_once")]
