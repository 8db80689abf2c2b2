"""Every room's models, gathered: one Django app, one migration stream."""

from .accounts.models import *
from .companies.models import *
from .consent.models import *
from .content.models import *
from .deals.models import *
from .forms.models import *
from .leads.models import *
from .ledger.models import *
from .messages.models import *
from .phases.models import *
from .reports.models import *
from .scenarios.models import *
from .scoring.models import *
from .segments.models import *
from .tracking.models import *
