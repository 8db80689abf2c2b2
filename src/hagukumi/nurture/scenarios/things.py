"""The tables that parts of a graph point to, and what stands in them for choosing."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import get_language

from hagukumi.channels.mail import reads as mail
from hagukumi.channels.mail.models import Message
from hagukumi.collect.forms import reads as forms
from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking import reads as tracking
from hagukumi.collect.tracking.models import Page
from hagukumi.collect.tracking.rules import CATEGORIES
from hagukumi.judge.phases import reads as phases
from hagukumi.judge.phases.models import Phase
from hagukumi.judge.segments import reads as segments
from hagukumi.judge.segments.models import Segment

from .controls import Options
from .parts import Thing, register_thing


def _own(row: Any) -> str:
    """The name in the reader's language, where the row has one."""
    return str(row.name_en if _english() and row.name_en else row.name)


def _english() -> bool:
    return (get_language() or "ja").startswith("en")


register_thing(
    Thing("segment", lambda ids: Segment.objects.filter(archived_at=None).in_bulk(ids), lambda row: str(row.name)),
    Thing("form", lambda ids: Form.objects.in_bulk(ids), lambda row: str(row.name)),
    Thing(
        "message",
        lambda ids: Message.objects.filter(archived_at=None).select_related("sender").in_bulk(ids),
        lambda row: str(row.name),
    ),
    Thing("phase", lambda ids: Phase.objects.in_bulk(ids), _own),
    Thing("page", lambda ids: Page.objects.in_bulk(ids), lambda row: str(row.title or row.url)),
)

messages: Callable[[], Options] = mail.choices
segments_in_use: Callable[[], Options] = segments.choices
every_form: Callable[[], Options] = forms.choices


def pages() -> Options:
    """Pages for choosing one."""
    return [(page.id, page.title or page.url) for page in tracking.offered_pages()]


def categories() -> Options:
    """The categories that some page has, in the reader's language."""
    return [(key, category_name(key)) for key in tracking.categories_in_use()]


def every_phase() -> Options:
    """Every phase, behind its model's name."""
    return [(one.id, f"{_own(one.model)}: {_own(one)}") for one in phases.every_phase()]


def category_name(key: str) -> str:
    """A page category in the reader's language; '' for none."""
    return CATEGORIES.get(key, (key, key))[_english()]
