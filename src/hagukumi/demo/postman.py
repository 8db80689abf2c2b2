"""Delivers the demo's mails through the sender's own verbs, to nobody, and lets readers react."""

from datetime import datetime, timedelta
from random import Random

from hagukumi.channels.mail.services import Job, Outbox
from hagukumi.channels.unsubscribe import services as unsubscribing
from hagukumi.kit.smtp import Outcome

from . import words
from .people import Company
from .story import Cast, Web

BATCH = 2000
_LINKS = ("/case/press/", "/product/sensor/", "/case/", "/blog/choko/", "/price/", "/case/food/")


def deliver(outbox: Outbox, random: Random, cast: Cast, web: Web, now: datetime) -> None:
    """Claim everything due, settle it as a server would answer, and collect the opens and clicks to come."""
    while True:
        jobs, count = outbox.claim(BATCH, now)
        outbox.settle([(job, _answer(random, job), now) for job in jobs], now)
        for job in jobs:
            _react(random, cast, web, job, now)
            if random.random() < 0.002:
                unsubscribing.unsubscribe(
                    job.lead_id, job.id, evidence="配信停止ページ", now=now + timedelta(minutes=5)
                )
        if not count:
            return


def _answer(random: Random, job: Job) -> Outcome:
    if random.random() < 0.006:
        return Outcome(job.id, "hard", "rcpt", "550 5.1.1 user unknown")
    return Outcome(job.id, "sent", "content", f"250 2.0.0 Ok: queued as {job.id:08X}")


def _react(random: Random, cast: Cast, web: Web, job: Job, now: datetime) -> None:
    person = cast.people.get(job.lead_id)
    if person is None:
        return
    if _has_gateway(person.company):
        _scan(web, job, now)
    appeal = Random(job.message_id).uniform(0.7, 1.25)
    if random.random() > (0.12 + person.interest * 0.55) * appeal:
        return
    at = now + timedelta(minutes=min(int(random.expovariate(1 / 180)) + 1, 4000))
    web.mail_act(at, "open", job.lead_id, job.id)
    if random.random() < (0.08 + person.interest * 0.38) * appeal:
        path = random.choice(_LINKS)
        at += timedelta(seconds=random.randint(8, 90))
        web.mail_act(at, "click", job.lead_id, job.id, words.SITE + path)
        pages = 1 + int(random.expovariate(0.5))
        ended = web.visit(at, web.browser(job.lead_id), pages, first=path, mail=(job.lead_id, job.id))
        if random.random() < person.interest * 0.3:
            web.answer(
                ended, web.browser(job.lead_id), person.row, random.choices(("guide", "cases", "contact"), (5, 5, 2))[0]
            )


def _has_gateway(company: Company) -> bool:
    """One company in thirty has its mail looked through by a machine that follows every link."""
    return Random(company.domain).random() < 1 / 30


def _scan(web: Web, job: Job, now: datetime) -> None:
    """The machine is faster than a reader can be; what it does is told apart by that."""
    at = now + timedelta(seconds=1)
    web.mail_act(at, "open", job.lead_id, job.id)
    web.mail_act(at, "click", job.lead_id, job.id, words.SITE + _LINKS[0])
