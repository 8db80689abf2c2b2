"""The graph: what is wrong with one, where time leads, who stands where, how it is drawn and changed."""

from datetime import UTC, datetime, timedelta

import pytest

from hagukumi.nurture.scenarios import drafts, places, rules
from hagukumi.nurture.scenarios.nodes.wait import Wait

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # Friday, 10:00 in Tokyo
ENTRY = {"type": "segment", "segment_id": 1}


def graph(*nodes: dict, entry: dict | None = None) -> rules.Graph:
    return rules.Graph.model_validate({"schema": 1, "entry": entry or ENTRY, "start": nodes[0]["id"], "nodes": nodes})


def wait(**values) -> Wait:
    return Wait(id="w", next="e", **values)


MAIL = {"id": "m", "type": "mail", "message_id": 1, "next": "w"}
WAIT = {"id": "w", "type": "wait", "days": 1, "next": "b"}
BRANCH = {
    "id": "b", "type": "branch", "test": {"type": "clicked", "message_id": 1}, "days": 1, "yes": "e", "no": "m",
}  # fmt: skip
END = {"id": "e", "type": "end"}


def test_a_whole_graph_has_no_problems_even_with_a_loop_through_a_wait():
    assert rules.problems(graph(MAIL, WAIT, BRANCH, END)) == []


@pytest.mark.parametrize(
    ("nodes", "node", "words"),
    [
        ([{**MAIL, "message_id": None}, WAIT, BRANCH, END], "m", "送るメール"),
        ([{**MAIL, "next": "x"}, END], "m", "次のステップがありません"),
        ([{**MAIL, "next": "e"}, END, {"id": "z", "type": "end"}], "z", "どこからも進めません"),
        ([MAIL, {**WAIT, "days": 0}, BRANCH, END], "w", "待つ長さ"),
        ([MAIL, WAIT, {**BRANCH, "days": 0}, END], "b", "反応を待つ長さ"),
        ([{**MAIL, "next": "b"}, BRANCH, END], "m", "待たずに同じステップへ"),
        ([{"id": "t", "type": "tag", "tag": " ", "next": "e"}, END], "t", "タグを入れて"),
        ([{"id": "p", "type": "phase", "next": "e"}, END], "p", "移す先のフェーズ"),
        ([MAIL, {**WAIT, "next": "m"}], "", "終わりに着く道"),
    ],
)
def test_each_problem_names_its_step(nodes, node, words):
    found = rules.problems(graph(*nodes))
    assert any(problem.node == node and words in problem.text for problem in found), found


def test_an_entry_must_be_chosen():
    assert rules.problems(graph(END, entry={"type": "form"}))[0].text == "入口のフォームを選んでください。"


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ({"days": 3}, datetime(2026, 11, 23, 1, 0, tzinfo=UTC)),
        ({"hours": 1, "minutes": 30}, NOW + timedelta(minutes=90)),
        ({"time": "10:00"}, NOW),
        ({"time": "09:59"}, datetime(2026, 11, 21, 0, 59, tzinfo=UTC)),
        ({"weekdays": (0,), "time": "00:00"}, datetime(2026, 11, 22, 15, 0, tzinfo=UTC)),
        ({"days": 1, "weekdays": (0, 1, 2, 3, 4), "time": "09:00"}, datetime(2026, 11, 23, 0, 0, tzinfo=UTC)),
        ({"weekdays": (4,)}, NOW),
        ({"minutes": 1, "weekdays": (4,)}, datetime(2026, 11, 27, 1, 0, tzinfo=UTC)),
    ],
)
def test_when_a_wait_ends(values, due):
    assert wait(**values).due_at(NOW) == due


def test_a_leg_passes_what_is_done_at_once_and_stops_where_people_stand():
    leg = rules.leg(graph(MAIL, WAIT, BRANCH, END), rules.ENTRY, "next")
    assert ([node.id for node in leg.passed], leg.rest.id) == (["m"], "w")
    assert leg.left() == [("entry", "next"), ("m", "next")]


def test_standing_is_arrivals_less_departures():
    left = {
        ("entry", "in"): 9,
        ("entry", "next"): 7,
        ("m", "next"): 8,
        ("w", "next"): 5,
        ("b", "yes"): 2,
        ("b", "no"): 1,
    }
    here = places.standing(graph(MAIL, WAIT, BRANCH, END), left | {("b", "stopped"): 1})
    assert here == {"entry": 2, "m": 0, "w": 3, "b": 1, "e": 2}


def test_the_drawing_puts_ways_side_by_side_and_ends_below():
    two = graph(MAIL, WAIT, {**BRANCH, "no": "z"}, END, {"id": "z", "type": "end"})
    assert places.layout(two) == {"entry": (0, 0), "m": (0, 1), "w": (0, 2), "b": (0, 3), "e": (0, 4), "z": (1, 4)}
    many = [{**BRANCH, "id": f"b{n}", "yes": f"b{n + 1}", "no": f"b{n + 1}"} for n in range(60)]
    assert places.layout(graph(*many, {"id": "b60", "type": "end"}))["b60"][1] == 61


def test_stored_and_read_again_it_is_the_same():
    whole = graph(MAIL, WAIT, BRANCH, END)
    assert rules.Graph.model_validate(whole.stored()) == whole
    assert whole.stored()["schema"] == 1


def test_removing_a_branch_keeps_its_yes_way_and_drops_what_only_no_led_to():
    two = graph({**MAIL, "next": "b"}, {**BRANCH, "no": "w"}, {**WAIT, "next": "z"}, END, {"id": "z", "type": "end"})
    left = drafts.remove(two, "b")
    assert [node.id for node in left.nodes] == ["m", "e"]
    assert drafts.remove(left, "e") == left


def test_adding_everywhere_leaves_a_graph_that_is_whole_but_for_what_must_be_chosen():
    grown = rules.empty()
    for kind in ("mail", "wait", "branch", "phase", "tag", "hand_over"):
        grown, _new = drafts.add(grown, rules.ENTRY, "next", kind)
    texts = {problem.text for problem in rules.problems(grown)}
    assert not any("ステップ" in text or "道" in text for text in texts), texts
