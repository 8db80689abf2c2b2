"""The audit log: who did what, when, from where, from what to what. Entries are only ever added (a trigger holds that).

Verbs of every room call `record`. Who acts stands in the context: each door says it once (`acting`), so that no verb
has to be handed it and none can forget it. What nobody has entered is the system's own doing. See ADR 12.
"""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .models import AuditEntry, User

Changes = Mapping[str, tuple[Any, Any]]
_MAX_TEXT = 500


@dataclass(frozen=True)
class Actor:
    """Who acts. `door`: screen, api, command, public, system; `origin`: the address, or a command's user."""

    door: str = "system"
    user_id: int | None = None
    token_id: int | None = None
    origin: str = ""


SYSTEM = Actor()
_present: ContextVar[Actor] = ContextVar("hagukumi_actor", default=SYSTEM)


def present() -> Actor:
    """Who acts here and now."""
    return _present.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What happens inside is done by `actor`."""
    before = _present.set(actor)
    try:
        yield
    finally:
        _present.reset(before)


def become(actor: Actor) -> None:
    """Whoever is inside an `acting` turns out to be `actor` (a token is read, a person has signed in)."""
    _present.set(actor)


def command() -> Actor:
    """Somebody at the shell of the machine, by the name they have there."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = ""
    return Actor("command", origin=name[:64])


def record(
    action: str,
    object_kind: str,
    object_id: object,
    now: datetime,
    *,
    changes: Changes | None = None,
    user: User | None = None,
    **details: Any,
) -> AuditEntry:
    """Write down an act in the caller's transaction. `changes`: {what: (before, after)}, only what differs is kept.

    `user` overrides whom the context names, where the act itself is how we learn who it is (a sign-in). Other
    `details` are JSON values in words or numbers; of a person nothing but the lead's id belongs in them.
    """
    who = present()
    if changes is not None:
        details["changes"] = {key: [_short(old), _short(new)] for key, (old, new) in changes.items() if old != new}
    return AuditEntry.objects.create(
        at=now,
        user_id=user.pk if user else who.user_id,
        token_id=who.token_id,
        door=who.door,
        origin=who.origin,
        action=action,
        object_kind=object_kind,
        object_id=str(object_id)[:60],
        details={key: _short(value) for key, value in details.items()},
    )


def by_staff() -> bool:
    """Whether a person or another system acts here: acts upon single leads are then written down.

    What the system concludes by itself, a million times, stands in the ledger with its reason.
    """
    return present().door in ("screen", "api", "command")


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two states with the same keys, as `record` takes it."""
    return {key: (before.get(key), value) for key, value in after.items() if before.get(key) != value}


def _short(value: Any) -> Any:
    """A JSON value that PostgreSQL keeps and a page can show: instants as text, long texts cut, no NUL."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): _short(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_short(inner) for inner in list(value)[:100]]
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    text = text.replace("\x00", "")
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
