"""One person's page: who they are, what happened, where they stand. Facts are edited in place."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.channels.mail import reads as mails
from hagukumi.channels.outbox import services as outbox
from hagukumi.collect.tracking import services as tracking
from hagukumi.judge.scoring import services as scoring
from hagukumi.nurture.scenarios import reads as scenarios
from hagukumi.overview.leads import reads as lead_list
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.consent import rules as consent_rules
from hagukumi.people.consent import services as consent
from hagukumi.people.leads import services
from hagukumi.sales.deals import reads as deal_reads
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.handovers import reads as handover_reads
from hagukumi.screens.shell.access import EVERYONE, MARKETING, SALES, Request, access

from . import facts, person, timeline


@access(EVERYONE)
def lead(request: Request, lead_id: int) -> HttpResponse:
    """The whole page. A merged person's address leads on to who they became."""
    found = person.one(lead_id)
    if found.merged_into:
        return redirect("lead", found.merged_into)
    deals = deal_reads.of_lead(lead_id)
    context = {
        **person.top(found),
        "facts": facts.of(found),
        "log": timeline.draw(_timeline(request, lead_id), lead_id),
        "groups": timeline.groups(),
        "group": request.GET.get("group", ""),
        "score": scoring.score_of(lead_id, request.now),
        "scenarios": scenarios.of_lead(lead_id),
        "deliveries": _deliveries(lead_id),
        "colleagues": lead_list.colleagues(found.company_id, lead_id) if found.company_id else [],
        "deals": deals,
        "with_sales": _with_sales(lead_id, deals),
        "call_results": services.CALL_RESULTS,
        "states": services.STATES,
        "may_sell": request.user.role in SALES,
        "may_market": request.user.role in MARKETING,
    }
    return render(request, "people/leads/lead.html", context)


def _with_sales(lead_id: int, deals: list[Deal]) -> dict[str, str]:
    """What sales is doing with this person and where that is seen; empty where they may be handed over (again)."""
    latest = handover_reads.latest(lead_id)
    handover = reverse("handover", args=(lead_id, latest.id)) if latest else ""
    if latest and latest.state == "open":
        return {"icon": "clock", "label": _("営業の回答待ち"), "url": handover}
    for outcome, label in (("", _("商談中")), ("won", _("受注済み"))):
        if going := next((deal for deal in deals if deal.outcome == outcome), None):
            return {"icon": "briefcase", "label": label, "url": reverse("deal", args=(lead_id, going.id))}
    lost_at = max((deal.closed_at for deal in deals if deal.closed_at), default=None)
    if latest and latest.state == "accepted" and not (lost_at and latest.answered_at and lost_at > latest.answered_at):
        return {"icon": "circle-check", "label": _("営業が受け入れ済み"), "url": handover}
    return {}


def _deliveries(lead_id: int) -> list[dict[str, Any]]:
    """The latest and the planned mails of this person, with the reason where one did not go."""
    return [
        {**mail, "why": outbox.reason_text(mail["row"].reason, mail["row"].channel)} for mail in mails.of_lead(lead_id)
    ]


def _timeline(request: Request, lead_id: int) -> Any:
    before = timelines.read_place(request.GET.get("before"))
    return timelines.timeline(lead_id, group=request.GET.get("group", ""), before=before)


@access(EVERYONE)
def lead_timeline(request: Request, lead_id: int) -> HttpResponse:
    """A stretch of the timeline: another filter, or what is older than `before`."""
    found = person.one(lead_id)
    context = {
        "lead": found, "log": timeline.draw(_timeline(request, lead_id), lead_id),
        "group": request.GET.get("group", ""), "may_market": request.user.role in MARKETING,
    }  # fmt: skip
    return render(request, "people/leads/timeline.html", context)


@require_POST
@access(MARKETING)
def lead_verdict(request: Request, lead_id: int) -> HttpResponse:
    """Staff says of an open or a click whether the person did it (`by`: human) or a machine (bot)."""
    found = person.one(lead_id)
    try:
        act = timelines.at_place(lead_id, request.POST.get("act", ""))
        known = act and tracking.correct(lead_id, act.at, act.id, request.POST.get("by", ""), request.now)
    except ValueError as error:
        raise BadRequest from error
    changed = timelines.at_place(lead_id, request.POST["act"]) if known else None
    if changed is None:
        raise Http404
    if not request.htmx:
        return redirect("lead", lead_id)
    context = {"lead": found, "line": timeline.draw_one(changed, lead_id), "may_market": True}
    return render(request, "people/leads/timeline_line.html", context)


@require_POST
@access(EVERYONE)
def lead_note(request: Request, lead_id: int) -> HttpResponse:
    """A note or a call from the timeline's own line; `result` makes it a call."""
    person.one(lead_id)
    text, result = request.POST.get("text", ""), request.POST.get("result", "")
    try:
        if result:
            minutes = request.POST.get("minutes", "")
            seconds = int(minutes) * 60 if minutes.isdecimal() and len(minutes) < 4 else None
            services.log_call(
                lead_id, result=result, text=text, user_id=request.user.id, now=request.now, seconds=seconds
            )
        else:
            services.add_note(lead_id, text, user_id=request.user.id, now=request.now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("lead", lead_id)


@require_POST
@access(EVERYONE)
def lead_tag(request: Request, lead_id: int) -> HttpResponse:
    """Puts a tag on or (`off`) takes it off."""
    person.one(lead_id)
    verb = services.untag_from if "off" in request.POST else services.tag_from
    try:
        verb(services.ids_sql([lead_id]), request.POST.get("tag", ""), now=request.now)
    except ValueError:
        messages.error(request, _("タグ名は 1〜60 文字で入力してください。"))
    return redirect("lead", lead_id)


@require_POST
@access(EVERYONE)
def lead_state(request: Request, lead_id: int) -> HttpResponse:
    person.one(lead_id)
    try:
        services.change_state(
            lead_id, request.POST.get("state", ""), reason=request.POST.get("reason", ""), user_id=request.user.id,
            now=request.now,
        )  # fmt: skip
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("lead", lead_id)


@require_POST
@access(MARKETING)
def lead_consent(request: Request, lead_id: int) -> HttpResponse:
    """Staff records what the person said: stop mail, or a basis on which they may be mailed (with its evidence)."""
    found = person.one(lead_id)
    evidence = request.POST.get("evidence", "").replace("\x00", "").strip()[:180]
    basis = request.POST.get("basis", "")
    by = f"{request.user.name}: {evidence}"[:200]
    if basis == consent_rules.OPT_OUT:
        consent.withdraw(lead_id, address=found.email, reason="manual", evidence=by, now=request.now)
        messages.success(request, _("配信を止めました。今後このアドレスへは送られません。"))
    elif basis not in consent_rules.GRANTING or not evidence:
        messages.error(request, _("根拠と、その証拠（いつ・どこで）を入力してください。"))
    else:
        # a moment later than an opt-out recorded in the same instant
        consent.grant_from(
            services.addresses_sql([lead_id]),
            basis=basis,
            text_id=None,
            evidence=by,
            over_stop=True,
            now=request.now + timedelta(microseconds=1),
        )
        if consent.standing(lead_id, found.email).may_mail:
            messages.success(request, _("配信の根拠を記録しました。"))
        else:
            messages.warning(request, _("記録しましたが、配信停止の申し出または不達があるため、配信はされません。"))
    return redirect("lead", lead_id)


urlpatterns = [
    path("leads/<int:lead_id>/", lead, name="lead"),
    path("leads/<int:lead_id>/timeline/", lead_timeline, name="lead_timeline"),
    path("leads/<int:lead_id>/verdict/", lead_verdict, name="lead_verdict"),
    *facts.urlpatterns,
    path("leads/<int:lead_id>/note/", lead_note, name="lead_note"),
    path("leads/<int:lead_id>/tag/", lead_tag, name="lead_tag"),
    path("leads/<int:lead_id>/state/", lead_state, name="lead_state"),
    path("leads/<int:lead_id>/consent/", lead_consent, name="lead_consent"),
]
