"""Verbs of forms: save a version, open and close, take answers and downloads in from the digest."""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from hagukumi.accounts import audit
from hagukumi.kit import answers
from hagukumi.ledger import services as ledger
from hagukumi.ledger import uses
from hagukumi.ledger.services import Fact
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import ConsentText
from hagukumi.people.identity import services as identity
from hagukumi.people.leads import services as leads

from . import limits, rules
from .models import Form, FormVersion, Submission
from .queries import SQL

log = structlog.get_logger(__name__)
Row = dict[str, Any]


def create(*, name: str, slug: str, kind: str, now: datetime) -> Form:
    """A draft with a starter definition of its kind and the house's consent text."""
    with transaction.atomic():
        form = Form.objects.create(name=name, slug=slug, kind=kind, created_at=now)
        save(form, rules.starter(kind), consent_text=rules.CONSENT_TEXT, now=now)
    return form


def save(form: Form, definition: answers.Definition, *, consent_text: str, now: datetime) -> FormVersion:
    """Make `definition` the form's live version. The same words again make no new version."""
    with transaction.atomic():
        form = Form.objects.select_for_update(of=("self",)).select_related("version").get(pk=form.pk)
        text = keep_text(f"form-{form.pk}", consent_text, now) if definition.consent != "none" else None
        same_text = text.pk if text else None
        old = form.version
        if old and answers.definition(old.definition) == definition and old.consent_text_id == same_text:
            return old
        number = old.number + 1 if old else 1
        version = FormVersion.objects.create(
            form=form, number=number, definition=answers.stored(definition), consent_text=text, created_at=now
        )
        Form.objects.filter(pk=form.pk).update(version=version)
        audit.record("form.saved", "form", form.pk, now, name=form.name, version=number)
    return version


def configure(form: Form, given: dict[str, Any], now: datetime) -> None:
    """Change a form's settings: name, source, content, double_optin, challenge, per_caller, per_network, per_form.

    A setting that is there and empty is kept as it was, but for source and content, which may be none.
    """
    wanted = {key: value for key, value in given.items() if value is not None or key in _MAY_BE_NONE}
    if wanted.get("challenge", "none") not in rules.CHALLENGES:
        wanted.pop("challenge")
    before = {key: getattr(form, key) for key in wanted}
    with transaction.atomic():
        Form.objects.filter(pk=form.pk).update(**wanted)
        changes = audit.changed(
            {key: _plain(value) for key, value in before.items()}, {key: _plain(value) for key, value in wanted.items()}
        )
        if changes:
            audit.record("form.configured", "form", form.pk, now, changes=changes, name=form.name)


_MAY_BE_NONE = ("source", "content", "double_optin")


def _plain(value: Any) -> Any:
    return getattr(value, "pk", value)


def told_of_export(form: Form, now: datetime) -> None:
    """Write down that the form's answers were taken out, and how many."""
    audit.record(
        "answer.exported",
        "form",
        form.pk,
        now,
        name=form.name,
        count=Submission.objects.filter(form_id=form.pk).count(),
    )


def keep_text(key: str, text: str, now: datetime) -> ConsentText:
    """The consent text with these words; a new wording is a new version of `key`."""
    text = text.strip()
    latest = ConsentText.objects.filter(key=key).order_by("-version").first()
    if latest and latest.text == text:
        return latest
    version = SQL.next_text_version.value({"key": key})
    return ConsentText.objects.create(key=key, version=version, text=text, created_at=now)


def set_state(form: Form, state: str, now: datetime, *, sure: bool = False) -> list[str]:
    """Open, close or withdraw a form; the problems (`rules.problems`) that keep it from being opened, else [].

    InUseError where something in force stands on an open form and nobody is `sure`.
    """
    if state not in rules.STATES:
        raise ValueError(state)
    if state == "open":
        version = form.version
        found = rules.problems(answers.definition(version.definition)) if version else ["no_fields"]
        if found:
            return found
    elif form.state == "open" and not sure:
        uses.refuse("form", form.pk)
    with transaction.atomic():
        Form.objects.filter(pk=form.pk).update(state=state)
        audit.record("form.state", "form", form.pk, now, name=form.name, state=state)
    return []


def take_answers(rows: list[Row], now: datetime) -> None:
    """Taker of the digest: people, submissions, consent, facts and earlier visits of a batch of answers, set-based."""
    versions = {row["version_id"]: row for row in SQL.versions.rows({"ids": [row["object_id"] for row in rows]})}
    rows = limits.hold_back([row for row in rows if row["object_id"] in versions], versions, now)
    taken = [_Answer(row, versions[row["object_id"]]) for row in rows]
    if not taken:
        return
    unseen = _unseen_addresses(taken)
    _find_people(taken, now)
    _add_submissions(taken)
    consent.watch(leads.addresses_sql([one.lead_id for one in taken if one.lead_id and one.address in unseen]), now)
    _grant(taken, now)
    ledger.record([answer.fact() for answer in taken])
    _join(taken, now)


def take_downloads(rows: list[Row], now: datetime) -> None:
    """Taker of the digest: who opened a gated file, by the answer that unlocked it."""
    events = [row["details"]["event"] for row in rows]
    people = {str(row["event_id"]): row["lead_id"] for row in SQL.who_answered.rows({"events": events})}
    found = [(row, people.get(row["details"]["event"])) for row in rows]
    ledger.record(
        [
            Fact(lead_id, "content_downloaded", row["at"], object_id=row["object_id"])
            for row, lead_id in found
            if lead_id
        ]
    )


class _Answer:
    """One answer on its way in: `row` from the inbox, `version` with its form; `lead_id` once the person is found."""

    def __init__(self, row: Row, version: Row) -> None:
        self.row = row
        self.version = version
        self.definition = answers.definition(json.loads(version["definition"]))
        self.values: Row = row["details"].get("answers", {})
        self.columns = answers.lead_row(self.definition, self.values)
        self.lead_id: int | None = None

    @property
    def agreed_text(self) -> int | None:
        """The text that the person has agreed to, or None."""
        return self.version["consent_text_id"] if self.row["details"].get("consent") else None

    @property
    def intake(self) -> tuple[int | None, str]:
        """Source, and the basis that the source itself gives where the form does not ask."""
        asks = self.definition.consent != "none"
        return self.version["source_id"], "" if asks else self.version["source_basis"]

    @property
    def address(self) -> str:
        """The mail address that was typed, '' where none was."""
        return str(self.columns.get("email") or "").lower()

    @property
    def names_somebody(self) -> bool:
        return any(self.columns.get(key) for key in ("email", "phone", "mobile", "last_name"))

    def fact(self) -> Fact:
        assert self.lead_id is not None
        return Fact(self.lead_id, "form_submitted", self.row["at"], object_id=self.version["form_id"])


def _find_people(taken: list[_Answer], now: datetime) -> None:
    """Resolve or make the people, one call per source and basis; answers without a name are their visitor's own.

    Where there is not even a visitor, the answer gets an anonymous lead, so that it is kept and shown.
    """
    groups: dict[tuple[int | None, str], list[_Answer]] = defaultdict(list)
    for answer in taken:
        if answer.names_somebody:
            groups[answer.intake].append(answer)
        else:
            answer.lead_id = answer.row["person"]
    for (source_id, basis), group in groups.items():
        _upsert(group, source_id, basis, now)
    nameless = [answer for answer in taken if not answer.lead_id]
    if nameless:
        ids = leads.make_nameless(len(nameless), now)
        for answer, lead_id in zip(nameless, ids, strict=True):
            answer.lead_id = lead_id


def _upsert(group: list[_Answer], source_id: int | None, basis: str, now: datetime) -> None:
    """Give each answer its person. One that the leads room refuses (an ambiguous name) stays its visitor's own."""
    while group:
        try:
            found = identity.upsert_people(
                [answer.columns for answer in group],
                source_id=source_id,
                basis=basis,
                now=now,
                evidence=f"form {group[0].version['slug']}",
            )
        except identity.RowError as error:
            log.warning("an answer's person was not taken in", reason=error.reason, column=error.column)
            refused, before = group[error.index], group[: error.index]
            refused.lead_id = refused.row["person"]
            _upsert(before, source_id, basis, now)
            group = group[error.index + 1 :]
            continue
        for answer, lead_id in zip(group, found, strict=True):
            answer.lead_id = lead_id
        return


def _add_submissions(taken: list[_Answer]) -> None:
    SQL.add_submissions.run(
        {
            "lead_ids": [answer.lead_id for answer in taken],
            "form_ids": [answer.version["form_id"] for answer in taken],
            "version_ids": [answer.version["version_id"] for answer in taken],
            "text_ids": [answer.agreed_text for answer in taken],
            "answers": [json.dumps(answer.values, ensure_ascii=False) for answer in taken],
            "event_ids": [answer.row["event_id"] for answer in taken],
            "ats": [answer.row["at"] for answer in taken],
        }
    )


def _unseen_addresses(taken: list[_Answer]) -> set[str]:
    """The typed addresses that nobody of ours has: whoever typed one may have written somebody else's."""
    typed = {answer.address for answer in taken if answer.address}
    return typed - {row["value"] for row in SQL.known_addresses.rows({"values": list(typed)})}


def _grant(taken: list[_Answer], now: datetime) -> None:
    """An agreement by tick box is an opt-in: with its text, per text and form one statement.

    A stop outlives it: anybody can type anybody's address into a form, so the box is not yet the person's own word.
    Who was stopped is asked by mail; where the form asks for double opt-in, so is everybody else.
    """
    agreed: dict[tuple[int, bool], list[_Answer]] = defaultdict(list)
    for answer in taken:
        if answer.agreed_text:
            agreed[answer.agreed_text, answer.version["double_optin"]].append(answer)
    for (text_id, double), group in agreed.items():
        select = leads.addresses_sql([answer.lead_id for answer in group if answer.lead_id])
        evidence = f"form {group[0].version['slug']} {group[0].row['event_id']}"
        consent.ask(select, text_id=text_id, evidence=evidence, stopped_only=not double, now=now)
        if not double:
            consent.grant_from(select, basis="optin", text_id=text_id, evidence=evidence, now=now)


def _join(taken: list[_Answer], now: datetime) -> None:
    """Visitors who have named themselves: their earlier visits become the person's, and the browser is theirs."""
    pairs = {answer.row["person"]: answer.lead_id for answer in taken if answer.row["person"] and answer.lead_id}
    anonymous = {row["lead_id"] for row in SQL.anonymous.rows({"ids": list(pairs)})}
    joined = [(visitor, lead_id) for visitor, lead_id in pairs.items() if visitor in anonymous and lead_id != visitor]
    if joined:
        identity.join_visitors(joined, now)
    named = [answer for answer in taken if answer.names_somebody and answer.row["visitor"] and answer.lead_id]
    identity.take_browsers([(answer.row["visitor"], answer.lead_id) for answer in named if answer.lead_id], now)
