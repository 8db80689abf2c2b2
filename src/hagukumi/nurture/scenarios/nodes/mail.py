"""A mail goes out."""

from collections.abc import Iterator
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.channels.mail import services as messages

from .. import things
from ..controls import Control
from ..parts import Names, Ref
from .base import NODES, Passed, Passers


@NODES.register
class Mail(Passed):
    """Queues the message for everybody who passes; whether it may go to each is for the gate to say."""

    label, icon, place = gettext_lazy("メールを送る"), "mail", 10
    type: Literal["mail"] = "mail"
    message_id: int | None = None

    def problems(self) -> Iterator[str]:
        if self.message_id is None:
            yield _("送るメールを選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.message_id is not None:
            yield Ref("message", self.message_id, _("送るメールは、もうありません。"))

    def missing(self, names: Names) -> Iterator[str]:
        yield from super().missing(names)
        if message := names.get("message", self.message_id):
            yield from messages.problems(message)

    def does(self, names: Names) -> str:
        return _("メール「%(name)s」") % {"name": names.name("message", self.message_id)}

    def act(self, passers: Passers) -> None:
        messages.queue_from(
            passers.occasions(self.id),
            message_id=self.message_id or 0,
            now=passers.now,
            scenario_id=passers.scenario_id,
        )

    def tried(self, names: Names, lead_id: int) -> tuple[str, str]:
        message = names.get("message", self.message_id)
        if message is None:
            return "", ""
        try:
            return messages.preview(message, lead_id).subject, ""
        except messages.TemplateProblemError as error:
            return "", str(error)

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("message_id", "pick", gettext_lazy("送るメール"), things.messages)]
