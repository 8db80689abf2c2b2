"""Whose networks mail is opened and clicked from: a cloud's makes the act suspect, a relay's and a line's do not."""

import pytest

from hagukumi.collector import mail, networks
from hagukumi.kit import tokens

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.parametrize(
    ("address", "machine"),
    [
        ("52.95.110.1", True), ("40.94.10.1", True), ("2600:1f18::1", True), ("66.249.66.1", True),
        ("126.1.2.3", False), ("210.130.1.1", False), ("2a02:26f7::1", False), ("1.1.1.1", False),
        ("127.0.0.1", False), ("203.0.113.9", False), ("", False), ("unknown", False),
    ],
)  # fmt: skip
def test_which_networks_are_machine_rooms(address, machine):
    assert networks.is_a_machine_room(address) is machine


@pytest.mark.parametrize(
    ("agent", "address", "why"),
    [
        (CHROME, "52.95.110.1", "network"), (CHROME, "126.1.2.3", ""), (CHROME, "", ""),
        ("curl/8.0", "52.95.110.1", "agent"), (GMAIL, "66.249.84.1", ""),
    ],
)  # fmt: skip
def test_what_an_open_says_of_who_made_it(agent, address, why):
    assert mail.judge_open(agent, "", address).get("why", "") == why


def test_a_click_is_judged_by_the_address_behind_our_proxies(collector):
    """No proxy of ours stands before this collector, so what a caller writes of itself says nothing."""
    token = tokens.seal("click", 1, 2, 3, text="https://www.aoba.example.co.jp/")
    assert collector.ask("GET", f"/c/{token}", X_Forwarded_For="52.95.110.1")[0] == 302
    (row,) = collector.rows("kind = 'click'")
    assert "by" not in row["details"]
