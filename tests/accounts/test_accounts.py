"""Staff, tokens and the log: the verbs."""

from datetime import timedelta

import pytest

from hagukumi.accounts import services
from hagukumi.accounts.models import ApiToken, AuditEntry, User, Workspace


def _set_up(now, **given):
    facts = {"company": "株式会社若葉精機", "name": "早川 美咲", "email": "Misaki@Example.co.jp", "language": "ja"}
    return services.set_up(**{**facts, **given}, password="wakaba-no-hana", now=now)


def test_the_first_run_makes_admin_and_workspace_once(db, now):
    user = _set_up(now)
    assert (user.role, user.email, user.check_password("wakaba-no-hana")) == ("admin", "misaki@example.co.jp", True)
    assert Workspace.objects.values_list("id", "name", "set_up_at").get() == (1, "株式会社若葉精機", now)
    with pytest.raises(services.AlreadySetUpError):
        _set_up(now, email="second@example.co.jp")
    assert User.objects.count() == 1


def test_an_invitation_is_good_for_one_password(admin, now):
    user = services.invite(name="新任", email="New@example.co.jp", role="sales", language="ja", by=admin, now=now)
    assert not user.has_usable_password()
    uid, token = services.invitation(user)
    assert services.open_invitation(uid, token) == user
    services.choose_password(user, "haru-no-hi-2026", now)
    assert services.open_invitation(uid, token) is None


@pytest.mark.parametrize("uid", ["", "x", "MQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
def test_an_invented_invitation_opens_nothing(uid, db):
    assert services.open_invitation(uid, "abc-def") is None


def test_an_address_is_invited_once_whatever_its_case(admin, now):
    with pytest.raises(services.EmailTakenError):
        services.invite(name="x", email="ADMIN@example.co.jp", role="sales", language="ja", by=admin, now=now)


def test_an_administrator_remains(admin, marketer, now):
    with pytest.raises(services.LastAdminError):
        services.change_role(admin, "sales", by=admin, now=now)
    with pytest.raises(services.LastAdminError):
        services.set_active(admin, False, by=admin, now=now)
    services.change_role(marketer, "admin", by=admin, now=now)
    services.set_active(admin, False, by=marketer, now=now)
    assert list(User.objects.filter(is_active=True, role="admin")) == [marketer]


def test_the_last_active_administrator_remains_however_many_are_stopped(admin, marketer, now):
    """A stopped administrator cannot sign in: with only such beside them, the last active one may not leave."""
    services.change_role(marketer, "admin", by=admin, now=now)
    services.set_active(marketer, False, by=admin, now=now)
    for leave in (
        lambda: services.change_role(admin, "marketing", by=admin, now=now),
        lambda: services.change_role(admin, "sales", by=admin, now=now),
        lambda: services.set_active(admin, False, by=admin, now=now),
    ):
        with pytest.raises(services.LastAdminError):
            leave()
    assert list(User.objects.filter(is_active=True, role="admin")) == [admin]
    services.set_active(marketer, True, by=admin, now=now)
    services.change_role(admin, "sales", by=admin, now=now)
    assert list(User.objects.filter(is_active=True, role="admin")) == [marketer]


def test_who_is_no_administrator_may_leave_beside_the_last_one(admin, marketer, now):
    services.change_role(marketer, "sales", by=admin, now=now)
    services.set_active(marketer, False, by=admin, now=now)
    services.change_role(admin, "admin", by=admin, now=now)
    marketer.refresh_from_db()
    assert (marketer.role, marketer.is_active) == ("sales", False)


def test_a_token_is_known_by_its_plain_text_only(admin, now):
    token, plain = services.issue_token("基幹システム", ["leads:write", "leads:read"], admin, now)
    row = ApiToken.objects.values().get()
    assert plain not in map(str, row.values())
    assert row["scopes"] == ["leads:read", "leads:write"]
    assert services.authenticate_token(plain, now) == token
    assert services.authenticate_token(plain + "x", now) is None
    assert services.authenticate_token("", now) is None


def test_a_tokens_use_is_noted_once_a_minute(admin, now, django_assert_num_queries):
    _token, plain = services.issue_token("x", ["leads:read"], admin, now)
    services.authenticate_token(plain, now)
    with django_assert_num_queries(1):
        services.authenticate_token(plain, now + timedelta(seconds=59))
    services.authenticate_token(plain, now + timedelta(seconds=61))
    assert ApiToken.objects.get().last_used_at == now + timedelta(seconds=61)


def test_a_revoked_token_and_one_of_a_stopped_member_open_nothing(admin, marketer, now):
    token, plain = services.issue_token("x", ["leads:read"], admin, now)
    services.revoke_token(token, by=admin, now=now)
    services.revoke_token(token, by=admin, now=now)
    _other, theirs = services.issue_token("y", ["leads:read"], marketer, now)
    services.set_active(marketer, False, by=admin, now=now)
    assert services.authenticate_token(plain, now) is None
    assert services.authenticate_token(theirs, now) is None
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1


def test_an_unknown_scope_is_refused(admin, now):
    with pytest.raises(ValueError, match="everything"):
        services.issue_token("x", ["everything"], admin, now)
