"""The forms behind a scenario's parts, made from the controls that each part declares."""

from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from hagukumi.nurture.scenarios import doors
from hagukumi.nurture.scenarios.controls import Control
from hagukumi.nurture.scenarios.doors import Door
from hagukumi.nurture.scenarios.nodes import Node

WEEKDAYS = (
    (0, pgettext_lazy("曜日", "月")),
    (1, pgettext_lazy("曜日", "火")),
    (2, pgettext_lazy("曜日", "水")),
    (3, pgettext_lazy("曜日", "木")),
    (4, pgettext_lazy("曜日", "金")),
    (5, pgettext_lazy("曜日", "土")),
    (6, pgettext_lazy("曜日", "日")),
)


class NameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("シナリオの名前"), max_length=120)


class _MayWait:
    """A field that publishing asks for and a draft does not: shown as needed, accepted empty."""

    def validate(self, value: Any) -> None:
        if value not in self.empty_values:  # type: ignore[attr-defined]
            super().validate(value)  # type: ignore[misc]


class _Text(_MayWait, forms.CharField):
    pass


class _Number(_MayWait, forms.IntegerField):
    def clean(self, value: Any) -> int:
        return super().clean(value) or 0


class _Choice(_MayWait, forms.TypedChoiceField):
    pass


class _Time(forms.TimeField):
    def clean(self, value: Any) -> str:
        at = super().clean(value)
        return at.strftime("%H:%M") if at else ""


def _field(control: Control, stored: Any) -> forms.Field:
    """The form's field of a control. What is stored stays among its choices, or saving the rest would lose it."""
    named = {"label": control.label, "help_text": control.hint}
    match control.sort:
        case "number":
            return _Number(min_value=0, max_value=control.most, **named)
        case "text":
            return _Text(max_length=control.most, **named)
        case "weekdays":
            boxes = forms.CheckboxSelectMultiple
            return forms.TypedMultipleChoiceField(choices=WEEKDAYS, coerce=int, required=False, widget=boxes, **named)
        case "time":
            return _Time(required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M"), **named)
        case _ if control.always:
            return forms.ChoiceField(choices=[*control.options()], **named)
        case sort:
            offered = [("", _("選んでください")), *control.options()]
            if stored not in (None, "") and str(stored) not in {str(value) for value, _text in offered}:
                offered.append((stored, control.says(stored) if control.says else _("（いまは選べないもの）")))
            coerce, empty = (int, None) if sort == "pick" else (str, "")
            return _Choice(choices=offered, coerce=coerce, empty_value=empty, **named)


class PartForm(forms.Form):
    """The form of one part. `values` gives the controls' values; `lines` is how it is laid out."""

    use_required_attribute = False

    def __init__(self, controls: list[Control], data: Any, initial: dict[str, Any], prefix: str) -> None:
        super().__init__(data, initial=initial, prefix=prefix)
        self.controls = controls
        self.fields |= {control.name: _field(control, initial.get(control.name)) for control in controls}

    def values(self) -> dict[str, Any]:
        return {control.name: self.cleaned_data[control.name] for control in self.controls}

    def lines(self) -> list[dict[str, Any]]:
        """Rows of {heading, hidden, fields}: those beside each other in one, one with a single field else.

        What another choice would show is hidden, not left out: its value is there again when one chooses back.
        """
        rows: list[dict[str, Any]] = []
        for beside, group in groupby(self.controls, key=lambda control: control.beside):
            found = list(group)
            size = beside or 1
            for first in range(0, len(found), size):
                part = found[first : first + size]
                fields = [self[control.name] for control in part]
                rows.append({"heading": part[0].heading, "hidden": self._is_hidden(part[0]), "fields": fields})
        return rows

    def _is_hidden(self, control: Control) -> bool:
        if control.when is None:
            return False
        name, values = control.when
        chosen = self[name].value()
        offered = {str(value) for value, _text in self.fields[name].choices}  # type: ignore[attr-defined]
        return chosen in offered and chosen not in values


class NodeForm(PartForm):
    """The form of a node: its controls, and a name of the user's own."""

    def __init__(self, node: Node, data: Any = None) -> None:
        super().__init__(node.controls(), data, {**node.filled(), "name": node.name}, node.id)
        self.node = node
        self.fields["name"] = forms.CharField(label=_("呼び名"), max_length=60, required=False)

    def values(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"], **self.node.taken(super().values())}


class EntryForm(PartForm):
    def __init__(self, door: Door, data: Any = None) -> None:
        initial = {"type": door.type, "re_entry": door.re_entry, **door.filled()}
        super().__init__(doors.controls(), data, initial, "entry")

    def values(self) -> dict[str, Any]:
        return doors.taken(super().values())
