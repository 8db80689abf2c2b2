"""The forms behind a scenario's nodes: one a type, from and to the values of `scenarios.rules`."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from hagukumi.channels.mail import reads as mail
from hagukumi.collect.forms import reads as collected
from hagukumi.collect.tracking import reads as tracking
from hagukumi.collect.tracking.rules import CATEGORIES
from hagukumi.judge.phases import reads as phases
from hagukumi.judge.segments import reads as segments
from hagukumi.nurture.scenarios import rules
from hagukumi.screens.shell import words

WEEKDAYS = (
    (0, pgettext_lazy("曜日", "月")),
    (1, pgettext_lazy("曜日", "火")),
    (2, pgettext_lazy("曜日", "水")),
    (3, pgettext_lazy("曜日", "木")),
    (4, pgettext_lazy("曜日", "金")),
    (5, pgettext_lazy("曜日", "土")),
    (6, pgettext_lazy("曜日", "日")),
)
TESTS = (
    ("clicked", gettext_lazy("メールをクリックした")),
    ("opened", gettext_lazy("メールを開いた")),
    ("visited", gettext_lazy("ページを見た")),
    ("answered", gettext_lazy("フォームに回答した")),
    ("segment", gettext_lazy("セグメントに当てはまる")),
)
ENTRIES = (("segment", gettext_lazy("セグメントに入ったとき")), ("form", gettext_lazy("フォームに回答したとき")))


def _messages() -> list[tuple[Any, str]]:
    return _chosen(mail.choices())


def _segments() -> list[tuple[Any, str]]:
    return _chosen(segments.choices())


def _forms() -> list[tuple[Any, str]]:
    return _chosen(collected.choices())


def _pages() -> list[tuple[Any, str]]:
    return _chosen((page.id, page.title or page.url) for page in tracking.offered_pages())


def _categories() -> list[tuple[Any, str]]:
    found = tracking.categories_in_use()
    return _chosen((key, CATEGORIES.get(key, (key, key))[words.english()]) for key in found)


def _phases() -> list[tuple[Any, str]]:
    return _chosen((one.id, f"{words.own(one.model)}: {words.own(one)}") for one in phases.every_phase())


def _chosen(found: Any) -> list[tuple[Any, str]]:
    return [("", _("選んでください")), *found]


class _MayWait:
    """A field that publishing asks for and a draft does not: shown as needed, accepted empty."""

    def validate(self, value: Any) -> None:
        if value not in self.empty_values:  # type: ignore[attr-defined]
            super().validate(value)  # type: ignore[misc]


class _Text(_MayWait, forms.CharField):
    pass


class _Number(_MayWait, forms.IntegerField):
    def __init__(self, label: Any, most: int) -> None:
        super().__init__(label=label, min_value=0, max_value=most)


class _Choice(_MayWait, forms.TypedChoiceField):
    """A choice of a definition; what is not chosen yet is None."""

    def __init__(self, label: Any, offer: Any, coerce: Any = int, empty_value: Any = None) -> None:
        super().__init__(label=label, choices=offer, coerce=coerce, empty_value=empty_value)


class NameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("シナリオの名前"), max_length=120)


class NodeForm(forms.Form):
    """`values` gives what `scenarios.drafts.change` takes."""

    use_required_attribute = False
    hidden_names: list[str] = []
    name = forms.CharField(label=gettext_lazy("呼び名"), max_length=60, required=False)

    def values(self) -> dict[str, Any]:
        return {key: value for key, value in self.cleaned_data.items() if value is not None}


class MailForm(NodeForm):
    message_id = _Choice(gettext_lazy("送るメール"), _messages)
    field_order = ("message_id", "name")


class WaitForm(NodeForm):
    days = _Number(gettext_lazy("日数"), 366)
    hours = _Number(gettext_lazy("時間数"), 999)
    minutes = _Number(gettext_lazy("分数"), 9999)
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("曜日"), choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    time = forms.TimeField(
        label=gettext_lazy("時刻（日本時間）"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    field_order = ("days", "hours", "minutes", "weekdays", "time", "name")

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        at = given["time"]
        return {
            "name": given["name"],
            "weekdays": tuple(given["weekdays"]),
            "time": at.strftime("%H:%M") if at else "",
            **{key: given[key] or 0 for key in ("days", "hours", "minutes")},
        }


class BranchForm(NodeForm):
    """Only the fields of the chosen test are shown; the others keep nothing."""

    test = forms.ChoiceField(label=gettext_lazy("分ける行動"), choices=TESTS)
    message_id = _Choice(gettext_lazy("どのメール"), _messages)
    page_id = _Choice(gettext_lazy("どのページ"), _pages)
    category = _Choice(gettext_lazy("または、ページの分類"), _categories, coerce=str, empty_value="")
    form_id = _Choice(gettext_lazy("どのフォーム"), _forms)
    segment_id = _Choice(gettext_lazy("どのセグメント"), _segments)
    days = _Number(gettext_lazy("日数"), 366)
    hours = _Number(gettext_lazy("時間数"), 999)
    field_order = ("test", "message_id", "page_id", "category", "form_id", "segment_id", "days", "hours", "name")

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "name": given["name"],
            "days": given["days"] or 0,
            "hours": given["hours"] or 0,
            "test": _test_of(given),
        }


def _test_of(given: dict[str, Any]) -> dict[str, Any]:
    kind = given["test"]
    if kind in ("clicked", "opened"):
        return {"type": kind, "message_id": given["message_id"]}
    if kind == "visited":
        return {"type": kind, "page_id": given["page_id"], "category": "" if given["page_id"] else given["category"]}
    if kind == "answered":
        return {"type": kind, "form_id": given["form_id"]}
    tree = {"type": "segment", "segment": given["segment_id"]} if given["segment_id"] else {}
    return {"type": "holds", "tree": tree}


class PhaseForm(NodeForm):
    phase_id = _Choice(gettext_lazy("移す先"), _phases)
    field_order = ("phase_id", "name")


class TagForm(NodeForm):
    tag = _Text(label=gettext_lazy("タグ"), max_length=60)
    field_order = ("tag", "name")


class EntryForm(forms.Form):
    use_required_attribute = False
    type = forms.ChoiceField(label=gettext_lazy("だれが入るか"), choices=ENTRIES)
    segment_id = _Choice(gettext_lazy("セグメント"), _segments)
    form_id = _Choice(gettext_lazy("フォーム"), _forms)
    re_entry = forms.ChoiceField(
        label=gettext_lazy("二度目"),
        choices=(
            ("never", gettext_lazy("一人一回だけ入る")),
            ("per_fact", gettext_lazy("終わったあとなら、また入る")),
        ),
    )

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        target = "segment_id" if given["type"] == "segment" else "form_id"
        return {"type": given["type"], target: given[target], "re_entry": given["re_entry"]}


FORMS: dict[str, type[NodeForm]] = {
    "mail": MailForm, "wait": WaitForm, "branch": BranchForm, "phase": PhaseForm, "tag": TagForm,
    "hand_over": NodeForm, "end": NodeForm,
}  # fmt: skip
USED = {
    "clicked": ("message_id",), "opened": ("message_id",), "visited": ("page_id", "category"),
    "answered": ("form_id",), "segment": ("segment_id",),
}  # fmt: skip


def form_of(node: rules.AnyNode, data: Any = None) -> NodeForm:
    """The form of a node, filled from it or from what was posted."""
    initial = node.model_dump()
    if isinstance(node, rules.Branch):
        test = initial.pop("test")
        tree = test.pop("tree", {})
        kind = "segment" if test["type"] == "holds" else test["type"]
        initial |= {**test, "test": kind, "segment_id": tree.get("segment")}
    form = FORMS[node.type](data, initial=initial, prefix=node.id)
    if isinstance(node, rules.Branch):
        kept = USED[form["test"].value() if form["test"].value() in USED else "clicked"]
        form.hidden_names = [name for names in USED.values() for name in names if name not in kept]
    return form
