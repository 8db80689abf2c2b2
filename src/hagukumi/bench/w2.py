"""W2: page views over HTTP, each acknowledged after its commit, from 256 connections that wait for their answer.

The limit is the same server process answering 204 to the same requests (POST /noop) without reading or keeping them.
The load comes from a process of its own (`bench.hits`). Ours and the limit take turns, so that a noisy machine is noisy
for both; `p99_ms` is measured apart, at half our rate.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from hagukumi.bench import hits
from hagukumi.collect.tracking import services as tracking
from hagukumi.kit import clock

LEADS = 0
ACTIVITY = 0
CONNECTIONS = 256
SECONDS = 4.0
ROUNDS = 2


def run(leads: int, activity: int) -> dict[str, Any]:
    """Page views a second, ours and the limit's; `leads` and `activity` are not used."""
    tracking.add_site(hits.SITE, name="bench", now=clock.now())
    with tempfile.TemporaryDirectory() as home, _collector(Path(home)) as (port, pid):
        ours, limit = [], []
        _load(port, "/e", 1.0)
        for _ in range(ROUNDS):
            limit.append(_load(port, "/noop", SECONDS))
            ours.append(_load(port, "/e", SECONDS))
        rate = statistics.mean(found["rate"] for found in ours)
        half = _load(port, "/e", SECONDS, rate=rate / 2)
        peak = _peak_mb(pid)
    _must_be_kept(sum(found["answers"] for found in [*ours, half]))
    limit_rate = statistics.mean(found["rate"] for found in limit)
    return {
        "unit": "page views",
        "rate": round(rate),
        "limit_rate": round(limit_rate),
        "ratio": round(rate / limit_rate, 3),
        "peak_mb": peak,
        "p50_ms": half["p50_ms"],
        "p99_ms": half["p99_ms"],
        "p99_full_ms": max(found["p99_ms"] for found in ours),
        "connections": CONNECTIONS,
    }


@contextmanager
def _collector(home: Path) -> Iterator[tuple[int, int]]:
    """A collector process on the scratch database: (its port, its process id)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "HAGUKUMI_HOME": str(home),
        "HAGUKUMI_SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": _database_url(),
        "HAGUKUMI_BENCH": "1",
    }
    code = f"from hagukumi.collector.app import serve; serve({port}, '127.0.0.1')"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(15)


def _database_url() -> str:
    """The database that Django has open now, as a libpq connection string."""
    connection.ensure_connection()
    info = connection.connection.info
    given = info.get_parameters()
    parts = {**given, "password": info.password} if info.password else given
    return " ".join(f"{key}='{value}'" for key, value in parts.items())


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if json.load(answer)["sites"]:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError("the collector did not start")


def _load(port: int, path: str, seconds: float, rate: float = 0.0) -> dict[str, Any]:
    """One run of the load process; RuntimeError where an answer was not a 204."""
    command = [sys.executable, "-m", "hagukumi.bench.hits", str(port), path, str(CONNECTIONS), str(seconds), str(rate)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["bad"]:
        raise RuntimeError(f"{found['bad']} answers were not 204")
    return found


def _peak_mb(pid: int) -> int:
    """The process's highest resident memory, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _must_be_kept(answers: int) -> None:
    """Every answered view is a row of the inbox (the collector has stopped, so nothing is on its way)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM inbox WHERE drop_reason = ''")
        kept = cursor.fetchone()[0]
        cursor.execute("SELECT coalesce(sum(amount), 0) FROM inbox WHERE drop_reason <> ''")
        dropped = cursor.fetchone()[0]
    if dropped or kept < answers:
        raise RuntimeError(f"of {answers} answered views {kept} are kept, {dropped} dropped")
