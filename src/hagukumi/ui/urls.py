"""Every screen's address, gathered room by room. A room's views and its `urlpatterns` are in `ui/<room>.py`."""

from itertools import chain

from . import (
    accounts,
    audit,
    companies,
    content,
    deals,
    forms,
    health,
    home,
    imports,
    leads,
    members,
    messages,
    phases,
    reports,
    scenarios,
    scoring,
    segments,
    sources,
    tracking,
)

ROOMS = (
    home, accounts, members, audit, imports, sources, forms, tracking, leads, companies, segments, scenarios, messages,
    content, scoring, phases, deals, reports, health,
)  # fmt: skip
urlpatterns = list(chain.from_iterable(room.urlpatterns for room in ROOMS))
