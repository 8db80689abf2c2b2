"""What holds for every mail, without a database: variables, reasons, display items, addresses."""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Variable:
    """Both names work in a template; a fallback stands where the value is missing and none is written."""

    name_ja: str
    name_en: str
    label: str | Promise
    fallback: str = ""
    fallback_en: str = ""

    def fallback_in(self, language: str) -> str:
        return self.fallback_en if language == "en" else self.fallback


VARIABLES = (
    Variable("姓", "last_name", _("姓"), "ご担当者", "Customer"),
    Variable("名", "first_name", _("名")),
    Variable("氏名", "full_name", _("姓と名"), "ご担当者", "Customer"),
    Variable("会社名", "company_name", _("会社名"), "貴社", "your company"),
    Variable("部署名", "department", _("部署名")),
    Variable("役職名", "title", _("役職名")),
    Variable("メールアドレス", "email", _("メールアドレス")),
    Variable("都道府県", "prefecture", _("都道府県")),
    Variable("課題", "issue", _("課題")),
    Variable("担当者名", "owner_name", _("担当者の名前"), "担当者", "our team"),
    Variable("差出人名", "sender_name", _("差出人の表示名")),
    Variable("確認リンク", "confirm_url", _("受信の確認のリンク（確認メールだけ）")),
)
FIELDS = ("項目", "fields")
"""Own fields: `{{ 項目.key }}`."""
BY_NAME = {name: variable for variable in VARIABLES for name in (variable.name_ja, variable.name_en)}

REASONS: dict[str, str | Promise] = {
    "no_address": _("メールアドレスがありません"),
    "bad_address": _("メールアドレスの形が正しくありません"),
    "sender_incomplete": _("差出人の表示義務事項が足りません"),
    "user_unknown": _("宛先が存在しません"),
    "domain_unknown": _("宛先のドメインが存在しないか、メールを受け取っていません"),
    "mailbox_full": _("相手のメールボックスが一杯です"),
    "mailbox_disabled": _("相手のメールボックスが停止されています"),
    "too_large": _("メールが大きすぎると断られました"),
    "blocked": _("迷惑メールの疑いで拒否されました"),
    "auth_failed": _("送信ドメイン認証（SPF・DKIM・DMARC）を通らず、拒否されました"),
    "policy": _("相手の方針により拒否されました"),
    "filtered": _("相手の受信設定により、受け取られませんでした"),
    "law_missing": _("法律で求められる表示が、仕上がりのメールにありません"),
    "render_failed": _("差し込みの処理に失敗しました"),
    "reserved_address": _("例示用のアドレスのため、実際のメールサーバーには渡しません"),
}
"""A mail's own reasons, beside those of the outbox: the gate's, and what servers say of a recipient."""
RESENDABLE = frozenset((
    "mailbox_full", "too_large", "blocked", "auth_failed", "policy", "law_missing", "render_failed",
    "sender_incomplete",
))  # fmt: skip
"""Reasons for which all mails may be sent again at once: mended on our side or theirs, and no person's refusal."""
LINE_REASONS: dict[str, str | Promise] = {
    "connect": _("送信サーバーに接続できません"),
    "auth": _("送信サーバーへのサインインが拒否されました。ユーザー名とパスワードを確かめてください"),
    "tls": _("暗号化された接続を結べません。SMTP_URL の starttls・smtps を確かめてください"),
    "not_verified": _("差出人のアドレスまたはドメインが、送信サーバーで確認済みになっていません"),
    "quota": _("送信サーバーの送信量の上限に達しました"),
    "account_stopped": _("送信サーバーのアカウントが停止されています"),
    "relay": _("送信サーバーが中継を許していません。サインインの設定を確かめてください"),
    "sender_refused": _("送信サーバーがこの差出人を拒否しました"),
    "busy": _("送信サーバーが混み合っているか、一時的に断っています"),
    "refused": _("送信サーバーがこちらの送信を拒否しました"),
}
"""Why a line stands still: what a server has against us, not against a recipient."""
DISPLAY_ITEMS: dict[str, str | Promise] = {
    "legal_name": _("送信者の正式名称"),
    "postal_address": _("住所"),
    "contact": _("苦情・問い合わせの受付先"),
    "stop_link": _("配信停止のリンク"),
}
FREE_MAIL = frozenset((
    "gmail.com", "googlemail.com", "yahoo.co.jp", "ymail.ne.jp", "yahoo.com", "ymail.com", "outlook.com",
    "outlook.jp", "hotmail.com", "hotmail.co.jp", "live.com", "live.jp", "msn.com", "icloud.com", "me.com",
    "mac.com", "aol.com", "aol.jp", "gmx.com", "gmx.de", "gmx.net", "web.de", "mail.com", "proton.me",
    "protonmail.com", "pm.me", "zoho.com", "yandex.com", "yandex.ru", "mail.ru", "qq.com", "163.com", "126.com",
    "sina.com", "naver.com", "daum.net", "hanmail.net", "excite.co.jp", "goo.jp", "mail.goo.ne.jp", "infoseek.jp",
    "livedoor.com", "nifmail.jp", "docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp",
    "vodafone.ne.jp", "ymobile.ne.jp", "y-mobile.ne.jp", "willcom.com", "rakuten.jp", "rakumail.jp",
))  # fmt: skip
"""Domains in which anybody may have an address. Receivers refuse mail From them that others hand in (their DMARC)."""
_SAYS_NOTHING = frozenset((
    "なし", "無し", "未定", "不明", "未記入", "未設定", "未登録", "該当なし", "省略", "ダミー", "テスト", "サンプル",
    "住所", "社名", "会社名", "連絡先",
    "none", "null", "na", "tbd", "tba", "todo", "dummy", "test", "sample", "example", "xxx", "foo", "bar", "asdf",
))  # fmt: skip
_ADDRESS = re.compile(r"[^\s@<>\"(),;:\\\[\]\x00-\x1f\x7f-\U0010ffff]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}")
_RESERVED = re.compile(
    r"\.(?:test|example|invalid|localhost|local"
    r"|example\.(?:com|net|org|jp)|example[0-9]?\.(?:co|ac|ad|ed|go|gr|lg|ne|or)\.jp)$"
)
_DOT_ATOM = re.compile(r"[^.]+(?:\.[^.]+)*")


def line_text(code: str) -> str:
    """The readable sentence of a line's reason, in the language in force."""
    return str(LINE_REASONS.get(code, code))


def missing_items(legal_name: str, postal_address: str, contact: str) -> list[str]:
    """The display items of 特定電子メール法 第4条 that are blank or say nothing ("." or "なし"), by field name."""
    values = {"legal_name": legal_name, "postal_address": postal_address, "contact": contact}
    return [name for name, value in values.items() if not _says_something(value)]


def _says_something(value: str) -> bool:
    letters = "".join(letter for letter in unicodedata.normalize("NFKC", value).lower() if letter.isalnum())
    return len(letters) > 1 and len(set(letters)) > 1 and letters not in _SAYS_NOTHING


def free_mail_domain(address: str) -> str:
    """The domain of an address that anybody can have (gmail.com); '' for a domain of one's own."""
    domain = address.rpartition("@")[2].strip().lower().rstrip(".")
    own = domain.split(".")
    return next((".".join(own[n:]) for n in range(len(own)) if ".".join(own[n:]) in FREE_MAIL), "")


def missing_item_problems(names: list[str]) -> list[str]:
    """One sentence for each missing display item."""
    return [
        gettext("差出人の「%(item)s」が未登録です。特定電子メール法により、この表示のないメールは送れません。")
        % {"item": DISPLAY_ITEMS[name]}
        for name in names
    ]


def sendable_address(address: str) -> bool:
    """Whether SMTP can carry it. Old docomo/ezweb forms (`a..b@`, `ab.@`) can be, once quoted."""
    return len(address) <= 254 and _ADDRESS.fullmatch(address) is not None


def is_reserved(address: str) -> bool:
    """Whether the domain is kept for examples (RFC 2606, RFC 6761, JPRS); the demo company lives in one."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return _RESERVED.search(f".{domain}") is not None


def quoted_address(address: str) -> str:
    """The address as SMTP and headers need it: a local part that is no dot-atom is quoted (RFC 5321 4.1.2)."""
    local, _at, domain = address.rpartition("@")
    return address if _DOT_ATOM.fullmatch(local) else f'"{local}"@{domain}'


def masked_address(address: str) -> str:
    """`y***@example.co.jp`: enough to recognise one's own address, too little to learn another's."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if local else "***"
