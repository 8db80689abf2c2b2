"""A person signs in with a real browser, reads it in English, on a desk and on a phone."""

import pytest

pytestmark = pytest.mark.browser


def test_sign_in_switch_language_and_look(browser_page, live, admin, artifacts):
    page = browser_page
    page.goto("/")
    page.fill("[name=login]", admin.email)
    page.fill("[name=password]", "correct-horse-battery")
    page.click("form[action='/login/'] button[type=submit]")
    page.wait_for_url("**/")
    assert page.locator("h1").inner_text().startswith("管理 花子")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(247, 245, 241)"
    assert page.locator(".house-nav svg use").first.evaluate("use => use.getBoundingClientRect().width") > 0
    page.screenshot(path=artifacts / "home-ja.png", full_page=True)

    page.click(".user-menu")
    page.click("button[lang=en]")
    page.wait_for_selector("html[lang=en]")
    assert "Sign out" in page.content()
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=artifacts / "home-en-390.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("[data-bs-target='#side']")
    page.wait_for_selector("#side.show")
    page.click("#side a[href='/settings/members/']")
    page.wait_for_url("**/settings/members/")
