"""Public addresses: one shape for everything that makes links, trusts a Host or checks where a request came from.

`https://Mail.Example.co.jp:443/` and `https://mail.example.co.jp` are the same place; written in two ways, one of them
does not sign in. So an address is normalised once, where it is read, and refused there when it cannot be one.
"""

import contextlib
import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

_PLAIN = re.compile(r"[\w./~-]*", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class AddressError(ValueError):
    """Not a public address; says what is wrong in both languages (`ja`, `en`)."""

    def __init__(self, raw: str, ja: str, en: str) -> None:
        super().__init__(f"{raw!r}: {en}")
        self.ja, self.en = ja, en


def normalise(raw: str, *, with_path: bool = False) -> str:
    """`scheme://host[:port]`: lower case, IDN as ASCII, no default port, no slash at the end. Raises AddressError.

    `with_path`: a path may follow, for what a proxy serves under one.
    """
    text = raw.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        if ":" in host:
            host = f"[{ipaddress.IPv6Address(host)}]"
        else:
            host = host.encode("idna").decode("ascii").lower() if host else ""
    except (ValueError, UnicodeError):
        raise AddressError(raw, "住所の形が正しくありません", "not an address") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or any(sign in host for sign in " /\\@_%"):
        raise AddressError(
            raw, "https://ma.example.co.jp の形で書いてください", "write it like https://ma.example.co.jp"
        )
    if parts.username is not None or parts.password is not None:
        raise AddressError(raw, "利用者名やパスワードは書けません", "no user or password may stand in it")
    path = parts.path.rstrip("/") if with_path else ""
    if (parts.path.strip("/") and not with_path) or parts.query or parts.fragment or not _PLAIN.fullmatch(path):
        raise AddressError(raw, "パスや ? は書けません", "no path or query may stand in it")
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{path}"


def host_of(address: str) -> str:
    """The host of a normalised address, as a Host header has it but without the port."""
    return _without_port(urlsplit(address).netloc)


def hosts(addresses: Iterable[str], bind: str = "127.0.0.1") -> list[str]:
    """The hosts we answer to: this machine's own names, the public addresses', and what `bind` opens to others."""
    found = {*LOOPBACK, *(host_of(one) for one in addresses)}
    if bind in ("0.0.0.0", "::"):  # noqa: S104 - asked about, not listened on
        found |= _own_numbers()
    elif bind:
        found.add(f"[{bind}]" if ":" in bind else bind.lower())
    return sorted(found)


def is_known_host(header: str, known: Iterable[str]) -> bool:
    """Whether a Host header names one of `known`, whatever its port (behind a proxy ports differ)."""
    return _without_port(header.strip().lower()) in set(known)


def is_loopback(host: str) -> bool:
    """Whether a server of this name can only be on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _without_port(netloc: str) -> str:
    if netloc.startswith("["):
        return netloc.partition("]")[0] + "]"
    return netloc.partition(":")[0].rstrip(".")


def _own_numbers() -> set[str]:
    """This machine's addresses as numbers. A number cannot be rebound by a foreign name server, so they are safe."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; the kernel says which address it would use
        found.add(str(probe.getsockname()[0]))
    return {f"[{one.partition('%')[0]}]" if ":" in one else one for one in found}
