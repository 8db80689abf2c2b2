"""Files for downloading: what may come in, what goes out, and to whom."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hagukumi.collect.content import rules, services
from hagukumi.collect.content.models import Content
from hagukumi.collect.forms import kinds
from hagukumi.ledger.models import Activity

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def upload(client, name="導入事例.pdf", data=b"%PDF-1.7 case", **fields):
    given = {"title": "導入事例", "kind": "case", "file": SimpleUploadedFile(name, data), **fields}
    return client.post("/content/new/", given)


def test_an_upload_is_kept_under_a_random_name_and_served_as_attachment(media, signed_in, marketer):
    client = signed_in(marketer)
    assert upload(client).status_code == 302
    piece = Content.objects.get()
    assert piece.file_name == "導入事例.pdf"
    assert "導入" not in piece.path
    got = client.get(f"/content/{piece.pk}/file/")
    assert b"".join(got.streaming_content) == b"%PDF-1.7 case"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.html", b"<script>"), ("x.svg", b"<svg/>"), ("x.php", b"<?php"), ("x.pdf", b"<html>"), ("x.pdf", b"")],
)
def test_what_is_no_document_is_refused_beside_the_field(media, signed_in, marketer, name, data):
    response = upload(signed_in(marketer), name, data)
    assert response.status_code == 200
    assert "invalid-feedback" in response.content.decode()
    assert not Content.objects.exists()


def test_a_new_file_replaces_the_old_one(media, signed_in, marketer):
    client = signed_in(marketer)
    upload(client)
    piece = Content.objects.get()
    changed = {"title": "新版", "kind": "case", "file": SimpleUploadedFile("v2.pdf", b"%PDF-2")}
    client.post(f"/content/{piece.pk}/", changed)
    assert [path.read_bytes() for path in (media / "content").iterdir()] == [b"%PDF-2"]


def test_a_path_that_leads_outside_is_not_served(media, now):
    (media / "secret.key").write_text("x")
    piece = Content.objects.create(title="x", kind="case", path="content/../secret.key", file_name="x", created_at=now)
    assert services.file_path(piece) is None


def test_names_lose_what_does_harm():
    assert rules.safe_name("../../etc/pass\nwd.pdf") == "passwd.pdf"
    assert rules.safe_name('C:\\x\\資料".pdf') == "資料.pdf"


def test_a_link_for_a_known_person_records_at_once(media, signed_in, marketer, people, client, now):
    from hagukumi.kit import clock

    upload(signed_in(marketer))
    (lead_id,) = people(1)
    piece = Content.objects.get()
    link = services.download_link(piece.pk, clock.now(), lead_id=lead_id)
    assert client.get(link).status_code == 200
    fact = Activity.objects.get(kind=kinds.CONTENT_DOWNLOADED.code)
    assert (fact.lead_id, fact.object_id) == (lead_id, piece.pk)
