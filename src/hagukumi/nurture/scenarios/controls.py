"""How a part of a scenario is set by hand: its controls, from which the editor makes a form."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext_lazy

Options = Iterable[tuple[Any, Any]]


@dataclass(frozen=True)
class Control:
    """One field. Empty is accepted (publishing asks for what is missing), but within `most` where something stands.

    `options`: (value, text) of a `pick` (an id) or a `word` (a text); `always`: one of them is chosen at any time.
    `says`: what a stored value is called that is not offered any more; it stays chosen until somebody chooses anew.
    `beside`: it shares its line with that many others. `heading` stands above it. `when`: the control and those of its
    values with which this one is shown.
    """

    name: str
    sort: Literal["pick", "word", "number", "text", "weekdays", "time"]
    label: Any
    options: Callable[[], Options] = tuple
    says: Callable[[Any], str] | None = None
    always: bool = False
    most: int = 0
    beside: int = 0
    heading: Any = ""
    hint: Any = ""
    when: tuple[str, frozenset[str]] | None = None


def length_of_time(*, minutes: bool = False, heading: Any = "") -> list[Control]:
    """Days and hours, and minutes where wanted, on one line."""
    found = [
        Control("days", "number", gettext_lazy("日数"), most=366, beside=2 + minutes, heading=heading),
        Control("hours", "number", gettext_lazy("時間数"), most=999, beside=2 + minutes),
    ]
    if minutes:
        found.append(Control("minutes", "number", gettext_lazy("分数"), most=9999, beside=3))
    return found
