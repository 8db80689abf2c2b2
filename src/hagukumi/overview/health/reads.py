"""How the house is doing: database, collector, heart and mail. Read by `hagukumi doctor` and the health screen."""

import json
import smtplib
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from hagukumi.kit import clock
from hagukumi.ledger.models import HeartStep, SetAside

QUIET_SECONDS = 60.0  # a heart that has not finished a step for so long is not beating
Report = dict[str, Any]


def report(*, wait: float = 3.0) -> Report:
    """`ok` over all, and one entry each for database, collector, heart and mail with `ok` and `error`.

    Neighbours that do not answer within `wait` seconds are ill.
    """
    database = _checked(_database)
    heart = _checked(_heart) if database["ok"] else {"ok": False, "error": "no database"}
    parts = {
        "database": database,
        "collector": _checked(lambda: _collector(wait)),
        "heart": heart,
        "mail": _checked(lambda: _mail(wait)),
    }
    return {"ok": all(part["ok"] for part in parts.values()), **parts}


def _checked(check: Callable[[], Report]) -> Report:
    try:
        found = check()
    except (OSError, ValueError, DatabaseError, smtplib.SMTPException) as error:
        return {"ok": False, "error": (str(error).strip().splitlines() or [type(error).__name__])[0]}
    return {"ok": True, "error": "", **found}


def _database() -> Report:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('server_version'), pg_database_size(current_database()) / 1048576,"
            " (select count(*) from pg_stat_activity where datname = current_database())"
        )
        version, size, connections = cursor.fetchone()
    took = (time.perf_counter() - began) * 1000
    return {"version": version, "size_mb": int(size), "connections": connections, "latency_ms": round(took, 1)}


def _collector(wait: float) -> Report:
    url = f"http://127.0.0.1:{settings.COLLECTOR_PORT}/health"
    with urllib.request.urlopen(url, timeout=wait) as answer:
        body = json.loads(answer.read() or b"{}")
    facts: Report = body if isinstance(body, dict) else {}
    return {"url": url, **facts}


def _heart() -> Report:
    now = clock.now()
    steps = list(HeartStep.objects.order_by("step").values())
    done = [step["last_success_at"] for step in steps if step["last_success_at"]]
    quiet = (now - max(done)).total_seconds() if done else None
    aside = list(SetAside.objects.order_by("owner", "object_id").values("owner", "object_id", "error", "at"))
    failing = [step["step"] for step in steps if step["error"]]
    error = ""
    if quiet is None or quiet > QUIET_SECONDS:
        error = "not beating"
    elif failing:
        error = "failing: " + ", ".join(failing)
    lag = max((step["lag_seconds"] for step in steps), default=None)
    last = max(done, default=None)
    facts = {"last_success_at": last, "lag_seconds": lag, "steps": steps, "set_aside": aside}
    return {"ok": not error, "error": error, **facts}


def _mail(wait: float) -> Report:
    parts = urlsplit(settings.SMTP_URL)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with kind(host, port, timeout=wait) as server:
        code, _answer = server.noop()
    return {"ok": code == 250, "host": host, "port": port}
