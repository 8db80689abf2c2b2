"""What the doctor and the health screen say has been asked, and asking changes nothing."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.db import connection

from hagukumi.channels.mail import services
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.kit import clock
from hagukumi.overview.health import reads as health


class Refusing:
    """A server whose one password is `right`."""

    def __call__(self, server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture
def server(four_ports):
    controller = Controller(
        object(), hostname="127.0.0.1", port=four_ports(), authenticator=Refusing(), auth_require_tls=False
    )
    controller.start()
    yield controller
    controller.stop()


def mail() -> dict:
    return health.report(wait=2.0)["mail"]


@pytest.mark.django_db
def test_a_wrong_password_is_found_as_the_sender_would(server, settings) -> None:
    settings.SMTP_URL = f"smtp://user:wrong@127.0.0.1:{server.port}?auth=cleartext"
    found = mail()
    assert not found["ok"] and found["error"].startswith("535")
    settings.SMTP_URL = f"smtp://user:right@127.0.0.1:{server.port}?auth=cleartext"
    assert mail()["ok"]
    settings.SMTP_URL = f"smtp://user:right@127.0.0.1:{server.port}"
    assert "clear text" in mail()["error"]


@pytest.mark.django_db
def test_a_server_that_offers_no_tls_is_found(server, settings) -> None:
    settings.SMTP_URL = f"smtp://user:right@127.0.0.1:{server.port}?starttls=1"
    assert "STARTTLS" in mail()["error"]


@pytest.mark.django_db(transaction=True)
def test_mails_that_nobody_sends_are_found(server, settings, people) -> None:
    """199 wait. With a sender at the database they are in good hands, unless they wait for long."""
    settings.SMTP_URL = f"smtp://user:right@127.0.0.1:{server.port}?auth=cleartext"
    now = clock.now()
    sender = Sender.objects.create(name="青葉", email="news@aoba.example.jp")
    message = Message.objects.create(
        name="事例", subject="事例", mjml="事例", sender=sender, created_at=now, updated_at=now
    )
    queue(message, people(199), now - timedelta(seconds=30))
    found = mail()
    assert not found["ok"] and "199" in found["error"] and "no sender" in found["error"]
    with present("hagukumi sender"):
        assert mail()["ok"]
    queue(message, people(1), now - timedelta(hours=1))
    with present("hagukumi sender"):
        assert mail()["error"] == "1 mails are overdue"


@pytest.mark.django_db(transaction=True)
def test_mails_of_tomorrow_do_not_wait(server, settings, people) -> None:
    settings.SMTP_URL = f"smtp://user:right@127.0.0.1:{server.port}?auth=cleartext"
    now = clock.now()
    sender = Sender.objects.create(name="青葉", email="news@aoba.example.jp")
    message = Message.objects.create(name="a", subject="a", mjml="a", sender=sender, created_at=now, updated_at=now)
    queue(message, people(3), now + timedelta(days=1))
    assert mail()["ok"]


def queue(message: Message, lead_ids: list[int], due_at) -> None:
    from psycopg import sql

    source = sql.SQL("SELECT unnest({}::bigint[]) AS lead_id, 't' AS occurrence, {}::timestamptz AS due_at")
    services.queue_from(source.format(lead_ids, due_at), message_id=message.id, now=clock.now())


@contextmanager
def present(name: str):
    """Somebody of this name at the test's database."""
    settings = connection.get_connection_params()
    wanted = {key: settings[key] for key in ("dbname", "user", "password", "host", "port") if settings.get(key)}
    with psycopg.connect(**wanted, application_name=name):
        yield


def doctor(home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "HAGUKUMI_SECRET_KEY")}
    return subprocess.run(
        [sys.executable, "-m", "hagukumi", "doctor", "--json"],
        env={**kept, "HAGUKUMI_HOME": str(home), **more}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_doctor_makes_nothing_in_a_wrong_folder(tmp_path: Path) -> None:
    done = doctor(tmp_path / "typo")
    assert done.returncode == 1 and "何もありません" in done.stderr and "nothing lives here" in done.stderr
    assert not (tmp_path / "typo").exists()


def test_the_doctor_starts_no_server(tmp_path: Path) -> None:
    """The home of a house that is not running is left as it is, and the database is told as dead."""
    (tmp_path / "postgres").mkdir()
    done = doctor(tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 1 and not found["ok"] and not found["database"]["ok"] and not found["collector"]["ok"]
    assert [path.name for path in tmp_path.rglob("*")] == ["postgres"]


def test_the_version_of_the_database_is_named(db) -> None:
    assert health.report(wait=0.2)["database"]["version"].startswith("18")
