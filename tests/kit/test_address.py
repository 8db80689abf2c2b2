"""Public addresses: one shape, refused where they cannot be one, and the hosts that follow from them."""

import pytest

from hagukumi.kit import address


@pytest.mark.parametrize(
    ("raw", "shape"),
    [
        ("https://ma.example.co.jp", "https://ma.example.co.jp"),
        ("https://ma.example.co.jp/", "https://ma.example.co.jp"),
        (" HTTPS://MA.Example.CO.JP:443/ ", "https://ma.example.co.jp"),
        ("http://ma.example.co.jp:80", "http://ma.example.co.jp"),
        ("http://ma.example.co.jp.:8000/", "http://ma.example.co.jp:8000"),
        ("https://育み.example.jp", "https://xn--cbkx82v.example.jp"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_an_address_has_one_shape(raw: str, shape: str) -> None:
    assert address.normalise(raw) == shape
    assert address.normalise(shape) == shape


@pytest.mark.parametrize(
    "raw",
    [
        "ma.example.co.jp", "ftp://ma.example.co.jp", "https://", "https://user:pw@ma.example.co.jp", "https://a b",
        "https://ma.example.co.jp/path", "https://ma.example.co.jp?x=1", "https://ma.example.co.jp:99999",
        "javascript:alert(1)", "https://ma.example.co.jp:port", "https://[::zz]/", "https://a\\b",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_both_languages(raw: str) -> None:
    with pytest.raises(address.AddressError) as said:
        address.normalise(raw)
    assert said.value.ja and said.value.en


def test_the_collector_may_stand_under_a_path() -> None:
    assert address.normalise("https://www.example.co.jp/t/", with_path=True) == "https://www.example.co.jp/t"
    with pytest.raises(address.AddressError):
        address.normalise('https://www.example.co.jp/"><script>', with_path=True)


def test_hosts_are_the_public_ones_and_our_own() -> None:
    known = address.hosts(["https://ma.example.co.jp:8443"])
    assert known == ["127.0.0.1", "[::1]", "localhost", "ma.example.co.jp"]
    for header in ("ma.example.co.jp", "MA.example.co.jp:8443", "localhost:8000", "[::1]:8000", "ma.example.co.jp."):
        assert address.is_known_host(header, known), header
    for header in ("evil.example", "ma.example.co.jp.evil.example", "", "127.0.0.1.evil.example", "localhost.evil"):
        assert not address.is_known_host(header, known), header


def test_an_open_house_answers_to_its_numbers_but_to_no_other_name() -> None:
    assert "192.0.2.7" in address.hosts([], "192.0.2.7") and "[2001:db8::1]" in address.hosts([], "2001:db8::1")
    assert all(one[0] in "0123456789[l" for one in address.hosts([], "0.0.0.0"))


def test_what_is_on_this_machine() -> None:
    assert [one for one in ("localhost", "127.0.0.3", "::1", "smtp.example.jp", "10.0.0.1", "127.0.0.1.evil.jp")
            if address.is_loopback(one)] == ["localhost", "127.0.0.3", "::1"]  # fmt: skip
