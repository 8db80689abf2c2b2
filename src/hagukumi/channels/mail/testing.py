"""A test mail to a member of staff: the real thing over the real server, but tied to nobody and counted nowhere."""

import asyncio
from datetime import datetime

from django.conf import settings
from django.utils.translation import get_language

from hagukumi.accounts import audit
from hagukumi.kit import confined, smtp

from . import render, rules
from .expressions import TemplateProblemError, too_much
from .identity import identity_of
from .models import Message
from .values import facts_of


def send_test(message: Message, *, to: str, lead_id: int | None, now: datetime) -> smtp.Outcome:
    """Send this message to `to`, filled in with this lead's facts. Links are plain, the stop link stops nobody.

    Missing display items do not hinder a test. TemplateProblemError for a broken template.
    """
    try:
        content = confined.call(
            render.test_content, subject=f"[TEST] {message.subject}", preheader=message.preheader, source=message.mjml,
            text=message.text, kind=message.kind, identity=identity_of(message.sender),
            facts=facts_of(lead_id), to=to, now=now, language=get_language(),
        )  # fmt: skip
    except confined.ConfinedError as error:
        raise TemplateProblemError(too_much()) from error
    outcome = asyncio.run(_hand_over(rules.quoted_address(message.sender.email), rules.quoted_address(to), content))
    audit.record("message.tested", "message", message.pk, now, result=outcome.result)
    return outcome


async def _hand_over(sender: str, recipient: str, content: bytes) -> smtp.Outcome:
    try:
        line = await smtp.connect(smtp.server_of(settings.SMTP_URL), "localhost")
    except smtp.ConnectError as error:
        return smtp.Outcome(0, "unsent", "connect", str(error))
    waiting = [smtp.Mail(0, sender, recipient, content)]
    outcomes: list[smtp.Outcome] = []

    async def following() -> smtp.Mail | None:
        return waiting.pop() if waiting else None

    await line.pump(following, lambda: None, outcomes.append)
    await line.quit()
    return outcomes[0]
