"""What a scenario at work needs is not put away behind its back: it is named wherever in its graph that stands."""

import pytest

from hagukumi.ledger.uses import of
from hagukumi.nurture.scenarios import rules, services
from hagukumi.nurture.scenarios.models import Scenario

pytestmark = pytest.mark.django_db
END = {"id": "z", "type": "end"}


def branch(test: dict) -> dict:
    return {"id": "b", "type": "branch", "test": test, "days": 2, "yes": "z", "no": "z"}


def asked(name: str, number: int) -> tuple[dict, dict, str]:
    """(entry, first node, table) of a scenario that needs the definition `number` at the place `name`."""
    nobody = {"type": "form", "form_id": 1}
    acts = {"type": "activity", "kinds": ["form_submitted"], "objects": [number]}
    return {
        "the door of a segment": ({"type": "segment", "segment_id": number}, END, "segment"),
        "the door of a form": ({"type": "form", "form_id": number}, END, "form"),
        "a mail": (nobody, {"id": "b", "type": "mail", "message_id": number, "next": "z"}, "message"),
        "a click": (nobody, branch({"type": "clicked", "message_id": number}), "message"),
        "an open": (nobody, branch({"type": "opened", "message_id": number}), "message"),
        "an answer": (nobody, branch({"type": "answered", "form_id": number}), "form"),
        "a page": (nobody, branch({"type": "visited", "page_id": number}), "page"),
        "a phase": (nobody, {"id": "b", "type": "phase", "phase_id": number, "next": "z"}, "phase"),
        "a segment in a condition": (
            nobody,
            branch({"type": "holds", "tree": {"type": "not", "item": {"type": "segment", "segment": number}}}),
            "segment",
        ),
        "a form in a condition": (nobody, branch({"type": "holds", "tree": acts}), "form"),
    }[name]


PLACES = (
    "the door of a segment", "the door of a form", "a mail", "a click", "an open", "an answer", "a page", "a phase",
    "a segment in a condition", "a form in a condition",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_scenario_names_what_it_needs(place, now):
    """Wherever in the graph it stands; another row of the same table is free."""
    entry, node, table = asked(place, 41)
    nodes = [node] if node is END else [node, END]
    graph = rules.Graph.model_validate({"schema": 1, "entry": entry, "start": nodes[0]["id"], "nodes": nodes})
    scenario = services.create("展示会フォロー", now=now, graph=graph)
    assert of(table, 41) == [], "a draft needs nothing"
    version = scenario.scenarioversion_set.create(number=1, graph=graph.stored(), published_at=now)
    Scenario.objects.filter(id=scenario.id).update(state="running", version=version)
    assert [(use.ja, use.name, use.url) for use in of(table, 41)] == [
        ("シナリオ", "展示会フォロー", f"/scenarios/{scenario.id}/")
    ]
    assert of(table, 42) == []
    services.stop(scenario.id, now)
    assert [use.name for use in of(table, 41)] == ["展示会フォロー"], "until everybody is out"
    Scenario.objects.filter(id=scenario.id).update(state="stopped")
    assert of(table, 41) == []
