"""A form's answers over HTTP: read, judged by `kit.answers`, written as one inbox line."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hagukumi.kit import answers, tokens

from . import pipeline, wire
from .registry import OpenForm

DOWNLOAD_SECONDS = 7 * 86_400


@dataclass
class Verdict:
    """What to answer, what to keep (`line`), and why it left (`drop`)."""

    reply: dict[str, Any] = field(default_factory=dict)
    line: str = ""
    drop: str = ""


def read(content_type: str, body: bytes) -> dict[str, str]:
    """Answers as texts by key, from JSON or an urlencoded form. ValueError where the body is neither."""
    if "json" in content_type or content_type.startswith("text/plain"):
        try:
            found = msgspec.json.decode(body, type=dict[str, str | int | float | bool | None])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError("not a JSON object of texts") from error
        return {key: _text(value) for key, value in found.items()}
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    return dict(pairs)


def judge(
    form: OpenForm, found: dict[str, str], accept_language: str, at: float, base_url: str, address: str = ""
) -> Verdict:
    """Validate; good answers become an inbox line. A robot is told the same as a person. `address`: whose it is."""
    language = found.get(answers.LANGUAGE, "") or answers.language_of(accept_language)
    definition = answers.definition(form.definition)
    outcome = answers.validate(definition, found, language, at=at)
    if outcome.errors:
        return Verdict({"ok": False, "errors": outcome.errors})
    page = found.get(answers.STARTED, "")
    event_id = str(answers.event_of(page))
    reply = {"ok": True, "redirect": thanks_address(form, definition, event_id, at, base_url, language)}
    if outcome.trap:
        return Verdict({**reply, "redirect": f"{base_url}/f/{form.slug}/thanks"}, drop=pipeline.Drop.TRAP)
    visitor = found.get(answers.VISITOR, "")
    line = wire.line(
        "form",
        at,
        event_id=event_id,
        visitor=visitor if pipeline.valid_visitor(visitor) else "",
        object_id=form.version_id,
        details=answers.details(outcome, language, address, page, found.get(answers.WORK, "")),
    )
    return Verdict(reply, line=line)


def thanks_address(
    form: OpenForm, definition: answers.Definition, event_id: str, at: float, base_url: str, language: str
) -> str:
    """Where the visitor goes next: the form's own page, or ours, with a link to the file that the form opens."""
    if own := answers.safe_redirect(definition.redirect):
        return own
    address = f"{base_url}/f/{form.slug}/thanks?l={language}"
    if form.content_id is None:
        return address
    token = tokens.seal("download", 0, form.content_id, int(at) + DOWNLOAD_SECONDS, text=event_id)
    return f"{address}&d={token}"


def _text(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)
