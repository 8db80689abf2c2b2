"""一斉配信: the list, the wizard with what the gate would do, and the report of each."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hagukumi.accounts import services as accounts
from hagukumi.channels.broadcasts import services
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import reads as mail_reads
from hagukumi.channels.mail import services as mail
from hagukumi.channels.mail.models import Message
from hagukumi.channels.outbox import rules
from hagukumi.channels.outbox import services as outbox
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import clock, keyset, tables
from hagukumi.screens.people.leads import verdicts
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

CSV_ROWS = 200_000
STATES = {
    "draft": (gettext_lazy("下書き"), "secondary"),
    "scheduled": (gettext_lazy("予約済み"), "azure"),
    "sending": (gettext_lazy("配信中"), "green"),
    "paused": (gettext_lazy("一時停止中"), "yellow"),
    "done": (gettext_lazy("完了"), "secondary"),
    "cancelled": (gettext_lazy("中止"), "red"),
}


class BroadcastForm(forms.Form):
    message = forms.ModelChoiceField(
        Message.objects.none(), label=gettext_lazy("メール"), empty_label=gettext_lazy("選んでください")
    )
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=gettext_lazy("送る相手（セグメント）"), empty_label=gettext_lazy("選んでください")
    )
    at = forms.DateTimeField(
        label=gettext_lazy("送る日時（日本時間）"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("空のままなら、確認のあとすぐに送ります。"),
    )
    carry_until = forms.DateField(
        label=gettext_lazy("上限を超えた分を持ち越す最後の日"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "1日の配信上限に達している人には翌日以降に送ります。空のままなら7日後まで。過ぎた分は送りません。"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["message"].queryset = Message.objects.filter(archived_at=None).order_by("-updated_at")  # type: ignore[attr-defined]
        self.fields["message"].label_from_instance = lambda message: f"{message.name}（{message.subject}）"  # type: ignore[attr-defined]
        self.fields["segment"].queryset = Segment.objects.filter(archived_at=None).order_by("name")  # type: ignore[attr-defined]
        self.fields["segment"].label_from_instance = lambda segment: segment.name  # type: ignore[attr-defined]


@access(EVERYONE)
def broadcasts(request: Request) -> HttpResponse:
    """Every broadcast, newest first."""
    (before,) = keyset.read(request.GET.get("before"), int) or (2**62,)
    rows, more = keyset.page(services.broadcasts(before=before, limit=keyset.PAGE_SIZE + 1), "id")
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
        chosen = form.cleaned_data
        draft = Broadcast.objects.create(
            message=chosen["message"],
            segment=chosen["segment"],
            scheduled_at=chosen["at"],
            carry_until=_end_of_day(chosen["carry_until"]),
            created_by=request.user,
            created_at=request.now,
        )
        return redirect("broadcast", draft.pk)
    return render(request, "channels/broadcasts/broadcast_new.html", {"form": form})


def _end_of_day(day: date | None) -> datetime | None:
    return clock.jst_midnight(day + timedelta(days=1)) if day else None


@access(EVERYONE)
def broadcast(request: Request, broadcast_id: int) -> HttpResponse:
    """A draft: what would happen, to be confirmed. Later: what did happen."""
    found = get_object_or_404(Broadcast.objects.select_related("message__sender", "segment"), pk=broadcast_id)
    if found.state in ("draft", "scheduled"):
        return render(request, "channels/broadcasts/broadcast_plan.html", _plan(request, found))
    return render(request, "channels/broadcasts/broadcast.html", _report(request, found))


def _plan(request: Request, found: Broadcast) -> dict[str, Any]:
    at = max(found.scheduled_at or request.now, request.now)
    audience = services.gate_preview(found.message_id, found.segment_id, at)
    carried = audience.skipped.pop("wait", 0)
    return {
        "broadcast": found,
        "label": STATES[found.state][0],
        "audience": audience,
        "skipped": [(outbox.reason_text(code), people) for code, people in audience.skipped.items()],
        "problems": mail.problems(found.message),
        "warnings": [warning for _part, warning in mail.template_warnings(found.message)],
        "carried": carried,
        "stopped": mail_reads.stopped_reach(found.segment_id) if found.message.kind == rules.OPERATIONAL else 0,
        "may_change": request.user.role in MARKETING,
        "past": found.scheduled_at is not None and found.scheduled_at <= request.now,
    }


def _report(request: Request, found: Broadcast) -> dict[str, Any]:
    row = services.broadcasts(only=found.pk)[0]
    state, reason = request.GET.get("state", ""), request.GET.get("reason", "")[:30]
    if state not in ("", *words.DELIVERY_STATES):
        raise Http404
    after = keyset.read(request.GET.get("after"), int, int) or (0, 0)
    found_mails = mail_reads.deliveries(
        found.message_id, found.pk, state=state, reason=reason, after=after, limit=keyset.PAGE_SIZE + 1
    )
    mails, more = keyset.page(found_mails, "lead_id", "id")
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
        "mails": [_dressed(mail) for mail in mails],
        "more": more,
        "mail_states": {key: label for key, (label, _hue) in words.DELIVERY_STATES.items()},
        "state": state,
        "reason": reason,
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
    can_resend = mail["state"] in ("failed", "skipped", "unknown")
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
    found = get_object_or_404(Broadcast.objects.select_related("message__sender"), pk=broadcast_id)
    acts = {"confirm": _confirm, "pause": _pause, "resume": _resume, "cancel": _cancel}
    if act not in acts:
        raise Http404
    acts[act](request, found)
    accounts.audit(request.user, f"broadcast.{act}", "broadcast", broadcast_id, request.now)
    return redirect("broadcast", broadcast_id)


@require_POST
@access(MARKETING)
def broadcast_resend(request: Request, broadcast_id: int) -> HttpResponse:
    """Send again all that failed for one reason, because a person decided so."""
    found = get_object_or_404(Broadcast, pk=broadcast_id)
    reason = request.POST.get("reason", "")
    try:
        again = services.resend_all(found.message_id, found.pk, reason, request.now)
    except ValueError as error:
        raise Http404 from error
    accounts.audit(request.user, "broadcast.resent", "broadcast", broadcast_id, request.now, reason=reason, mails=again)
    notices.success(request, _("%(n)s 通を再送の列に入れました。") % {"n": f"{again:,}"})
    return redirect("broadcast", broadcast_id)


def _confirm(request: Request, found: Broadcast) -> None:
    at = found.scheduled_at if found.scheduled_at and found.scheduled_at > request.now else request.now
    try:
        services.schedule(found, at)
    except services.NotReadyError as error:
        for problem in error.problems:
            notices.error(request, problem)
        return
    notices.success(request, _("配信を予約しました。") if at > request.now else _("配信を始めます。"))


def _pause(request: Request, found: Broadcast) -> None:
    if services.pause(found.pk):
        notices.success(request, _("配信を止めました。送信待ちのメールは、再開するまで送られません。"))


def _resume(request: Request, found: Broadcast) -> None:
    if services.resume(found.pk, request.now):
        notices.success(request, _("配信を再開しました。"))


def _cancel(request: Request, found: Broadcast) -> None:
    kept = services.cancel(found.pk)
    if kept is not None:
        notices.success(
            request, _("配信を中止しました。まだ送っていない %(n)s 通は送られません。") % {"n": f"{kept:,}"}
        )


@access(MARKETING)
def broadcast_csv(request: Request, broadcast_id: int) -> HttpResponse:
    """Every mail of the broadcast with its state, reason and receipt."""
    found = get_object_or_404(Broadcast, pk=broadcast_id)
    header = [
        _("リードID"), _("氏名"), _("会社"), _("メールアドレス"), _("状態"), _("理由"), _("試行回数"), _("送信日時"),
        _("受領の記録"), _("開封"), _("クリック"), _("機械とみられる反応"),
    ]  # fmt: skip
    rows = mail_reads.deliveries(found.message_id, found.pk, limit=CSV_ROWS)
    body, _lost = tables.write_csv(header, [_csv_row(mail) for mail in rows])
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="broadcast-{broadcast_id}.csv"'
    return response


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
