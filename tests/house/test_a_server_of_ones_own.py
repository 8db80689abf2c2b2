"""DATABASE_URL: the whole house on a PostgreSQL that is not ours, over TCP with a password."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from hagukumi.embedded.postgres import EmbeddedPostgres

CARDS = "会社名,部署名,氏名,メールアドレス\n" + "".join(
    f"株式会社青葉{n},営業部,山田 花子{n},hanako{n}@aoba{n}.example.co.jp\n" for n in range(50)
)


@pytest.fixture
def server(tmp_path, four_ports):
    """A second PostgreSQL, started from the same wheel, that listens on TCP."""
    with EmbeddedPostgres(tmp_path / "theirs", port=four_ports(), durable=False) as running:
        yield running


def environment(home: Path, server: EmbeddedPostgres, port: int) -> dict[str, str]:
    return {**os.environ, "HAGUKUMI_HOME": str(home), "DATABASE_URL": server.url, "PORT": str(port)}


def test_the_whole_house_runs_on_it(tmp_path, server, four_ports):
    home, cards, port = tmp_path / "home", tmp_path / "cards.csv", four_ports()
    cards.write_text(CARDS, encoding="cp932")
    around = environment(home, server, port)
    assert "@127.0.0.1:" in server.url

    up = subprocess.Popen(
        [sys.executable, "-m", "hagukumi", "up", "--no-demo"], env=around, stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert up.poll() is None and time.monotonic() < deadline, up.stdout.read()
            time.sleep(0.2)
        done = command(around, "import", str(cards), "--json")
        counted = json.loads(done.splitlines()[-1])
        assert [counted[name] for name in ("rows", "created", "updated", "unchanged", "rejected")] == [50, 50, 0, 0, 0]
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM lead WHERE known_at IS NOT NULL").fetchone() == (50,)
        health = json.loads(command(around, "doctor", "--json"))
        assert health["database"]["ok"] and health["collector"]["ok"]
    finally:
        up.send_signal(signal.SIGTERM)
        assert up.wait(30) == 0
    assert not (home / "postgres").exists(), "no embedded database was made beside it"
    assert server.running()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def command(around: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hagukumi", *arguments], env=around, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
