"""一斉配信: the list, the wizard with what the gate would do, and the report of each."""

from typing import Any

from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hagukumi.channels.broadcasts import reads, services
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import reads as mails
from hagukumi.channels.mail import services as mail
from hagukumi.channels.outbox import rules
from hagukumi.channels.outbox import services as outbox
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.judge.segments import reads as segments
from hagukumi.kit import clock, keyset, tables
from hagukumi.screens.people.leads import verdicts
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

from .forms import BroadcastForm

STATES = {
    "draft": (gettext_lazy("下書き"), "secondary"),
    "scheduled": (gettext_lazy("予約済み"), "azure"),
    "sending": (gettext_lazy("配信中"), "green"),
    "paused": (gettext_lazy("一時停止中"), "yellow"),
    "done": (gettext_lazy("完了"), "secondary"),
    "cancelled": (gettext_lazy("中止"), "red"),
    "empty": (gettext_lazy("送る相手なし"), "yellow"),
}


@access(EVERYONE)
def broadcasts(request: Request) -> HttpResponse:
    """Every broadcast, newest first."""
    (before,) = keyset.read(request.GET.get("before"), int) or (2**62,)
    rows, more = keyset.page(reads.broadcasts(before=before, limit=keyset.PAGE_SIZE + 1), "id")
    for row in rows:
        row["label"], row["hue"] = STATES[row["state"]]
        row["is_ahead"] = row["state"] in ("draft", "scheduled")  # nobody is counted yet: that is not zero people
    context = {"rows": rows, "more": more, "tab": "broadcasts"}
    context["standing_still"] = mail.standing_still()
    return render(request, "channels/broadcasts/broadcasts.html", context)


@access(MARKETING)
def broadcast_new(request: Request) -> HttpResponse:
    """Step one: which mail, to whom, when. Nothing goes out before the next screen is confirmed."""
    form = BroadcastForm(request.POST or None, initial={"message": request.GET.get("message")})
    if request.method == "POST" and form.is_valid():
        return redirect("broadcast", services.draft(**form.plan(), now=request.now).pk)
    return render(request, "channels/broadcasts/broadcast_new.html", {"form": form, "missing": _missing()})


def _missing() -> list[tuple[str, str, str]]:
    """What a broadcast cannot be planned without and is not there yet: (what, how, where it is made)."""
    steps = []
    if not mails.senders():
        steps.append((_("差出人"), _("差出人を登録"), reverse("sender_new")))
    if not mails.choices():
        steps.append((_("メール"), _("メールを作る"), reverse("message_new")))
    if not segments.choices():
        steps.append((_("送る相手（セグメント）"), _("セグメントを作る"), reverse("segment_new")))
    return steps


@access(EVERYONE)
def broadcast(request: Request, broadcast_id: int) -> HttpResponse:
    """A draft: what would happen, to be confirmed. Later: what did happen."""
    found = _found(broadcast_id)
    if found.state in ("draft", "scheduled"):
        return render(request, "channels/broadcasts/broadcast_plan.html", _plan(request, found))
    return render(request, "channels/broadcasts/broadcast.html", _report(request, found))


def _found(broadcast_id: int) -> Broadcast:
    found = reads.one(broadcast_id)
    if found is None:
        raise Http404
    return found


def _plan(request: Request, found: Broadcast) -> dict[str, Any]:
    at = max(found.scheduled_at or request.now, request.now)
    audience = reads.gate_preview(found.message_id, found.segment_id, at)
    carried = audience.skipped.pop("wait", 0)
    return {
        "broadcast": found,
        "label": STATES[found.state][0],
        "audience": audience,
        "skipped": [(outbox.reason_text(code), people) for code, people in audience.skipped.items()],
        "problems": mail.problems(found.message),
        "warnings": [warning for _part, warning in mail.template_warnings(found.message)],
        "carried": carried,
        "stopped": mails.stopped_reach(found.segment_id) if found.message.kind == rules.OPERATIONAL else 0,
        "may_change": request.user.role in MARKETING,
        "past": found.scheduled_at is not None and found.scheduled_at <= request.now,
    }


def _report(request: Request, found: Broadcast) -> dict[str, Any]:
    row = reads.broadcasts(only=found.pk)[0]
    state, reason = _chosen(request)
    after = keyset.read(request.GET.get("after"), int, int) or (0, 0)
    found_mails = mails.deliveries(
        found.message_id, found.pk, state=state, reason=reason, after=after, limit=keyset.PAGE_SIZE + 1
    )
    shown, more = keyset.page(found_mails, "lead_id", "id")
    reasons = [
        part
        | {
            "label": words.DELIVERY_STATES[part["state"]][0],
            "text": outbox.reason_text(part["reason"]),
            "may_resend": part["state"] in ("failed", "skipped") and outbox.resendable(part["reason"]),
        }
        for part in outbox.states(found.message_id, found.pk)
        if part["reason"]
    ]
    figures = mail.of_broadcast(found.message_id, found.pk, form_kinds.FORM_SUBMITTED.code)
    figures.failed = row["failed"]
    return {
        "broadcast": found,
        "row": row,
        "label": STATES[found.state][0],
        "hue": STATES[found.state][1],
        "bar": _bar(row),
        "reasons": reasons,
        "standing_still": mail.standing_still(),
        "figures": figures,
        "mails": [_dressed(mail) for mail in shown],
        "more": more,
        "mail_states": {key: label for key, (label, _hue) in words.DELIVERY_STATES.items()},
        "state": state,
        "reason": reason,
        "silent": found.state == "done" and not row["sent"],
        "may_change": request.user.role in MARKETING,
    }


def _bar(row: dict[str, Any]) -> list[dict[str, Any]]:
    whole = row["audience"] or 1
    return [
        {"state": state, "label": label, "hue": hue, "mails": row[state], "share": round(100 * row[state] / whole, 2)}
        for state, (label, hue) in words.DELIVERY_STATES.items()
        if row[state]
    ]


def _dressed(mail: dict[str, Any]) -> dict[str, Any]:
    label, hue = words.DELIVERY_STATES[mail["state"]]
    parked = mail["state"] == "queued" and mail["due_at"] >= rules.UNTIL_RESUMED
    text = _("一時停止中") if parked else outbox.reason_text(mail["reason"])
    # the gate would leave out again whom it left out for a reason of their own
    again = mail["state"] == "skipped" and outbox.resendable(mail["reason"])
    can_resend = again or mail["state"] in ("failed", "unknown")
    return mail | {
        "label": label, "hue": hue, "text": text, "can_resend": can_resend, "parked": parked, "machine": _machine(mail),
    }  # fmt: skip


def _machine(mail: dict[str, Any]) -> str:
    """What is thought of the opens and clicks that are not counted as the person's; '' where there are none."""
    return str({1: verdicts.SAID["suspect"], 2: verdicts.SAID["bot"]}.get(mail["machine"], ""))


@require_POST
@access(MARKETING)
def broadcast_act(request: Request, broadcast_id: int, act: str) -> HttpResponse:
    """Confirm, pause, resume or cancel; says in numbers what that meant."""
    found = _found(broadcast_id)
    acts = {"confirm": _confirm, "pause": _pause, "resume": _resume, "cancel": _cancel}
    if act not in acts:
        raise Http404
    acts[act](request, found)
    return redirect("broadcast", broadcast_id)


@require_POST
@access(MARKETING)
def broadcast_resend(request: Request, broadcast_id: int) -> HttpResponse:
    """Send again all that failed for one reason, because a person decided so."""
    found = _found(broadcast_id)
    try:
        again = services.resend_all(found.pk, request.POST.get("reason", ""), request.now)
    except ValueError as error:
        raise Http404 from error
    notices.success(request, _("%(n)s 通を再送の列に入れました。") % {"n": f"{again:,}"})
    return redirect("broadcast", broadcast_id)


def _confirm(request: Request, found: Broadcast) -> None:
    try:
        at = services.schedule(found, request.now)
    except services.NotReadyError as error:
        for problem in error.problems:
            notices.error(request, problem)
        return
    if at:
        notices.success(request, _("配信を予約しました。") if at > request.now else _("配信を始めます。"))


def _pause(request: Request, found: Broadcast) -> None:
    if services.pause(found.pk, request.now):
        notices.success(request, _("配信を止めました。送信待ちのメールは、再開するまで送られません。"))


def _resume(request: Request, found: Broadcast) -> None:
    if services.resume(found.pk, request.now):
        notices.success(request, _("配信を再開しました。"))


def _cancel(request: Request, found: Broadcast) -> None:
    kept = services.cancel(found.pk, request.now)
    if kept is not None:
        notices.success(
            request, _("配信を中止しました。まだ送っていない %(n)s 通は送られません。") % {"n": f"{kept:,}"}
        )


@access(MARKETING)
def broadcast_csv(request: Request, broadcast_id: int) -> HttpResponse:
    """The mails of the broadcast that the page shows, with their state, reason and receipt."""
    found = _found(broadcast_id)
    header = [
        _("リードID"), _("氏名"), _("会社"), _("メールアドレス"), _("状態"), _("理由"), _("試行回数"), _("送信日時"),
        _("受領の記録"), _("開封"), _("クリック"), _("機械とみられる反応"),
    ]  # fmt: skip
    state, reason = _chosen(request)
    rows = services.export(found.pk, request.now, state=state, reason=reason)
    body, _lost = tables.write_csv(header, [_csv_row(mail) for mail in rows])
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="broadcast-{broadcast_id}.csv"'
    return response


def _chosen(request: Request) -> tuple[str, str]:
    """The state and the reason that the page shows; '' = any."""
    state, reason = request.GET.get("state", ""), request.GET.get("reason", "")[:30].replace("\x00", "")
    if state not in ("", *words.DELIVERY_STATES):
        raise Http404
    return state, reason


def _csv_row(mail: dict[str, Any]) -> list[Any]:
    sent_at = mail["sent_at"].astimezone(clock.JST).strftime("%Y-%m-%d %H:%M:%S") if mail["sent_at"] else ""
    return [
        mail["lead_id"], mail["person"], mail["company"], mail["address"], str(words.DELIVERY_STATES[mail["state"]][0]),
        outbox.reason_text(mail["reason"]), mail["attempts"], sent_at, mail["receipt"], "1" if mail["opened"] else "",
        "1" if mail["clicked"] else "", _machine(mail),
    ]  # fmt: skip


urlpatterns = [
    path("messages/", broadcasts, name="messages"),
    path("messages/new/", broadcast_new, name="broadcast_new"),
    path("messages/<int:broadcast_id>/", broadcast, name="broadcast"),
    path("messages/<int:broadcast_id>/deliveries.csv", broadcast_csv, name="broadcast_csv"),
    path("messages/<int:broadcast_id>/resend/", broadcast_resend, name="broadcast_resend"),
    path("messages/<int:broadcast_id>/<slug:act>/", broadcast_act, name="broadcast_act"),
]
