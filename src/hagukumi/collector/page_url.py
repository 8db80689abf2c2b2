"""Which part of an address is kept: what names the page, and nothing that names or lets in a person.

Campaign marks are read elsewhere (`wire.campaign`) and fall away here, so that a page is one page.
"""

import re
from functools import lru_cache

from .wire import MAX_URL_BYTES

PRIVATE = frozenset({
    "email", "mail", "mailaddress", "token", "auth", "authorization", "password", "passwd", "pwd", "pass", "secret",
    "apikey", "accesskey", "session", "sessionid", "sid", "jsessionid", "phpsessid", "signature", "sig", "jwt", "otp",
    "tel", "phone", "phonenumber", "mobile", "fax", "lastname", "firstname", "fullname", "username", "realname",
    "yourname", "birthday",
})  # fmt: skip
"""Words of parameter names whose values are never stored. `HAGUKUMI_PRIVATE_PARAMETERS` adds to them."""
_NOISE = re.compile(r"(?:hgk|utm_\w+|gclid|fbclid|yclid|msclkid)=", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")
_MAIL = re.compile(r"[^@/?&#=;:]+(?:@|%40)(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE)
_SIGNED_IN = re.compile(r"^(https?://)[^/?#@]*@", re.IGNORECASE)
_SUSPECT = re.compile(r"[?@;]|%40|#[/!]")


def words(text: str) -> frozenset[str]:
    """The words of a setting: separated by commas or blanks, without case."""
    return frozenset(re.split(r"[\s,]+", text.lower().strip())) - {""}


@lru_cache(maxsize=8_192)
def is_private(name: str, also: frozenset[str] = frozenset()) -> bool:
    """Whether a parameter's name says that its value is nobody's business: `email`, `user[email]`, `resetToken`."""
    found = _WORD.findall(_HUMP.sub(" ", _ESCAPE.sub(" ", name)).lower())
    return any(word in PRIVATE or word in also for word in (*found, "".join(found), name.lower()))


def clean(url: str, also: frozenset[str] = frozenset()) -> str:
    """The address that names the page: no campaign, no private parameter, no mail address, no jump mark; cut to size.

    The route of a single-page site (`#/…`, `#!…`) belongs to the page and is cleaned like the rest.
    """
    page, _, mark = url.partition("#")
    route = "#" + mark if mark.startswith(("/", "!")) else ""
    if _SUSPECT.search(url):
        page, route = _discreet(_SIGNED_IN.sub(r"\1", page), also), _discreet(route, also)
    url = page + route
    if len(url) > MAX_URL_BYTES // 4:
        url = url.encode("utf-8", "replace")[:MAX_URL_BYTES].decode("utf-8", "ignore")
    return url


def _discreet(part: str, also: frozenset[str]) -> str:
    path, _, query = part.partition("?")
    segments = [_path_segment(segment, also) for segment in path.split("/")]
    kept = [pair for pair in query.split("&") if pair and not _leaves(pair, also)]
    path = "/".join(segments)
    return f"{path}?{'&'.join(kept)}" if kept else path


def _leaves(pair: str, also: frozenset[str]) -> bool:
    if _NOISE.match(pair) or _MAIL.search(pair):
        return True
    name, _, value = pair.partition("=")
    return bool(value) and is_private(name, also)


def _path_segment(segment: str, also: frozenset[str]) -> str:
    """A path may carry parameters too (`;jsessionid=…`), or the reader's address (`/unsubscribe/taro@…`)."""
    name, *rest = segment.split(";")
    kept = [pair for pair in rest if not _leaves(pair, also)]
    return ";".join([_MAIL.sub("-", name), *kept])
