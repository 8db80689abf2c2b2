"""Signed, unguessable addresses: a few integers and a text, sealed with a keyed BLAKE2b tag per purpose.

Sealing says who made it, not who may see it: nothing secret goes inside.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from functools import lru_cache

import msgspec

_TAG_BYTES = 12
TRAP_LINK = 9_999
"""The number of a mail's link that no reader can see: what follows it reads the source, not the mail."""
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(list)


class BadTokenError(ValueError):
    """The token is not ours, or was made for another purpose."""


@lru_cache(maxsize=32)
def _key(purpose: str, secret: str) -> bytes:
    return hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret.encode()).digest(), digest_size=32).digest()


def _secret() -> str:
    secret = os.environ.get("HAGUKUMI_SECRET_KEY")
    if secret is None:
        from django.conf import settings

        secret = str(settings.SECRET_KEY)
        os.environ["HAGUKUMI_SECRET_KEY"] = secret
    return secret


def _tag(purpose: str, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=_key(purpose, _secret()), digest_size=_TAG_BYTES).digest()


def seal(purpose: str, *numbers: int, text: str = "") -> str:
    """A URL-safe token that holds `numbers` and `text` and opens only for `purpose`."""
    body = _PACK.encode([*numbers, text])
    return base64.urlsafe_b64encode(_tag(purpose, body) + body).rstrip(b"=").decode()


def sealer(purpose: str) -> Callable[..., str]:
    """`seal` for one purpose with its key at hand: for loops that seal one token after another."""
    key = _key(purpose, _secret())

    def seal_one(*numbers: int, text: str = "") -> str:
        body = _PACK.encode([*numbers, text])
        tag = hashlib.blake2b(body, key=key, digest_size=_TAG_BYTES).digest()
        return base64.urlsafe_b64encode(tag + body).rstrip(b"=").decode()

    return seal_one


def setup_key() -> str:
    """What the first run asks for: printed where the house is started, so that only who can read that may set it up."""
    return seal("setup", 1)[:20]


def unseal(purpose: str, token: str) -> tuple[list[int], str]:
    """The numbers and the text of a token; BadTokenError where it was not sealed here for this purpose."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, _tag(purpose, body)):
            raise BadTokenError(purpose)
        *numbers, text = _UNPACK.decode(body)
    except (ValueError, msgspec.DecodeError) as error:
        raise BadTokenError(purpose) from error
    return numbers, text
