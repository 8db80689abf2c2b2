"""Every room's models, gathered: one Django app, one migration stream."""

from .accounts.models import *
from .channels.broadcasts.models import *
from .channels.mail.models import *
from .channels.outbox.models import *
from .collect.content.models import *
from .collect.forms.models import *
from .collect.tracking.models import *
from .judge.phases.models import *
from .judge.scoring.models import *
from .judge.segments.models import *
from .learn.reports.models import *
from .ledger.models import *
from .nurture.scenarios.models import *
from .people.companies.models import *
from .people.consent.models import *
from .people.fields.models import *
from .people.imports.models import *
from .people.leads.models import *
from .people.sources.models import *
from .sales.deals.models import *
from .sales.handovers.models import *
