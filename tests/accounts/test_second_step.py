"""The second step, sessions, confirming oneself, tokens that end, and the key of the first run."""

import base64
import hashlib
import hmac
import re
import struct
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from hagukumi.accounts import services, sessions
from hagukumi.accounts.models import ApiToken, AuditEntry, StaffSession, User, Workspace
from hagukumi.kit import tokens

PASSWORD = "correct-horse-battery"


def digits(secret: str, at: float | None = None) -> str:
    """RFC 6238: the six digits that an authenticator app shows for this secret."""
    counter = struct.pack(">Q", int((at or time.time()) // 30))
    sum_ = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), counter, "sha1")
    place = sum_[-1] & 15
    return f"{(struct.unpack('>I', sum_[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def sign_in(client, email, password=PASSWORD):
    return client.post("/login/", {"login": email, "password": password})


def enrol(client) -> str:
    """Register an app; its secret."""
    secret = re.search(r"data-secret>([A-Z2-7]+)<", client.get("/profile/security/app/").content.decode()).group(1)
    assert client.post("/profile/security/app/", {"code": digits(secret)}).status_code == 302
    return secret


@pytest.fixture
def guarded(admin):
    """(client of an administrator with an app, its secret)."""
    client = Client()
    sign_in(client, admin.email)
    client.post("/profile/security/confirm/", {"password": PASSWORD})
    return client, enrol(client)


def inside(client) -> bool:
    return client.get("/profile/").status_code == 200


def test_with_an_app_the_password_alone_opens_nothing(guarded, admin):
    _client, secret = guarded
    other = Client()
    assert sign_in(other, admin.email)["Location"].startswith("/login/second-step/")
    assert not inside(other)
    assert other.post("/login/second-step/", {"code": "000000"}).status_code == 200
    assert not inside(other)
    Authenticator.objects.all()  # the same digits are good once: those of the next half minute are taken
    assert other.post("/login/second-step/", {"code": digits(secret, time.time() + 30)}).status_code == 302
    assert inside(other)
    acts = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert acts == ["session.opened", "session.refused", "session.opened"]


@pytest.mark.django_db(transaction=True)
def test_a_new_key_is_written_down(now):
    user = User.objects.create_user("a@example.co.jp", PASSWORD, name="甲", role="admin", created_at=now)
    client = Client()
    sign_in(client, user.email)
    client.post("/profile/security/confirm/", {"password": PASSWORD})
    enrol(client)
    ways = AuditEntry.objects.filter(action="second_step.added").values_list("details__way", flat=True)
    assert set(ways) == {"totp", "recovery_codes"}


def test_codes_cannot_be_tried_for_ever(guarded, admin):
    _client, secret = guarded
    other = Client()
    sign_in(other, admin.email)
    for number in range(12):
        other.post("/login/second-step/", {"code": f"{number:06d}"})
    other.post("/login/second-step/", {"code": digits(secret, time.time() + 30)})
    assert not inside(other)


def test_the_secret_lies_in_the_database_encrypted(guarded):
    _client, secret = guarded
    assert secret not in str(list(Authenticator.objects.values()))


def test_a_recovery_code_opens_once(guarded, admin):
    client, _secret = guarded
    page = client.get("/profile/security/codes/").content.decode()
    code = re.search(r"<code>(\d+)</code>", page).group(1)
    for expected in (True, False):
        other = Client()
        sign_in(other, admin.email)
        other.post("/login/second-step/", {"code": code})
        assert inside(other) is expected


def test_a_role_that_must_have_a_second_step_sees_nothing_before(admin, marketer, signed_in):
    Workspace.objects.create(id=1, name="若葉", second_step=["marketing"])
    client = signed_in(marketer)
    assert client.get("/leads/")["Location"] == "/profile/security/"
    assert client.post("/leads/tag/")["Location"] == "/profile/security/"
    assert "二段階目の確認が必要です" in client.get("/profile/security/").content.decode()
    client.post("/profile/security/confirm/", {"password": PASSWORD})
    enrol(client)
    assert client.get("/leads/").status_code == 200
    assert signed_in(admin).get("/leads/").status_code == 200
    client.post("/profile/security/app/remove/")
    assert client.get("/leads/")["Location"] == "/profile/security/"


def test_an_administrator_takes_a_lost_phone_away(guarded, admin, marketer, signed_in):
    client, _secret = guarded
    other = _member_admin(admin)
    assert signed_in(marketer).post(f"/settings/members/{admin.pk}/second-step/").status_code == 403
    assert signed_in(other).post(f"/settings/members/{admin.pk}/second-step/").status_code == 302
    assert not Authenticator.objects.exists()
    assert not inside(client)
    assert sign_in(Client(), admin.email)["Location"] == "/"


def test_a_lost_phone_does_not_keep_out_whoever_owns_the_machine(guarded, admin):
    from hagukumi.app import way_in

    password = way_in.give(admin.email, admin=True)
    assert sign_in(Client(), admin.email, password)["Location"] == "/"


def _member_admin(admin):
    return User.objects.create_user("b@example.co.jp", PASSWORD, name="乙", role="admin", created_at=admin.created_at)


def test_passkeys_are_asked_for_with_a_challenge(admin, signed_in):
    client = signed_in(admin)
    client.post("/profile/security/confirm/", {"password": PASSWORD})
    page = client.get("/profile/security/passkeys/new/").content.decode()
    assert '"challenge"' in page and 'data-act="create"' in page
    assert client.post("/profile/security/passkeys/new/", {"name": "x", "credential": "{}"}).status_code == 200
    assert not Authenticator.objects.exists()
    told = Client().get("/login/passkey/", headers={"Accept": "application/json"}).json()
    assert told["request_options"]["publicKey"]["challenge"]
    assert Client().post("/login/passkey/", {"credential": "{}"}).status_code == 302


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_one_sees_where_one_is_signed_in_and_ends_it(admin, marketer):
    here, there, stranger = Client(), Client(), Client()
    here.post("/login/", {"login": admin.email, "password": PASSWORD}, headers={"User-Agent": "Here/1"})
    there.post("/login/", {"login": admin.email, "password": PASSWORD}, headers={"User-Agent": "There/1"})
    for client, name in ((here, "Here/1"), (there, "There/1")):
        client.get("/", headers={"User-Agent": name})
    sign_in(stranger, marketer.email)
    stranger.get("/")
    page = here.get("/profile/security/").content.decode()
    assert "Here/1" in page and "There/1" in page and page.count("この端末") == 1
    key = StaffSession.objects.get(agent="There/1").session_key
    stranger.post("/profile/security/sessions/", {"key": key})
    assert inside(there), "nobody ends another member's session"
    here.post("/profile/security/sessions/", {"key": key})
    assert not inside(there) and inside(here)
    assert AuditEntry.objects.filter(action="session.ended").count() == 1


def test_all_others_end_at_once(admin):
    clients = [Client() for _ in range(3)]
    for client in clients:
        sign_in(client, admin.email)
        client.get("/")
    clients[0].post("/profile/security/sessions/")
    assert [inside(client) for client in clients] == [True, False, False]


def test_who_rests_too_long_is_signed_out(admin):
    Workspace.objects.create(id=1, name="若葉", idle_minutes=30)
    client = Client()
    sign_in(client, admin.email)
    client.get("/")
    for minutes, expected in ((29, True), (31, False)):
        session = client.session
        session[sessions.SEEN] = time.time() - minutes * 60
        session.save()
        assert inside(client) is expected
    assert AuditEntry.objects.latest("id").action == "session.expired"


def test_use_is_noted_once_a_minute(admin):
    client = Client()
    sign_in(client, admin.email)
    client.get("/")
    seen = StaffSession.objects.get().seen_at
    client.get("/")
    assert StaffSession.objects.get().seen_at == seen


# -- confirming oneself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/settings/tokens/", {"name": "x", "scopes": ["leads:read"]}),
        ("/settings/members/{seller}/role/", {"role": "admin"}),
        ("/settings/members/{seller}/active/", {"active": "0"}),
        ("/settings/members/{seller}/link/", {}),
        ("/settings/members/invite/", {"name": "x", "email": "x@example.co.jp", "role": "admin"}),
        ("/settings/workspace/", {"name": "x"}),
    ],
)
def test_what_gives_power_asks_who_is_there(path, given, admin, seller):
    client = Client()
    client.force_login(admin, backend="allauth.account.auth_backends.AuthenticationBackend")
    before = list(User.objects.values("role", "is_active"))
    asked = client.post(
        path.format(seller=seller.pk), given, headers={"Referer": "http://testserver/settings/members/"}
    )
    assert asked["Location"] == "/profile/security/confirm/?next=%2Fsettings%2Fmembers%2F"
    assert list(User.objects.values("role", "is_active")) == before and not ApiToken.objects.exists()
    assert client.post(asked["Location"], {"password": "wrong"}).status_code == 200
    assert client.post(path.format(seller=seller.pk), given).status_code == 302
    assert not ApiToken.objects.exists()
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == "/settings/members/"
    answer = client.post(path.format(seller=seller.pk), given)
    assert not answer.headers.get("Location", "").startswith("/profile/security/confirm/")


def test_guessing_the_password_there_is_limited_too(admin):
    client = Client()
    client.force_login(admin, backend="allauth.account.auth_backends.AuthenticationBackend")
    for number in range(8):
        client.post("/profile/security/confirm/", {"password": f"wrong-{number}"})
    assert client.post("/profile/security/confirm/", {"password": PASSWORD}).status_code in (200, 429)


# -- tokens and the first run -----------------------------------------------------------------------------------------


def test_a_token_ends(admin, now):
    _token, plain = services.issue_token("x", ["leads:read"], admin, now, days=30)
    assert services.authenticate_token(plain, now + timedelta(days=30) - timedelta(seconds=1))
    assert services.authenticate_token(plain, now + timedelta(days=30)) is None
    _token, for_ever = services.issue_token("y", ["leads:read"], admin, now, days=None)
    assert services.authenticate_token(for_ever, now + timedelta(days=9999))


def test_the_screen_gives_a_token_a_year_and_shows_its_end_and_last_use(admin, signed_in):
    client = signed_in(admin)
    client.post("/settings/tokens/", {"name": "基幹", "scopes": ["leads:read"]})
    token = ApiToken.objects.get()
    assert token.expires_at - token.created_at == timedelta(days=365)
    client.post("/settings/tokens/", {"name": "短い", "scopes": ["leads:read"], "days": "30"})
    client.post("/settings/tokens/", {"name": "長い", "scopes": ["leads:read"], "days": "0"})
    assert ApiToken.objects.get(name="短い").expires_at - ApiToken.objects.get(name="短い").created_at == timedelta(30)
    assert ApiToken.objects.get(name="長い").expires_at is None
    page = client.get("/settings/tokens/").content.decode()
    assert "期限" in page and "最後の利用" in page


def test_only_who_can_read_what_the_start_prints_sets_the_house_up(client, db):
    given = {"company": "若葉", "name": "早川", "email": "a@example.co.jp", "password": "wakaba-no-hi"}
    for key in ("", "x", tokens.setup_key()[:-1], tokens.seal("setup", 2)[:20]):
        assert client.post("/setup/", {**given, "key": key}).status_code == 422
    assert not User.objects.exists()
    assert tokens.setup_key() in client.get(f"/setup/?key={tokens.setup_key()}").content.decode()
    assert client.post("/setup/", {**given, "key": tokens.setup_key()}).status_code == 302
    assert User.objects.get().is_admin


def test_the_key_hangs_on_the_secret_of_this_house():
    assert len(tokens.setup_key()) == 20
    assert tokens.setup_key() != hashlib.sha256(b"setup").hexdigest()[:20]
