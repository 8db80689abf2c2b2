"""Each operation of the API: what it answers, what it writes, what a repeat does."""

from datetime import timedelta
from uuid import uuid4

import pytest

from hagukumi.accounts.models import IdempotencyKey
from hagukumi.collect.tracking.models import Inbox
from hagukumi.integrations.api.jobs import forget_old_keys
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consent
from hagukumi.people.fields.models import Field
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources.models import Source
from hagukumi.worker import heart


def test_me(call):
    assert call("get", "/me").json()["token"] == "テスト"


def test_leads_page_by_page(call, people):
    made = people(5)
    seen, cursor = [], ""
    while True:
        page = call("get", "/leads", query={"limit": 2, "cursor": cursor}).json()
        seen += [item["id"] for item in page["items"]]
        if not (cursor := page["next"]):
            break
    assert seen == made[::-1]


def test_one_lead(call, people):
    (lead,) = people(1)
    found = call("get", f"/leads/{lead}").json()
    assert (found["id"], found["missing"], found["may_mail"]) == (lead, [], False)
    assert call("get", "/leads/999999").status_code == 404
    assert call("get", f"/leads/{2**63}").status_code == 422


def test_upsert_by_address(call):
    body = {
        "email": "Hanako@Midori.co.jp",
        "last_name": "緑川",
        "company_name": "みどり商事",
        "tags": ["API"],
        "consent_basis": "optin",
    }
    first = call("post", "/leads", body)
    assert first.status_code == 201
    assert first.json()["email"] == "hanako@midori.co.jp"
    assert first.json()["tags"] == ["API"]
    assert first.json()["may_mail"] is True
    again = call("post", "/leads", {**body, "title": "部長"})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert again.json()["title"] == "部長"
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"email": "nonsense"}, {"email": "a@b.jp", "last_name": "\x00"}, {"email": "a@b.jp", "source_id": 99},
     {"email": "a@b.jp", "source_id": 2**70}, {"email": "a@b.jp", "consent_basis": "rumour"}, {"email": "\ud800@b.jp"},
     [], None],
)  # fmt: skip
def test_what_cannot_be_upserted_is_a_problem(call, body):
    answer = call("post", "/leads", body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]
    assert not Lead.objects.exists()


def test_null_clears_absence_keeps_and_unknown_keys_are_named(call, now):
    Field.objects.create(key="budget", type="number", label_ja="予算", label_en="budget", created_at=now)
    facts = {"prefecture": "東京", "users_expected": 30, "industry": "it", "company_name": "緑", "title": "部長"}
    made = call("post", "/leads", {"email": "a@midori.co.jp", **facts, "fields": {"budget": "300"}})
    assert made.status_code == 201, made.json()
    got = made.json()
    assert (got["prefecture"], got["users_expected"], got["industry"]) == ("東京都", 30, "it")
    assert got["fields"] == {"budget": 300}
    kept = call("post", "/leads", {"email": "a@midori.co.jp"}).json()
    assert {key: kept[key] for key in (*facts, "fields")} == {
        **facts,
        "prefecture": "東京都",
        "fields": {"budget": 300},
    }
    cleared = {"prefecture": None, "users_expected": None, "industry": None, "title": None, "fields": {"budget": None}}
    gone = call("post", "/leads", {"email": "a@midori.co.jp", **cleared}).json()
    assert {key: gone[key] for key in cleared} == {
        "prefecture": "", "users_expected": None, "industry": "", "title": "", "fields": {},
    }  # fmt: skip
    assert (gone["rank"], gone["company_name"]) == ("", "緑")
    wrong = call("post", "/leads", {"email": "a@midori.co.jp", "titel": "x", "phone": "03-1234-5678", "custom": 1})
    assert wrong.status_code == 422
    assert sorted(one["where"] for one in wrong.json()["errors"]) == ["body.custom", "body.titel"]
    wrong = call(
        "post",
        "/leads",
        {"email": "a@midori.co.jp", "phone": "abc", "mobile": "9.01235E+10", "fields": {"budget": "多", "x": 1}},
    )
    assert wrong.status_code == 422
    assert sorted(one["where"] for one in wrong.json()["errors"]) == [
        "body.fields.budget", "body.fields.x", "body.mobile", "body.phone",
    ]  # fmt: skip
    assert Lead.objects.values_list("phone", "mobile").get() == ("", "")


def test_an_unknown_key_of_an_event_is_named(call, people, now):
    event = {"event_id": str(uuid4()), "at": now.isoformat(), "kind": "note", "lead_id": people(1)[0], "txt": "x"}
    answer = call("post", "/activities", {"events": [event]})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.events.0.txt")


def test_the_same_key_happens_once(call):
    key = {"Idempotency-Key": "abc"}
    first = call("post", "/leads", {"email": "a@midori.co.jp"}, **key)
    again = call("post", "/leads", {"email": "a@midori.co.jp"}, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert call("post", "/leads", {"email": "b@midori.co.jp"}, **key).status_code == 409
    assert Lead.objects.count() == 1


def test_answers_for_repeats_are_kept_two_days(call):
    call("post", "/leads", {"email": "a@midori.co.jp"}, **{"Idempotency-Key": "abc"})
    kept = IdempotencyKey.objects.get()
    forget_old_keys(timestamp=int((kept.created_at + timedelta(hours=48)).timestamp()))
    assert IdempotencyKey.objects.exists()
    forget_old_keys(timestamp=int((kept.created_at + timedelta(hours=49)).timestamp()))
    assert not IdempotencyKey.objects.exists()


def event(**more):
    return {
        "event_id": str(uuid4()),
        "at": "2026-11-20T09:00:00+09:00",
        "kind": "note",
        "text": "展示会で立ち話",
        **more,
    }


def test_activities_are_taken_one_by_one(call, people, now, monkeypatch):
    monkeypatch.setattr("hagukumi.kit.clock.now", lambda: now)
    (lead,) = people(1, email="taro@aoba.example.co.jp")
    source = Source.objects.create(name="秋の展示会", type="exhibition", created_at=now)
    same = event(lead_id=lead)
    events = [
        same, same, event(email="Taro@Aoba.example.co.jp", kind="booth_talk", source_id=source.id),
        event(lead_id=lead, kind="view", url="https://example.co.jp/price"), event(email="nobody@example.com"),
        event(lead_id=lead, kind="view"), event(lead_id=lead, source_id=999),
        event(lead_id=lead, at="2027-01-01T00:00:00Z"),
    ]  # fmt: skip
    answer = call("post", "/activities", {"events": events})
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 4
    reasons = [(one["index"], one["reason"]) for one in answer.json()["refused"]]
    assert reasons == [(4, "unknown_person"), (5, "url_missing"), (6, "unknown_source"), (7, "in_the_future")]
    assert Activity.objects.filter(kind=34).count() == 1
    assert Activity.objects.get(kind=41).object_id == source.id
    assert Inbox.objects.get().lead_id == lead
    call("post", "/activities", {"events": [same]})
    assert Activity.objects.filter(kind=34).count() == 1


def test_a_web_event_reaches_the_timeline_after_a_beat(call, people, now):
    (lead,) = people(1)
    call(
        "post",
        "/activities",
        {"events": [event(lead_id=lead, kind="view", url="https://example.co.jp/", title="ようこそ")]},
    )
    heart.beat(now)
    (fact,) = call("get", f"/leads/{lead}/timeline", query={"group": "web"}).json()["items"]
    assert (fact["kind"], fact["name"]) == ("page_view", "ようこそ")


def test_timeline_page_by_page(call, people, now):
    (lead,) = people(1)
    ledger.record([ledger.Fact(lead, "note", now - timedelta(days=n)) for n in range(5)])
    seen, cursor = 0, ""
    while True:
        page = call("get", f"/leads/{lead}/timeline", query={"limit": 2, "cursor": cursor}).json()
        seen += len(page["items"])
        if not (cursor := page["next"]):
            break
    assert seen == 5


def test_segments_and_members(call, people, now):
    ids = people(3)
    tree = {"schema": 1, "type": "all", "of": []}
    segment = Segment.objects.create(name="全員", tree=tree, created_at=now, updated_at=now)
    SegmentMember.objects.bulk_create(SegmentMember(lead_id=i, segment_id=segment.id, since=now) for i in ids)
    listed = call("get", "/segments").json()
    assert [(one["name"], one["members"]) for one in listed if one["id"] == segment.id] == [("全員", 3)]
    first = call("get", f"/segments/{segment.id}/members", query={"limit": 2}).json()
    rest = call("get", f"/segments/{segment.id}/members", query={"limit": 2, "cursor": first["next"]}).json()
    assert [one["lead_id"] for one in first["items"] + rest["items"]] == ids
    assert rest["next"] == ""
    assert call("get", "/segments/999/members").status_code == 404


def test_deliveries(call, people, now):
    from hagukumi.channels.mail.models import Message, Sender
    from hagukumi.channels.outbox.models import Delivery

    a, b = people(2)
    sender = Sender.objects.create(name="青葉", email="news@example.co.jp")
    message = Message.objects.create(
        name="案内", subject="件名", mjml="", sender=sender, created_at=now, updated_at=now
    )
    for n, lead in enumerate((a, a, b)):
        Delivery.objects.create(
            lead_id=lead, message_id=message.id, occurrence=f"b{n}", id=n + 1, queued_at=now, due_at=now
        )
    assert [one["id"] for one in call("get", "/deliveries").json()["items"]] == [3, 2, 1]
    assert [one["id"] for one in call("get", "/deliveries", query={"lead_id": a}).json()["items"]] == [2, 1]
    page = call("get", "/deliveries", query={"limit": 2}).json()
    assert [one["id"] for one in call("get", "/deliveries", query={"cursor": page["next"]}).json()["items"]] == [1]
    assert call("get", "/deliveries", query={"state": "sent"}).json()["items"] == []


def test_the_bulk_reads_are_the_lists_own(call, people, now):
    a, _b = people(2)
    leads.tag_from(leads.ids_sql([a]), "重点", now=now)
    assert [one["id"] for one in call("get", "/leads", query={"tag": "重点"}).json()["items"]] == [a]


def test_a_basis_sent_here_never_takes_a_persons_stop_back(call, now):
    body = {"email": "hanako@midori.co.jp", "last_name": "緑川", "company_name": "みどり商事"}
    lead = call("post", "/leads", body).json()["id"]
    consent.withdraw(lead, address="hanako@midori.co.jp", reason="unsubscribe", evidence="リンク", now=now)
    given = call("post", "/leads", {**body, "consent_basis": "optin", "consent_evidence": "会場で同意"}).json()
    assert (given["may_mail"], given["mail_stopped"]) == (False, "unsubscribe")
    assert (call("get", f"/leads/{lead}").json()["mail_stopped"]) == "unsubscribe"
