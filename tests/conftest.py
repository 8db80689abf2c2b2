"""Every test stands on a real PostgreSQL, started once from the wheel and thrown away."""

import json
import os
import sys
import tempfile
from pathlib import Path

_home = Path(tempfile.mkdtemp(prefix="hagukumi-test-"))
_works_for_another = "PYTEST_XDIST_WORKER" in os.environ
_runs_no_test = not _works_for_another and any(word.startswith(("-n", "--numprocesses")) for word in sys.argv)
"""With `pytest -n 2` this process hands the files out to others, each with a home and a PostgreSQL of its own."""
os.environ.setdefault("HAGUKUMI_HOME", str(_home))
os.environ.setdefault("HAGUKUMI_SECRET_KEY", "only-for-tests")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hagukumi.app.settings")

from hagukumi.embedded.postgres import EmbeddedPostgres  # noqa: E402

_postgres: EmbeddedPostgres | None = None
if _runs_no_test:
    os.environ["DATABASE_URL"] = "postgresql:///nobody_asks"
elif not os.environ.get("HAGUKUMI_TEST_DATABASE_URL"):
    _postgres = EmbeddedPostgres(_home / "pg", durable=False)
    _postgres.start()
    os.environ["DATABASE_URL"] = _postgres.url
else:
    os.environ["DATABASE_URL"] = os.environ["HAGUKUMI_TEST_DATABASE_URL"]

import django  # noqa: E402

django.setup()  # here and not by pytest-django, which would read the settings before the database has an address

from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402

from hagukumi.kit import catalog  # noqa: E402

PBKDF2PasswordHasher.iterations = 10  # the cast's passwords guard nothing

if not _works_for_another:
    catalog.compile_all()
if _runs_no_test:
    for _name in ("HAGUKUMI_HOME", "DATABASE_URL", "DJANGO_SETTINGS_MODULE"):
        del os.environ[_name]  # the others would take them for theirs

import random  # noqa: E402
import shutil  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402
import urllib.request  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from datetime import UTC, datetime, timedelta  # noqa: E402
from urllib.parse import quote, urlsplit, urlunsplit  # noqa: E402

import pytest  # noqa: E402


def pytest_unconfigure() -> None:
    if _postgres:
        _postgres.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """What is emptied between tests includes the audit log, which refuses that everywhere else."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_kept_whole")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """Whoever takes a browser is a browser test, marked or not: Playwright's loop would stand in the way of others."""
    for item in items:
        if {"driver", "browser", "browser_page"} & set(item.fixturenames):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True)
def umask_of_its_own() -> Iterator[None]:
    """A command that closes its files to others closes those of its test alone."""
    kept = os.umask(0o022)
    os.umask(kept)
    yield
    os.umask(kept)


@pytest.fixture(autouse=True)
def emptied_ledger(request, django_db_blocker) -> Iterator[None]:
    """What a test commits goes with it: Django empties its own tables, and the ledger is none of them."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if {"transactional_db", "live_server"} & set(request.fixturenames) or (marker and marker.kwargs.get("transaction")):
        from django.db import connection

        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE activity")


@pytest.fixture
def now() -> datetime:
    """Friday 2026-11-20, 10:00 in Tokyo."""
    return datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@pytest.fixture
def clock_at(monkeypatch, tmp_path) -> Callable[[datetime], None]:
    """`clock_at(instant)`: from here on it is `instant` for what asks the house's clock in this process."""

    def move(at: datetime) -> None:
        file = tmp_path / "clock"
        file.write_text(str((at - datetime.now(UTC)).total_seconds()))
        monkeypatch.setenv("HAGUKUMI_CLOCK", str(file))

    return move


def _member(role: str, name: str, now: datetime):
    from hagukumi.accounts.models import User

    return User.objects.create_user(
        f"{role}@example.co.jp", "correct-horse-battery", name=name, role=role, created_at=now
    )


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
def outsider(db, now) -> Callable:
    """`outsider(role)`: one more member of that role, who has nothing to do with what a test has made."""

    def make(role: str):
        from hagukumi.accounts.models import User

        email = f"outsider.{role}@example.co.jp"
        return User.objects.create_user(email, "another-long-password", name="部外 一郎", role=role, created_at=now)

    return make


@pytest.fixture
def signed_in() -> Callable:
    """A Django test client in which the given member of staff has just signed in."""
    from allauth.account.internal.flows import login
    from django.test import Client

    def enter(user):
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.session
        session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
        session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
        session.save()
        return client

    return enter


@pytest.fixture
def call(client, admin, now) -> Callable:
    """`call("get", "/leads", scopes=[...], **query-or-body)` -> response; every scope by default."""
    from hagukumi.accounts import services as accounts
    from hagukumi.accounts.rules import SCOPES

    plain = {}

    def send(method, path, body=None, *, scopes=None, query=None, **headers):
        scopes = SCOPES if scopes is None else scopes
        key = tuple(scopes)
        if key not in plain:
            plain[key] = accounts.issue_token("テスト", list(scopes), admin, now)[1]
        headers = {"Authorization": f"Bearer {plain[key]}", **headers}
        if method == "get":
            return client.get(f"/api/v1{path}", query or {}, headers=headers)
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.generic(
            method.upper(), f"/api/v1{path}", data, content_type=headers.pop("Content-Type", "application/json"),
            headers=headers,
        )  # fmt: skip

    return send


@pytest.fixture
def people(db, now) -> Callable:
    """Makes n known leads with complete facts and returns their ids; keyword arguments override columns."""
    from hagukumi.people.leads.models import Lead, LeadIdentity

    def make(n: int = 1, **overrides) -> list[int]:
        facts = {
            "known_at": now,
            "first_name": "花子",
            "company_name": "株式会社青葉製作所",
            "department": "製造部",
            "title": "課長",
            "rank": "manager",
            "phone": "+81312345678",
            "created_at": now,
            "updated_at": now,
        }
        start = Lead.objects.count()
        rows = [
            Lead(
                **{
                    **facts,
                    "last_name": f"山田{start + i}",
                    "email": f"lead{start + i}@aoba.example.co.jp",
                    **overrides,
                }
            )
            for i in range(n)
        ]
        made = Lead.objects.bulk_create(rows)
        LeadIdentity.objects.bulk_create(
            LeadIdentity(kind="email", value=lead.email, lead_id=lead.lead_id) for lead in made if lead.email
        )
        return [lead.lead_id for lead in made]

    return make


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots go (not in the repository)."""
    folder = Path(__file__).parent / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@dataclass
class Live:
    """The house for real: processes of its own on the test database, whose clock the test moves."""

    url: str
    port: int
    environment: dict[str, str]
    clock: Path
    log: Path
    running: list[subprocess.Popen] = field(default_factory=list)

    def run(self, *arguments: str) -> subprocess.Popen:
        """Start one more program with this house's environment: `run("-m", "hagukumi.app.cli", "worker")`."""
        with self.log.open("ab") as log:
            process = subprocess.Popen([sys.executable, *arguments], env=self.environment, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def set_clock(self, at: datetime) -> None:
        """From here on it is `at`, in every process of this house."""
        self.clock.write_text(str((at - datetime.now(UTC)).total_seconds()))

    def advance(self, by: timedelta) -> None:
        self.clock.write_text(str(float(self.clock.read_text()) + by.total_seconds()))

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(url: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)


def _four_ports() -> int:
    """The first of four free ports in a row, below those that the system gives to outgoing connections."""
    while True:
        first = random.randrange(10_000, 30_000)
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


@pytest.fixture
def four_ports() -> Callable[[], int]:
    """Gives the first of four free ports in a row, as a house takes them."""
    return _four_ports


@pytest.fixture
def database_url(db) -> str:
    """Where a program of its own finds this test's database."""
    from django.db import connection

    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path="/" + quote(connection.settings_dict["NAME"])))
    if parts.netloc == "":  # urlunsplit drops the empty host that a socket folder's URL has
        database = database.replace("postgresql:/", "postgresql:///", 1) if "///" not in database else database
    return database


@pytest.fixture
def live(transactional_db, now, tmp_path, database_url) -> Iterator[Live]:
    """A running web face (Granian, the built front end) on this test's database, its clock at `now`."""
    from django.db import connection

    port = _four_ports()
    clock_file = tmp_path / "clock"
    url = f"http://localhost:{port}"
    environment = {
        **os.environ, "DATABASE_URL": database_url, "HAGUKUMI_CLOCK": str(clock_file), "PORT": str(port),
        "HAGUKUMI_BASE_URL": url, "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    house = Live(url, port, environment, clock_file, tmp_path / "house.log")
    house.set_clock(now)
    house.run("-c", f"from hagukumi.app.web import serve; serve({port})")
    try:
        _answers(f"{url}/login/")
        yield house
    finally:
        house.stop()
        with connection.cursor() as cursor:  # what Django does not manage, its flush leaves
            cursor.execute("TRUNCATE activity, shared_cache")


def chromium() -> str:
    """The path of a Chromium of this machine; '' where there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if name and (path := shutil.which(name))), "")


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """Where Chromium is. Without one the test is skipped, and the report says so."""
    program = chromium()
    if not program:
        pytest.skip("no Chromium on this machine: `apt-get install chromium` as root, or install Google Chrome")
    return program


@pytest.fixture(scope="session")
def driver():
    """Playwright, which can be entered only once in a process."""
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop is not ours: the ORM may be used beside it
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(driver, chromium_program):
    """A real Chromium, headless."""
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    found = driver.chromium.launch(executable_path=chromium_program, args=options)
    yield found
    found.close()


@pytest.fixture
def browser_page(browser, live):
    """A fresh page of a 1440 px screen, at home in `live`; an error in its console fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live.url, locale="ja-JP")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not errors
