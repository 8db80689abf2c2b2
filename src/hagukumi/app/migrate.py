"""Bring the schema up to date without holding up whoever is at work: limits, one run at a time, halves (ADR 8).

A migration that asks for a table's lock makes everybody who comes after it wait, also while it is itself only waiting
behind a long report. So it waits for a few seconds, gives up, lets the queue through, and tries again.
"""

import contextlib
import re
import time
from collections.abc import Callable, Iterator

import structlog
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from psycopg import errors

from hagukumi.embedded.errors import StartError

log = structlog.get_logger(__name__)
LOCK_SECONDS = 5.0
STATEMENT_SECONDS = 1800.0
"""No single statement takes longer; one that must (an index on a huge table) sets its own limit in its migration."""
TRIES = 6
REST_SECONDS = 5.0
HABIT = re.compile(r"^\d{4}_(?P<half>pre|post)_[a-z0-9_]+$")
"""`pre`: harmless to the code that still runs (adds). `post`: only after the new code runs everywhere (takes away)."""
_ONE_AT_A_TIME = 0x4861676D  # the advisory lock of migrations


def run(
    *,
    only_pre: bool = False,
    lock_seconds: float = LOCK_SECONDS,
    tries: int = TRIES,
    rest: Callable[[float], None] = time.sleep,
) -> None:
    """Apply what is missing; with `only_pre`, leave out the last migrations that are `post`.

    Each migration is a transaction, so a try that met a lock goes on where it stopped. StartError after `tries`.
    """
    with limits(lock_seconds):
        for left in reversed(range(tries)):
            try:
                _apply(only_pre)
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, errors.LockNotAvailable):
                    raise
                if not left:
                    raise StartError(
                        "データベースの表が使用中で、形を整えられません。ほかの処理が終わってからもう一度実行してください",
                        "the database's tables are in use and cannot be brought up to date; try again later",
                    ) from error
                log.warning("a table is in use; the migration tries again", tries_left=left)
                rest(REST_SECONDS)


@contextlib.contextmanager
def limits(lock_seconds: float = LOCK_SECONDS, statement_seconds: float = STATEMENT_SECONDS) -> Iterator[None]:
    """On Django's connection: the only migration at this time, and no statement waits or runs longer than given."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        try:
            for name, seconds in (("lock_timeout", lock_seconds), ("statement_timeout", statement_seconds)):
                cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{round(seconds * 1000)}ms"])
            yield
        finally:
            if connection.connection is not None and not connection.connection.closed:
                cursor.execute("RESET lock_timeout; RESET statement_timeout")
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])


def last_pre(names: list[str]) -> str:
    """The last migration to apply before the new code starts: `names` without the `post` ones at the end."""
    kept = list(names)
    while kept and (found := HABIT.match(kept[-1])) and found["half"] == "post":
        kept.pop()
    return kept[-1]


def _apply(only_pre: bool) -> None:
    if not only_pre:
        call_command("migrate", interactive=False, verbosity=0)
        return
    loader = MigrationLoader(connection)
    ours = sorted(name for app, name in loader.graph.nodes if app == "hagukumi")
    for app in sorted(loader.migrated_apps - {"hagukumi"}):
        call_command("migrate", app, interactive=False, verbosity=0)
    wanted = last_pre(ours)
    # an applied target would make Django take the later ones back
    if ("hagukumi", wanted) not in loader.applied_migrations:
        call_command("migrate", "hagukumi", wanted, interactive=False, verbosity=0)
