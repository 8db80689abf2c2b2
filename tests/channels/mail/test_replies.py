"""What servers say, and what follows from it: the texts are of real servers' kinds."""

import pytest

from hagukumi.channels.mail import replies, rules

GONE = [
    "550 5.1.1 <kijitora@example.jp>... User Unknown",
    "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking",
    "550 <neko@ezweb.example.jp>: User unknown",
    "550 5.1.6 recipient no longer on server: kijitora@example.go.jp",
    "550 5.1.351 Remote server returned unknown recipient -> 550 Unknown user goro@example.jp",
    "550 5.1.1 Requested action not taken: mailbox unavailable",
    "550 5.4.1 [kijitora@example.org]: Recipient address rejected: Access denied [x.prod.protection.outlook.com]",
    "551 not our customer",
]
BARE = [
    "550 Unknown user taro@carrier.example.jp",
    "550 5.0.0 <hanako@mvno.example.jp>... User unknown",
    "550 User not found",
    "550 Invalid recipient",
    "550 宛先が存在しません",
    "550 Requested action not taken: mailbox unavailable",
]
"""Words about a dead mailbox without a code that says so: true at RCPT; after the content, a recipient's filter."""
FILTERED = [
    "550 : User unknown",
    "550 5.1.1 RCP-P2 http://postmaster.example.com/codes#rcp Refused due to recipient preferences",
    "550 5.7.1 <jiro@isp.example.fr>: Recipient address rejected: User unknown",
    "550 受信拒否設定により受け取れません",
]
BESIDE_A_CODE = {
    "550 5.1.1 <saburo@example.jp>: mail from 192.0.2.7 blocked using dnsbl.example.org": "blocked",
    "550 5.1.1 Message refused, the sending domain has a poor reputation": "blocked",
    "550 5.1.1 DMARC check failed for example.org": "auth_failed",
    "550 5.1.1 <shiro@example.jp> mailbox is full": "mailbox_full",
    "550 5.1.1 not accepted by our policy": "policy",
    "550 5.1.2 sender rate limit: too many messages from 192.0.2.7": "quota",
}
"""A text about trust, policy or room beside a code for a dead mailbox: not the recipient's fault."""
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


@pytest.mark.parametrize("text", BARE)
def test_a_dead_mailbox_in_words_alone_is_believed_at_its_door_only(text):
    assert replies.meaning(text, "rcpt").suppresses
    assert replies.meaning(text, "content") == replies.Meaning("policy", "filtered")


@pytest.mark.parametrize("stage", ["rcpt", "content"])
@pytest.mark.parametrize("text", FILTERED)
def test_a_filter_of_the_recipients_is_no_dead_mailbox(text, stage):
    assert replies.meaning(text, stage) == replies.Meaning("policy", "filtered")
    assert "filtered" in rules.REASONS and "filtered" not in rules.RESENDABLE


@pytest.mark.parametrize("stage", ["rcpt", "content"])
@pytest.mark.parametrize("text", BESIDE_A_CODE)
def test_a_text_about_us_beside_a_dead_mailboxs_code_decides(text, stage):
    found = replies.meaning(text, stage)
    assert (found.reason, found.suppresses) == (BESIDE_A_CODE[text], False)


@pytest.mark.parametrize(
    "text",
    [
        "550 Mailbox full", "554 5.1.1 <a@example.jp> over quota", "550 5.2.1 <a@example.jp>... User Unknown",
        "450 4.1.1 <a@example.jp>: User unknown", "421 4.1.1 User unknown", "550 Rejected", "542 a@example.jp Rejected",
        "550 5.7.1 User unknown", "552 5.3.4 User unknown or message too large",
    ],
)  # fmt: skip
@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "content"])
def test_what_never_suppresses_at_any_stage(text, stage):
    assert not replies.meaning(text, stage).suppresses


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
