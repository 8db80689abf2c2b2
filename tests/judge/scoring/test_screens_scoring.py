"""The score screens: the table in force, a draft with its effect, publishing."""

import json

import pytest

from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.scoring.models import ScoreModel, ScoreVersion
from hagukumi.worker.heart import settle

TREE = json.dumps({"type": "field", "field": "department", "op": "contains", "value": "製造"})


@pytest.fixture
def model(db, now, people):
    people(3)
    scoring.ready_made(now)
    settle(now)
    return ScoreModel.objects.get()


def test_before_the_first_start(db, signed_in, marketer):
    assert "スコアモデルがまだありません" in signed_in(marketer).get("/scoring/").content.decode()


def test_the_table_in_force(model, signed_in, seller):
    page = signed_in(seller).get("/scoring/").content.decode()
    for shown in ("売上500〜999億円", "売上の帯", "資料ダウンロード", "属性スコア", "行動スコア", "合計20点以上"):
        assert shown in page
    assert "/draft/" not in page


def test_draft_effect_and_publish(model, signed_in, marketer, now):
    client = signed_in(marketer)
    draft = f"/scoring/{model.id}/draft/"
    assert client.get(draft).status_code == 200
    rule = {"label_ja": "製造部門", "label_en": "", "side": "attribute", "points": 15, "group": "", "tree": TREE}
    assert client.post(f"{draft}rules/new/", rule).status_code == 302
    page = client.get(draft).content.decode()
    assert "製造部門" in page
    assert client.post(draft, {"attribute_max": 25, "behaviour_max": 10, "threshold": 20}).status_code == 302
    version = ScoreVersion.objects.get(published_at=None)
    assert scoring.preview(version, now).over == 3
    client.post(f"/scoring/{model.id}/publish/")
    settle(now)
    model.refresh_from_db()
    assert model.live_id == version.id
    page = client.get("/scoring/").content.decode()
    assert "製造部門" in page
    first = ScoreVersion.objects.get(number=1)
    assert "製造部門" not in client.get(f"/scoring/versions/{first.id}/").content.decode()


def test_a_bad_rule_is_refused(model, signed_in, marketer):
    client = signed_in(marketer)
    rule = {"label_ja": "x", "side": "attribute", "points": 0, "tree": TREE}
    answer = client.post(f"/scoring/{model.id}/draft/rules/new/", rule)
    assert answer.status_code == 422
    rule = {"label_ja": "x", "side": "attribute", "points": 5, "tree": '{"type": "tag", "tags": []}'}
    assert client.post(f"/scoring/{model.id}/draft/rules/new/", rule).status_code == 422
    assert client.get(f"/scoring/{model.id}/draft/rules/gone/").status_code == 404


def test_rules_are_edited_and_dropped_in_the_draft_only(model, signed_in, marketer):
    client = signed_in(marketer)
    assert client.get(f"/scoring/{model.id}/draft/rules/download/").status_code == 200
    client.post(f"/scoring/{model.id}/draft/rules/download/delete/")
    assert "資料ダウンロード" not in client.get(f"/scoring/{model.id}/draft/").content.decode().split("<main")[1]
    assert "資料ダウンロード" in client.get("/scoring/").content.decode()
    client.post(f"/scoring/{model.id}/discard/")
    assert not ScoreVersion.objects.filter(published_at=None).exists()


def test_sales_may_not_edit(model, signed_in, seller):
    assert signed_in(seller).get(f"/scoring/{model.id}/draft/").status_code == 403


def test_a_group_is_named_in_the_readers_language(model, signed_in, marketer):
    client = signed_in(marketer)
    address = f"/scoring/{model.id}/draft/rules/new/"
    assert 'value="職位の帯"' in client.get(f"/scoring/{model.id}/draft/rules/rank_exec/").content.decode()
    for label, group in (("顧問", "職位の帯"), ("展示会", "接点の帯")):
        rule = {"label_ja": label, "side": "attribute", "points": 3, "group": group, "tree": TREE}
        assert client.post(address, rule).status_code == 302
    stored = {rule["label_ja"]: rule["group"] for rule in ScoreVersion.objects.get(published_at=None).rules}
    assert (stored["顧問"], stored["展示会"]) == ("rank", "接点の帯")
