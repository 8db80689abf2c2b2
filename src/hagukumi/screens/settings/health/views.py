"""稼働状況: whether every part of the house works, in words."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from hagukumi.accounts import services as accounts
from hagukumi.ledger import definitions
from hagukumi.overview.health import reads as reports
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import ADMIN, Request, access

LATE_SECONDS = 10.0
STEPS = {
    "definitions": lazy("休ませた定義の再試行"),
    "digest": lazy("計測イベントの取り込み"),
    "search": lazy("検索の索引"),
    "recency": lazy("最後に動いた日"),
    "segments": lazy("セグメント"),
    "scoring": lazy("スコア"),
    "phases": lazy("フェーズ"),
    "scenarios": lazy("シナリオ"),
    "messages": lazy("受信の確認のメール"),
    "broadcasts": lazy("配信の予約"),
    "rollup": lazy("集計"),
}


@access(ADMIN)
def health(request: Request) -> HttpResponse:
    found = reports.report(wait=1.5)
    steps = [(STEPS.get(step["step"], step["step"]), step, _mark(step)) for step in found["heart"].get("steps", [])]
    aside = [_aside(one) for one in found["heart"].get("set_aside", [])]
    context = {"ok": found["ok"], "parts": _parts(found), "steps": steps, "set_aside": aside}
    return render(request, "settings/health/health.html", context)


@require_POST
@access(ADMIN)
def health_again(request: Request, owner: str, object_id: int) -> HttpResponse:
    """Try a definition that was set aside again now, instead of at its own time."""
    if definitions.try_again(owner, object_id):
        accounts.audit(request.user, "definition.tried_again", owner, object_id, request.now)
        messages.success(request, _("次の処理でもう一度試します。うまくいけば、この一覧から消えます。"))
    return redirect("health")


def _aside(one: dict[str, Any]) -> dict[str, Any]:
    """A definition that was set aside: what it is, where it is mended, why, and when it is tried again."""
    owner = definitions.owner(one["owner"])
    page = owner.page.format(one["object_id"]) if owner.page else ""
    return {**one, "label": words.own(owner, "label"), "page": page}


def _mark(step: dict[str, Any]) -> str:
    if step["error"]:
        return "bad"
    return "late" if step["lag_seconds"] > LATE_SECONDS else "good"


def _parts(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Each part with its name, its state in words and, where it is ill, what to do."""
    database, heart, collector, mail = (found[key] for key in ("database", "heart", "collector", "mail"))
    return [
        {
            "name": _("データベース"),
            "ok": database["ok"],
            "icon": "database",
            "state": _("PostgreSQL %(version)s・%(size)s MB・応答 %(ms)s ミリ秒")
            % {"version": database["version"], "size": f"{database['size_mb']:,}", "ms": database["latency_ms"]}
            if database["ok"]
            else "",
            "advice": _("データベースにつながりません。DATABASE_URL と起動状態を確かめてください。"),
            "error": database["error"],
        },
        {
            "name": _("自動処理（ワーカー）"),
            "ok": heart["ok"],
            "icon": "heartbeat",
            "state": _("遅れ %(lag)s 秒") % {"lag": f"{heart['lag_seconds']:.1f}"} if heart["ok"] else "",
            "advice": _("自動処理が止まっています。hagukumi worker の起動とログを確かめてください。"),
            "error": heart["error"],
        },
        {
            "name": _("計測サーバー"),
            "ok": collector["ok"],
            "icon": "activity",
            "state": collector.get("url", ""),
            "advice": _("計測サーバーが応答しません。その間の閲覧とクリックは記録されません。"),
            "error": collector["error"],
        },
        {
            "name": _("メールサーバー"),
            "ok": mail["ok"],
            "icon": "mail",
            "state": f"{mail.get('host', '')}:{mail.get('port', '')}",
            "advice": _("メールサーバーにつながりません。配信は待機し、つながり次第送られます。"),
            "error": mail["error"],
        },
    ]


urlpatterns = [
    path("settings/health/", health, name="health"),
    path("settings/health/<slug:owner>/<int:object_id>/again/", health_again, name="health_again"),
]
