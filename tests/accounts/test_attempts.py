"""Sign-ins that fail: whoever guesses is stopped, and nobody else is."""

from datetime import timedelta

import pytest
from django.test import Client

from hagukumi.accounts import attempts, throttle
from hagukumi.accounts.models import AuditEntry
from hagukumi.accounts.throttle import Limit

PASSWORD = "correct-horse-battery"
PROXY = "10.0.0.2"
THEM, ME = "203.0.113.66", "198.51.100.7"


@pytest.fixture
def behind_a_proxy(settings):
    """As the README has it: a proxy of our own, which appends its caller's address."""
    settings.TRUSTED_PROXIES = 1

    def sign_in(email, password, address, client=None, forged=""):
        return (client or Client()).post(
            "/login/", {"login": email, "password": password}, REMOTE_ADDR=PROXY,
            HTTP_X_FORWARDED_FOR=f"{forged}{address}",
        )  # fmt: skip

    return sign_in


def _inside(answer):
    return answer.status_code == 302


@pytest.mark.parametrize("whom", ["admin@example.co.jp", "nobody{n}@example.co.jp"])
def test_wrong_sign_ins_of_a_stranger_lock_nobody_else_out(whom, behind_a_proxy, admin):
    for n in range(40):
        assert not _inside(behind_a_proxy(whom.format(n=n), f"wrong-{n}", THEM))
    assert _inside(behind_a_proxy(admin.email, PASSWORD, ME))


def test_the_one_who_guesses_is_stopped_even_with_the_right_word(behind_a_proxy, admin):
    for n in range(5):
        behind_a_proxy(admin.email, f"wrong-{n}", THEM)
    assert not _inside(behind_a_proxy(admin.email, PASSWORD, THEM))
    assert not _inside(behind_a_proxy(admin.email, PASSWORD, THEM, forged=f"{ME}, "))


def test_one_caller_cannot_try_every_account(behind_a_proxy, admin, marketer):
    for n in range(30):
        behind_a_proxy(f"someone{n}@example.co.jp", "haru2026", THEM)
    assert not _inside(behind_a_proxy(marketer.email, PASSWORD, THEM))
    assert _inside(behind_a_proxy(marketer.email, PASSWORD, ME))


def test_guesses_from_everywhere_end_but_not_for_the_browser_that_was_in_before(behind_a_proxy, admin):
    mine = Client()
    assert _inside(behind_a_proxy(admin.email, PASSWORD, ME, mine))
    mine.post("/logout/")
    for n in range(100):
        behind_a_proxy(admin.email, f"wrong-{n}", f"203.0.{n}.1")
    assert not _inside(behind_a_proxy(admin.email, PASSWORD, "192.0.2.1"))
    assert _inside(behind_a_proxy(admin.email, PASSWORD, ME, mine))


def test_a_mark_of_another_member_or_a_forged_one_helps_nobody(behind_a_proxy, admin, marketer, now):
    for device in (attempts.device_mark(marketer), "x", attempts.device_mark(admin)[:-2] + "xx"):
        client = Client()
        client.cookies[attempts.DEVICE_COOKIE] = device
        for n in range(5):
            behind_a_proxy(admin.email, f"wrong-{n}", THEM, client)
        assert not _inside(behind_a_proxy(admin.email, PASSWORD, THEM, client))


def test_a_right_sign_in_counts_for_nothing(behind_a_proxy, admin):
    for _ in range(40):
        assert _inside(behind_a_proxy(admin.email, PASSWORD, ME))


def test_sign_ins_good_and_bad_are_written_down_with_where_from(behind_a_proxy, admin):
    behind_a_proxy(admin.email, "wrong", THEM)
    behind_a_proxy("kore-ha@passwado.jp", "wrong", THEM)
    client = Client()
    behind_a_proxy(admin.email, PASSWORD, ME, client)
    client.post("/logout/", REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=ME)
    found = AuditEntry.objects.order_by("id").values_list("action", "object_id", "user_id", "door", "origin")
    me = str(admin.pk)
    assert list(found) == [
        ("session.refused", me, None, "public", THEM),
        ("session.refused", "", None, "public", THEM),
        ("session.opened", me, admin.pk, "screen", ME),
        ("session.closed", me, admin.pk, "screen", ME),
    ]
    assert "kore-ha@passwado.jp" not in str(list(AuditEntry.objects.values()))


def test_a_window_begins_anew_and_what_was_refused_is_kept(db, now):
    limit = Limit("test", 2, timedelta(minutes=5))
    assert [throttle.hit(limit, "x", now + timedelta(minutes=n)) for n in range(4)] == [True, True, False, False]
    assert throttle.hit(limit, "y", now)
    assert throttle.over(limit, "x", now + timedelta(minutes=4))
    assert not throttle.over(limit, "x", now + timedelta(minutes=5))
    assert throttle.hit(limit, "x", now + timedelta(minutes=5))
    (row,) = throttle.refused(now + timedelta(minutes=5))
    assert (row["scope"], row["subject"], row["hits"], row["refused"]) == ("test", "x", 1, 3)
    assert throttle.clean(now + timedelta(days=31)) == 2


def test_many_at_once_are_counted_at_once(db, now):
    limit = Limit("test", 10, timedelta(minutes=5))
    assert throttle.hit(limit, "x", now, times=8)
    assert not throttle.hit(limit, "x", now, times=8)
    assert throttle.refused(now)[0]["refused"] == 6


def test_what_was_refused_is_on_a_screen(behind_a_proxy, admin, marketer, signed_in):
    for n in range(8):
        behind_a_proxy(admin.email, f"wrong-{n}", THEM)
    page = signed_in(admin).get("/settings/audit/limits/").content.decode()
    assert THEM in page and admin.name in page.split("<tbody>")[1] and "サインイン（1つの住所から1人）" in page
    assert signed_in(marketer).get("/settings/audit/limits/").status_code == 403
