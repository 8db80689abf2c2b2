"""What servers say, and what follows from it: the texts are of real servers' kinds."""

import pytest

from hagukumi.channels.mail import replies, rules

GONE = [
    "550 5.1.1 <kijitora@example.jp>... User Unknown",
    "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking",
    "550 <neko@ezweb.example.jp>: User unknown",
    "550 5.1.6 recipient no longer on server: kijitora@example.go.jp",
    "554 delivery error: dd This user doesn't have a example.com account (kijitora@example.com) [0]",
    "550 Requested action not taken: mailbox unavailable",
    "550 5.4.1 [kijitora@example.org]: Recipient address rejected: Access denied [x.prod.protection.outlook.com]",
    "551 not our customer",
    "550 宛先が存在しません",
]
NO_DOMAIN = ["550 5.1.2 Host unknown", "550 Host unknown", "556 5.1.10 null MX", "550 5.7.27 Host does not accept mail"]
FULL = [
    "550 Mailbox full", "552 5.2.2 <kijitora@example.jp>... Mailbox Full", "452 4.2.2 user is over quota",
    "550 5.2.2 mailbox full", "554 Quota exceeded", "552 Requested action aborted: exceeded storage allocation quota",
]  # fmt: skip
BLOCKED = [
    "554 5.7.1 Client host rejected: blocked using rbl.example.org", "550 5.7.1 message content rejected, UBE, id=0",
    "550 spam message rejected", "554 5.7.1 looks like spam", "550-5.7.25 The IP address does not have a PTR record",
]  # fmt: skip
UNSIGNED = [
    "550-5.7.26 This mail has been blocked because the sender is unauthenticated.", "550 DMARC check failed.",
    "550 5.1.0 192.0.2.222 is not allowed to send from <example.net> per it's SPF Record.",
]  # fmt: skip
POLICY = [
    "550 Denied by policy",
    "554 5.6.0 content",
    "552 5.3.4 message too large",
    "550 5.2.3 RESOLVER.RST.RecipSizeLimit",
]
TEMPORARY = ["450 4.2.1 greylisted", "451 4.7.1 try later", "450 4.1.1 <a@b.jp>: unverified address: host is down"]
LINE = {
    "554 Message rejected: Email address is not verified. The following identities failed: news@a.jp": "not_verified",
    "454 Throttling failure: Daily message quota exceeded.": "quota",
    "454 Throttling failure: Maximum sending rate exceeded.": "quota",
    "530 5.7.0 Must issue a STARTTLS command first": "tls",
    "530 Authentication required": "auth",
    "554 5.7.1 <a@b.jp>: Relay access denied": "relay",
    "550 5.7.60 SMTP; Client does not have permissions; your account has been suspended": "account_stopped",
    "553 5.1.8 sender address rejected": "sender_refused",
}


@pytest.mark.parametrize("stage", ["rcpt", "content"])
@pytest.mark.parametrize(
    ("texts", "kind", "suppresses"),
    [(GONE, "permanent", True), (NO_DOMAIN, "permanent", True), (FULL, "temporary", False), (BLOCKED, "block", False),
     (UNSIGNED, "block", False), (POLICY, "policy", False)],
)  # fmt: skip
def test_each_kind_by_code_and_by_words(texts, kind, suppresses, stage):
    found = {text: replies.meaning(text, stage) for text in texts}
    assert {text: (one.kind, one.suppresses) for text, one in found.items()} == dict.fromkeys(texts, (kind, suppresses))
    assert {one.reason for one in found.values()} <= rules.REASONS.keys()


@pytest.mark.parametrize("text", TEMPORARY)
def test_what_time_may_mend(text):
    assert replies.meaning(text, "rcpt").kind == "temporary"


@pytest.mark.parametrize("text", LINE)
def test_a_word_about_us_is_no_word_about_the_recipient(text):
    found = replies.meaning(text, "content")
    assert (found.kind, found.reason, found.suppresses) == ("line", LINE[text], False)
    assert found.reason in rules.LINE_REASONS


@pytest.mark.parametrize("text", ["535 5.7.8 bad credentials", "421 4.3.2 closing", "554 no", "550 5.1.1 user unknown"])
@pytest.mark.parametrize("stage", ["connect", "mail"])
def test_before_a_recipient_is_named_everything_is_about_us(text, stage):
    found = replies.meaning(text, stage)
    assert found.kind == "line" and found.reason in rules.LINE_REASONS


def test_what_nobody_has_heard_of_never_suppresses():
    assert replies.meaning("550 Rejected", "rcpt") == replies.Meaning("permanent", "rejected")
    assert replies.meaning("599 zap", "content").kind == "permanent"
    assert replies.meaning("nothing", "content").kind == "temporary"
