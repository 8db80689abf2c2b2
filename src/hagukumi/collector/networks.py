"""Whose networks requests come from, by a kept list: clouds, hosters and declared crawlers (the package iporigin)."""

from functools import lru_cache

import iporigin

_MACHINES = frozenset({"hosting", "bot"})
"""Of the list's kinds. Relays, VPNs and content networks are left out: whole companies read their mail through them."""


@lru_cache(maxsize=4096)
def is_a_machine_room(address: str) -> bool:
    """Whether an address lies in a cloud's, a hoster's or a declared crawler's network; False where it is none."""
    try:
        return iporigin.classify(address).kind in _MACHINES  # type: ignore[no-untyped-call]
    except ValueError:
        return False


def warm_up() -> None:
    """Read the list now, which takes longer than a request may."""
    is_a_machine_room("192.0.2.1")
