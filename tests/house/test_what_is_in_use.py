"""What something in force stands on is not put away unasked: whoever would miss it is named, by verb and screen."""

import pytest

from hagukumi.accounts.models import AuditEntry
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.collect.forms import services as forms
from hagukumi.collect.forms.models import Form
from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import Phase, PhaseRule
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment
from hagukumi.ledger import uses
from hagukumi.nurture.scenarios import services as scenarios
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.nurture.scenarios.rules import Graph

pytestmark = pytest.mark.django_db
END = [{"id": "e1", "type": "end"}]


@pytest.fixture
def form(now):
    made = forms.create(name="資料請求", slug="catalog", kind="download", now=now)
    forms.set_state(Form.objects.get(pk=made.pk), "open", now)
    return Form.objects.get(pk=made.pk)


@pytest.fixture
def segment(now):
    return segments.save("来場者", {"schema": 1, "type": "tag", "tags": ["来場"]}, now=now)


@pytest.fixture
def mail(now):
    sender = Sender.objects.create(
        name="青葉", email="news@aoba.example.co.jp", legal_name="株式会社青葉", postal_address="東京都千代田区1-1",
        contact="03-1234-5678",
    )  # fmt: skip

    def make(text="こんにちは。"):
        return Message.objects.create(
            name="お礼", subject="お礼", mjml=text, sender=sender, created_at=now, updated_at=now
        )

    return make


def scenario(now, entry, nodes=END, state="running"):
    graph = Graph.model_validate({"schema": 1, "entry": entry, "start": nodes[0]["id"], "nodes": nodes})
    made = scenarios.create("来場お礼", now=now, graph=graph)
    scenarios.publish(made.id, now=now)
    Scenario.objects.filter(id=made.id).update(state=state)
    return made


def told(table, object_id):
    return [(use.en, use.name) for use in uses.of(table, object_id)]


def answered(form_id):
    return {"schema": 1, "type": "activity", "kinds": ["form_submitted"], "objects": [form_id]}


def test_what_nothing_stands_on_has_no_users(form, segment, mail):
    assert (told("form", form.pk), told("segment", segment.id), told("message", mail().pk)) == ([], [], [])


@pytest.mark.parametrize(
    ("state", "named"), [("running", True), ("paused", True), ("stopped", False), ("draft", False)]
)
def test_a_scenario_by_its_door(form, now, state, named):
    scenario(now, {"type": "form", "form_id": form.pk}, state=state)
    assert told("form", form.pk) == ([("scenario", "来場お礼")] if named else [])


def test_a_scenario_by_a_branch_and_by_a_mail_that_leads_to_the_form(form, segment, mail, now):
    other = forms.create(name="別", slug="catalog-2", kind="survey", now=now)
    nodes = [
        {"id": "m1", "type": "mail", "message_id": mail("[資料](http://localhost:8000/f/catalog)").pk, "next": "b1"},
        {"id": "b1", "type": "branch", "test": {"type": "holds", "tree": answered(form.pk)}, "yes": "e1", "no": "e1"},
        *END,
    ]
    scenario(now, {"type": "segment", "segment_id": segment.id}, nodes)
    assert told("form", form.pk) == [("scenario", "来場お礼")]
    assert told("segment", segment.id) == [("scenario", "来場お礼")]
    assert told("form", other.pk) == [], "the address of another form only begins like it"


def test_a_segment_a_phase_rule_and_a_broadcast(form, segment, mail, now):
    segments.save("回答者", answered(form.pk), now=now)
    scoring.ready_made(now)
    phases.ready_made(now)
    first, second = Phase.objects.order_by("id")[:2]
    PhaseRule.objects.create(
        model_id=first.model_id, source_phase=first, target_phase=second, tree=answered(form.pk), reason="回答した"
    )
    message = mail("[資料](http://localhost:8000/f/catalog)")
    one = Broadcast.objects.create(message=message, segment=segment, state="scheduled", created_at=now)
    assert told("form", form.pk) == [("segment", "回答者"), ("phase rule", "回答した"), ("broadcast", "お礼")]
    assert told("message", message.pk) == told("segment", segment.id) == [("broadcast", "お礼")]
    Broadcast.objects.filter(pk=one.pk).update(state="done")
    assert told("message", message.pk) == []


def test_a_form_in_use_is_closed_only_by_who_is_sure(form, now, signed_in, marketer):
    scenario(now, {"type": "form", "form_id": form.pk})
    with pytest.raises(uses.InUseError, match="scenario 来場お礼"):
        forms.set_state(form, "closed", now)
    client = signed_in(marketer)
    page = client.post(f"/forms/{form.pk}/state/", {"state": "closed"})
    assert page.status_code == 409
    assert "来場お礼" in page.content.decode()
    assert Form.objects.get(pk=form.pk).state == "open"
    assert client.post(f"/forms/{form.pk}/state/", {"state": "closed", "sure": "1"}).status_code == 302
    assert Form.objects.get(pk=form.pk).state == "closed"
    assert AuditEntry.objects.filter(action="form.state").count() == 2


def test_a_segment_and_a_mail_in_use_stay(segment, mail, now, signed_in, marketer):
    message = mail()
    nodes = [{"id": "m1", "type": "mail", "message_id": message.pk, "next": "e1"}, *END]
    scenario(now, {"type": "segment", "segment_id": segment.id}, nodes)
    client = signed_in(marketer)
    for address in (f"/segments/{segment.id}/archive/", f"/messages/templates/{message.pk}/archive/"):
        page = client.post(address, follow=True).content.decode()
        assert "シナリオ「来場お礼」" in page and "使われて" in page
    assert Segment.objects.get(id=segment.id).archived_at is None
    assert Message.objects.get(pk=message.pk).archived_at is None
