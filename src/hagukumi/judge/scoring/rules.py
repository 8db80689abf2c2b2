"""The rules of a score version: typed, with the ready-made table of the inside-sales article (M13). Pure."""

from dataclasses import asdict, dataclass
from typing import Any

OKU = 100_000_000
SIDES = {"attribute": ("属性", "Attribute"), "behaviour": ("行動", "Behaviour")}
MAX_RULES = 200


@dataclass(frozen=True)
class Rule:
    """`points` when `tree` holds. Of the rules that share a `group` only the highest counts ('' = counts alone)."""

    key: str
    side: str
    label_ja: str
    label_en: str
    points: int
    group: str
    tree: dict[str, Any]

    @property
    def band(self) -> str:
        return self.group or f"={self.key}"

    def label(self, language: str) -> str:
        return (self.label_en or self.label_ja) if language == "en" else self.label_ja

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def rules_of(stored: list[dict[str, Any]]) -> list[Rule]:
    """The rules as stored in `score_version.rules`."""
    return [Rule(**rule) for rule in stored]


def _sales(low: int, below: int | None = None) -> dict[str, Any]:
    return {"type": "company", "sales_from": low * OKU} | ({"sales_below": below * OKU} if below else {})


def _industry(key: str) -> dict[str, Any]:
    return {"type": "company", "industries": [key]}


def _rank(key: str) -> dict[str, Any]:
    return {"type": "field", "field": "rank", "op": "is", "value": key}


READY_MADE = [
    Rule("sales_1000", "attribute", "売上1,000億円以上", "Sales of 100 billion yen or more", 10, "sales", _sales(1000)),
    # The article prints the next band as 500-9999億円, which overlaps the one above: 999 is meant.
    Rule(
        "sales_500", "attribute", "売上500〜999億円", "Sales of 50 to 99.9 billion yen", 5, "sales", _sales(500, 1000)
    ),
    Rule("sales_100", "attribute", "売上100〜499億円", "Sales of 10 to 49.9 billion yen", 1, "sales", _sales(100, 500)),
    Rule("industry_it", "attribute", "業種 IT", "Industry: IT", 5, "industry", _industry("it")),
    Rule(
        "industry_maker", "attribute", "業種 製造", "Industry: manufacturing", 3, "industry", _industry("manufacturing")
    ),
    Rule("industry_retail", "attribute", "業種 小売", "Industry: retail", 1, "industry", _industry("retail")),
    Rule("rank_exec", "attribute", "経営層", "Executive", 10, "rank", _rank("exec")),
    Rule("rank_manager", "attribute", "部課長", "Manager", 5, "rank", _rank("manager")),
    Rule("rank_staff", "attribute", "一般社員", "Staff", 1, "rank", _rank("staff")),
    Rule(
        "download",
        "behaviour",
        "資料ダウンロード",
        "Downloaded a document",
        5,
        "",
        {"type": "activity", "kinds": ["content_downloaded", "download"]},
    ),
    Rule(
        "inquiry",
        "behaviour",
        "問い合わせ送信",
        "Sent an inquiry",
        3,
        "",
        {"type": "activity", "kinds": ["form_submitted"], "form_kinds": ["inquiry"]},
    ),
    Rule(
        "visits",
        "behaviour",
        "Webアクセス3回以上",
        "Three or more page views",
        2,
        "",
        {"type": "activity", "kinds": ["page_view"], "at_least": 3},
    ),
]
ATTRIBUTE_MAX, BEHAVIOUR_MAX, THRESHOLD = 25, 10, 20
