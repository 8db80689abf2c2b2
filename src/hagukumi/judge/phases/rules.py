"""The ready-made phase models (a) and (b) of M10 with their rules forward and back. Pure data."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

START, RULE, PERSON, SCENARIO = "start", "rule", "person", "scenario"
"""Causes of a place: after a start, rules are asked at once, as after a forward move."""
EVIDENCE = timedelta(days=2)
"""How long before a move acts may have been what it stood on."""

Tree = dict[str, Any]


@dataclass(frozen=True)
class ReadyPhase:
    key: str
    name: str
    name_en: str
    hue: int


@dataclass(frozen=True)
class ReadyRule:
    """`source` and `target` are phase keys; the lower `priority` goes first."""

    source: str
    target: str
    priority: int
    reason: str
    reason_en: str
    tree: Tree


@dataclass(frozen=True)
class ReadyModel:
    key: str
    name: str
    name_en: str
    is_primary: bool
    phases: tuple[ReadyPhase, ...]
    rules: tuple[ReadyRule, ...]


def _any(*items: Tree) -> Tree:
    return {"type": "any", "items": list(items)}


def _all(*items: Tree) -> Tree:
    return {"type": "all", "items": list(items)}


def _acted(*kinds: str, at_least: int = 1, days: int | None = None, **more: Any) -> Tree:
    return {"type": "activity", "kinds": list(kinds), "at_least": at_least, "days": days, **more}


def _idle(model: str, phase: str, days: int) -> Tree:
    """No act for so long, and in the phase for as long: a move by hand is not undone the next second."""
    return _all(
        {"type": "recency", "group": "any", "days": days, "idle": True},
        {"type": "phase", "model": model, "phases": [phase], "days": days},
    )


def _since(model: str, *kinds: str) -> Tree:
    return {"type": "phase_activity", "model": model, "kinds": list(kinds)}


DEAL_OPEN: Tree = {"type": "deal", "outcome": "open"}

INTEREST = ReadyModel(
    "interest",
    "購買検討フェーズ",
    "Buying interest",
    True,
    (
        ReadyPhase("latent", "潜在", "Latent", 0),
        ReadyPhase("aware", "顕在", "Aware", 1),
        ReadyPhase("considering", "検討", "Considering", 2),
        ReadyPhase("deciding", "決定", "Deciding", 4),
    ),
    (
        ReadyRule(
            "latent",
            "aware",
            10,
            "サイト訪問かメールへの反応",
            "Visited the site or reacted to mail",
            _any(
                _acted("page_view", at_least=3, days=30),
                _acted("mail_clicked", "form_submitted", "content_downloaded", "download", days=30),
                {"type": "score", "reached": True},
            ),
        ),
        ReadyRule(
            "aware",
            "considering",
            10,
            "資料・料金ページへの関心かスコア到達",
            "Interest in documents or prices, or the score",
            _any(
                _acted("content_downloaded", "download", days=30),
                _acted("page_view", days=30, page_categories=["price"]),
                _acted("form_submitted", days=30, form_kinds=["inquiry"]),
                {"type": "score", "reached": True},
            ),
        ),
        ReadyRule(
            "considering",
            "deciding",
            10,
            "問い合わせか商談の開始",
            "Sent an inquiry or a deal was opened",
            _any(
                DEAL_OPEN,
                _all(
                    _acted("form_submitted", days=30, form_kinds=["inquiry"]),
                    {"type": "not", "item": _acted("deal_lost", "handover_returned", days=30)},
                ),
            ),
        ),
        ReadyRule(
            "deciding",
            "aware",
            1,
            "失注",
            "The deal was lost",
            _all(_since("interest", "deal_lost"), {"type": "not", "item": DEAL_OPEN}),
        ),
        ReadyRule("considering", "aware", 1, "失注", "The deal was lost", _since("interest", "deal_lost")),
        ReadyRule(
            "deciding",
            "considering",
            20,
            "60日間動きがない",
            "Nothing happened for 60 days",
            _all(
                _idle("interest", "deciding", 60),
                {"type": "not", "item": DEAL_OPEN},
                {"type": "not", "item": {"type": "deal", "outcome": "won"}},
            ),
        ),
        ReadyRule(
            "considering",
            "aware",
            20,
            "60日間動きがない",
            "Nothing happened for 60 days",
            _idle("interest", "considering", 60),
        ),
        ReadyRule(
            "aware", "latent", 20, "30日間動きがない", "Nothing happened for 30 days", _idle("interest", "aware", 30)
        ),
    ),
)

WORKING = ReadyModel(
    "working",
    "対応フェーズ",
    "Working status",
    False,
    (
        ReadyPhase("new", "New Lead（新規）", "New Lead", 0),
        ReadyPhase("untouched", "Working Untouched（未接触）", "Working Untouched", 1),
        ReadyPhase("connected", "Working Connected（接触済み）", "Working Connected", 2),
        ReadyPhase("convert", "Convert（商談化）", "Convert", 4),
    ),
    (
        ReadyRule(
            "new",
            "connected",
            5,
            "反応があった",
            "Reacted",
            _acted("mail_clicked", "form_submitted", "content_downloaded", "call", "booth_talk"),
        ),
        ReadyRule("new", "untouched", 10, "最初のメールを送った", "The first mail went out", _acted("mail_sent")),
        ReadyRule(
            "untouched",
            "connected",
            10,
            "反応があった",
            "Reacted",
            _acted("mail_clicked", "form_submitted", "content_downloaded", "call", "booth_talk", days=30),
        ),
        ReadyRule(
            "connected",
            "convert",
            10,
            "営業が受け入れた",
            "Sales accepted the lead",
            _any(
                _since("working", "handover_accepted"),
                {"type": "deal", "outcome": "open"},
                {"type": "deal", "outcome": "won"},
            ),
        ),
        ReadyRule(
            "convert",
            "connected",
            1,
            "差し戻しか失注",
            "Returned by sales, or the deal was lost",
            _all(
                _since("working", "handover_returned", "deal_lost"),
                {"type": "not", "item": DEAL_OPEN},
                {"type": "not", "item": {"type": "deal", "outcome": "won"}},
            ),
        ),
        ReadyRule(
            "connected",
            "untouched",
            20,
            "60日間動きがない",
            "Nothing happened for 60 days",
            _idle("working", "connected", 60),
        ),
    ),
)

MODELS = (INTEREST, WORKING)
