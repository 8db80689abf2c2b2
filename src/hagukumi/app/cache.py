"""The cache that all processes share: Django's database cache, written without errors in the database's log.

Django's own tries an INSERT and catches the unique violation; the server has then written an ERROR line, at nearly
every counted request. It also counts all entries at each write.
"""

import base64
import pickle
import random
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, connection, transaction

_CULL_ONCE_IN = 200
_FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


class SharedCache(DatabaseCache):
    """As DatabaseCache, with one statement a write."""

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        if mode == "touch":
            return bool(super()._base_set(mode, key, value, timeout))  # type: ignore[misc]
        until = self.get_backend_timeout(timeout)
        expires = _FOR_EVER if until is None else datetime.fromtimestamp(until, tz=UTC)
        kept = base64.b64encode(pickle.dumps(value, self.pickle_protocol)).decode("ascii")
        table = connection.ops.quote_name(self._table)  # type: ignore[attr-defined]
        only_expired = f" WHERE {table}.expires < %s" if mode == "add" else ""
        now = datetime.now(UTC)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s)"  # noqa: S608 - our own name
                    " ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
                    + only_expired,
                    [key, kept, expires.replace(microsecond=0), *([now] if only_expired else [])],
                )
                written = cursor.rowcount == 1
                if written and random.randrange(_CULL_ONCE_IN) == 0:  # noqa: S311 - not a secret
                    cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [now])  # noqa: S608 - our own name
        except DatabaseError:
            return False
        return written
