"""The scenarios' screens: build one from nothing by form, publish it, look in, turn it off and on, try it."""

import pytest
from django.urls import reverse
from django.utils import translation

from hagukumi.collect.tracking.models import Page
from hagukumi.nurture.scenarios import reads, rules, services
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.nurture.scenarios.nodes.branch import Branch
from hagukumi.nurture.scenarios.nodes.wait import Wait
from hagukumi.nurture.scenarios.parts import Names
from hagukumi.nurture.scenarios.questions import Clicked, Visited
from hagukumi.screens.nurture.scenarios.forms import NodeForm

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(marketer, signed_in):
    return signed_in(marketer)


def post(client, scenario: Scenario, **values):
    scenario.refresh_from_db()
    values.setdefault("seen", reads.revision(scenario))
    return client.post(reverse("scenario_edit", args=[scenario.id]), values, headers={"HX-Request": "true"})


def draft(scenario: Scenario) -> rules.Graph:
    scenario.refresh_from_db()
    return reads.draft_of(scenario)


def test_an_empty_list_says_what_to_do_next(desk):
    answer = desk.get(reverse("scenarios"))
    assert "シナリオはまだありません" in answer.text
    assert reverse("scenario_new") in answer.text


def test_building_and_publishing_one_by_form(desk, segment, message, now):
    where, what = segment(), message()
    desk.post(reverse("scenario_new"), {"name": "資料請求後のフォロー"})
    scenario = Scenario.objects.get()
    answer = desk.get(reverse("scenario_edit", args=[scenario.id]))
    assert "入口のセグメントを選んでください" in answer.text
    post(desk, scenario, act="entry", **{"entry-type": "segment", "entry-segment_id": where, "entry-re_entry": "never"})
    post(desk, scenario, act="add", node="entry", exit="next", kind="mail")
    post(desk, scenario, act="change", node="n2", **{"n2-message_id": what, "n2-name": "最初のメール"})
    post(desk, scenario, act="add", node="n2", exit="next", kind="branch")
    graph = draft(scenario)
    branch = graph.node("n3")
    assert isinstance(branch, Branch)
    assert branch.test == Clicked(message_id=what)
    assert (branch.yes, branch.no) == ("n1", "n4")
    post(desk, scenario, act="add", node="n3", exit="yes", kind="hand_over")
    answer = post(desk, scenario, act="add", node="n3", exit="no", kind="wait")
    assert "このまま公開できます" in answer.text
    answer = desk.get(reverse("scenario_publish", args=[scenario.id]))
    assert "第1版として公開します" in answer.text
    assert "0 名も入れる" not in answer.text, "nobody is in the segment: there is nothing to choose"
    assert "いま新たに入る人はいません" in answer.text
    desk.post(reverse("scenario_publish", args=[scenario.id]))
    scenario.refresh_from_db()
    assert (scenario.state, scenario.version.number) == ("running", 1)
    page = desk.get(reverse("scenario", args=[scenario.id]))
    assert "最初のメール" in page.text


def test_an_unfinished_draft_is_not_published_and_the_step_is_named(desk, segment, now):
    scenario = services.create("途中", now=now)
    post(desk, scenario, act="add", node="entry", exit="next", kind="mail")
    answer = desk.post(reverse("scenario_publish", args=[scenario.id]))
    assert answer.status_code == 422
    assert "送るメールを選んでください" in answer.text
    scenario.refresh_from_db()
    assert scenario.version is None


def test_a_change_by_somebody_else_is_shown_and_not_overwritten(desk, now):
    scenario = services.create("二人で", now=now)
    before = reads.revision(scenario)
    post(desk, scenario, act="add", node="entry", exit="next", kind="tag")
    answer = post(desk, scenario, act="add", node="entry", exit="next", kind="wait", seen=before)
    assert answer.status_code == 422
    assert "ほかの人が先に変更しました" in answer.text
    assert [node.type for node in draft(scenario).nodes] == ["end", "tag"]


def test_a_bad_value_stands_next_to_its_field_and_is_not_kept(desk, now):
    scenario = services.create("誤り", now=now)
    post(desk, scenario, act="add", node="entry", exit="next", kind="wait")
    answer = post(desk, scenario, act="change", node="n2", **{"n2-days": "9999", "n2-hours": "", "n2-minutes": ""})
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text
    assert draft(scenario).node("n2").days == 3


def test_removing_a_step_closes_the_gap(desk, now):
    scenario = services.create("消す", now=now)
    post(desk, scenario, act="add", node="entry", exit="next", kind="tag")
    post(desk, scenario, act="add", node="entry", exit="next", kind="wait")
    post(desk, scenario, act="remove", node="n2")
    graph = draft(scenario)
    assert (graph.start, graph.node(graph.start).exits()) == ("n3", {"next": "n1"})


def test_hostile_posts_are_refused(desk, now):
    scenario = services.create("悪意", now=now)
    for values in (
        {"act": "add", "node": "n99", "kind": "tag"},
        {"act": "add", "node": "entry", "kind": "__class__"},
        {"act": "lead", "node": "n1", "exit": "id", "target": "n1"},
        {"act": "nothing"},
    ):
        assert post(desk, scenario, **values).status_code == 400
    assert desk.get(reverse("scenarios") + "999/").status_code == 404


@pytest.fixture
def live(running, segment, message, people, put_in, tick, now):
    where, what = segment(), message()
    scenario = running(
        {"type": "segment", "segment_id": where},
        {"id": "n1", "type": "mail", "message_id": what, "next": "n2"},
        {"id": "n2", "type": "branch", "test": {"type": "clicked", "message_id": what}, "days": 3}
        | {"yes": "n3", "no": "n4"},
        {"id": "n3", "type": "hand_over", "next": "n4"},
        {"id": "n4", "type": "end"},
        name="展示会フォロー",
    )  # fmt: skip
    put_in(where, people(60))
    tick(now)
    return scenario


def test_counts_are_live(desk, live):
    answer = desk.get(reverse("scenario_counts", args=[live.id, 1])).json()
    assert (answer["nodes"]["n2"], answer["edges"]["n1-next"]) == (60, 60)
    assert "60" in desk.get(reverse("scenarios")).text


def test_people_come_by_keyset(desk, live):
    first = desk.get(reverse("scenario_people", args=[live.id, 1]))
    assert len(first.context["rows"]) == reads.PAGE
    second = desk.get(reverse("scenario_people", args=[live.id, 1]), {"node": "n2", "after": first.context["next"]})
    met = [row["lead_id"] for row in first.context["rows"] + second.context["rows"]]
    assert len(met) == len(set(met)) == 60
    assert desk.get(reverse("scenario_people", args=[live.id, 1]), {"node": "through"}).status_code == 200
    assert desk.get(reverse("scenario_people", args=[live.id, 1]), {"after": "x~y"}).status_code == 400


def test_pause_resume_and_stop_name_the_people(desk, live):
    page = desk.get(reverse("scenario", args=[live.id])).text
    assert "進行中の 60 名は、いまの場所で待ちます" in page
    for act, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopping")):
        desk.post(reverse("scenario_turn", args=[live.id, act]))
        live.refresh_from_db()
        assert live.state == state


def test_a_test_run_shows_the_way_and_leaves_no_trace(desk, live, people, now):
    from hagukumi.channels.outbox.models import Delivery
    from hagukumi.ledger.models import Activity

    [lead] = people(1)
    before = (Delivery.objects.count(), Activity.objects.count())
    address = reverse("scenario_try", args=[live.id])
    assert "山田" in desk.get(address, {"q": ""}).text
    plain = desk.get(address, {"lead": lead})
    assert [item["stop"].exit for item in plain.context["way"]] == ["next", "no", ""]
    assert "導入事例のご紹介" in plain.text
    chosen = desk.get(address, {"lead": lead, "at_n2": "yes"})
    assert [item["stop"].node.id for item in chosen.context["way"]] == ["n1", "n2", "n3", "n4"]
    assert (Delivery.objects.count(), Activity.objects.count()) == before


def test_sales_may_look_and_not_touch(seller, signed_in, live):
    client = signed_in(seller)
    assert client.get(reverse("scenario", args=[live.id])).status_code == 200
    for address in ("scenario_edit", "scenario_publish", "scenario_try"):
        assert client.get(reverse(address, args=[live.id])).status_code == 403
    assert client.post(reverse("scenario_turn", args=[live.id, "stop"])).status_code == 403


def test_page_categories_are_told_in_words(now):
    Page.objects.create(url="https://www.example.co.jp/price/", category="price", first_seen_at=now)
    branch = Branch(id="n2", yes="n3", no="n4", test=Visited(category="price"))
    assert branch.does(Names({})) == "「価格」を見たか"
    assert ("price", "価格") in list(NodeForm(branch).fields["category"].choices)


def test_what_cannot_be_chosen_any_more_stays_until_somebody_chooses(desk, message, now):
    """A mail that was put away, a category that no page has: changing another field does not lose them."""
    from hagukumi.channels.mail.models import Message

    what = message("しまわれたメール")
    nodes = [
        {"id": "n1", "type": "mail", "message_id": what, "next": "n2"},
        {"id": "n2", "type": "branch", "test": {"type": "visited", "category": "price"}, "days": 1}
        | {"yes": "n3", "no": "n3"},
        {"id": "n3", "type": "end"},
    ]
    graph = rules.Graph.model_validate({"schema": 1, "entry": {"type": "segment"}, "start": "n1", "nodes": nodes})
    scenario = services.create("昔のもの", now=now, graph=graph)
    Message.objects.update(archived_at=now)
    page = desk.get(reverse("scenario_edit", args=[scenario.id])).text
    assert f'<option value="{what}" selected>（いまは選べないもの）</option>' in page
    assert '<option value="price" selected>価格</option>' in page
    post(desk, scenario, act="change", node="n1", **{"n1-message_id": what, "n1-name": "最初"})
    post(desk, scenario, act="change", node="n2", **{"n2-test": "visited", "n2-category": "price", "n2-days": "2"})
    assert [draft(scenario).node("n1").message_id, draft(scenario).node("n2").test.category] == [what, "price"]
    refused = post(desk, scenario, act="change", node="n1", **{"n1-message_id": what + 1})
    assert refused.status_code == 422


def test_days_of_a_wait_are_listed_as_each_language_lists():
    wait = Wait(id="n1", next="n2", days=3, weekdays=(1, 3), time="10:00")
    assert "火・木" in wait.does(Names({}))
    with translation.override("en"):
        assert "Tue, Thu" in wait.does(Names({}))
