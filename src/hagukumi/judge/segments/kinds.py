"""The kinds of activity that the segments room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

SEGMENT_ENTERED = Kind(
    50, "segment_entered", "セグメントに入る", "Entered segment", "filter-plus", "qualify", object="segment"
)
SEGMENT_LEFT = Kind(
    51, "segment_left", "セグメントから外れる", "Left segment", "filter-minus", "qualify", object="segment"
)

KINDS = (SEGMENT_ENTERED, SEGMENT_LEFT)

OBJECTS = (Object("segment"),)
