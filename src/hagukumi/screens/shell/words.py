"""How numbers, instants and money are written for people, in Japanese or English."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from hagukumi.kit.clock import JST
from hagukumi.ledger.uses import Use

DASH = "—"
DELIVERY_STATES = {
    "sent": (gettext_lazy("送信済み"), "green"),
    "queued": (gettext_lazy("送信待ち"), "azure"),
    "sending": (gettext_lazy("送信中"), "azure"),
    "failed": (gettext_lazy("不達"), "red"),
    "skipped": (gettext_lazy("対象外"), "yellow"),
    "unknown": (gettext_lazy("要確認"), "orange"),
}
"""What became of one mail, in the same word and colour wherever it stands."""
DEAL_OUTCOMES = {"won": (gettext_lazy("受注"), "green"), "lost": (gettext_lazy("失注"), "secondary")}
"""How a deal ended, likewise."""


def english() -> bool:
    return (get_language() or "ja").startswith("en")


def language() -> str:
    """The reader's language: "ja" or "en"."""
    return "en" if english() else "ja"


def pick(pair: tuple[str, str]) -> str:
    """Of a word in Japanese and English, the reader's."""
    return pair[english()]


def labels(pairs: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """Codes with their words in the reader's language, as choices."""
    return [(code, pick(pair)) for code, pair in pairs.items()]


def joined(parts: Iterable[str]) -> str:
    """Words in a row: A, B / A、B."""
    return (", " if english() else "、").join(parts)


def in_use(name: str, uses: Iterable[Use]) -> str:
    """Why a definition cannot be put away: what stands on it, by name."""
    users = joined(f"{use.en} “{use.name}”" if english() else f"{use.ja}「{use.name}」" for use in uses)
    return gettext("「%(name)s」は使われているため、しまえません: %(users)s") % {"name": name, "users": users}


def own(thing: Any, attribute: str = "name") -> str:
    """`attribute` of a definition in the reader's language (`name_en`, `label_ja` ... are understood)."""
    wanted = (f"{attribute}_en", attribute, f"{attribute}_ja") if english() else (f"{attribute}_ja", attribute)
    for name in wanted:
        value = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, "")
        if value:
            return str(value)
    return ""


def role(key: str) -> str:
    """A role in words."""
    return {"admin": gettext("管理者"), "marketing": gettext("マーケティング"), "sales": gettext("営業")}[key]


def number(value: Any) -> str:
    if value is None or value == "":
        return DASH
    if isinstance(value, float | Decimal) and value != int(value):
        return f"{value:,.1f}"
    try:
        return f"{int(value):,}"
    except (TypeError, ValueError):
        return str(value)


def yen(value: Any) -> str:
    """Yen as one says it; exact below 10,000 and where the 万 come out even, else to one decimal."""
    if value is None or value == "":
        return DASH
    amount = int(value)
    if english():
        return f"¥{amount:,}"
    for unit, name in ((100_000_000, "億円"), (10_000, "万円")):
        if abs(amount) >= unit:
            return f"{amount / unit:,.1f}".removesuffix(".0") + name
    return f"{amount:,}円"


def percent(value: Any) -> str:
    return DASH if value is None or value == "" else f"{float(value) * 100:.1f}%"


def exact(at: datetime) -> str:
    """2026-11-20 (金) 10:00, in Japanese time."""
    local = at.astimezone(JST)
    if english():
        return local.strftime("%Y-%m-%d %a %H:%M JST")
    return f"{local:%Y年%-m月%-d日}({'月火水木金土日'[local.weekday()]}){local:%H:%M}"


def near(at: datetime, now: datetime) -> str:
    """Relative within a day of now, else the date (with the year where it is another year's)."""
    gap = at - now
    if abs(gap) < timedelta(days=1):
        return _ahead(gap) if gap > timedelta(0) else _ago(-gap)
    local, today = at.astimezone(JST), now.astimezone(JST)
    if english():
        return local.strftime("%b %-d, %H:%M" if local.year == today.year else "%b %-d, %Y")
    return f"{local:%-m月%-d日 %H:%M}" if local.year == today.year else f"{local:%Y年%-m月%-d日}"


def _ago(gap: timedelta) -> str:
    minutes = int(gap.total_seconds() // 60)
    if minutes < 1:
        return gettext("たった今")
    if minutes < 60:
        return ngettext("%(n)s分前", "%(n)s分前", minutes) % {"n": minutes}
    return ngettext("%(n)s時間前", "%(n)s時間前", minutes // 60) % {"n": minutes // 60}


def _ahead(gap: timedelta) -> str:
    minutes = int(gap.total_seconds() // 60)
    if minutes < 1:
        return gettext("まもなく")
    if minutes < 60:
        return ngettext("あと%(n)s分", "あと%(n)s分", minutes) % {"n": minutes}
    return ngettext("あと%(n)s時間", "あと%(n)s時間", minutes // 60) % {"n": minutes // 60}


def dress(bound: BoundField) -> BoundField:
    """Give a field's widget the house's classes, and tell readers aloud where it is wrong."""
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput | CheckboxSelectMultiple | RadioSelect):
        widget.attrs["class"] = "form-check-input"
    else:
        name = "form-select" if isinstance(widget, Select) else "form-control"
        widget.attrs["class"] = name + (" is-invalid" if bound.errors else "")
    if bound.errors:
        widget.attrs["aria-invalid"] = "true"
    bound.boxes = isinstance(widget, CheckboxSelectMultiple | RadioSelect)  # type: ignore[attr-defined]
    bound.tick = isinstance(widget, CheckboxInput)  # type: ignore[attr-defined]
    bound.upload = isinstance(widget, FileInput)  # type: ignore[attr-defined]
    return bound


def chart_table(options: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The numbers of an ECharts options mapping as columns and rows: its categories and series, or its named values."""
    axes = [_first(options.get(axis)) for axis in ("xAxis", "yAxis")]
    categories = next((axis["data"] for axis in axes if axis.get("data")), None)
    series = options.get("series", [])
    series = series if isinstance(series, list) else [series]
    if categories is None:
        rows = [[point["name"], point["value"]] for one in series for point in one.get("data", []) if "name" in point]
        return {"columns": ["", gettext("値")], "rows": rows}
    columns = ["", *[one.get("name") or gettext("値") for one in series]]
    values = [[_value(point) for point in one.get("data", [])] for one in series]
    return {
        "columns": columns,
        "rows": [[name, *[v[i] for v in values if i < len(v)]] for i, name in enumerate(categories)],
    }


def _first(axis: Any) -> Mapping[str, Any]:
    if isinstance(axis, list):
        axis = axis[0] if axis else {}
    return axis or {}


def _value(point: Any) -> Any:
    return point.get("value") if isinstance(point, Mapping) else point
