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
    """The one organisation of this installation (row id 1): its name, rhythm and limits."""

    name = models.CharField(max_length=120)
    fiscal_month = models.SmallIntegerField(default=4, db_default=4)
    daily_mail_cap = models.SmallIntegerField(default=1, db_default=1)
    sla_hours = models.SmallIntegerField(default=24, db_default=24)
    set_up_at = models.DateTimeField(null=True)

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

    class Meta:
        db_table = "api_token"


class AuditEntry(models.Model):
    """Who did what to which definition or person, for the administrator's log."""

    at = models.DateTimeField()
    user = models.ForeignKey(User, models.PROTECT, null=True)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_entry"


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
