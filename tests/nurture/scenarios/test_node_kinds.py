"""A kind of node is one class: registered, it is offered, saved, drawn, run and told with no other change."""

import json
from collections.abc import Iterator
from typing import Literal

import pytest
from django.urls import reverse
from django.utils import translation

from hagukumi.judge.segments.controls import pick
from hagukumi.nurture.scenarios import nodes, reads, rules
from hagukumi.nurture.scenarios.controls import Control
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.nurture.scenarios.nodes import NODES, Passed, Passers
from hagukumi.nurture.scenarios.parts import Names, Ref
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import LeadTag

pytestmark = pytest.mark.django_db


class Applause(Passed):
    """Gives a mark of so many stars, for what is written on a form."""

    label, icon, place = "拍手する", "confetti", 25
    type: Literal["applause"] = "applause"
    stars: int = 0
    form_id: int | None = None

    def problems(self) -> Iterator[str]:
        if not self.stars:
            yield pick("星の数を入れてください。", "Say how many stars.")

    def points_to(self) -> Iterator[Ref]:
        if self.form_id:
            yield Ref("form", self.form_id, pick("拍手のフォームがありません。", "The form is gone."))

    def does(self, names: Names) -> str:
        return pick(f"{self.stars}つ星の拍手", f"Applaud with {self.stars} stars")

    def act(self, passers: Passers) -> None:
        for hop, people in passers.by_hop():
            leads.tag_from(people, "★" * self.stars, now=passers.now, hop=hop)

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("stars", "number", "星", most=5), Control("form_id", "pick", "フォーム", lambda: [(7, "七番")])]


@pytest.fixture
def applause():
    NODES.register(Applause)
    yield Applause
    NODES.forget(Applause)


@pytest.fixture
def desk(marketer, signed_in):
    return signed_in(marketer)


def change(client, scenario: Scenario, **values):
    scenario.refresh_from_db()
    posted = {"seen": reads.revision(scenario), **values}
    return client.post(reverse("scenario_edit", args=[scenario.id]), posted, headers={"HX-Request": "true"})


def test_a_kind_of_its_own_goes_from_the_menu_to_the_ledger(applause, desk, segment, people, put_in, tick, now):
    where = segment()
    desk.post(reverse("scenario_new"), {"name": "拍手の会"})
    scenario = Scenario.objects.get()
    entry = {"entry-type": "segment", "entry-segment_id": where, "entry-re_entry": "never"}
    offered = change(desk, scenario, act="entry", **entry).text
    assert 'value="applause"' in offered
    assert "拍手する" in offered

    added = change(desk, scenario, act="add", node="entry", exit="next", kind="applause").text
    assert "星の数を入れてください。" in added
    too_many = change(desk, scenario, act="change", node="n2", **{"n2-stars": "6", "n2-form_id": "", "n2-name": ""})
    assert too_many.status_code == 422
    change(desk, scenario, act="change", node="n2", **{"n2-stars": "3", "n2-form_id": "7", "n2-name": ""})
    scenario.refresh_from_db()
    assert scenario.draft["nodes"][1] == {
        "type": "applause", "id": "n2", "name": "", "next": "n1", "stars": 3, "form_id": 7,
    }  # fmt: skip
    gone = desk.post(reverse("scenario_publish", args=[scenario.id]))
    assert "拍手のフォームがありません。" in gone.text

    change(desk, scenario, act="change", node="n2", **{"n2-stars": "3", "n2-form_id": "", "n2-name": ""})
    desk.post(reverse("scenario_publish", args=[scenario.id]))
    put_in(where, people(2))
    tick(now)
    assert list(LeadTag.objects.values_list("tag", flat=True)) == ["★★★", "★★★"]

    page = desk.get(reverse("scenario", args=[scenario.id]))
    card = next(node for node in page.context["graph"]["nodes"] if node["id"] == "n2")
    assert (card["title"], card["kind"], card["look"]) == ("3つ星の拍手", "拍手する", "step")
    assert page.context["graph"]["counts"]["edges"]["n2-next"] == 2
    assert "tabler-confetti" in page.text or "#confetti" in page.text
    with translation.override("en"):
        graph = reads.graph_of(reads.versions(scenario.id)[0])
        assert rules.title(graph.node("n2"), graph.names()) == "Applaud with 3 stars"


def test_without_its_class_a_stored_node_is_refused_and_named():
    stored = {"schema": 1, "start": "n1", "nodes": [{"id": "n1", "type": "applause", "next": "n1"}]}
    with pytest.raises(ValueError, match="applause"):
        rules.Graph.model_validate(stored)


def test_a_type_belongs_to_one_class(applause):
    class Another(Passed):
        type: Literal["applause"] = "applause"

    with pytest.raises(ValueError, match="applause"):
        NODES.register(Another)


@pytest.mark.parametrize("hostile", [{"type": ["mail"]}, {"type": None}, {}, [], "mail", 1])
def test_what_is_no_part_is_refused(hostile):
    with pytest.raises(ValueError, match="node"):
        NODES.parse(hostile)


def test_every_module_of_the_package_is_part_of_the_language():
    assert {kind.__module__.rpartition(".")[2] for kind in NODES.offered()} == {
        "mail", "wait", "branch", "phase", "tag", "hand_over", "end",
    }  # fmt: skip
    assert [kind.place for kind in NODES.offered()] == sorted(kind.place for kind in NODES.offered())
    assert nodes.NODES is NODES


def test_every_kind_fills_its_own_form_and_takes_it_back(now):
    """What a form shows is what it saves: an unedited round trip changes nothing."""
    from hagukumi.screens.nurture.scenarios.forms import NodeForm

    for kind in NODES.offered():
        node = kind.fresh("n2", "n1", "n3", [])[0]
        shown = NodeForm(node)
        posted = {shown[name].html_name: _posted(shown[name].value()) for name in shown.fields}
        form = NodeForm(node, posted)
        assert form.is_valid(), (kind, form.errors)
        changed = type(node).model_validate(node.model_dump() | json.loads(json.dumps(form.values())))
        assert changed == node, kind


def _posted(value):
    return "" if value is None else list(value) if isinstance(value, tuple) else value
