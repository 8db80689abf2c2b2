"""The kinds of activity that the deals room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

DEAL_CREATED = Kind(83, "deal_created", "商談作成", "Deal opened", "briefcase", "deal", object="deal", unit="yen")
DEAL_STAGE = Kind(
    84, "deal_stage", "商談ステージ変更", "Deal stage changed", "stairs-up", "deal", object="deal", unit="yen"
)
DEAL_WON = Kind(85, "deal_won", "受注", "Deal won", "trophy", "deal", object="deal", unit="yen")
DEAL_LOST = Kind(86, "deal_lost", "失注", "Deal lost", "circle-x", "deal", object="deal", unit="yen")

KINDS = (DEAL_CREATED, DEAL_STAGE, DEAL_WON, DEAL_LOST)

OBJECTS = (Object("deal", of_lead=True),)
