"""One person's page: who they are, what happened, where they stand. Facts are edited in place."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.accounts import reads as staff
from hagukumi.channels.mail.models import Delivery, Message
from hagukumi.channels.mail.rules import REASONS
from hagukumi.collect.tracking import services as tracking
from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.kit import ja, tokens
from hagukumi.nurture.scenarios import services as scenarios
from hagukumi.overview.leads import reads as lead_list
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.consent import rules as consent_rules
from hagukumi.people.consent import services as consent
from hagukumi.people.fields import reads as fields
from hagukumi.people.fields.models import Field
from hagukumi.people.leads import reads, services
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import reads as sources
from hagukumi.sales.deals import reads as deal_reads
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.handovers import reads as handover_reads
from hagukumi.screens.judge.phases import views as phase_words
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, SALES, Request, access

from . import timeline

BIGGEST = 2**63 - 1
PHONES = ("phone", "mobile")


def dressed(card: dict[str, Any]) -> dict[str, Any]:
    """A list's card with its names put together, for templates."""
    chip = {"name": card["phase_name"], "name_en": card["phase_name_en"], "hue": card["phase_hue"]}
    return {
        **card,
        "name": full_name(card["last_name"], card["first_name"]) or card["email"] or _("氏名不明"),
        "kana": full_name(card["last_kana"], card["first_kana"]),
        "phase": chip if card["phase_name"] else None,
        "state_name": "" if card["state"] == "active" else services.STATES.get(card["state"], card["state"]),
    }


def full_name(last: str, first: str) -> str:
    return f"{last} {first}".strip()


def _lead(lead_id: int) -> Lead:
    found = reads.one(lead_id)
    if not found or not found.known_at:
        raise Http404
    return found


@access(EVERYONE)
def lead(request: Request, lead_id: int) -> HttpResponse:
    """The whole page. A merged person's address leads on to who they became."""
    found = _lead(lead_id)
    if found.merged_into:
        return redirect("lead", found.merged_into)
    deals = deal_reads.of_lead(lead_id)
    context = {
        **_top(found),
        "facts": _facts(found),
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


def _top(found: Lead) -> dict[str, Any]:
    """What the head of the page says; also sent along when a fact changes."""
    return {
        "lead": found,
        "name": full_name(found.last_name, found.first_name) or found.email or _("氏名不明"),
        "kana": full_name(found.last_kana, found.first_kana),
        "missing": [services.COLUMNS[key].label for key in services.missing(found)],
        "state_name": "" if found.state == "active" else services.STATES.get(found.state, found.state),
        "standing": (standing := consent.standing(found.lead_id, found.email)),
        "basis": consent_rules.label(standing.basis, "en" if words.english() else "ja") if standing.basis else "",
        "suppressed": consent_rules.REASONS.get(standing.suppressed, ("", ""))[words.english()],
        "steps": _steps(found.lead_id),
        "tags": reads.tags_of(found.lead_id),
        "phone_shown": ja.show_phone(found.phone, found.phone_extension) if found.phone else "",
        "mobile_shown": ja.show_phone(found.mobile) if found.mobile else "",
    }


def _steps(lead_id: int) -> dict[str, Any]:
    """The primary phase model's phases with the present one marked, and since when."""
    model = phases.primary()
    if not model:
        return {}
    now = phases.standing(lead_id, model.key)
    here = now["position"] if now else -1
    steps = [
        {"phase": phase, "is_here": phase.position == here, "is_past": phase.position < here}
        for phase in phases.phases_of(model.id)
    ]
    return {"model": model, "steps": steps, "now": now, "why": phase_words.why(now) if now else ""}


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


def _facts(found: Lead) -> list[dict[str, Any]]:
    """The facts by group: label, value as shown, and the key by which one is edited."""
    own = fields.own()
    groups = []
    for group, title in services.GROUPS.items():
        if group == "own":
            rows = [_own_fact(found, field) for field in own]
        else:
            rows = [_fact(found, key) for key, column in services.COLUMNS.items() if column.group == group]
        if group == "work":
            rows += [_fact(found, "owner_id"), _fact(found, "source_id")]
        if rows:
            groups.append({"title": title, "rows": rows})
    return groups


def _fact(found: Lead, key: str) -> dict[str, Any]:
    if key in ("owner_id", "source_id"):
        thing = found.owner if key == "owner_id" else found.source
        label = _("担当者") if key == "owner_id" else _("ソース")
        return {"key": key, "label": label, "shown": thing.name if thing else "", "widget": "choice"}
    column = services.COLUMNS[key]
    value = getattr(found, key)
    shown: Any = "" if value is None else value
    if key in PHONES and value:
        shown = ja.show_phone(value)
    if column.choices:
        shown = column.choices.get(value, value)
    asked = key in services.missing(found)
    return {"key": key, "label": column.label, "shown": shown, "widget": column.widget, "asked": asked}


def _own_fact(found: Lead, field: Field) -> dict[str, Any]:
    value = found.fields.get(field.key, "")
    if field.type == "bool" and value != "":
        value = _("はい") if value else _("いいえ")
    return {"key": f"fields.{field.key}", "label": words.own(field, "label"), "shown": value, "widget": field.type}


def _deliveries(lead_id: int) -> list[dict[str, Any]]:
    """The latest and the planned mails of this person, with the reason where one did not go."""
    rows = list(Delivery.objects.filter(lead_id=lead_id).order_by("-queued_at")[:8])
    names = dict(Message.objects.filter(id__in={row.message_id for row in rows}).values_list("id", "name"))
    return [
        {"row": row, "name": names.get(row.message_id, ""), "why": REASONS.get(row.reason, row.reason)} for row in rows
    ]


def _timeline(request: Request, lead_id: int) -> Any:
    group = request.GET.get("group", "")
    try:
        return timelines.timeline(lead_id, group=group, before=request.GET.get("before", ""))
    except tokens.BadTokenError as error:
        raise BadRequest from error


@access(EVERYONE)
def lead_timeline(request: Request, lead_id: int) -> HttpResponse:
    """A stretch of the timeline: another filter, or what is older than `before`."""
    found = _lead(lead_id)
    context = {
        "lead": found, "log": timeline.draw(_timeline(request, lead_id), lead_id),
        "group": request.GET.get("group", ""), "may_market": request.user.role in MARKETING,
    }  # fmt: skip
    return render(request, "people/leads/timeline.html", context)


@require_POST
@access(MARKETING)
def lead_verdict(request: Request, lead_id: int) -> HttpResponse:
    """Staff says of an open or a click whether the person did it (`by`: human) or a machine (bot)."""
    found = _lead(lead_id)
    try:
        act = timelines.at_place(lead_id, request.POST.get("act", ""))
        known = act and tracking.correct(lead_id, act.at, act.id, request.POST.get("by", ""), request.now)
    except (tokens.BadTokenError, ValueError) as error:
        raise BadRequest from error
    changed = timelines.at_place(lead_id, request.POST["act"]) if known else None
    if changed is None:
        raise Http404
    if not request.htmx:
        return redirect("lead", lead_id)
    context = {"lead": found, "line": timeline.draw_one(changed, lead_id), "may_market": True}
    return render(request, "people/leads/timeline_line.html", context)


@access(EVERYONE)
def lead_fact(request: Request, lead_id: int, key: str) -> HttpResponse:
    """One fact in place: GET the field to type in (`?show=1`: the fact as it is), POST the new value."""
    found = _lead(lead_id)
    row = _row(found, key)
    if request.method == "POST":
        try:
            services.edit(lead_id, {key: request.POST.get("value", "")}, user_id=request.user.id, now=request.now)
        except ValidationError as error:
            said = [text for texts in error.message_dict.values() for text in texts]
            return _part(request, found, row, status=422, errors=said, typed=request.POST.get("value", ""))
        found = _lead(lead_id)
        if not request.htmx:
            return redirect("lead", lead_id)
        return render(request, "people/leads/fact_saved.html", {**_top(found), "row": _row(found, key)})
    if request.GET.get("show"):
        return render(request, "people/leads/fact.html", {"lead": found, "row": row})
    return _part(request, found, row)


def _row(found: Lead, key: str) -> dict[str, Any]:
    if key.startswith("fields."):
        field = fields.by_key(key[7:])
        if not field:
            raise Http404
        return _own_fact(found, field)
    if key not in services.COLUMNS and key not in ("owner_id", "source_id"):
        raise Http404
    return _fact(found, key)


def _part(
    request: Request,
    found: Lead,
    row: dict[str, Any],
    *,
    status: int = 200,
    errors: Any = (),
    typed: str | None = None,
) -> HttpResponse:
    context = {
        "lead": found, "row": row, "errors": errors, "choices": list(_choices(row["key"])),
        "value": typed if typed is not None else _raw(found, row["key"]),
    }  # fmt: skip
    page = "people/leads/fact_form.html" if request.htmx else "people/leads/fact_page.html"
    return render(request, page, context, status=status)


def _choices(key: str) -> Iterator[tuple[str, Any]]:
    if key == "owner_id":
        yield from ((str(user.id), user.name) for user in staff.active())
    elif key == "source_id":
        yield from ((str(key), name) for key, name in sources.latest())
    elif key.startswith("fields."):
        field = fields.by_key(key[7:])
        yield from ((choice, choice) for choice in (field.choices if field else ()))
        if field and field.type == "bool":
            yield from (("1", _("はい")), ("0", _("いいえ")))
    else:
        yield from (services.COLUMNS[key].choices or {}).items()


def _raw(found: Lead, key: str) -> str:
    value = found.fields.get(key[7:]) if key.startswith("fields.") else getattr(found, key)
    if key in PHONES and value:
        return ja.show_phone(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


@require_POST
@access(EVERYONE)
def lead_note(request: Request, lead_id: int) -> HttpResponse:
    """A note or a call from the timeline's own line; `result` makes it a call."""
    _lead(lead_id)
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
    _lead(lead_id)
    verb = services.untag_from if "off" in request.POST else services.tag_from
    try:
        verb(services.ids_sql([lead_id]), request.POST.get("tag", ""), now=request.now)
    except ValueError:
        messages.error(request, _("タグ名は 1〜60 文字で入力してください。"))
    return redirect("lead", lead_id)


@require_POST
@access(EVERYONE)
def lead_state(request: Request, lead_id: int) -> HttpResponse:
    _lead(lead_id)
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
    found = _lead(lead_id)
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
    path("leads/<int:lead_id>/facts/<str:key>/", lead_fact, name="lead_fact"),
    path("leads/<int:lead_id>/note/", lead_note, name="lead_note"),
    path("leads/<int:lead_id>/tag/", lead_tag, name="lead_tag"),
    path("leads/<int:lead_id>/state/", lead_state, name="lead_state"),
    path("leads/<int:lead_id>/consent/", lead_consent, name="lead_consent"),
]
