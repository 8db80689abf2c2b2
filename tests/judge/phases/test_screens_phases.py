"""The phase screens: board, a move by hand with its reason, rules as sentences."""

import json

import pytest

from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import PhaseModel, PhaseRule
from hagukumi.ledger.models import Activity
from hagukumi.worker.heart import beat, settle


@pytest.fixture
def board(db, now, people):
    leads = people(3)
    phases.ready_made(now)
    settle(now)
    return leads


def test_before_the_first_start(db, signed_in, marketer):
    assert "フェーズモデルがまだありません" in signed_in(marketer).get("/phases/").content.decode()


def test_board_and_its_part(board, signed_in, seller):
    client = signed_in(seller)
    page = client.get("/phases/").content.decode()
    assert page.count("board-card") >= 3
    part = client.get("/phases/?model=working", headers={"HX-Request": "true"}).content.decode()
    assert "未接触" in part and "<html" not in part
    assert client.get("/phases/?model=gone").status_code == 404


def test_a_move_by_hand_keeps_its_reason(board, signed_in, seller, now):
    client = signed_in(seller)
    target = phases.phase("interest", "considering")
    address = f"/phases/interest/move/{board[0]}/"
    assert client.get(address).status_code == 200
    answer = client.post(address, {"phase": target.id, "reason": ""})
    assert answer.status_code == 422
    assert phases.standing(board[0])["key"] == "latent"
    assert client.post(address, {"phase": target.id, "reason": "展示会で具体的な相談"}).status_code == 302
    stands = phases.standing(board[0])
    assert (stands["key"], stands["reason"], stands["user_id"]) == ("considering", "展示会で具体的な相談", seller.id)
    fact = Activity.objects.filter(lead_id=board[0], kind=70, object_id=target.id).get()
    assert fact.details["reason"] == "展示会で具体的な相談"
    settle(now)
    assert phases.standing(board[0])["key"] == "considering"


def test_rules_are_edited_by_the_builder(board, signed_in, marketer, now):
    client = signed_in(marketer)
    page = client.get("/phases/interest/rules/").content.decode()
    assert "過去30日にページ閲覧が3回以上ある" in page
    latent, aware = phases.phase("interest", "latent"), phases.phase("interest", "aware")
    rule = {
        "source": latent.id,
        "target": aware.id,
        "reason": "製造部",
        "reason_en": "",
        "priority": 5,
        "tree": json.dumps({"type": "field", "field": "department", "op": "is", "value": "製造部"}),
    }
    assert client.post("/phases/interest/rules/new/", rule).status_code == 302
    beat(now)
    assert {phases.standing(lead)["key"] for lead in board} == {"aware"}
    made = PhaseRule.objects.get(reason="製造部")
    assert client.get(f"/phases/interest/rules/{made.id}/").status_code == 200
    assert client.post("/phases/interest/rules/new/", {**rule, "target": latent.id}).status_code == 422
    client.post(f"/phases/interest/rules/{made.id}/delete/")
    assert not PhaseRule.objects.filter(id=made.id).exists()


def test_another_models_phase_is_refused(board, signed_in, marketer):
    other = phases.phase("working", "new")
    address = f"/phases/interest/move/{board[0]}/"
    assert signed_in(marketer).post(address, {"phase": other.id, "reason": "x"}).status_code == 422
    assert PhaseModel.objects.count() == 2


def test_sales_may_not_change_rules(board, signed_in, seller):
    assert signed_in(seller).get("/phases/interest/rules/").status_code == 200
    assert signed_in(seller).get("/phases/interest/rules/new/").status_code == 403
