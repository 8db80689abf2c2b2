"""The leaves of the low rooms: facts of the lead and its company, source, tags, consent, acts, other segments."""

from .acts import Acted, Recency
from .facts import CompanyIs, Consented, KnownSince, SourceIs, Tagged
from .field import FieldIs
from .members import InSegment

LEAVES = (FieldIs, CompanyIs, SourceIs, Tagged, Consented, KnownSince, Acted, Recency, InSegment)
