"""The segment screens: list, builder, members, why; what is wrong is said, and nothing breaks."""

import json

import pytest

from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment
from hagukumi.worker.heart import settle

TREE = {"type": "field", "field": "rank", "op": "is", "value": "manager"}


@pytest.fixture
def managers(db, now, people):
    people(3)
    people(1, rank="staff")
    made = segments.save("部課長", TREE, now=now)
    settle(now)
    return made


def test_list_and_members(managers, signed_in, marketer):
    client = signed_in(marketer)
    page = client.get("/segments/").content.decode()
    assert "部課長" in page
    assert "職位が「部課長」であるリード" in page
    page = client.get(f"/segments/{managers.id}/").content.decode()
    assert page.count("data-row ") == 3


def test_empty_list_says_what_to_do(db, signed_in, marketer):
    assert "まだセグメントがありません" in signed_in(marketer).get("/segments/").content.decode()


def test_why(managers, signed_in, seller):
    lead_id = segments.member_page(managers.id)[0][0]["lead_id"]
    page = signed_in(seller).get(f"/segments/{managers.id}/why/{lead_id}/").content.decode()
    assert "職位: 部課長" in page
    assert "当てはまる" in page


def test_build_and_change(managers, signed_in, marketer, now):
    client = signed_in(marketer)
    assert client.get("/segments/new/").status_code == 200
    tree = {"type": "all", "items": [TREE, {"type": "known_since", "days": 30, "within": True}]}
    answer = client.post("/segments/new/", {"name": "新しい部課長", "tree": json.dumps(tree)})
    made = Segment.objects.get(name="新しい部課長")
    assert answer.url == f"/segments/{made.id}/"
    answer = client.post(f"/segments/{made.id}/edit/", {"name": "", "tree": json.dumps(tree)})
    assert answer.status_code == 422
    assert "名前を入れてください" in answer.content.decode()
    settle(now)
    assert segments.member_counts()[made.id] == 3
    client.post(f"/segments/{made.id}/archive/")
    assert client.get(f"/segments/{made.id}/").status_code == 404
    assert made.id not in segments.member_counts()


def test_live_count(managers, signed_in, marketer):
    client = signed_in(marketer)
    page = client.post("/conditions/preview/", {"tree": json.dumps(TREE)}).content.decode()
    assert "<strong>3</strong>" in page
    for bad in ("", "[]", "{", '{"type": "gone"}', '{"type": "tag", "tags": []}', "[" * 3000):
        assert "text-danger" in client.post("/conditions/preview/", {"tree": bad}).content.decode()


def test_input_is_shown_as_text(managers, signed_in, marketer):
    client = signed_in(marketer)
    evil = {"type": "tag", "tags": ["<script>alert(1)</script>"]}
    page = client.post("/conditions/preview/", {"tree": json.dumps(evil)}).content.decode()
    assert "<script>alert" not in page
    client.post("/segments/new/", {"name": "<img src=x>", "tree": json.dumps(evil)})
    found = Segment.objects.get(name="<img src=x>")
    for address in ("/segments/", f"/segments/{found.id}/", f"/segments/{found.id}/edit/"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page and "<img src=x>" not in page


def test_sales_may_look_but_not_change(managers, signed_in, seller):
    client = signed_in(seller)
    assert client.get(f"/segments/{managers.id}/").status_code == 200
    assert client.get(f"/segments/{managers.id}/edit/").status_code == 403
    assert client.post(f"/segments/{managers.id}/archive/").status_code == 403


def test_a_strange_keyset_is_the_first_page(managers, signed_in, marketer):
    client = signed_in(marketer)
    for after in ("x", "2026-01-01T00:00:00_1", "2026-01-01T00:00:00+00:00_99999999999999999999", "_"):
        assert client.get(f"/segments/{managers.id}/", {"after": after}).status_code == 200
