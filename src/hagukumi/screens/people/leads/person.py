"""Who a person is, as lists and the head of their page say it."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from hagukumi.judge.phases import services as phases
from hagukumi.kit import ja
from hagukumi.people.consent import rules as consent_rules
from hagukumi.people.consent import services as consent
from hagukumi.people.leads import reads, services
from hagukumi.people.leads.models import Lead
from hagukumi.screens.judge.phases import views as phase_words
from hagukumi.screens.shell import words


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


def one(lead_id: int) -> Lead:
    """The known person of this number; a 404 where there is none."""
    found = reads.one(lead_id)
    if not found or not found.known_at:
        raise Http404
    return found


def top(found: Lead) -> dict[str, Any]:
    """What the head of the page says; also sent along when a fact changes."""
    return {
        "lead": found,
        "name": full_name(found.last_name, found.first_name) or found.email or _("氏名不明"),
        "kana": full_name(found.last_kana, found.first_kana),
        "missing": [services.COLUMNS[key].label for key in services.missing(found)],
        "state_name": "" if found.state == "active" else services.STATES.get(found.state, found.state),
        "standing": (standing := consent.standing(found.lead_id, found.email)),
        "basis": consent_rules.label(standing.basis, words.language()) if standing.basis else "",
        "suppressed": words.pick(consent_rules.REASONS.get(standing.suppressed, ("", ""))),
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
    said = phase_words.why(now) if now else ""
    return {"model": model, "steps": steps, "now": now, "why": said, "doubted": phases.doubted(lead_id, model.key)}
