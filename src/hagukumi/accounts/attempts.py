"""How often a sign-in may fail: by account and by caller, so that neither locks out somebody else.

A caller who guesses is stopped at one account (PAIR) and over all of them (CALLER). Guesses from many places at one
account are stopped too (ACCOUNT), but not for a browser that this account has signed in from before: it carries a
sealed mark and has a count of its own (DEVICE). So nobody can keep the rightful person out. Source: OWASP, "Blocking
Brute Force Attacks", device cookies; ASVS 5.0, 6.3.1.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from hagukumi.kit import callers, tokens

from . import throttle
from .models import User
from .throttle import Limit

PAIR = Limit("sign_in.pair", 5, timedelta(minutes=5))
CALLER = Limit("sign_in.caller", 30, timedelta(hours=1))
ACCOUNT = Limit("sign_in.account", 100, timedelta(hours=1))
DEVICE = Limit("sign_in.device", 10, timedelta(minutes=5))
DEVICE_COOKIE = "hagukumi_device"
DEVICE_SECONDS = 180 * 86_400


def allowed(typed: str, address: str, device: str, now: datetime) -> bool:
    """Count one try to sign in as `typed` from `address`; False where it may not even be looked at."""
    return all(throttle.hit(limit, subject, now) for limit, subject in _counts(typed, address, device))


def succeeded(typed: str, address: str, device: str, now: datetime) -> None:
    """The try was right: it does not count, and what this account failed before from here is forgotten."""
    for limit, subject in _counts(typed, address, device):
        if limit in (PAIR, DEVICE):
            throttle.forget(limit, subject)
        else:
            throttle.hit(limit, subject, now, times=-1)


def device_mark(user: User) -> str:
    """What a browser keeps after `user` has signed in with it."""
    return tokens.seal("device", user.pk, secrets.randbits(62))


def member_of(typed: str) -> User | None:
    """The member who signs in with this address."""
    return User.objects.filter(email=typed.strip().lower()).first() if "\x00" not in typed else None


def _counts(typed: str, address: str, device: str) -> list[tuple[Limit, str]]:
    member = member_of(typed)
    caller = callers.caller(address)
    if member and (mark := _own_mark(device, member)):
        return [(DEVICE, f"{member.pk} {mark}")]
    # what was typed may be a password in the wrong field: unknown accounts are counted by a digest
    account = str(member.pk) if member else "? " + hashlib.sha256(typed.strip().lower().encode()).hexdigest()[:16]
    return [(PAIR, f"{account} {caller}"), (CALLER, caller), (ACCOUNT, account)]


def _own_mark(device: str, member: User) -> str:
    try:
        numbers, _text = tokens.unseal("device", device)
    except tokens.BadTokenError:
        return ""
    return str(numbers[1]) if len(numbers) == 2 and numbers[0] == member.pk else ""
