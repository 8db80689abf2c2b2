"""Where a request comes from: the client's address behind a declared number of proxies, and the network it lies in."""

import ipaddress
import os
from collections.abc import Mapping

PROXIES_VARIABLE = "HAGUKUMI_TRUSTED_PROXIES"
_SITE_V4, _SITE_V6, _HOME_V6 = 24, 48, 64


def trusted_proxies(environ: Mapping[str, str] = os.environ) -> int:
    """How many proxies of our own stand before us. Unset: one where the public address is https, else none.

    No part of ours speaks TLS, so an https address says that one proxy does it for us. ValueError where it is no
    number from 0 to 9.
    """
    said = environ.get(PROXIES_VARIABLE, "").strip()
    if not said:
        return 1 if environ.get("HAGUKUMI_BASE_URL", "").strip().lower().startswith("https://") else 0
    if not (said.isascii() and said.isdigit() and len(said) == 1):
        raise ValueError(f"{PROXIES_VARIABLE} must be a number from 0 to 9, not {said!r}")
    return int(said)


def client_address(peer: str, forwarded: str, proxies: int) -> str:
    """The address of whoever asks: `peer` (who is connected to us), or what our outermost proxy wrote down.

    Each proxy adds the address that it was called from at the end of X-Forwarded-For (`forwarded`), so with n proxies
    of ours the n-th entry from the right is the first that nobody outside can choose. Where it is missing or no
    address, `peer` answers. '' where even that is none.
    """
    if proxies > 0:
        entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
        if len(entries) >= proxies and (found := _normal(entries[-proxies])):
            return found
    return _normal(peer)


def caller(address: str) -> str:
    """What limits count as one caller: an IPv4 address, or the /64 of an IPv6 one (which one line may walk through)."""
    return _network(address, 32, _HOME_V6)


def network(address: str) -> str:
    """What limits count as one network: the /24 of an IPv4 address, the /48 of an IPv6 one."""
    return _network(address, _SITE_V4, _SITE_V6)


def _network(address: str, v4: int, v6: int) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4 and v4 == 32:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, v4 if parsed.version == 4 else v6), strict=False))


def _normal(text: str) -> str:
    """The address alone: no port, no brackets, no zone, a mapped IPv4 address as IPv4; '' where it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
