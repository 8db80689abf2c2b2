"""Lay the demo company's definitions and let a year pass over them. The same date gives the same company."""

import json
import os
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.db import connection, transaction

from hagukumi.accounts.models import User, Workspace
from hagukumi.channels.broadcasts import services as broadcasts
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.mail.services import Outbox
from hagukumi.collect.content.models import Content
from hagukumi.collect.forms.models import Form, FormVersion
from hagukumi.collect.tracking import services as tracking
from hagukumi.collect.tracking.models import Page
from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.scoring.models import ScoreModel, ScoreVersion
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import answers, clock, ja
from hagukumi.nurture.scenarios import services as scenarios
from hagukumi.nurture.scenarios.rules import Graph
from hagukumi.people.companies.models import Company
from hagukumi.people.consent.models import ConsentText
from hagukumi.people.sources.models import Source
from hagukumi.sales.deals import services as deals
from hagukumi.worker import heart

from . import paper, people, postman, story, words

Span = tuple[datetime, datetime]
Progress = Callable[..., None]
DAYS = 365
RECENT = 21
"""In the last days, every weekday passes by itself."""
LINE = 14
"""The points from which this company calls a lead ready for sales."""


def build(now: datetime, leads: int = 3000, progress: Progress = lambda *_: None) -> None:
    """Make the company, its 300 customers and a year of history, through the rooms' own verbs. About a minute."""
    random = Random(f"hinata {clock.jst_date(now)}")
    end = clock.jst_midnight(clock.jst_date(now)) + timedelta(hours=min(max(now.astimezone(clock.JST).hour, 9), 18))
    end = min(end, now)
    heart.open_session()
    start = end - timedelta(days=DAYS)
    progress("定義をそろえています / laying definitions")
    with transaction.atomic():
        stage = _definitions(start)
        firms = people.companies(random, max(leads // 10, 5))
        _companies(firms, start)
    crowd = people.staff(random, firms, leads)
    coming = story.arrivals(random, crowd, end, DAYS)
    cast = story.Cast()
    instants = ticks(start, end)
    web, outbox = story.Web(random, cast, stage), Outbox("demo")
    for number, (since, until) in enumerate(instants):
        with fast_commits():
            came = [arrival for arrival in coming if since < arrival.at <= until]
            _let_pass(random, stage, cast, web, outbox, came, (since, until))
        if number % 10 == 0 or until == end:
            progress(f"{clock.jst_date(until)}  {len(cast.people):,} リード / leads")
    heart.settle(end)
    _know_sizes()


def _know_sizes() -> None:
    """Tables that grow this fast have outrun autovacuum: without statistics the beats' plans go wrong."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


class fast_commits:  # noqa: N801  (reads as a statement)
    """History is made again if the power fails while it is made: no commit of it need wait for the disk."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")


def ticks(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The spans in which the year passes, each ending in office hours: every second Tuesday, at last every weekday."""
    marks = [start]
    day = clock.jst_date(start)
    while (day := day + timedelta(days=1)) <= clock.jst_date(end):
        at = clock.jst_midnight(day) + timedelta(hours=10, minutes=day.toordinal() * 97 % 470)
        recent = end - at < timedelta(days=RECENT)
        if at < end and (day.weekday() < 5 if recent else day.weekday() == 1 and day.isocalendar().week % 2 == 0):
            marks.append(at)
    return list(zip(marks, [*marks[1:], end], strict=True))


def _let_pass(
    random: Random,
    stage: story.Stage,
    cast: story.Cast,
    web: story.Web,
    outbox: Outbox,
    coming: list[story.Arrival],
    span: Span,
) -> None:
    since, until = span
    story.arrive(random, stage, cast, web, coming)
    story.browse(random, cast, web, since, until)
    _newsletter(since, until)
    web.flush(until)
    if len(cast.people) + len(coming) > cast.counted * 1.2:
        cast.counted = len(cast.people) + len(coming)
        _know_sizes()
    heart.settle(until)
    story.meet(cast, coming)
    story.sell(random, stage, cast, since, until)
    postman.deliver(outbox, random, cast, web, until)


def _newsletter(since: datetime, until: datetime) -> None:
    """The first Tuesday of each month, 10:00: the newsletter goes out to everybody who may have it."""
    day = clock.jst_date(until).replace(day=1)
    while day.weekday() != 1:
        day += timedelta(days=1)
    at = clock.jst_midnight(day) + timedelta(hours=10)
    if since < at <= until:
        title, path = words.NEWS[day.month % len(words.NEWS)]
        message = _message(
            f"メルマガ {day.year}年{day.month}月号",
            f"【ミナモ通信 {day.month}月号】{title}",
            "今月の一本をお届けします",
            words.newsletter(title, path),
            at,
        )
        segment = Segment.objects.get(name="メルマガ読者")
        made = broadcasts.draft(message_id=message.pk, segment_id=segment.pk, at=at, now=at)
        broadcasts.schedule(made, at)


# -- definitions -------------------------------------------------------------------------------------------------


def _definitions(at: datetime) -> story.Stage:
    workspace = Workspace.objects.first() or Workspace(name="")
    workspace.name, workspace.set_up_at, workspace.daily_mail_cap = words.COMPANY, at, 1
    workspace.save()
    sellers = _staff(at)
    segments.ready_made(at)
    scoring.ready_made(at)
    phases.ready_made(at)
    deals.ready_made()
    _since_the_beginning(at)
    _lower_the_line(at)
    Sender.objects.create(**words.SENDER)
    tracking.add_site(words.SITE, name="ミナモ 製品サイト", now=at)
    Page.objects.bulk_create(
        Page(url=words.SITE + path, title=title, category=category if category != "blog" else "", first_seen_at=at)
        for path, (title, category, _weight) in words.PAGES.items()
    )
    sources = {
        name: Source.objects.create(
            name=name,
            type=words.SOURCE_KINDS.get(kind, kind),
            cost_yen=cost,
            consent_basis=basis,
            created_at=at,
            date=clock.jst_date(at + timedelta(days=DAYS - ago)) if ago is not None else None,
        ).id
        for name, kind, ago, cost, _share, basis in words.SOURCES
    }
    contents = _contents(at)
    forms = _forms(at, contents, sources)
    messages = {
        key: _message(words.NAMES[key], subject, preheader, body, at)
        for key, subject, preheader, body in words.MESSAGES
    }
    _segments(at, forms)
    _scenarios(at, forms, messages)
    return story.Stage(
        sources,
        {key: form.version_id or 0 for key, form in forms.items()},
        {form.version_id or 0: contents.get(words.GATES.get(key, "")) for key, form in forms.items()},
        sellers,
    )


def _since_the_beginning(at: datetime) -> None:
    """What the installation laid ready today has, for this company, been there from the first day."""
    ScoreModel.objects.update(created_at=at)
    ScoreVersion.objects.update(created_at=at, published_at=at)
    Segment.objects.update(created_at=at, updated_at=at)


def _lower_the_line(at: datetime) -> None:
    """A score that few of its customers reach helps nobody: the company has set its own line."""
    model = scoring.default_model()
    assert model is not None
    draft = scoring.draft_of(model.id, now=at, user_id=None)
    scoring.change_draft(draft.id, threshold=LINE)
    scoring.publish(draft.id, now=at)


def _staff(at: datetime) -> tuple[int, ...]:
    """The four members; their passwords are made here and left in the home for `hagukumi up` to show."""
    password = secrets.token_urlsafe(9)
    made = [
        User.objects.create_user(email, password, name=name, role=role, created_at=at)
        for role, name, email in words.STAFF
    ]
    path = settings.HOME / "sign-in.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump([{"email": user.email, "password": password, "role": user.role} for user in made], file)
    return tuple(user.id for user in made if user.role == "sales")


def _companies(firms: list[people.Company], at: datetime) -> None:
    Company.objects.bulk_create(
        Company(
            name=firm.name,
            match_key=ja.company_key(firm.name),
            industry=firm.industry,
            sales_yen=firm.sales_yen,
            employees=firm.employees,
            prefecture=firm.prefecture,
            postal_code=firm.postal_code,
            address=firm.city,
            url=f"https://www.{firm.domain}/",
            created_at=at,
            updated_at=at,
        )
        for firm in firms
    )


def _contents(at: datetime) -> dict[str, int]:
    folder = settings.MEDIA_ROOT / "content"
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for key, kind, title, summary in words.CONTENTS:
        name = f"{secrets.token_hex(16)}.pdf"
        (folder / name).write_bytes(paper.pdf(title, [summary, *words.PAPER]))
        content = Content.objects.create(
            title=title, kind=kind, summary=summary, file_name=f"{title}.pdf", path=f"content/{name}", created_at=at
        )
        made[key] = content.id
    return made


def _forms(at: datetime, contents: dict[str, int], sources: dict[str, int]) -> dict[str, Form]:
    text = ConsentText.objects.create(key="demo", version=1, text=words.CONSENT, created_at=at)
    made = {}
    for slug, kind, name, gate in words.FORMS:
        source = sources["Webサイト お問い合わせ" if kind == "inquiry" else "Webサイト 資料請求"]
        form = Form.objects.create(
            slug=slug,
            name=name,
            kind=kind,
            state="open",
            source_id=source,
            content_id=contents.get(gate or ""),
            created_at=at,
        )
        form.version = FormVersion.objects.create(
            form=form, number=1, definition=answers.stored(words.form(kind, name)), consent_text=text, created_at=at
        )
        form.save(update_fields=["version"])
        made[slug] = form
    return made


def _message(name: str, subject: str, preheader: str, body: str, at: datetime) -> Message:
    sender = Sender.objects.get(email=words.SENDER["email"])
    return Message.objects.create(
        name=name, subject=subject, preheader=preheader, mjml=body, sender=sender, created_at=at, updated_at=at
    )


def _segments(at: datetime, forms: dict[str, Form]) -> None:
    for name, tree in words.segments():
        segments.save(name=name, tree=tree, now=at)


def _scenarios(at: datetime, forms: dict[str, Form], messages: dict[str, Message]) -> None:
    model = phases.primary()
    assert model is not None
    ids = {
        **{f"form:{key}": form.id for key, form in forms.items()},
        **{f"mail:{key}": message.id for key, message in messages.items()},
        **{f"segment:{segment.key or segment.name}": segment.id for segment in Segment.objects.all()},
        "phase:considering": phases.phases_of(model.id)[2].id,
    }
    for name, graph in words.scenarios(ids):
        scenario = scenarios.create(name, now=at, graph=Graph.model_validate(graph))
        scenarios.publish(scenario.id, now=at)
