"""The tag in a real browser, on a site of its own, talking to a real collector."""

import functools
import http.server
import threading
import time

import psycopg
import pytest

from hagukumi.kit import tokens

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>製品のご案内</title>
<script async src="http://127.0.0.1:{port}/tag.js" {options}></script></head>
<body style="height: 4000px"><a href="/catalog.pdf" download>カタログ</a></body></html>"""
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130 Safari/537.36"
ARGUMENTS = ["--no-sandbox", f"--user-agent={AGENT}"]
"""By argument, because what a page sends while it is left carries the browser's own name, not the context's."""


@pytest.fixture(scope="module")
def browser(driver, chromium_program):
    opened = driver.chromium.launch(executable_path=chromium_program, args=ARGUMENTS)
    yield opened
    opened.close()


@pytest.fixture
def site(collector, tmp_path):
    """A website with the tag: plain on /, with consent on /ask.html. Registered with the collector."""
    (tmp_path / "index.html").write_text(PAGE.format(port=collector.port, options=""))
    (tmp_path / "ask.html").write_text(PAGE.format(port=collector.port, options='data-consent="required"'))
    (tmp_path / "slow.html").write_text(
        PAGE.format(port=collector.port, options="").replace(
            "</title>", "</title><script>setTimeout(() => { document.title = '料金' }, 600)</script>"
        )
    )
    (tmp_path / "catalog.pdf").write_bytes(b"%PDF-1.7")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    with psycopg.connect(collector.postgres.url) as connection:
        connection.execute("INSERT INTO site (origin) VALUES (%s)", [origin])
    until(lambda: collector.ask("OPTIONS", "/e", Origin=origin)[0] == 204)
    yield origin
    with psycopg.connect(collector.postgres.url) as connection:
        connection.execute("DELETE FROM site WHERE origin = %s", [origin])
    server.shutdown()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def until(check, seconds=8.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come")


def kinds(collector):
    return [row["kind"] for row in collector.rows("drop_reason = ''")]


def test_a_view_its_dwell_scroll_and_download(collector, site, page):
    page.goto(f"{site}/?utm_source=mail")
    until(lambda: kinds(collector) == ["view"])
    page.mouse.wheel(0, 2500)
    page.wait_for_timeout(1200)
    with page.expect_download():
        page.click("a")
    page.goto("about:blank")
    until(lambda: {"view", "dwell", "scroll", "download"} <= set(kinds(collector)))
    rows = {row["kind"]: row for row in collector.rows("drop_reason = ''")}
    assert (rows["view"]["title"], rows["view"]["url"]) == ("製品のご案内", f"{site}/")
    assert rows["dwell"]["amount"] >= 1
    assert 20 < rows["scroll"]["amount"] <= 100
    assert rows["download"]["url"] == f"{site}/catalog.pdf"
    assert len({row["visitor"] for row in rows.values()}) == 1


def test_without_consent_nothing_is_sent_and_no_cookie_is_set(collector, site, page):
    page.goto(f"{site}/ask.html")
    page.wait_for_timeout(800)
    assert kinds(collector) == []
    assert page.context.cookies() == []
    page.evaluate("hagukumi('consent', true)")
    until(lambda: kinds(collector) == ["view"])
    assert [cookie["name"] for cookie in page.context.cookies()] == ["hgk"]
    page.evaluate("hagukumi('consent', false)")
    assert page.context.cookies() == []


def test_the_readers_token_is_used_and_taken_out_of_the_address(collector, site, page):
    token = tokens.seal("arrive", 5, 6, int(time.time()))
    page.goto(f"{site}/?id=1&hgk={token}#top")
    until(lambda: kinds(collector) == ["view"])
    assert page.url == f"{site}/?id=1#top"
    (row,) = collector.rows("kind = 'view'")
    assert (row["lead_id"], row["url"]) == (5, f"{site}/?id=1")


def test_pages_that_change_without_loading_are_views_too(collector, site, page):
    page.goto(f"{site}/")
    until(lambda: kinds(collector) == ["view"])
    page.evaluate("history.pushState({}, '', '/next')")
    until(lambda: kinds(collector).count("view") == 2)
    page.evaluate("hagukumi('event', '見積', {step: 3})")
    until(lambda: "custom" in kinds(collector))
    (row,) = collector.rows("kind = 'custom'")
    assert row["details"] == {"name": "見積", "step": 3}
    assert row["url"] == f"{site}/next"


def views(collector):
    return [(row["url"], row["title"]) for row in collector.rows("kind = 'view' AND drop_reason = ''")]


def test_a_title_that_comes_late_is_the_pages_title(collector, site, page):
    page.goto(f"{site}/slow.html")
    until(lambda: views(collector) == [(f"{site}/slow.html", "料金")])
    page.evaluate("history.pushState({}, '', '/next'); setTimeout(() => { document.title = '次' }, 300)")
    until(lambda: views(collector)[1:] == [(f"{site}/next", "次")])


def test_a_title_later_than_the_view_comes_with_the_dwell(collector, site, page):
    page.goto(f"{site}/")
    until(lambda: kinds(collector) == ["view"])
    page.evaluate("document.title = '見積もり'")
    page.wait_for_timeout(300)
    page.goto("about:blank")
    until(lambda: "dwell" in kinds(collector))
    (row,) = collector.rows("kind = 'dwell'")
    assert (row["url"], row["title"]) == (f"{site}/", "見積もり")


def test_the_routes_of_a_single_page_site_are_pages(collector, site, page):
    page.goto(f"{site}/#/top")
    until(lambda: [url for url, _ in views(collector)] == [f"{site}/#/top"])
    page.evaluate("location.hash = '#/pricing?plan=2'")
    until(lambda: [url for url, _ in views(collector)][1:] == [f"{site}/#/pricing?plan=2"])
    page.evaluate("history.back()")
    until(lambda: [url for url, _ in views(collector)][2:] == [f"{site}/#/top"])


def test_a_jump_within_a_page_is_no_page(collector, site, page):
    page.goto(f"{site}/")
    until(lambda: kinds(collector) == ["view"])
    page.evaluate("location.hash = 'specs'")
    page.wait_for_timeout(1500)
    assert [url for url, _ in views(collector)] == [f"{site}/"]


def test_a_replaced_address_is_no_second_view(collector, site, page):
    page.goto(f"{site}/")
    page.evaluate("history.replaceState({}, '', '/?filter=a')")  # before the view is told: it is told so
    until(lambda: views(collector) == [(f"{site}/?filter=a", "製品のご案内")])
    page.evaluate("history.replaceState({}, '', '/?filter=b'); history.replaceState({}, '', '/scrolled')")
    page.wait_for_timeout(1500)
    assert len(views(collector)) == 1
    page.evaluate("history.replaceState({}, '', '/home'); document.title = '会員'")  # another page, by its own words
    until(lambda: views(collector)[1:] == [(f"{site}/home", "会員")])


def test_what_names_a_person_is_never_stored(collector, site, page):
    page.goto(f"{site}/?email=taro%40example.co.jp&id=3")
    until(lambda: kinds(collector) == ["view"])
    page.evaluate("history.pushState({}, '', '/done?token=s3cret')")
    page.evaluate("hagukumi('event', '完了', {link: location.href})")
    until(lambda: "custom" in kinds(collector) and kinds(collector).count("view") == 2)
    stored = repr(collector.rows())
    assert "taro" not in stored
    assert "s3cret" not in stored
    assert [url for url, _ in views(collector)] == [f"{site}/?id=3", f"{site}/done"]
    assert collector.rows("kind = 'view'")[1]["referrer"] == f"{site}/?id=3"
