"""Where nobody can sign in any more, whoever may run programs on the machine can let somebody in."""

import re

import pytest

from hagukumi.accounts.models import AuditEntry, User
from hagukumi.app import way_in
from hagukumi.embedded.errors import StartError


def enters(client, email: str, password: str) -> bool:
    answer = client.post("/login/", {"login": email, "password": password})
    return answer.status_code == 302 and "_auth_user_id" in client.session


def test_a_new_administrator_signs_in(client, db) -> None:
    password = way_in.give(" Boss@Example.co.jp ", admin=True)
    assert re.fullmatch(r"[\w-]{16}", password)
    assert enters(client, "boss@example.co.jp", password)
    assert User.objects.get().role == "admin"


def test_a_member_gets_a_new_password_and_stays_what_they_are(client, seller) -> None:
    assert not enters(client, seller.email, "wrong")
    assert enters(client, seller.email, way_in.give(seller.email, admin=False))
    seller.refresh_from_db()
    assert seller.role == "sales"
    entry = AuditEntry.objects.get(action="member.let_in")
    assert (entry.user, entry.object_id, entry.details["email"]) == (None, str(seller.pk), seller.email)


def test_a_stopped_administrator_is_restored(client, admin) -> None:
    User.objects.filter(pk=admin.pk).update(role="sales", is_active=False)
    assert enters(client, admin.email, way_in.give(admin.email, "correct-horse-battery-2", admin=True))
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)


def test_a_stopped_member_stays_stopped(client, seller) -> None:
    User.objects.filter(pk=seller.pk).update(is_active=False)
    assert not enters(client, seller.email, way_in.give(seller.email, admin=False))


@pytest.mark.parametrize(("email", "password"), [("nobody@example.co.jp", ""), ("no address", ""), ("", "x")])
def test_what_is_in_the_way_is_said(email: str, password: str, seller) -> None:
    with pytest.raises(StartError) as said:
        way_in.give(email, password, admin=False)
    assert re.search("[ぁ-ん]", said.value.ja) and said.value.en.isascii()


def test_a_weak_password_is_refused_in_both_languages(seller) -> None:
    with pytest.raises(StartError) as said:
        way_in.give(seller.email, "1234", admin=False)
    assert re.search("[ぁ-ん]", said.value.ja) and "too short" in said.value.en
