"""What a server's refusal means: whose fault it is, whether time helps, and whether the address is dead.

Enhanced codes (RFC 3463, 5248) decide first, for they are meant to; where one says little (5.0.0, 5.7.1) or is missing,
the phrases that servers use decide. Only `user_unknown` and `domain_unknown` ever suppress an address: to suppress
wrongly loses a reader for good, to try once more costs a mail. So what speaks of a dead mailbox must stand alone:

- a text about filters, policy, trust or room beside 5.1.1 decides against the code;
- after the content, "user unknown" without a 5.1.x is a filter of the recipient's: the mailbox was taken at RCPT.
  Japanese carriers answer so where their customer takes no mail from our domain; ": User unknown", naming nobody,
  says it at any stage.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["temporary", "permanent", "block", "policy", "line"]


@dataclass(frozen=True)
class Meaning:
    """`kind`: temporary (try again), permanent, block (they distrust us), policy (this content), line (it is about us).

    `reason`: a code of `rules.REASONS`, of a line of `rules.LINE_REASONS`.
    """

    kind: Kind
    reason: str

    @property
    def suppresses(self) -> bool:
        return self.reason in ("user_unknown", "domain_unknown")


_GONE = Meaning("permanent", "user_unknown")
_NO_DOMAIN = Meaning("permanent", "domain_unknown")
_FULL = Meaning("temporary", "mailbox_full")
_DISABLED = Meaning("permanent", "mailbox_disabled")
_TOO_LARGE = Meaning("policy", "too_large")
_BLOCKED = Meaning("block", "blocked")
_UNSIGNED = Meaning("block", "auth_failed")
_POLICY = Meaning("policy", "policy")
_FILTERED = Meaning("policy", "filtered")
_TEMPORARY = Meaning("temporary", "temporary")
_REJECTED = Meaning("permanent", "rejected")

_AUTH = Meaning("line", "auth")
_STOPPED = Meaning("line", "account_stopped")
_QUOTA = Meaning("line", "quota")
_SENDER = Meaning("line", "sender_refused")

_CODE = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_BY_CODE = {
    "1.1": _GONE, "1.2": _NO_DOMAIN, "1.3": _GONE, "1.6": _GONE, "1.7": _SENDER, "1.8": _SENDER, "1.10": _NO_DOMAIN,
    "2.1": _DISABLED, "2.2": _FULL, "2.3": _TOO_LARGE, "3.4": _TOO_LARGE, "4.4": _NO_DOMAIN, "4.6": _POLICY,
    "6.0": _POLICY, "7.8": _AUTH, "7.9": _POLICY, "7.14": _AUTH, "7.20": _UNSIGNED, "7.21": _UNSIGNED,
    "7.22": _UNSIGNED, "7.23": _UNSIGNED, "7.24": _UNSIGNED, "7.25": _BLOCKED, "7.26": _UNSIGNED, "7.27": _NO_DOMAIN,
    "7.28": _BLOCKED, "7.29": _UNSIGNED, "7.30": _UNSIGNED,
}  # fmt: skip
"""Subject and detail of an enhanced code -> meaning of its 5.x.x; a 4.x.x is temporary, except a line's."""


_NAMED = re.compile(r"55\d <[^<>\s]+>: |551 ")
"""A refusal that names the address and gives no code: au says so, also after the content, of whom it does not know.

551 (RFC 5321 4.2.3: user not local) says it by itself.
"""


def _phrases(*rows: tuple[str, Meaning]) -> tuple[tuple[re.Pattern[str], Meaning], ...]:
    return tuple((re.compile(words, re.IGNORECASE), meaning) for words, meaning in rows)


_ABOUT_US = _phrases(
    (r"\b(spf|dmarc|dkim)\b|unauthenticated (e-?mail|mail|message|sender)", _UNSIGNED),
    (r"not (been )?verified|verify your", Meaning("line", "not_verified")),
    (r"(daily|hourly|monthly|message|sending)[\w -]{0,30}(quota|limit)|maximum sending|throttl", _QUOTA),
    (r"too many (messages|connections|sessions|e-?mails|mails)|rate.?limit|frequency limited|slow down", _QUOTA),
    (r"auth\w* (is )?required|authenticat\w+ (failed|credentials)|bad (username|credentials)", _AUTH),
    (r"starttls|encryption required|must use tls|tls not available", Meaning("line", "tls")),
    (r"your (account|access|sending|ip)[\w ]{0,40}(suspend|disabl|paus|review|block)", _STOPPED),
    (r"sending (is |has been )?(paused|suspended)", _STOPPED),
    (r"relay(ing)? (access )?(is )?(denied|prohibited|not)|(not permitted|not allowed|unable) to relay|no relay",
     Meaning("line", "relay")),
    (r"sender (address )?(is )?(rejected|denied|not allowed|refused)|not (authori[sz]ed|allowed|permitted) to send",
     _SENDER),
)  # fmt: skip
_ABOUT_THEM = _phrases(
    (r"mailbox (is |size )?(full|limit|quota)|full mailbox|over ?quota|quota (is )?exceed|exceed\w*[\w ]{0,30}quota|"
     r"insufficient (system )?storage|(mailbox|inbox|disk)[\w ]{0,20}\bfull\b|容量", _FULL),
    (r"(message|mail)[\w -]{0,20}(too (large|big)|size exceed|exceeds)|length exceeds", _TOO_LARGE),
    (r"recipient preferences|受信(拒否|設定)|\b55\d : (unknown user|user unknown)", _FILTERED),
    (r"user unknown|unknown user|unknown recipient|no such (user|recipient|mailbox|person|address)|"
     r"(user|recipient|mailbox) not found|no mailbox|mailbox unavailable|not our customer|"
     r"invalid (recipient|mailbox|user)|"
     r"(address|user|account|mailbox|recipient)[^.;]{0,60}(does ?n[o']?t|do not) exist|doesn.t have an? [\w.]+ account|"
     r"no longer (on|at|with|work)|recipient address rejected: access denied|宛先.{0,12}(存在|見つか)", _GONE),
    (r"host unknown|no such domain|host or domain name not found|null ?mx|"
     r"domain[\w ]{0,30}(not found|does not exist|not reachable)|(does ?n.t|not) (accept|receive) (e-?mail|mail)\b",
     _NO_DOMAIN),
    (r"(account|mailbox|user)[^.;]{0,60}(disabled|inactive|suspended|deactivated)", _DISABLED),
    (r"spam|\bube\b|black ?list|block ?list|blocked|\brbl\b|dnsbl|reputation|virus|content rejected|reverse dns|"
     r"\bptr\b", _BLOCKED),
    (r"polic(y|ies)|not allowed|denied|refused|not accepted", _POLICY),
)  # fmt: skip


def meaning(reply: str, stage: str) -> Meaning:
    """What `reply` (code and text) at this stage of the dialogue means for the mail it refused."""
    code = int(reply[:3]) if reply[:3].isdigit() else 0
    lasting = 500 <= code < 600
    if stage in ("mail", "connect") or code in (530, 534, 535, 538):
        return _of_line(reply)
    by_code = _by_code(reply, lasting)
    if by_code is not None and not by_code.suppresses:
        return by_code
    by_words = _by_words(reply, code, lasting)
    if by_code is None:
        found = by_words or (_REJECTED if lasting else _TEMPORARY)
        return _FILTERED if found is _GONE and not _is_alone(reply, stage) else found
    return by_code if by_words is None or by_words.suppresses else by_words


def _by_code(reply: str, lasting: bool) -> Meaning | None:
    """What its enhanced codes say, the first that says anything."""
    for digit, subject, detail in _CODE.findall(reply):
        known = _BY_CODE.get(f"{subject}.{detail}") or (_GONE if subject == "1" and int(detail) > 99 else None)
        if known is not None and (known.kind == "line" or known is _FULL or (digit == "5" and lasting)):
            return known
    return None


def _by_words(reply: str, code: int, lasting: bool) -> Meaning | None:
    """What its phrases say: those about us first, then those about the recipient."""
    for pattern, known in _ABOUT_US if code != 421 else ():
        if pattern.search(reply):
            return known if lasting or known.kind == "line" else _TEMPORARY
    for pattern, known in _ABOUT_THEM:
        if pattern.search(reply) and (lasting or known is _FULL):
            return known
    return None


def _is_alone(reply: str, stage: str) -> bool:
    """Whether words about a dead mailbox may be taken at that, without a code that says so."""
    codes = [(subject, detail) for _digit, subject, detail in _CODE.findall(reply)]
    if any(subject == "7" for subject, _detail in codes):
        return False  # a policy, whatever the words
    return stage != "content" or ("4", "1") in codes or _NAMED.match(reply) is not None  # 5.4.1: Exchange Online's


def _of_line(reply: str) -> Meaning:
    """Before a recipient is named, every refusal is about us: the reason as far as the words give one."""
    for pattern, known in _ABOUT_US:
        if known.kind == "line" and pattern.search(reply):
            return known
    if reply[:3] in ("530", "534", "535", "538"):
        return _AUTH
    return Meaning("line", "busy" if reply[:1] == "4" else "refused")
