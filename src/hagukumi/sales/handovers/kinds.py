"""The kinds of activity that the handovers room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

HANDOVER_CREATED = Kind(
    80, "handover_created", "営業へ引き渡し", "Handed to sales", "arrow-right-circle", "deal", object="handover"
)
HANDOVER_ACCEPTED = Kind(
    81, "handover_accepted", "引き渡し受入", "Handover accepted", "circle-check", "deal", object="handover"
)
HANDOVER_RETURNED = Kind(
    82, "handover_returned", "引き渡し差し戻し", "Handover returned", "arrow-back-up", "deal", object="handover"
)

KINDS = (HANDOVER_CREATED, HANDOVER_ACCEPTED, HANDOVER_RETURNED)

OBJECTS = (Object("handover", "cause", of_lead=True),)
