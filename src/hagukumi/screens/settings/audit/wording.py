"""What an entry of the audit log says, in words: doors, actions, what changed from what to what."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hagukumi.accounts.rules import ROLES
from hagukumi.channels.outbox import services as outbox
from hagukumi.collect.forms import rules as form_rules
from hagukumi.screens.people.leads import verdicts
from hagukumi.screens.settings.members.views import SCOPE_NAMES, WorkspaceForm
from hagukumi.screens.shell import words

DOORS = {
    "screen": lazy("画面"), "api": lazy("API"), "command": lazy("コマンド"), "public": lazy("サインイン前"),
    "system": lazy("システム"),
}  # fmt: skip
ACTIONS = {
    "session.opened": lazy("サインイン"),
    "session.refused": lazy("サインインの失敗"),
    "session.closed": lazy("サインアウト"),
    "session.ended": lazy("サインインを終わらせる"),
    "session.expired": lazy("操作がないためのサインアウト"),
    "second_step.added": lazy("二段階目の確認の登録"),
    "second_step.removed": lazy("二段階目の確認を外す"),
    "second_step.reset": lazy("メンバーの二段階目の確認を外す"),
    "audit.exported": lazy("操作の記録の書き出し"),
    "workspace.set_up": lazy("はじめの準備"),
    "workspace.changed": lazy("設定の変更"),
    "member.invited": lazy("メンバーの招待"),
    "member.let_in": lazy("命令によるパスワードの再設定"),
    "member.link_made": lazy("パスワード設定リンクの発行"),
    "member.password_chosen": lazy("パスワードの設定"),
    "member.profile_changed": lazy("名前・言語の変更"),
    "member.role_changed": lazy("権限の変更"),
    "member.activated": lazy("メンバーの利用再開"),
    "member.deactivated": lazy("メンバーの利用停止"),
    "token.issued": lazy("APIトークンの発行"),
    "token.revoked": lazy("APIトークンの失効"),
    "message.saved": lazy("メールの保存"),
    "message.tested": lazy("テストメールの送信"),
    "message.archived": lazy("メールをしまう"),
    "sender.saved": lazy("差出人の保存"),
    "sender.archived": lazy("差出人をしまう"),
    "broadcast.drafted": lazy("一斉配信の計画"),
    "broadcast.confirm": lazy("一斉配信の確定"),
    "broadcast.pause": lazy("一斉配信の一時停止"),
    "broadcast.resume": lazy("一斉配信の再開"),
    "broadcast.cancel": lazy("一斉配信の中止"),
    "broadcast.resent": lazy("メールのまとめて再送"),
    "broadcast.exported": lazy("一斉配信の結果の書き出し"),
    "delivery.resent": lazy("メールの再送"),
    "suppression.lifted": lazy("配信しない宛先の解除"),
    "scenario.created": lazy("シナリオの作成"),
    "scenario.renamed": lazy("シナリオの名前の変更"),
    "scenario.published": lazy("シナリオの公開"),
    "scenario.pause": lazy("シナリオの一時停止"),
    "scenario.resume": lazy("シナリオの再開"),
    "scenario.stop": lazy("シナリオの停止"),
    "score.published": lazy("スコアの公開"),
    "phase_rule.saved": lazy("フェーズの移動ルールの保存"),
    "phase_rule.deleted": lazy("フェーズの移動ルールの削除"),
    "segment.saved": lazy("セグメントの保存"),
    "segment.archived": lazy("セグメントをしまう"),
    "lead.exported": lazy("個人データの書き出し"),
    "lead.erased": lazy("個人データの消去"),
    "lead.list_exported": lazy("リードの一覧の書き出し"),
    "lead.upserted": lazy("リードの登録・更新（API）"),
    "consent.granted": lazy("配信の根拠の記録"),
    "consent.withdrawn": lazy("配信停止の記録"),
    "import.started": lazy("取り込みの開始"),
    "import.finished": lazy("取り込みの完了"),
    "import.cancelled": lazy("取り込みの中止"),
    "import.rejects_exported": lazy("取り込めなかった行の書き出し"),
    "import.result_exported": lazy("取り込みの結果の書き出し"),
    "content.saved": lazy("コンテンツの保存"),
    "site.added": lazy("計測するサイトの登録"),
    "site.removed": lazy("計測するサイトの取り消し"),
    "act.judged": lazy("開封・クリックの判定を直す"),
    "source.saved": lazy("ソースの保存"),
    "company.saved": lazy("企業の保存"),
    "deal.created": lazy("商談の登録"),
    "deal.moved": lazy("商談の段階の変更"),
    "deal.closed": lazy("商談の決着"),
    "handover.made": lazy("引き渡し"),
    "handover.accepted": lazy("引き渡しの受領"),
    "handover.returned": lazy("引き渡しの差し戻し"),
    "definition.tried_again": lazy("止まった定義をもう一度試す"),
    "plan.saved": lazy("目標の保存"),
    "form.saved": lazy("フォームの保存"),
    "form.state": lazy("フォームの公開状態の変更"),
    "form.configured": lazy("フォームの設定の変更"),
    "answer.exported": lazy("回答の書き出し"),
    "answer.released": lazy("保留した回答の受け付け"),
    "answer.discarded": lazy("保留した回答の破棄"),
}
CHANGED: dict[str, Any] = {
    "name": lazy("名前"), "role": lazy("権限"), "state": lazy("状態"), "language": lazy("言語"),
    "verdict": lazy("判定"), "subject": lazy("件名"), "preheader": lazy("プリヘッダー"), "mjml": lazy("本文"),
    "text": lazy("テキスト版"), "kind": lazy("種類"), "sender_id": lazy("差出人"), "email": lazy("メールアドレス"),
    "reply_to": lazy("返信先"), "legal_name": lazy("送信者の正式名称"), "postal_address": lazy("住所"),
    "contact": lazy("苦情・問い合わせの受付先"), "reason": lazy("理由"),
}  # fmt: skip
"""What changed, in words, where no screen's own field says it."""
VALUES: dict[str, dict[str, Any]] = {"verdict": verdicts.NAMES}
"""What the values that changed are called, where they are codes."""
REASONS = {
    "password": lazy("パスワードが違います"), "limit": lazy("試行が多すぎます"), "code": lazy("確認の数字が違います"),
}  # fmt: skip
SCOPES_TRIED = {
    "sign_in.pair": lazy("サインイン（1つの住所から1人）"),
    "sign_in.caller": lazy("サインイン（1つの住所から）"),
    "sign_in.account": lazy("サインイン（1人あて）"),
    "sign_in.device": lazy("サインイン（使ったことのある端末）"),
    "form.caller": lazy("フォーム（1つの住所から）"),
    "form.network": lazy("フォーム（1つのネットワークから）"),
    "form.form": lazy("フォーム（全体）"),
}
RESULTS = {"sent": lazy("送信できました"), "": lazy("送信できませんでした")}


def said(details: dict[str, Any]) -> str:
    """The details of an entry in words, for example 「営業 → 管理者」; what names the object is left out."""
    parts = [_TOLD[key](value) for key, value in details.items() if key in _TOLD]
    return " · ".join(part for part in parts if part)


def _role(key: str) -> str:
    return words.role(key) if key in ROLES else str(key)


def _fields(keys: list[str]) -> str:
    return words.joined(_label(key) for key in keys)


def _changes(changes: dict[str, list[Any]]) -> str:
    if list(changes) == ["role"]:
        return " → ".join(_role(key) for key in changes["role"])
    return words.joined(
        f"{_label(key)}: {_value(old, key)} → {_value(new, key)}" for key, (old, new) in changes.items()
    )


def _label(key: str) -> str:
    return str(WorkspaceForm.Meta.labels.get(key) or CHANGED.get(key, key))


def _value(value: Any, key: str = "") -> str:
    if key in VALUES:
        return str(VALUES[key].get(value, value))
    if value in (None, "", [], {}):
        return _("（空）")
    return _yes_or_no(value) if isinstance(value, bool) else str(value)


def _yes_or_no(value: bool) -> str:
    return _("はい") if value else _("いいえ")


def _count(number: int) -> str:
    return _("%(n)s件") % {"n": f"{number:,}"}


def _filter(asked: Any) -> str:
    if not isinstance(asked, dict):
        return str(asked)
    return words.joined(f"{_label(key)}: {value}" for key, value in asked.items() if value not in (None, "", [], {}))


def _reason(key: str) -> str:
    return str(REASONS[key]) if key in REASONS else outbox.reason_text(key)


def _scopes(keys: list[str]) -> str:
    return words.joined(str(SCOPE_NAMES.get(key, key)) for key in keys)


def _result(key: str) -> str:
    return str(RESULTS.get(key, RESULTS[""]))


def _form_state(key: str) -> str:
    return words.pick(form_rules.STATES[key])


def _version(number: int) -> str:
    return _("第%(n)s版") % {"n": number}


_TOLD: dict[str, Callable[[Any], str]] = {
    "email": str,
    "role": _role,
    "fields": _fields,
    "changes": _changes,
    "scopes": _scopes,
    "result": _result,
    "state": _form_state,
    "version": _version,
    "count": _count,
    "filter": _filter,
    "reason": _reason,
}
