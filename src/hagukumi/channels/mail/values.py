"""What a template's variables stand for, for one person."""

from collections.abc import Iterable, Mapping
from typing import Any

from .rules import BY_NAME, FIELDS

_COLUMNS = ("last_name", "first_name", "company_name", "department", "title", "email", "prefecture", "issue", "fields")


def values_of(facts: Mapping[str, Any], sender_name: str, names: Iterable[str]) -> dict[str, Any]:
    """Values of the asked `names` from a person's columns; what is blank is left out, so that fallbacks stand in."""
    values: dict[str, Any] = {}
    for name in names:
        if name in FIELDS:
            values[name] = {key: value for key, value in (facts.get("fields") or {}).items() if value not in (None, "")}
        elif (variable := BY_NAME.get(name)) and (value := _value(facts, variable.name_en, sender_name)):
            values[name] = value
    return values


def _value(facts: Mapping[str, Any], name: str, sender_name: str) -> str:
    if name == "full_name":
        return f"{facts.get('last_name', '')} {facts.get('first_name', '')}".strip()
    if name == "sender_name":
        return sender_name
    return facts.get(name) or ""


def facts_of(lead_id: int | None) -> dict[str, Any]:
    """One person's columns as `values_of` reads them; empty for nobody, so that every fallback shows."""
    from hagukumi.people.leads.models import Lead  # not in the children that render: they have no database

    lead = Lead.objects.select_related("owner").filter(pk=lead_id).first() if lead_id else None
    if lead is None:
        return {}
    return {name: getattr(lead, name) for name in _COLUMNS} | {"owner_name": lead.owner.name if lead.owner else ""}
