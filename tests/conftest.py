"""Every test stands on a real PostgreSQL, started once from the wheel and thrown away."""

import os
import tempfile
from pathlib import Path

_home = Path(tempfile.mkdtemp(prefix="hagukumi-test-"))
os.environ.setdefault("HAGUKUMI_HOME", str(_home))
os.environ.setdefault("HAGUKUMI_SECRET_KEY", "only-for-tests")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hagukumi.config.settings")

from hagukumi.embedded.postgres import EmbeddedPostgres  # noqa: E402

_postgres: EmbeddedPostgres | None = None
if not os.environ.get("HAGUKUMI_TEST_DATABASE_URL"):
    _postgres = EmbeddedPostgres(_home / "pg", durable=False)
    _postgres.start()
    os.environ["DATABASE_URL"] = _postgres.url
else:
    os.environ["DATABASE_URL"] = os.environ["HAGUKUMI_TEST_DATABASE_URL"]

import django  # noqa: E402

django.setup()  # here and not by pytest-django, which would read the settings before the database has an address

from collections.abc import Callable  # noqa: E402
from datetime import UTC, datetime  # noqa: E402

import pytest  # noqa: E402


def pytest_unconfigure() -> None:
    if _postgres:
        _postgres.stop()


@pytest.fixture
def now() -> datetime:
    """Friday 2026-11-20, 10:00 in Tokyo."""
    return datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def _member(role: str, name: str, now: datetime):
    from hagukumi.accounts.models import User

    return User.objects.create_user(f"{role}@example.co.jp", "correct-horse-battery", name=name, role=role, created_at=now)


@pytest.fixture
def admin(db, now):
    return _member("admin", "管理 花子", now)


@pytest.fixture
def marketer(db, now):
    return _member("marketing", "育成 太郎", now)


@pytest.fixture
def seller(db, now):
    return _member("sales", "営業 次郎", now)


@pytest.fixture
def signed_in() -> Callable:
    """A Django test client in which the given member of staff is signed in."""
    from django.test import Client

    def enter(user):
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return enter


@pytest.fixture
def people(db, now) -> Callable:
    """Makes n known leads with complete facts and returns their ids; keyword arguments override columns."""
    from hagukumi.leads.models import Lead, LeadIdentity

    def make(n: int = 1, **overrides) -> list[int]:
        facts = {
            "known_at": now, "first_name": "花子", "company_name": "株式会社青葉製作所", "department": "製造部",
            "title": "課長", "rank": "manager", "phone": "+81312345678", "created_at": now, "updated_at": now,
        }
        start = Lead.objects.count()
        rows = [
            Lead(**{**facts, "last_name": f"山田{start + i}", "email": f"lead{start + i}@aoba.example.co.jp", **overrides})
            for i in range(n)
        ]
        made = Lead.objects.bulk_create(rows)
        LeadIdentity.objects.bulk_create(
            LeadIdentity(kind="email", value=lead.email, lead_id=lead.lead_id) for lead in made if lead.email
        )
        return [lead.lead_id for lead in made]

    return make
