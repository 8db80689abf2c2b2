"""操作の記録: who did what to what, from where and from what to what, in words; searched, and taken out as CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hagukumi.accounts import audit as trail
from hagukumi.accounts import throttle
from hagukumi.accounts.models import ApiToken, AuditEntry, User
from hagukumi.accounts.rules import ROLES
from hagukumi.channels.mail.models import Broadcast, Message, Sender
from hagukumi.collect.forms import rules as form_rules
from hagukumi.collect.forms.models import Form
from hagukumi.judge.scoring.models import ScoreModel
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import clock, ja, keyset
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.screens.people.leads import verdicts
from hagukumi.screens.settings.members.views import SCOPE_NAMES, WorkspaceForm
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import ADMIN, Request, access

CSV_PAGE = 1000
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
    "broadcast.resent": lazy("メールのまとめて再送"),
    "delivery.resent": lazy("メールの再送"),
    "suppression.lifted": lazy("配信しない宛先の解除"),
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
    "form.saved": lazy("フォームの保存"),
    "form.state": lazy("フォームの公開状態の変更"),
    "form.configured": lazy("フォームの設定の変更"),
    "answer.exported": lazy("回答の書き出し"),
    "answer.released": lazy("保留した回答の受け付け"),
    "answer.discarded": lazy("保留した回答の破棄"),
}
CHANGED: dict[str, Any] = {
    "name": lazy("名前"), "role": lazy("権限"), "state": lazy("状態"), "language": lazy("言語"),
    "verdict": lazy("判定"),
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
PAGES = {
    "message": "message", "sender": "sender", "broadcast": "broadcast", "scenario": "scenario", "segment": "segment",
    "form": "form",
}  # fmt: skip
"""Kinds of objects that have a page of their own, and its name in the addresses."""

Names = dict[tuple[str, str], str]
"""What the objects of entries are called, by (kind, id); one that is gone has no name."""


class SearchForm(forms.Form):
    """What the log is asked for; whatever is no answer to a question is left out of it."""

    who = forms.ModelChoiceField(User.objects.order_by("name", "pk"), label=lazy("だれが"), required=False)
    action = forms.ChoiceField(label=lazy("何を"), required=False)
    door = forms.ChoiceField(label=lazy("入口"), required=False)
    first = forms.DateField(label=lazy("いつから"), required=False, widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(label=lazy("いつまで"), required=False, widget=forms.DateInput({"type": "date"}))
    q = forms.CharField(label=lazy("語句"), max_length=120, required=False, strip=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = _("すべて")
        self.fields["who"].empty_label = everybody  # type: ignore[attr-defined]
        self.fields["action"].choices = [("", everybody), *ACTIONS.items()]  # type: ignore[attr-defined]
        self.fields["door"].choices = [("", everybody), *DOORS.items()]  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        """The questions that are asked, by name."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def query(self) -> str:
        """The same questions as an address carries them, each with an & before it."""
        return "".join(f"&{urlencode({name: self.data[name]})}" for name in self.asked())


@access(ADMIN)
def audit(request: Request) -> HttpResponse:
    """Who did what, newest first, by keyset."""
    form = SearchForm(request.GET)
    before = keyset.read(request.GET.get("before"), datetime, int)
    entries, older = keyset.page(list(_found(form.asked(), before)[: keyset.PAGE_SIZE + 1]), "at", "id")
    context = {
        "entries": list(_shown(entries)),
        "older": older,
        "paged": bool(before),
        "form": form,
        "query": form.query(),
        "asked": bool(form.asked()),
    }
    return render(request, "settings/audit/audit.html", context)


@access(ADMIN)
def audit_csv(request: Request) -> StreamingHttpResponse:
    """The entries asked for as CSV, newest first; that they were taken out is an entry itself."""
    asked = SearchForm(request.GET).asked()
    count = _found(asked, None).count()
    told = {name: value.pk if isinstance(value, User) else value for name, value in asked.items()}
    trail.record("audit.exported", "audit", "", request.now, count=count, filter=told)
    response = StreamingHttpResponse(_csv(asked, request.now), content_type="text/csv; charset=utf-8")
    stamp = f"{clock.jst_date(request.now):%Y%m%d}"
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{stamp}.csv"'
    return response


@access(ADMIN)
def limits(request: Request) -> HttpResponse:
    """What was refused or held in the last 30 days because it was tried too often."""
    names = {str(pk): name for pk, name in User.objects.values_list("pk", "name")}
    forms_ = {str(pk): name for pk, name in Form.objects.values_list("pk", "name")}
    rows = []
    for row in throttle.refused(request.now):
        first, _blank, rest = row["subject"].partition(" ")
        known = forms_ if row["scope"].startswith("form.") else names
        who = first if row["scope"] == "sign_in.caller" else known.get(first, _("登録のないアドレス"))
        rows.append({**row, "label": SCOPES_TRIED.get(row["scope"], row["scope"]), "who": who, "where": rest})
    return render(request, "settings/audit/limits.html", {"rows": rows})


def _found(asked: dict[str, Any], before: tuple[Any, ...] | None) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.select_related("user", "token").order_by("-at", "-id")
    exact = {"who": "user", "action": "action", "door": "door"}
    found = found.filter(**{column: asked[name] for name, column in exact.items() if name in asked})
    if "first" in asked:
        found = found.filter(at__gte=clock.jst_midnight(asked["first"]))
    if "last" in asked:
        found = found.filter(at__lt=clock.jst_midnight(asked["last"] + timedelta(days=1)))
    if "q" in asked:
        found = found.annotate(told=Cast("details", TextField())).filter(
            Q(told__icontains=asked["q"]) | Q(origin=asked["q"]) | Q(object_id=asked["q"])
        )
    if before:
        found = found.filter(Q(at__lt=before[0]) | Q(at=before[0], id__lt=before[1]))
    return found


def _shown(entries: list[AuditEntry]) -> Iterator[dict[str, Any]]:
    names = _names(entries)
    for entry in entries:
        name, url = _object(entry, names)
        yield {
            "entry": entry,
            "who": _who(entry),
            "where": " ".join(part for part in (str(DOORS.get(entry.door, entry.door)), entry.origin) if part),
            "action": ACTIONS.get(entry.action, entry.action),
            "name": name,
            "url": url,
            "facts": said(entry.details),
        }


def _who(entry: AuditEntry) -> str:
    who = entry.user.name if entry.user else ""
    if entry.token:
        return f"{entry.token.name} ({who})"
    return who or (_("サインイン前の人") if entry.door == "public" else entry.origin or _("システム"))


def _csv(asked: dict[str, Any], now: datetime) -> Iterator[bytes]:
    heads = ("at", "who", "door", "origin", "action", "what", "object_kind", "object_id", "name", "details")
    yield b"\xef\xbb\xbf" + _line(heads)
    before: tuple[datetime, int] | None = (now, 0)
    while entries := list(_found(asked, before)[:CSV_PAGE]):
        for row in _shown(entries):
            entry = row["entry"]
            yield _line(
                (
                    entry.at.astimezone(clock.JST).isoformat(), row["who"], entry.door, entry.origin, entry.action,
                    row["action"], entry.object_kind, entry.object_id, row["name"],
                    json.dumps(entry.details, ensure_ascii=False),
                )
            )  # fmt: skip
        before = (entries[-1].at, entries[-1].id)


def _line(cells: Iterable[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([ja.escape_formula(str(cell)) for cell in cells])
    return out.getvalue().encode()


def _names(entries: Iterable[AuditEntry]) -> Names:
    """The names of the objects of a page of entries: at most one statement per kind."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.object_id.isdecimal():
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
    lead_id = entry.object_id if entry.object_kind == "lead" else entry.details.get("lead_id")
    if lead_id and str(lead_id).isdecimal() and not name:
        return _("リード %(n)s") % {"n": lead_id}, reverse("lead", args=[lead_id])
    known = (entry.object_kind, entry.object_id) in names and entry.object_kind in PAGES
    return name, reverse(PAGES[entry.object_kind], args=[entry.object_id]) if known else ""


def said(details: dict[str, Any]) -> str:
    """The details of an entry in words, for example 「営業 → 管理者」; what names the object is left out."""
    parts = [_TOLD[key](value) for key, value in details.items() if key in _TOLD]
    return " · ".join(part for part in parts if part)


def _role(key: str) -> str:
    return words.role(key) if key in ROLES else str(key)


def _fields(keys: list[str]) -> str:
    return _join(_label(key) for key in keys)


def _changes(changes: dict[str, list[Any]]) -> str:
    if list(changes) == ["role"]:
        return " → ".join(_role(key) for key in changes["role"])
    return _join(f"{_label(key)}: {_value(old, key)} → {_value(new, key)}" for key, (old, new) in changes.items())


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
    return _join(f"{_label(key)}: {value}" for key, value in asked.items() if value not in (None, "", [], {}))


def _reason(key: str) -> str:
    return str(REASONS.get(key, key))


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
    "count": _count,
    "filter": _filter,
    "reason": _reason,
}

urlpatterns = [
    path("settings/audit/", audit, name="audit"),
    path("settings/audit/limits/", limits, name="limits"),
    path("settings/audit.csv", audit_csv, name="audit_csv"),
]
