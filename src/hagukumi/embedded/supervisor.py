"""`hagukumi up`: everything of one home under one roof, from the lock on the folder to the last clean stop.

The order: hold the home, see that ports and disk are free, database, migration, demo company (first start), parts.
Then watch: a part that dies is started again, and so is the database. Stop: parts, mailbox, database.
"""

import hashlib
import importlib.metadata
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psycopg

from hagukumi.embedded import home as homes
from hagukumi.embedded.errors import StartError
from hagukumi.embedded.parts import MARK, Keeper, Part, clear_leftovers, stop_all, trim_logs
from hagukumi.embedded.postgres import EmbeddedPostgres
from hagukumi.embedded.process import die_with_parent
from hagukumi.kit import tokens

Say = Callable[[str, str], None]
_STOP_SECONDS = 6.0  # for the parts; the database gets the rest of the ten
_MIGRATORS = ("django", "django-allauth", "procrastinate")


class Stop(BaseException):
    """SIGINT, SIGTERM or SIGHUP came. Not an Exception, so that nothing on the way swallows it."""


@dataclass(frozen=True)
class Plan:
    """What to run. `parts` None: the house's own; tests bring their own."""

    home: Path
    ports: homes.Ports
    demo: bool = True
    parts: tuple[Part, ...] | None = None
    prepare_database: bool = True


def say(ja: str, en: str) -> None:
    """One progress line in both languages."""
    print(f"{ja}  {en}", flush=True)


class Supervisor:
    """One run of `hagukumi up`."""

    def __init__(self, plan: Plan, say: Say = say) -> None:
        self.plan = plan
        self.say = say
        self.keepers: list[Keeper] = []
        self.postgres: EmbeddedPostgres | None = None
        self.environment = dict(os.environ)
        self._stopping = False

    def run(self) -> int:
        """Until told to stop. 0 after a clean stop; StartError when something is in the way."""
        homes.check_addresses()
        homes.prepare(self.plan.home)
        lock = homes.hold(self.plan.home)
        handlers = {sig: signal.signal(sig, self._on_signal) for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            self._start()
            self._watch()
        except Stop:
            pass
        finally:
            self._stopping = True
            self._stop()
            for sig, handler in handlers.items():
                signal.signal(sig, handler)
            os.close(lock)
        return 0

    # -- start ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        began = time.monotonic()
        clear_leftovers(self.plan.home)
        ports = self.plan.ports
        caught = "SMTP_URL" not in os.environ
        homes.check_ports([ports.web, ports.collector, *([ports.smtp, ports.mailbox] if caught else [])])
        self.environment |= {
            "HAGUKUMI_HOME": str(self.plan.home),
            "HAGUKUMI_SECRET_KEY": os.environ.get("HAGUKUMI_SECRET_KEY") or homes.secret_key(self.plan.home),
            "HAGUKUMI_COLLECTOR_PORT": str(ports.collector),
            "PORT": str(ports.web),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # our threads wait for the database; an arena for each only keeps memory
            MARK: str(self.plan.home),
        }
        if caught:
            self.environment["SMTP_URL"] = f"smtp://127.0.0.1:{ports.smtp}?mailbox=1"
        self.say("[1/5] データベースを起動しています…", "Starting the database…")
        self._start_database()
        if self.plan.prepare_database:
            self._prepare_database()
        self.say("[4/5] 各部を起動しています…", "Starting the parts…")
        for part in self.plan.parts if self.plan.parts is not None else house_parts(mailbox=caught):
            self.keepers.append(Keeper(part, self.environment, self.plan.home / "log" / f"{part.name}.log"))
        for keeper in self.keepers:
            if keeper.part.first or self.plan.parts is not None:
                keeper.start()
        if self.plan.parts is None:
            self._wait_for_web()
            for keeper in self.keepers:
                if not keeper.part.first:
                    keeper.start()
            self._welcome(time.monotonic() - began, caught)

    def _start_database(self) -> None:
        url = os.environ.get("DATABASE_URL")
        if url:
            _reach(url)
            return
        self.postgres = EmbeddedPostgres(self.plan.home)
        self.postgres.start()
        self.environment["DATABASE_URL"] = self.postgres.url

    def _prepare_database(self) -> None:
        """Migrate where something is new; make the demo company in a database without people.

        A demo that was cut short is thrown away with its database: the parts were not up, so nobody has worked in it.
        """
        if self._pending().exists():
            self._throw_away()
        current = fingerprint()
        if self.postgres is None or not self._stamp().exists() or self._stamp().read_text() != current:
            self.say("[2/5] データベースの形を整えています…", "Bringing the database up to date…")
            self._command("migrate")
            if self.postgres is not None:
                self._stamp().write_text(current)
        if self.plan.demo and not self._has_people():
            self.say("[3/5] デモの会社を作っています（1 分ほど）…", "Making the demo company (about a minute)…")
            self._pending().touch()
            try:
                self._command("demo")
            except BaseException:
                self._throw_away()
                raise
            self._pending().unlink()

    def _pending(self) -> Path:
        """There while the demo company is being made; other commands keep away meanwhile."""
        return self.plan.home / homes.PENDING

    def _throw_away(self) -> None:
        """Begin the embedded database anew. A server behind DATABASE_URL is never emptied."""
        if self.postgres is not None:
            self._stamp().unlink(missing_ok=True)
            self.postgres.empty()
        self._pending().unlink(missing_ok=True)

    def _stamp(self) -> Path:
        """Inside the data folder, so that it goes wherever the data goes."""
        return self.plan.home / "postgres" / "hagukumi.migrated"

    def _has_people(self) -> bool:
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            row = connection.execute("select exists (select from staff) or exists (select from lead)").fetchone()
        return bool(row and row[0])

    def _command(self, name: str) -> None:
        """Run one of our commands to its end, its words on our terminal. Raises StartError when it fails."""
        command = [sys.executable, "-m", "hagukumi", name]
        process = subprocess.Popen(
            command, env=self.environment, start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM)
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
        if code != 0:
            raise StartError(f"hagukumi {name} が失敗しました", f"hagukumi {name} failed")

    def _wait_for_web(self) -> None:
        """Until the screens answer. The other parts start after them: their start-up would take the same few cores."""
        self.say("[5/5] 応答を待っています…", "Waiting for the first answer…")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not answers(f"http://127.0.0.1:{self.plan.ports.web}/login/"):
            self._tick(first=True)
            time.sleep(0.1)

    def _welcome(self, seconds: float, caught: bool) -> None:
        ports = self.plan.ports
        print(f"\n育み（はぐくみ）が動いています / Hagukumi is running  ({seconds:.1f} s)\n")
        print(f"  画面 / Screens            http://localhost:{ports.web}/")
        print(f"  計測 / Collector          http://localhost:{ports.collector}/")
        if caught:
            key = homes.mailbox_key(self.plan.home)
            print(f"  開発用メール / Mailbox    http://localhost:{ports.mailbox}/?key={key}")
        print(f"  データとログ / Data, logs {self.plan.home}")
        accounts = homes.sign_in(self.plan.home)
        if accounts:
            print("\n  サインイン / Sign in")
            for one in accounts:
                print(f"    {one.get('email', '')}   {one.get('password', '')}   {one.get('role', '')}")
        else:
            self._first_run(ports.web)
        print("\n  止めるには Ctrl-C / Ctrl-C stops it\n", flush=True)

    def _first_run(self, port: int) -> None:
        """Before anybody may sign in: the address that lets whoever can read this make the first administrator."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT EXISTS (SELECT 1 FROM staff)").fetchone()
        if row and not row[0]:
            os.environ.setdefault("HAGUKUMI_SECRET_KEY", self.environment["HAGUKUMI_SECRET_KEY"])
            print("\n  はじめの準備 / First run")
            print(f"    http://localhost:{port}/setup/?key={tokens.setup_key()}")

    # -- watch ------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        rounds = 0
        while True:
            self._tick()
            rounds += 1
            if rounds % 300 == 0:
                trim_logs(self.plan.home / "log")
                self._mind_the_disk()
            time.sleep(0.2)

    def _tick(self, *, first: bool = False) -> None:
        if self.postgres is not None and self.postgres.lost():
            self.say("データベースが止まりました。起動し直します…", "The database stopped; starting it again…")
            self._restart_database()
        for keeper in self.keepers:
            death = keeper.look() if keeper.part.first or not first else None
            if death is not None:
                self.say(
                    f"{death.name} が止まりました（{death.code}）。{death.wait:g} 秒後に起動し直します: {keeper.log}",
                    f"{death.name} stopped ({death.code}); starting it again in {death.wait:g} s",
                )

    def _restart_database(self) -> None:
        """A server killed hard may leave helpers for a moment that keep a new one out: try again, patiently."""
        if self.postgres is None:
            return
        try:
            self.postgres.start()
            self.say("データベースが戻りました。", "The database is back.")
        except StartError as error:
            self.say(error.ja, error.en)
            time.sleep(1)

    def _mind_the_disk(self) -> None:
        free = homes.free_mb(self.plan.home)
        if free < homes.NEEDED_MB:
            self.say(f"ディスクの空きが残り {free} MB です: {self.plan.home}", f"only {free} MB of disk are left")

    # -- stop -------------------------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first signal starts the stop; further ones do not interrupt it."""
        if not self._stopping:
            self._stopping = True
            raise Stop

    def _stop(self) -> None:
        if self.keepers:
            self.say("\n終了しています…", "Stopping…")
        stop_all(self.keepers, _STOP_SECONDS)
        if self.postgres is not None:
            self.postgres.stop(timeout=3)
        if self.keepers:
            self.say("終了しました。", "Stopped.")


def house_parts(*, mailbox: bool) -> tuple[Part, ...]:
    """The house's own parts. What people and pages talk to starts first."""
    names = {"web": True, "collector": True, "worker": False, "sender": False}
    parts = [Part(name, (sys.executable, "-m", "hagukumi", name), first=first) for name, first in names.items()]
    if mailbox:
        parts.insert(2, Part("mailbox", (sys.executable, "-m", "hagukumi", "mailbox"), last=True))
    return tuple(parts)


def fingerprint() -> str:
    """Changes whenever `migrate` might have work: our migrations' text, the versions of others'."""
    digest = hashlib.sha256()
    folder = Path(__file__).resolve().parents[1] / "migrations"
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".sql"):
            digest.update(path.name.encode() + path.read_bytes())
    digest.update(",".join(importlib.metadata.version(name) for name in _MIGRATORS).encode())
    return digest.hexdigest()


def answers(url: str) -> bool:
    """True when an HTTP server gives any answer below 500 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _reach(url: str) -> None:
    """Raises StartError, without the password, when DATABASE_URL leads nowhere."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise StartError(
            f"DATABASE_URL のデータベースにつながりません: {reason}", f"cannot reach DATABASE_URL's database: {reason}"
        ) from None
