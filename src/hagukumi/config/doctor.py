"""`hagukumi doctor`: the health of database, collector, heart and mail, for a person or as JSON for a program."""

import json
import smtplib
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from hagukumi.kit import clock
from hagukumi.ledger.models import HeartStep, SetAside

QUIET_SECONDS = 60.0  # a heart that has not finished a step for so long is not beating
Report = dict[str, Any]


def report() -> Report:
    """`ok` over all, and one entry each for database, collector, heart and mail with `ok` and `error`."""
    database = _checked(_database)
    heart = _checked(_heart) if database["ok"] else {"ok": False, "error": "no database"}
    parts = {"database": database, "collector": _checked(_collector), "heart": heart, "mail": _checked(_mail)}
    return {"ok": all(part["ok"] for part in parts.values()), **parts}


def show(found: Report, *, as_json: bool) -> None:
    """Print the report: one line of JSON, or a table in both languages."""
    if as_json:
        print(json.dumps(found, ensure_ascii=False, default=str))
        return
    names = {"database": "データベース", "collector": "計測", "heart": "心臓", "mail": "メール"}
    for key, name in names.items():
        part = found[key]
        facts = ", ".join(f"{fact}={value}" for fact, value in part.items() if _is_plain(fact, value))
        print(f"{'正常 OK ' if part['ok'] else '異常 NG '}  {name} / {key}   {part.get('error') or facts}")
    for step in found["heart"].get("steps", []):
        error = f"  {step['error']}" if step["error"] else ""
        print(
            f"            {step['step']:<14} {step['last_success_at'] or '-'}  lag {step['lag_seconds']:.1f} s{error}"
        )
    for one in found["heart"].get("set_aside", []):
        print(f"            除外中 / set aside: {one['owner']} {one['object_id']}  {one['error']}")


def _is_plain(fact: str, value: object) -> bool:
    return fact not in ("ok", "error") and not isinstance(value, list | dict)


def _checked(check: Any) -> Report:
    try:
        found: Report = check()
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


def _collector() -> Report:
    url = f"http://127.0.0.1:{settings.COLLECTOR_PORT}/health"
    with urllib.request.urlopen(url, timeout=3) as answer:
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


def _mail() -> Report:
    parts = urlsplit(settings.SMTP_URL)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with kind(host, port, timeout=5) as server:
        code, _ = server.noop()
    return {"ok": code == 250, "host": host, "port": port}
