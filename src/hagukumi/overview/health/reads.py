"""How the house is doing: database, collector, heart and mail. Read by `hagukumi doctor` and the health screen."""

import asyncio
import json
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from hagukumi.kit import clock, smtp
from hagukumi.ledger.models import HeartStep, SetAside

DUE_SECONDS = 15.0  # a sender that is only starting, or busy, takes a mail within
OVERDUE_SECONDS = 300.0
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
        "mail": _checked(lambda: _mail(wait)) if database["ok"] else {"ok": False, "error": "no database"},
    }
    return {"ok": all(part["ok"] for part in parts.values()), **parts}


def _checked(check: Callable[[], Report]) -> Report:
    try:
        found = check()
    except (OSError, ValueError, DatabaseError) as error:
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
    error = str(facts.get("error") or "") or ("" if facts.get("ok") else "the collector cannot reach the database")
    return {"url": url, **facts, "ok": not error, "error": error}


def _heart() -> Report:
    now = clock.now()
    steps = list(HeartStep.objects.order_by("step").values())
    done = [step["last_success_at"] for step in steps if step["last_success_at"]]
    quiet = (now - max(done)).total_seconds() if done else None
    aside = list(
        SetAside.objects.order_by("owner", "object_id").values("owner", "object_id", "error", "at", "retry_at")
    )
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
    """The mail server as the sender meets it (TLS, sign-in), and whether what is due goes out."""
    server = smtp.server_of(settings.SMTP_URL)
    waiting = _waiting()
    error = asyncio.run(_greet(server, wait))
    if not error and waiting["due"] and not waiting["sender"]:
        error = f"{waiting['due']} mails are due and no sender is running"
    elif not error and waiting["overdue"]:
        error = f"{waiting['overdue']} mails are overdue"
    facts: Report = {"host": server.host, "port": server.port, "security": server.security, **waiting}
    return {"ok": not error, "error": error, **facts}


async def _greet(server: smtp.Server, wait: float) -> str:
    """A whole session up to sign-in, and goodbye; '' or why the server would take no mail of ours."""
    try:
        async with asyncio.timeout(wait):
            line = await smtp.connect(server, socket.getfqdn() or "localhost", wait)
            await line.quit()
    except TimeoutError:
        return f"no answer within {wait:g} s"
    except (OSError, ssl.SSLError) as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ""


def _waiting() -> Report:
    """Mails whose time has come (`due`) or came long ago (`overdue`), and whether a sender is at the database."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE due_at < %(due)s), count(*) FILTER (WHERE due_at < %(overdue)s),"
            " EXISTS (SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %(name)s)"
            " FROM delivery WHERE state = 'queued' AND due_at < %(due)s",
            {
                "due": now - timedelta(seconds=DUE_SECONDS),
                "overdue": now - timedelta(seconds=OVERDUE_SECONDS),
                "name": "hagukumi sender",
            },
        )
        due, overdue, sender = cursor.fetchone()
    return {"due": due, "overdue": overdue, "sender": sender}
