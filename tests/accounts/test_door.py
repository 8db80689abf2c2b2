"""The door as a person meets it: set-up, sign-in, invitation, language, one's own settings."""

import re

import pytest

from hagukumi.accounts import services
from hagukumi.accounts.models import ApiToken, AuditEntry, User
from hagukumi.app import readymade
from hagukumi.channels.mail.models import Sender
from hagukumi.judge.phases.models import PhaseRule
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import tokens

PASSWORD = "correct-horse-battery"


def _sign_in(client, email, password, **headers):
    return client.post("/login/", {"login": email, "password": password, "remember": "on"}, **headers)


def test_a_new_house_leads_to_the_set_up(client, db):
    assert client.get("/").headers["Location"] == "/login/?next=/"
    assert client.get("/login/").headers["Location"] == "/setup/"
    given = {
        "company": "株式会社若葉精機", "name": "早川 美咲", "email": "misaki@example.co.jp", "password": "wakaba-no-hi",
        "sender_email": "info@example.co.jp", "postal_address": "東京都大田区1-2-3", "contact": "03-1234-5678",
        "key": tokens.setup_key(),
    }  # fmt: skip
    assert client.post("/setup/", given).headers["Location"] == "/"
    assert "早川 美咲" in client.get("/").content.decode()
    assert Sender.objects.values_list("legal_name", "contact").get() == ("株式会社若葉精機", "03-1234-5678")


def test_the_set_up_closes_for_good(client, admin):
    assert client.get("/setup/").headers["Location"] == "/"
    assert client.post("/setup/", {"company": "x"}).status_code == 302
    assert User.objects.count() == 1


def test_a_weak_password_is_refused_next_to_its_field(client, db):
    weak = {"company": "若葉", "name": "x", "email": "a@example.co.jp", "password": "12345", "key": tokens.setup_key()}
    answer = client.post("/setup/", weak)
    assert answer.status_code == 422
    assert "パスワードは短すぎます" in answer.content.decode()
    assert not User.objects.exists()


def test_sign_in_and_out(client, admin):
    assert _sign_in(client, admin.email, PASSWORD).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.get("/logout/").status_code == 200
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_a_wrong_password_and_an_unknown_address_read_the_same(client, admin):
    answers = [_sign_in(client, email, "wrong-word") for email in (admin.email, "who@example.co.jp")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert _alert(answers[0]) == _alert(answers[1])


def test_sign_in_is_rate_limited(client, admin):
    for attempt in range(5):
        assert "正しくありません" in _alert(_sign_in(client, admin.email, f"wrong-{attempt}"))
    refused = _sign_in(client, admin.email, PASSWORD)
    assert "失敗が連続しています" in _alert(refused)
    assert "_auth_user_id" not in client.session


def _alert(answer):
    return re.search(r'role="alert">([^<]+)<', answer.content.decode()).group(1)


def test_a_stopped_member_is_outside_at_once(client, admin, marketer, signed_in, now):
    inside = signed_in(marketer)
    assert inside.get("/").status_code == 200
    services.set_active(marketer, False, by=admin, now=now)
    assert inside.get("/").status_code == 302
    _sign_in(client, marketer.email, PASSWORD)
    assert "_auth_user_id" not in client.session


def test_next_leads_nowhere_else(client, admin):
    answer = client.post("/login/", {"login": admin.email, "password": PASSWORD, "next": "https://evil.example.com/"})
    assert answer.headers["Location"] == "/"
    answer = client.post("/language/", {"language": "en", "next": "https://evil.example.com/"})
    assert answer.headers["Location"] == "/"


def test_posts_need_the_csrf_token(admin):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    answer = _sign_in(client, admin.email, PASSWORD)
    assert answer.status_code == 403
    assert "送信を受け付けられませんでした" in answer.content.decode()


def test_cookies_are_kept_from_scripts(client, admin):
    answer = _sign_in(client, admin.email, PASSWORD)
    session = answer.cookies["hagukumi_session"]
    assert (session["httponly"], session["samesite"]) == (True, "Lax")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_language_stays_with_the_person(client, admin, signed_in):
    inside = signed_in(admin)
    assert 'lang="ja"' in inside.get("/profile/").content.decode()[:200]
    assert inside.post("/language/", {"language": "en", "next": "/profile/"}).headers["Location"] == "/profile/"
    assert "Sign out" in inside.get("/profile/").content.decode()
    assert "Sign out" in signed_in(admin).get("/profile/").content.decode()
    client.post("/language/", {"language": "en"})
    assert "Sign in" in client.get("/login/").content.decode()


def test_a_strange_language_changes_nothing(client, admin):
    client.post("/language/", {"language": "xx"})
    assert "サインイン" in client.get("/login/").content.decode()


def test_an_invited_member_comes_in(client, admin, signed_in):
    page = signed_in(admin).post(
        "/settings/members/invite/", {"name": "新任 一郎", "email": "ichiro@example.co.jp", "role": "sales"}
    )
    link = re.search(r"data-invitation>http://localhost:8000([^<]+)<", page.content.decode()).group(1)
    assert "新任 一郎" in client.get(link).content.decode()
    assert client.post(link, {"password": "haru-no-hi-2026"}).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.get(link).status_code == 410


def test_a_token_is_shown_once(admin, signed_in):
    inside = signed_in(admin)
    page = inside.post("/settings/tokens/", {"name": "基幹", "scopes": ["leads:read"]}).content.decode()
    plain = re.search(r"data-token>([^<]+)<", page).group(1)
    assert plain.startswith("hgk_")
    assert plain not in inside.get("/settings/tokens/").content.decode()
    inside.post(f"/settings/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert ApiToken.objects.get().revoked_at


def test_own_password_needs_the_present_one(admin, signed_in):
    inside = signed_in(admin)
    wrong = inside.post("/profile/", {"current": "x", "password": "haru-no-hi-2026", "change_password": "1"})
    assert "現在のパスワードが違います" in wrong.content.decode()
    right = {"current": PASSWORD, "password": "haru-no-hi-2026", "change_password": "1"}
    assert inside.post("/profile/", right).status_code == 302
    assert inside.get("/profile/").status_code == 200


@pytest.mark.parametrize("before", ["x", "2026-11-20T01:00:00+00:00~x", "9999-99-99~1", "2026-11-20~5"])
def test_the_log_shrugs_off_a_strange_page(before, admin, signed_in):
    assert signed_in(admin).get("/settings/audit/", {"before": before}).status_code == 200


def test_the_log_says_in_words_what_was_done_to_whom(admin, seller, signed_in, now):
    services.Workspace.objects.create(id=1, name="若葉")
    inside = signed_in(admin)
    inside.post(f"/settings/members/{seller.pk}/role/", {"role": "marketing"})
    about = {
        "name": "若葉商事",
        "daily_mail_cap": 2,
        "sla_hours": 24,
        "fiscal_month": 4,
    }
    inside.post("/settings/workspace/", about)
    services.issue_token("会計", ["leads:read", "leads:write"], admin, now)
    services.audit(admin, "message.tested", "message", 5, now, result="sent")
    log = " ".join(inside.get("/settings/audit/").content.decode().split())
    for words in (
        f"{seller.name} · 営業 → マーケティング", "会社名: 若葉 → 若葉商事、1人に1日に送る上限（通）: 1 → 2",
        "会計 · リードを読む、リードを登録・更新する", "送信できました",
    ):  # fmt: skip
        assert words in log
    for raw in ("role_changed", "daily_mail_cap", "leads:read", "before", "workspace 1"):
        assert raw not in log.split("<tbody")[-1]


def test_an_address_has_one_source_and_is_shown(admin, signed_in, now, settings):
    """The settings screen cannot set a second one beside the environment's, which sign-in and forms go by."""
    services.Workspace.objects.create(id=1, name="若葉")
    settings.BASE_URL = "https://ma.example.co.jp"
    inside = signed_in(admin)
    given = {"name": "若葉", "base_url": "https://other.example.co.jp", "daily_mail_cap": "1", "sla_hours": "24"}
    assert inside.post("/settings/workspace/", {**given, "fiscal_month": "4"}).status_code == 302
    page = inside.get("/settings/workspace/").content.decode()
    assert "https://ma.example.co.jp" in page and "other.example" not in page
    assert 'name="base_url"' not in page


def test_an_invitation_goes_by_the_public_address(admin, signed_in, settings):
    """Behind a proxy that ends TLS the request itself is plain http."""
    settings.BASE_URL = "https://ma.example.co.jp"
    given = {"name": "新人", "email": "new@example.co.jp", "role": "sales"}
    answer = signed_in(admin).post("/settings/members/invite/", given).content.decode()
    assert "https://ma.example.co.jp/welcome/" in answer and "http://testserver" not in answer


def test_what_changes_everybody_is_written_down(admin, signed_in, now):
    readymade.lay(now)
    inside = signed_in(admin)
    everybody = '{"schema": 1, "type": "all", "items": []}'
    made = inside.post("/segments/new/", {"name": "全員", "tree": everybody})
    assert made.status_code == 302
    segment = Segment.objects.get(name="全員")
    assert inside.post(f"/segments/{segment.id}/archive/").status_code == 302
    rule = PhaseRule.objects.filter(model__key="interest").first()
    assert inside.post(f"/phases/interest/rules/{rule.id}/delete/").status_code == 302
    found = list(
        AuditEntry.objects.filter(door="screen").order_by("id").values_list("action", "object_id", "details__name")
    )
    assert found == [
        ("segment.saved", str(segment.id), "全員"),
        ("segment.archived", str(segment.id), "全員"),
        ("phase_rule.deleted", str(rule.id), rule.reason),
    ]
    log = inside.get("/settings/audit/").content.decode()
    assert all(
        word in log for word in ("セグメントの保存", "セグメントをしまう", "フェーズの移動ルールの削除", rule.reason)
    )


def test_the_last_active_administrator_is_told_why_they_stay(admin, marketer, signed_in, now):
    services.change_role(marketer, "admin", by=admin, now=now)
    services.set_active(marketer, False, by=admin, now=now)
    inside = signed_in(admin)
    for address, given in ((f"/settings/members/{admin.pk}/role/", {"role": "sales"}),
                           (f"/settings/members/{admin.pk}/active/", {"active": "0"})):  # fmt: skip
        page = inside.post(address, given, follow=True).content.decode()
        assert "管理者が1人もいなくなるため" in page
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)
