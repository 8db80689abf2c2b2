"""`hagukumi bench NAME`: runs one workload in a database of its own beside the real one, and prints what came out.

A workload is a module `bench/NAME.py` with `run(leads, activity) -> dict` holding at least `rate`, `limit_rate` (both
in `unit` per second), `ratio` and `peak_mb`, and `LEADS` and `ACTIVITY`, the sizes it has by default.
"""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection

NAMES = ("w1", "w2", "w6", "w7", "heart")
_SCRATCH = "hagukumi_bench"


def main(name: str, leads: int | None, activity: int | None, as_json: bool) -> int:
    """Run one workload; returns the exit code. Nothing of it stays."""
    chosen = name.lower()
    if chosen not in NAMES:
        print(f"{name}: {', '.join(NAMES)} から選んでください / choose one of these", file=sys.stderr)
        return 2
    workload = importlib.import_module(f"hagukumi.bench.{chosen}")
    with scratch_database():
        found: dict[str, Any] = workload.run(
            workload.LEADS if leads is None else leads, workload.ACTIVITY if activity is None else activity
        )
    report = {"name": chosen, **found}
    if as_json:
        print(json.dumps(report))
    else:
        for key, value in report.items():
            print(f"{key:>12}  {value:,}" if isinstance(value, int | float) else f"{key:>12}  {value}")
    return 0


@contextmanager
def scratch_database() -> Iterator[None]:
    """A fresh, migrated database on the same server, dropped at the end: measuring never touches real data."""
    real = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {_SCRATCH} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {_SCRATCH} TEMPLATE template0")
    _switch(_SCRATCH)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        _switch(real)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_SCRATCH} WITH (FORCE)")


def _switch(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
