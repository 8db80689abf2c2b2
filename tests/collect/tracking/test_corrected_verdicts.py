"""A member of staff says who opened or clicked: on the timeline, in the audit log, in scores, segments and figures."""

from datetime import timedelta

import pytest
from django.urls import reverse

from hagukumi.accounts.models import AuditEntry
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import reads as mail_reads
from hagukumi.channels.mail import services as messages
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.tracking import services as tracking
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.scoring.models import LeadScore, ScoreModel
from hagukumi.judge.scoring.rules import Rule
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity
from hagukumi.overview.timeline import reads as timelines
from hagukumi.worker.heart import settle

pytestmark = pytest.mark.django_db
CLICKED = {"type": "activity", "kinds": ["mail_clicked"]}
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def mailed(people, now):
    """A lead who got a mail of a broadcast an hour ago; `click(by, why)` puts a click on it into the ledger."""
    (lead_id,) = people(1)
    sent = now - timedelta(hours=1)
    sender = Sender.objects.create(name="青葉", email="news@aoba.example.jp")
    times = {"created_at": now, "updated_at": now}
    message = Message.objects.create(name="事例", subject="件", mjml="文", sender=sender, **times)
    everybody = Segment.objects.create(name="全員", tree={"all": []}, built_at=now, **times)
    cast = Broadcast.objects.create(
        message=message, segment=everybody, state="done", scheduled_at=sent, started_at=sent, created_at=sent
    )
    Delivery.objects.create(
        lead_id=lead_id, message_id=message.pk, broadcast_id=cast.pk, occurrence="t1", id=1, state="sent",
        queued_at=sent, due_at=sent, sent_at=sent,
    )  # fmt: skip
    ledger.record([ledger.Fact(lead_id, "mail_sent", sent, message.pk, details={"broadcast": cast.pk})])
    return lead_id, cast


def click(mailed, now, by="", why=""):
    lead_id, cast = mailed
    details = {"link": 1, "by": by, "why": why} if by else {"link": 1}
    ledger.record([ledger.Fact(lead_id, "mail_clicked", now, cast.message_id, details=details)])
    (act,) = timelines.page(lead_id, group="mail", size=1)[0]
    return act


def verdict():
    details = Activity.objects.get(kind=12).details
    return details.get("by"), details.get("why")


def correct(client, mailed, act, by, **headers):
    place = timelines.place(act)
    return client.post(reverse("lead_verdict", args=[mailed[0]]), {"act": place, "by": by}, **headers)


REASONS = {
    ("bot", "trap"): "機械と思われます（人には見えないリンクが開かれました）",
    ("bot", "agent"): "機械と思われます（ブラウザーではなく検査プログラムと名乗りました）",
    ("bot", "burst"): "機械と思われます（いくつものリンクが数秒のうちに開かれました）",
    ("suspect", "prefetch"): "機械かもしれません（先読みの要求でした）",
    ("suspect", "early"): "機械かもしれません（送信から2秒以内でした）",
    ("suspect", "unopened"): "機械かもしれません（画像が読まれる前にクリックされました）",
    ("suspect", ""): "機械かもしれません",
    ("bot", "staff"): "機械と思われます（担当者の判断）",
    ("human", "staff"): "本人の行動（担当者の判断）",
}


@pytest.mark.parametrize("told", REASONS)
def test_the_timeline_says_who_did_it_and_why(mailed, now, signed_in, seller, told):
    click(mailed, now, *told)
    page = signed_in(seller).get(reverse("lead", args=[mailed[0]])).content.decode()
    assert f'<span class="verdict is-{told[0]}">{REASONS[told]}</span>' in page
    assert "verdict-form" not in page, "sales look on"


def test_it_says_nothing_of_a_person_whom_nobody_doubted(mailed, now, signed_in, marketer):
    click(mailed, now)
    page = signed_in(marketer).get(reverse("lead", args=[mailed[0]])).content.decode()
    assert 'class="verdict ' not in page
    assert page.count('class="verdict-form"') == 1
    assert 'name="by"\n' in page and 'value="bot"' in page


def test_in_english(mailed, now, signed_in, marketer):
    click(mailed, now, "bot", "burst")
    client = signed_in(marketer)
    client.post("/language/", {"language": "en"})
    page = client.get(reverse("lead", args=[mailed[0]])).content.decode()
    assert "Seems to be a machine (several links were followed within seconds)" in page


def test_one_click_makes_it_the_persons_and_another_takes_it_back(mailed, now, signed_in, marketer):
    act = click(mailed, now, "bot", "burst")
    client = signed_in(marketer)
    line = correct(client, mailed, act, "human", **HTMX)
    assert line.status_code == 200
    assert line.content.decode().strip().startswith('<li class="timeline-line is-mail">')
    assert "本人の行動（担当者の判断）" in line.content.decode()
    assert verdict() == ("human", "staff")
    assert Activity.objects.get(kind=12).details["link"] == 1
    back = correct(client, mailed, act, "bot")
    assert (back.status_code, back["Location"]) == (302, reverse("lead", args=[mailed[0]]))
    assert verdict() == ("bot", "staff")


def test_scores_segments_and_figures_are_thought_of_again(mailed, now, signed_in, marketer, seller):
    lead_id, cast = mailed
    clicked = segments.save("クリックした人", CLICKED, now=now)
    scoring.ready_made(now)
    draft = scoring.draft_of(ScoreModel.objects.get().pk, now=now, user_id=None)
    scoring.change_draft(draft.pk, changed=[Rule("clicked", "behaviour", "クリック", "", 4, "", CLICKED)])
    scoring.publish(draft.pk, now=now)
    act = click(mailed, now, "bot", "trap")
    settle(now)

    def standing():
        figures = messages.of_broadcast(cast.message_id, cast.pk, 20)
        (row,) = mail_reads.deliveries(cast.message_id, cast.pk)
        members = SegmentMember.objects.filter(segment_id=clicked.pk).count()
        points = LeadScore.objects.get(lead_id=lead_id).behaviour
        return points, members, figures.clicked, figures.suspects, row["clicked"], row["machine"]

    assert standing() == (0, 0, 0, 1, False, 2)
    correct(signed_in(marketer), mailed, act, "human")
    settle(now)
    assert standing() == (4, 1, 1, 0, True, None)
    correct(signed_in(marketer), mailed, act, "bot")
    settle(now)
    assert standing() == (0, 0, 0, 1, False, 2)


def test_the_report_of_a_broadcast_shows_the_machine_beside_the_person(mailed, now, signed_in, seller, marketer):
    click(mailed, now, "bot", "trap")
    page = signed_in(seller).get(reverse("broadcast", args=[mailed[1].pk])).content.decode()
    said = f'<a class="badge bg-secondary-lt" href="/leads/{mailed[0]}/?group=mail" >機械と思われます</a>'
    assert said in " ".join(page.split())
    file = signed_in(marketer).get(reverse("broadcast_csv", args=[mailed[1].pk])).content
    rows = file.decode("utf-8-sig").splitlines()
    assert rows[0].endswith("開封,クリック,機械とみられる反応")
    assert rows[1].endswith(",,,機械と思われます")


def test_the_verb_writes_the_audit_log_once(mailed, now, signed_in, marketer, admin):
    act = click(mailed, now, "suspect", "early")
    for _twice in range(2):
        correct(signed_in(marketer), mailed, act, "human")
    (entry,) = AuditEntry.objects.filter(action="act.judged")
    assert (entry.user_id, entry.object_kind, entry.object_id) == (marketer.pk, "lead", str(mailed[0]))
    assert entry.details["changes"] == {"verdict": ["suspect", "human"]}
    log = signed_in(admin).get("/settings/audit/").content.decode()
    assert "開封・クリックの判定を直す" in log
    assert "判定: 機械かもしれません → 本人の行動" in log


def test_what_staff_said_stays_whoever_judges_afterwards(mailed, now):
    act = click(mailed, now)
    assert tracking.correct(mailed[0], act.at, act.id, "human", now)
    assert ledger.judge("SELECT lead_id, at, id, 'bot' AS by, 'trap' AS why FROM activity WHERE kind = 12") == 0
    assert verdict() == ("human", "staff")


@pytest.mark.parametrize("by", ["suspect", "staff", "", "\x00"])
def test_there_are_two_verdicts_to_give(mailed, now, signed_in, marketer, by):
    act = click(mailed, now)
    assert correct(signed_in(marketer), mailed, act, by).status_code == 400
    assert verdict() == (None, None)


def test_only_what_machines_do_too_can_be_judged(mailed, now, signed_in, marketer):
    ledger.record([ledger.Fact(mailed[0], "note", now + timedelta(hours=1))])
    (note,) = timelines.page(mailed[0], size=1)[0]
    assert correct(signed_in(marketer), mailed, note, "bot").status_code == 404
    assert Activity.objects.get(kind=note.kind.code).details is None


def test_another_persons_act_is_out_of_reach(mailed, now, signed_in, marketer, people):
    act = click(mailed, now)
    (other,) = people(1)
    address = reverse("lead_verdict", args=[other])
    for place in (timelines.place(act), "", "x", "あ", "\x00"):
        assert signed_in(marketer).post(address, {"act": place, "by": "bot"}).status_code in (400, 404)
    stolen = timelines.place(act)
    assert signed_in(marketer).post(address, {"act": stolen, "by": "bot"}).status_code == 404
    assert verdict() == (None, None)
