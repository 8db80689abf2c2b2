"""Leads as a table that leaves the house: the same columns and words from the screen and from the command."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from hagukumi.kit import ja
from hagukumi.kit.columns import TYPED, Column
from hagukumi.people.fields import mapping
from hagukumi.people.fields import reads as own_fields
from hagukumi.people.fields.models import Field as LeadField
from hagukumi.people.leads import services
from hagukumi.screens.shell import words


def table(rows: Iterable[dict[str, Any]]) -> tuple[list[str], Iterator[list[object]]]:
    """Headings in the reader's language and the cells of each row of `overview.leads.reads.exported`."""
    own = own_fields.own()
    return _header(own), (_row(row, own) for row in rows)


def _header(own: list[LeadField]) -> list[str]:
    """Headings as an import knows them (`people.fields.mapping`), so that a file sent back unedited changes nothing."""
    language = words.language()
    known = [mapping.TARGETS["asked_id"].label(language), *(line.label(language) for line in TYPED)]
    told = [_("営業担当"), _("フェーズ"), _("スコア"), _("ソース"), _("状態")]
    labels = [words.own(field, "label") for field in own]
    return [*known, *labels, mapping.TARGETS["tags"].label(language), *told]


def _row(row: dict[str, Any], own: list[LeadField]) -> list[object]:
    fields = json.loads(row["fields"])
    return [
        row["lead_id"], *(_cell(line, row) for line in TYPED), *(_own_cell(fields.get(field.key)) for field in own),
        mapping.tag_cell(row["tags"] or []), row["owner"] or "", row["phase_name"] or "",
        "" if row["score"] is None else row["score"], row["source"] or "",
        str(services.STATES.get(row["state"], row["state"])),
    ]  # fmt: skip


def _cell(line: Column, row: dict[str, Any]) -> object:
    value = row[line.key]
    if line.type == "phone" and value:
        return ja.show_phone(value, row["phone_extension"] if line.key == "phone" else "")
    return "" if value is None else value


def _own_cell(value: Any) -> object:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value
