"""The first start: migration once, the demo company once, and a demo cut short never stays half made."""

from pathlib import Path

import psycopg
import pytest

from hagukumi.embedded.errors import StartError
from hagukumi.embedded.home import PENDING, Ports, prepare
from hagukumi.embedded.postgres import EmbeddedPostgres
from hagukumi.embedded.supervisor import Plan, Supervisor


class Rehearsal(Supervisor):
    """A supervisor whose commands are played: `migrate` makes two tables, `demo` fills one (or fails in the middle)."""

    def __init__(self, home: Path, *, fails: bool = False, demo: bool = True) -> None:
        super().__init__(Plan(home, Ports(1, 2, 3, 4), demo=demo), say=lambda *_: None)
        self.fails = fails
        self.ran: list[str] = []

    def _command(self, name: str) -> None:
        self.ran.append(name)
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            if name == "migrate":
                connection.execute("create table staff (id int); create table lead (id int)")
            else:
                connection.execute("insert into staff values (1)")
        if name == "demo" and self.fails:
            raise StartError("だめでした", "it failed")

    def rehearse(self) -> int:
        """Start the database, prepare it, count the staff, stop."""
        prepare(self.plan.home)
        self.postgres = EmbeddedPostgres(self.plan.home, durable=False)
        with self.postgres as server:
            self.environment["DATABASE_URL"] = server.url
            self._prepare_database()
            with psycopg.connect(server.url) as connection:
                row = connection.execute("select count(*) from staff").fetchone()
        return row[0] if row else -1


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def test_a_second_start_repeats_nothing(home: Path) -> None:
    first, second = Rehearsal(home), Rehearsal(home)
    assert first.rehearse() == 1 and first.ran == ["migrate", "demo"]
    assert second.rehearse() == 1 and second.ran == []


def test_without_the_demo_nobody_is_made(home: Path) -> None:
    assert Rehearsal(home, demo=False).rehearse() == 0


def test_a_demo_that_fails_leaves_an_empty_database(home: Path) -> None:
    with pytest.raises(StartError):
        Rehearsal(home, fails=True).rehearse()
    assert not (home / PENDING).exists()
    again = Rehearsal(home)
    assert again.rehearse() == 1 and again.ran == ["migrate", "demo"]


def test_a_demo_that_was_killed_is_thrown_away_once(home: Path) -> None:
    assert Rehearsal(home).rehearse() == 1
    (home / PENDING).touch()  # as a kill -9 in the middle leaves it
    again = Rehearsal(home, demo=False)
    assert again.rehearse() == 0 and again.ran == ["migrate"]
    kept = Rehearsal(home, demo=False)
    assert kept.rehearse() == 0 and kept.ran == []
    assert not (home / PENDING).exists()
