"""The kinds of activity that the phases room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

PHASE_MOVED = Kind(70, "phase_moved", "フェーズ移動", "Phase moved", "stairs", "qualify", object="phase")

KINDS = (PHASE_MOVED,)

OBJECTS = (Object("phase", name_en="name_en"),)
