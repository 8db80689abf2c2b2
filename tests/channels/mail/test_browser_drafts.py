"""Nothing typed is lost by leaving: the mail editor and the form builder, in a real browser."""

import pytest
from django.urls import reverse

from hagukumi.channels.mail.models import Sender
from hagukumi.collect.forms import services as forms

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def enter(page, admin, live):
    page.goto("/login/")
    page.fill("[name=login]", admin.email)
    page.fill("[name=password]", "correct-horse-battery")
    page.click("form[action='/login/'] button[type=submit]")
    page.wait_for_url(lambda url: "/login/" not in url)


def leave(page, where="/"):
    """Leave as a reader does; returns what the browser asked, which is answered with yes."""
    asked = []

    def answer(dialog):
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", answer)
    page.goto(where)
    return asked


def test_a_mail_comes_back_as_it_was_typed(browser_page, live, admin, artifacts):
    Sender.objects.create(name="青葉", email="info@aoba.example.co.jp")
    page = browser_page
    enter(page, admin, live)
    page.goto(reverse("message_new"))
    page.fill("[name=subject]", "展示会のお礼")
    page.wait_for_timeout(600)
    assert leave(page) == ["beforeunload"]
    page.goto(reverse("message_new"))
    assert page.input_value("[name=subject]") == ""
    page.screenshot(path=artifacts / "draft.png")
    page.get_by_role("button", name="続きから書く").click()
    assert page.input_value("[name=subject]") == "展示会のお礼"


def test_a_forms_new_question_comes_back_with_its_row(browser_page, live, admin, now):
    made = forms.create(name="資料請求", slug="catalog", kind="download", now=now)
    page = browser_page
    enter(page, admin, live)
    page.goto(reverse("form_edit", args=[made.pk]))
    rows = page.locator("#builder fieldset").count()
    page.locator("#builder button[value=add]").first.click()
    page.locator("#builder fieldset").nth(rows).wait_for()  # the policy forbids what a waiting function needs
    page.fill(f"[name=f{rows}-label_ja]", "ご利用の時期")
    page.wait_for_timeout(600)
    assert leave(page) == ["beforeunload"]
    page.goto(reverse("form_edit", args=[made.pk]))
    assert page.locator("#builder fieldset").count() == rows
    page.get_by_role("button", name="続きから書く").click()
    page.locator("#builder fieldset").nth(rows).wait_for()  # the policy forbids what a waiting function needs
    assert page.input_value(f"[name=f{rows}-label_ja]") == "ご利用の時期"
