"""Every screen's address, gathered room by room. A room's views and its `urlpatterns` are in `ui/<room>.py`."""

from itertools import chain

from .channels.mail import views as messages
from .collect.content import views as content
from .collect.forms import views as forms
from .collect.tracking import views as tracking
from .judge.phases import views as phases
from .judge.scoring import views as scoring
from .judge.segments import views as segments
from .learn.reports import views as reports
from .nurture.scenarios import views as scenarios
from .overview.home import views as home
from .people.companies import views as companies
from .people.imports import views as imports
from .people.leads import views as leads
from .people.privacy import views as privacy
from .people.sources import views as sources
from .sales.deals import views as deals
from .sales.handovers import views as handovers
from .settings.accounts import views as accounts
from .settings.audit import views as audit
from .settings.health import views as health
from .settings.members import views as members
from .settings.security import views as security

ROOMS = (
    home, accounts, security, members, audit, imports, sources, forms, tracking, leads, privacy, companies, segments,
    scenarios, messages, content, scoring, phases, handovers, deals, reports, health,
)  # fmt: skip
urlpatterns = list(chain.from_iterable(room.urlpatterns for room in ROOMS))
