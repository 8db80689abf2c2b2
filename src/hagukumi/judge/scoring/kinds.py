"""The kinds of activity that the scoring room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

SCORE_CHANGED = Kind(
    60,
    "score_changed",
    "スコア変動",
    "Score changed",
    "chart-arrows-vertical",
    "qualify",
    object="score_version",
    unit="points",
)
SCORE_CROSSED = Kind(
    61,
    "score_crossed",
    "スコアが基準に到達",
    "Score reached the line",
    "flame",
    "qualify",
    object="score_version",
    unit="points",
)

KINDS = (SCORE_CHANGED, SCORE_CROSSED)

OBJECTS = (
    Object("score_model"),
    Object(
        "score_version",
        "m.name || ' v' || v.number",
        key="v.id",
        source="score_version v JOIN score_model m ON m.id = v.model_id",
    ),
)
