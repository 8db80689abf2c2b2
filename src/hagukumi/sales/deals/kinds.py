"""The kinds of activity that the deals room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind

HANDOVER_CREATED = Kind(
    80, "handover_created", "営業へ引き渡し", "Handed to sales", "arrow-right-circle", "deal", object="handover"
)
HANDOVER_ACCEPTED = Kind(
    81, "handover_accepted", "引き渡し受入", "Handover accepted", "circle-check", "deal", object="handover"
)
HANDOVER_RETURNED = Kind(
    82, "handover_returned", "引き渡し差し戻し", "Handover returned", "arrow-back-up", "deal", object="handover"
)
DEAL_CREATED = Kind(83, "deal_created", "商談作成", "Deal opened", "briefcase", "deal", object="deal", unit="yen")
DEAL_STAGE = Kind(
    84, "deal_stage", "商談ステージ変更", "Deal stage changed", "stairs-up", "deal", object="deal", unit="yen"
)
DEAL_WON = Kind(85, "deal_won", "受注", "Deal won", "trophy", "deal", object="deal", unit="yen")
DEAL_LOST = Kind(86, "deal_lost", "失注", "Deal lost", "circle-x", "deal", object="deal", unit="yen")

KINDS = (HANDOVER_CREATED, HANDOVER_ACCEPTED, HANDOVER_RETURNED, DEAL_CREATED, DEAL_STAGE, DEAL_WON, DEAL_LOST)
