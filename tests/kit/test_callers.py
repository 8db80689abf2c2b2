"""Whose request it is: the address that none outside our own proxies can choose."""

import pytest

from hagukumi.kit import callers


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "found"),
    [
        ("203.0.113.9", "", 0, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", 0, "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7", 1, "198.51.100.7"),
        ("127.0.0.1", "8.8.8.8, 198.51.100.7", 1, "198.51.100.7"),
        ("127.0.0.1", "8.8.8.8, 198.51.100.7, 10.0.0.2", 2, "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7", 2, "127.0.0.1"),
        ("127.0.0.1", "", 1, "127.0.0.1"),
        ("127.0.0.1", "unknown", 1, "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7:51234", 1, "198.51.100.7"),
        ("127.0.0.1", "[2001:db8::7]:443", 1, "2001:db8::7"),
        ("::ffff:203.0.113.9", "", 0, "203.0.113.9"),
        ("fe80::1%eth0", "", 0, "fe80::1"),
        ("", "", 0, ""),
    ],
)
def test_the_address_outside_our_own_proxies(peer, forwarded, proxies, found):
    assert callers.client_address(peer, forwarded, proxies) == found


def test_one_caller_and_one_network():
    assert callers.caller("203.0.113.9") == "203.0.113.9"
    assert callers.caller("2001:db8:1:2:3::4") == callers.caller("2001:db8:1:2:9::9") == "2001:db8:1:2::/64"
    assert callers.network("203.0.113.9") == "203.0.113.0/24"
    assert callers.network("2001:db8:1:2::4") == "2001:db8:1::/48"
    assert callers.network("") == callers.caller("x") == ""


def test_an_https_address_means_one_proxy_and_the_setting_wins():
    assert callers.trusted_proxies({}) == 0
    assert callers.trusted_proxies({"HAGUKUMI_BASE_URL": "https://nurture.example.co.jp"}) == 1
    assert callers.trusted_proxies({"HAGUKUMI_BASE_URL": "https://x.example", "HAGUKUMI_TRUSTED_PROXIES": "0"}) == 0
    assert callers.trusted_proxies({"HAGUKUMI_TRUSTED_PROXIES": "2"}) == 2
    for wrong in ("-1", "many", "10", "²"):
        with pytest.raises(ValueError, match="HAGUKUMI_TRUSTED_PROXIES"):
            callers.trusted_proxies({"HAGUKUMI_TRUSTED_PROXIES": wrong})
