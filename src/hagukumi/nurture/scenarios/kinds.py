"""The kinds of activity that the scenarios room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

SCENARIO_ENTERED = Kind(
    90, "scenario_entered", "シナリオ開始", "Scenario entered", "route", "scenario", object="scenario"
)
SCENARIO_STEP = Kind(
    91, "scenario_step", "シナリオのステップ", "Scenario step", "corner-down-right", "scenario", object="scenario"
)
SCENARIO_ENDED = Kind(
    92, "scenario_ended", "シナリオ終了", "Scenario ended", "route-off", "scenario", object="scenario"
)

KINDS = (SCENARIO_ENTERED, SCENARIO_STEP, SCENARIO_ENDED)

OBJECTS = (Object("scenario"),)
