"""操作の記録: who did what to what, in words."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hagukumi.accounts.models import ApiToken, AuditEntry, User
from hagukumi.accounts.rules import ROLES
from hagukumi.channels.mail.models import Broadcast, Message, Sender
from hagukumi.collect.forms import rules as form_rules
from hagukumi.collect.forms.models import Form
from hagukumi.judge.scoring.models import ScoreModel
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import keyset
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.screens.settings.members.views import SCOPE_NAMES, WorkspaceForm
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import ADMIN, Request, access

ACTIONS = {
    "workspace.set_up": lazy("はじめの準備"),
    "workspace.changed": lazy("設定の変更"),
    "member.invited": lazy("メンバーの招待"),
    "member.let_in": lazy("命令によるパスワードの再設定"),
    "member.link_made": lazy("パスワード設定リンクの発行"),
    "member.password_chosen": lazy("パスワードの設定"),
    "member.role_changed": lazy("権限の変更"),
    "member.activated": lazy("メンバーの利用再開"),
    "member.deactivated": lazy("メンバーの利用停止"),
    "token.issued": lazy("APIトークンの発行"),
    "token.revoked": lazy("APIトークンの失効"),
    "message.saved": lazy("メールの保存"),
    "message.tested": lazy("テストメールの送信"),
    "message.archived": lazy("メールをしまう"),
    "sender.saved": lazy("差出人の保存"),
    "broadcast.confirm": lazy("一斉配信の確定"),
    "broadcast.pause": lazy("一斉配信の一時停止"),
    "broadcast.resume": lazy("一斉配信の再開"),
    "broadcast.cancel": lazy("一斉配信の中止"),
    "delivery.resent": lazy("メールの再送"),
    "scenario.published": lazy("シナリオの公開"),
    "scenario.pause": lazy("シナリオの一時停止"),
    "scenario.resume": lazy("シナリオの再開"),
    "scenario.stop": lazy("シナリオの停止"),
    "score.published": lazy("スコアの公開"),
    "phase_rule.saved": lazy("フェーズの移動ルールの保存"),
    "phase_rule.deleted": lazy("フェーズの移動ルールの削除"),
    "segment.saved": lazy("セグメントの保存"),
    "segment.archived": lazy("セグメントをしまう"),
    "form.saved": lazy("フォームの保存"),
    "form.state": lazy("フォームの公開状態の変更"),
}
RESULTS = {"sent": lazy("送信できました"), "": lazy("送信できませんでした")}
PAGES = {
    "message": "message", "sender": "sender", "broadcast": "broadcast", "scenario": "scenario", "segment": "segment",
    "form": "form",
}  # fmt: skip
"""Kinds of objects that have a page of their own, and its name in the addresses."""

Names = dict[tuple[str, str], str]
"""What the objects of entries are called, by (kind, id); one that is gone has no name."""


@access(ADMIN)
def audit(request: Request) -> HttpResponse:
    """Who did what, newest first, by keyset."""
    found = AuditEntry.objects.select_related("user").order_by("-at", "-id")
    if before := keyset.read(request.GET.get("before"), datetime, int):
        found = found.filter(at__lt=before[0]) | found.filter(at=before[0], id__lt=before[1])
    entries, older = keyset.page(list(found[: keyset.PAGE_SIZE + 1]), "at", "id")
    names = _names(entries)
    shown = [
        (entry, ACTIONS.get(entry.action, entry.action), *_object(entry, names), said(entry.details))
        for entry in entries
    ]
    return render(request, "settings/audit/audit.html", {"entries": shown, "older": older, "paged": bool(before)})


def _names(entries: Iterable[AuditEntry]) -> Names:
    """The names of the objects of a page of entries: at most one statement per kind."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.object_id.isdigit():
            wanted.setdefault(entry.object_kind, set()).add(int(entry.object_id))
    sources: dict[str, tuple[Any, str]] = {
        "member": (User, "name"),
        "token": (ApiToken, "name"),
        "message": (Message, "name"),
        "sender": (Sender, "name"),
        "broadcast": (Broadcast, "message__name"),
        "scenario": (Scenario, "name"),
        "score": (ScoreModel, "name"),
        "segment": (Segment, "name"),
        "form": (Form, "name"),
    }
    return {
        (kind, str(pk)): name
        for kind, (model, field) in sources.items()
        if kind in wanted
        for pk, name in model.objects.filter(pk__in=wanted[kind]).values_list("pk", field)
    }


def _object(entry: AuditEntry, names: Names) -> tuple[str, str]:
    """What the act was done to: its name ('' where the action says it all) and its page ('' where it has none)."""
    name = names.get((entry.object_kind, entry.object_id), "") or str(entry.details.get("name", ""))
    if entry.object_kind == "delivery":
        lead_id = entry.details.get("lead_id")
        return _("リード %(n)s") % {"n": lead_id}, reverse("lead", args=[lead_id]) if lead_id else ""
    known = (entry.object_kind, entry.object_id) in names and entry.object_kind in PAGES
    return name, reverse(PAGES[entry.object_kind], args=[entry.object_id]) if known else ""


def said(details: dict[str, Any]) -> str:
    """The details of an entry in words, for example 「営業 → 管理者」; what names the object is left out."""
    if "before" in details and "after" in details:
        return f"{_role(details['before'])} → {_role(details['after'])}"
    parts = [_TOLD[key](value) for key, value in details.items() if key in _TOLD]
    return " · ".join(part for part in parts if part)


def _role(key: str) -> str:
    return words.role(key) if key in ROLES else str(key)


def _fields(keys: list[str]) -> str:
    return _join(_label(key) for key in keys)


def _changes(changes: dict[str, list[Any]]) -> str:
    return _join(f"{_label(key)}: {_value(old)} → {_value(new)}" for key, (old, new) in changes.items())


def _label(key: str) -> str:
    return str(WorkspaceForm.Meta.labels.get(key, key))


def _value(value: Any) -> str:
    return _("（空）") if value in (None, "") else str(value)


def _scopes(keys: list[str]) -> str:
    return _join(str(SCOPE_NAMES.get(key, key)) for key in keys)


def _result(key: str) -> str:
    return str(RESULTS.get(key, RESULTS[""]))


def _form_state(key: str) -> str:
    return form_rules.STATES[key][1 if words.english() else 0]


def _version(number: int) -> str:
    return _("第%(n)s版") % {"n": number}


def _join(parts: Iterable[str]) -> str:
    return (", " if words.english() else "、").join(parts)


_TOLD: dict[str, Callable[[Any], str]] = {
    "email": str,
    "role": _role,
    "fields": _fields,
    "changes": _changes,
    "scopes": _scopes,
    "result": _result,
    "state": _form_state,
    "version": _version,
}

urlpatterns = [path("settings/audit/", audit, name="audit")]
