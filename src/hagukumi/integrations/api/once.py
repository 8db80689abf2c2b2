"""Idempotency keys: the same request with the same key happens once and is answered the same, for KEPT and longer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from ninja import Header
from pydantic import StringConstraints

from hagukumi.accounts.models import ApiToken, IdempotencyKey
from hagukumi.kit import clock

from .problems import ProblemError

Key = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")]
KEY_HEADER = Header(None, alias="Idempotency-Key")
"""The header by its written name: openapi.json would else name the Python argument, and generated clients send that."""
KEPT = timedelta(hours=48)
Answer = tuple[int, Any]
"""(status, body as JSON-able data)."""


def once(request: HttpRequest, key: str | None, perform: Callable[[], Answer]) -> HttpResponse:
    """Do `perform` in a transaction and answer; with a key, only once. 409 where the key named another request.

    Two requests with the same key at the same time wait for each other (advisory lock for the transaction).
    """
    with transaction.atomic():
        token: ApiToken = request.auth  # type: ignore[attr-defined]
        digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
        if key:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [token.pk % 2**31, key])
            if kept := IdempotencyKey.objects.filter(token=token, key=key).first():
                if kept.request_digest != digest:
                    raise ProblemError(
                        409, "idempotency-key-reused", _("この Idempotency-Key は別の要求に使われています。")
                    )
                return _json(kept.status, kept.body, replayed=True)
        status, body = perform()
        if key:
            IdempotencyKey.objects.create(
                token=token, key=key, request_digest=digest, status=status, body=body, created_at=clock.now()
            )
    return _json(status, body)


def forget(now: datetime) -> int:
    """Drop the keys that are older than KEPT; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]


def _json(status: int, body: Any, *, replayed: bool = False) -> HttpResponse:
    response = JsonResponse(body, status=status, safe=False, json_dumps_params={"ensure_ascii": False})
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def plain(body: Any) -> Any:
    """A schema as JSON-able data."""
    return json.loads(body.model_dump_json())
