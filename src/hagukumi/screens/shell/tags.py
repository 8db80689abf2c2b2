"""Template tags and filters that every screen may use (built in; no `{% load %}`)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from hagukumi.kit import clock, ja
from hagukumi.ledger import kinds

from . import assets, words

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Tabler outline icon from the sprite; with a label it is read aloud, else it is decoration."""
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>', label, assets.sprite(), name
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', assets.sprite(), name)


@register.simple_tag
def asset_script() -> str:
    return assets.script()


@register.simple_tag
def asset_styles() -> list[str]:
    return assets.styles()


@register.filter
def jst(at: datetime | None) -> SafeString | str:
    """An instant in Japanese time: relative within a day, else the date; exact on hover."""
    if at is None:
        return "—"
    exact = words.exact(at)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, words.near(at, clock.now()))


@register.filter
def jst_exact(at: datetime | None) -> str:
    return words.exact(at) if at else "—"


@register.filter
def num(value: Any) -> str:
    """1,234; a dash where there is none."""
    return words.number(value)


@register.filter
def yen(value: Any) -> str:
    """Money as one says it: 9,800円, 1,200万円, 1.2億円."""
    return words.yen(value)


@register.filter
def pct(value: Any) -> str:
    """A rate of 0 to 1 as 12.3%; a dash where there is nothing to divide by."""
    return words.percent(value)


@register.filter
def phone(number: str) -> str:
    """A stored number (+81312345678) as Japanese write it: 03-1234-5678."""
    return ja.show_phone(number) if number else ""


@register.filter
def own(thing: Any, attribute: str = "name") -> str:
    """A definition's name in the reader's language: `name_en` or `label_en` where there is one, else the Japanese."""
    return words.own(thing, attribute)


@register.simple_tag
def phase(of: Any) -> SafeString:
    """A phase as a chip in its step of the scale; takes a Phase or a mapping with name, name_en and hue."""
    if not of:
        return format_html('<span class="text-secondary">{}</span>', "—")
    hue = of["hue"] if isinstance(of, Mapping) else of.hue
    return format_html('<span class="phase-chip phase-{}">{}</span>', max(0, min(4, int(hue))), words.own(of))


@register.simple_tag
def badge(label: Any, hue: str = "secondary") -> SafeString:
    """A state in words on its colour."""
    return format_html('<span class="badge bg-{}-lt">{}</span>', hue, label)


@register.simple_tag
def delivery_state(state: str) -> SafeString:
    """What became of one mail, as a badge."""
    return badge(*words.DELIVERY_STATES[state])


@register.simple_tag
def deal_outcome(outcome: str) -> SafeString | str:
    """How a deal ended, as a badge; nothing while it goes on."""
    return badge(*words.DEAL_OUTCOMES[outcome]) if outcome else ""


@register.simple_tag
def score_badge(total: Any) -> SafeString:
    """A score in points, as a badge."""
    return badge(gettext("%(n)s点") % {"n": words.number(total)}, "green")


@register.inclusion_tag("shell/figure.html")
def figure(
    name: Any, value: Any, unit: Any = "", url: str = "", note: Any = "", hint: Any = "", bad: Any = False
) -> dict[str, Any]:
    """One figure of a row of `figures`: a number (or what is written already) under its name, leading to `url`."""
    return {"name": name, "value": value, "unit": unit, "url": url, "note": note, "hint": hint, "bad": bad}


@register.simple_tag
def kind(code: int) -> SafeString:
    """An activity kind: its icon and its name."""
    try:
        found = kinds.by_code(code)
    except KeyError:
        return format_html("<span>#{}</span>", code)
    return format_html('<span class="kind-mark">{} {}</span>', icon(found.icon), words.own(found, "label"))


@register.inclusion_tag("shell/empty.html")
def empty(title: str, text: str = "", url: str = "", label: str = "", symbol: str = "seedling") -> dict[str, str]:
    """What an empty place says, and the one thing to do next."""
    return {"title": title, "text": text, "url": url, "label": label, "symbol": symbol}


@register.inclusion_tag("shell/pager.html", takes_context=True)
def pager(context: Mapping[str, Any], following: str, key: str = "after", at: str = "") -> dict[str, str]:
    """The foot of a list that goes on by `kit.keyset`: to its beginning and to the page that `following` marks.

    Nothing where all is shown. What the address asks for besides stays. `at`: the id of the list on a longer page.
    """
    kept = context["request"].GET.copy()
    paged = bool(kept.pop(key, None))
    place = f"#{at}" if at else ""
    first = f"?{kept.urlencode()}{place}" if paged else ""
    kept[key] = following
    return {"first": first, "next": f"?{kept.urlencode()}{place}" if following else ""}


@register.inclusion_tag("shell/progress.html")
def progress(done: int | None, total: int | None) -> dict[str, Any]:
    """A bar with both numbers; full where there is nothing to do."""
    done, total = done or 0, total or 0
    share = 100 if not total else min(100, round(100 * done / total))
    return {"done": done, "total": total, "share": share}


@register.inclusion_tag("shell/field.html")
def field(bound: Any, hint: str = "") -> dict[str, Any]:
    """A form's field with label, hint and its errors next to it, dressed for the house."""
    return {"field": words.dress(bound), "hint": hint or bound.help_text}


@register.inclusion_tag("shell/chart.html")
def chart(name: str, options: Any, height: int = 280) -> dict[str, Any]:
    """A chart with its numbers as a table behind it.

    `options` is an ECharts options mapping (or its JSON). The table is read from its category axis and series, or given
    outright under the key `table`: {"columns": [...], "rows": [[...], ...]}.
    """
    drawn = dict(json.loads(options) if isinstance(options, str) else options)
    table = drawn.pop("table", None) or words.chart_table(drawn)
    return {"id": name, "data": json_script(drawn), "table": table, "height": int(height)}


@register.filter
def attr(mapping: Any, key: Any) -> Any:
    """`mapping[key]` where a template's dot cannot say it; '' where it is missing."""
    return mapping.get(key, "") if hasattr(mapping, "get") else ""


@register.simple_tag
def role_name(role: str) -> str:
    """A role in words."""
    return words.role(role)


@register.simple_tag
def in_english() -> bool:
    return words.english()
