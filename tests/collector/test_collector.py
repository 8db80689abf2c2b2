"""The collector over real HTTP, in its own process, against real databases that are stopped and started."""

import http.client
import json
import signal
import threading
import time
import uuid
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg
import pytest

from hagukumi.collector import wire
from hagukumi.kit import answers, tokens

SITE = "https://www.aoba.example.co.jp"


def wait_until(check, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


def test_an_acknowledged_view_is_committed(collector):
    event = str(uuid.uuid4())
    assert collector.say({"id": event, "ti": "価格", "r": "https://search.example/?q=x#y"}) == 204
    (row,) = collector.rows()
    assert str(row["event_id"]) == event
    assert (row["kind"], row["visitor"], row["url"], row["title"]) == ("view", "visitor-0001", f"{SITE}/", "価格")
    assert row["referrer"] == "https://search.example/?q=x"


def test_campaign_parameters_do_not_make_new_pages(collector):
    collector.say({"u": f"{SITE}/p?id=1&utm_source=mail&hgk=abc&gclid=9#top"})
    (row,) = collector.rows()
    assert row["url"] == f"{SITE}/p?id=1"
    assert row["details"] == {"utm": {"source": "mail"}}


def test_hostile_texts_arrive_as_they_were(collector):
    nasty = "a\tb\nc\\d\\N \x00<script>'\";--\u202e𠮷"
    assert collector.say({"ti": nasty, "d": {"x": "\x00\\u0000\t"}}) == 204
    (row,) = collector.rows()
    assert row["title"] == nasty.replace("\x00", "")
    assert row["details"] == {"x": "\\u0000\t"}


def test_broken_utf8_and_broken_json_are_refused_and_counted(collector):
    for body in (b'{"v":"visitor-0001","e":[{"k":"view","u":"\xff\xfe"}]}', b"{", b"[]", b"", b'{"v":1,"e":2}'):
        assert collector.ask("POST", "/e", body, Origin=SITE)[0] == 400
    assert collector.drops() == {"malformed": 5}


def test_what_is_not_an_event_of_ours_leaves_with_its_reason(collector):
    now = time.time() * 1000
    collector.say({"u": "javascript:alert(1)"}, {"k": "nonsense"}, {"n": 1e300}, {"id": "1"})
    collector.say({"u": "https://elsewhere.example/"})
    collector.say({"t": now - 4 * 86_400_000}, {"t": now + 3_600_000})
    assert collector.drops() == {"malformed": 4, "foreign": 1, "too_old": 1, "future": 1}
    assert not collector.rows("drop_reason = ''")


def test_a_wrong_clock_is_put_right_by_the_senders_own(collector):
    wrong = 1_000_000_000_000
    collector.say({"t": wrong - 5000}, s=wrong)
    (row,) = collector.rows()
    assert 4 < time.time() - row["at"].timestamp() < 8


def test_bots_and_prefetches_are_counted_not_kept(collector):
    body = json.dumps({"v": "visitor-0001", "e": [{"k": "view", "u": f"{SITE}/"}]})
    for agent in ("Googlebot/2.1", "curl/8", "", "HeadlessChrome/130"):
        collector.ask("POST", "/e", body, Origin=SITE, User_Agent=agent)
    collector.ask("POST", "/e", body, Origin=SITE, Sec_Purpose="prefetch;prerender")
    assert collector.drops() == {"bot": 4, "prefetch": 1}
    assert not collector.rows("drop_reason = ''")


def test_other_origins_may_neither_write_nor_read(collector):
    assert collector.say({}, origin="https://evil.example") == 403
    status, headers, _ = collector.ask("OPTIONS", "/e", Origin="https://evil.example")
    assert status == 403
    assert "access-control-allow-origin" not in headers
    status, headers, _ = collector.ask("OPTIONS", "/e", Origin=SITE)
    assert (status, headers["access-control-allow-origin"]) == (204, SITE)


def test_a_flood_from_one_visitor_is_cut(collector):
    for _ in range(7):
        assert collector.say(*[{}] * 50, visitor="flooding-one") == 204
    assert 300 <= len(collector.rows("drop_reason = ''")) <= 350
    assert collector.drops().get("rate", 0) <= 50


def test_too_large_is_said_before_it_is_read(collector):
    assert collector.ask("POST", "/e", b"x" * (wire.MAX_BODY + 1), Origin=SITE)[0] == 413
    assert collector.say(*[{}] * 51) == 413
    chunks = iter([b"x" * 40_000, b"x" * 40_000])
    assert collector.ask("POST", "/e", chunks, Origin=SITE)[0] == 413
    assert collector.drops()["too_large"] == 53
    assert not collector.rows("drop_reason = ''")


def test_a_long_address_fits_the_index(collector):
    assert collector.say({"u": f"{SITE}/{'あ' * 5000}", "ti": "x" * 5000}) == 204
    (row,) = collector.rows()
    assert len(row["url"].encode()) <= wire.MAX_URL_BYTES
    assert len(row["title"]) == wire.MAX_TITLE


def test_other_addresses_are_not_found(collector):
    assert collector.ask("GET", "/")[0] == 404
    assert collector.ask("GET", "/e")[0] == 405
    assert collector.ask("POST", "/noop")[0] == 404
    assert collector.ask("GET", "/tag.js")[1]["content-type"].startswith("text/javascript")


# -- mail ---------------------------------------------------------------------------------------------------------


def click(url, lead=5, delivery=6, link=1):
    return "/c/" + tokens.seal("click", lead, delivery, link, text=url)


def test_a_click_redirects_and_is_noted(collector):
    status, headers, _ = collector.ask("GET", click(f"{SITE}/case?id=1#top"))
    assert status == 302
    target = urlsplit(headers["location"])
    assert (target.path, target.fragment) == ("/case", "top")
    query = parse_qs(target.query)
    assert query["id"] == ["1"]
    assert tokens.unseal("arrive", query["hgk"][0])[0][:2] == [5, 6]
    time.sleep(0.2)
    (row,) = collector.rows()
    assert (row["kind"], row["lead_id"], row["delivery_id"], row["details"]) == ("click", 5, 6, {"link": 1})
    assert row["url"] == f"{SITE}/case?id=1"


def test_the_readers_token_goes_to_registered_sites_only(collector):
    assert collector.ask("GET", click("https://partner.example/x"))[1]["location"] == "https://partner.example/x"


def test_an_open_redirect_is_refused(collector):
    good = click("https://partner.example/")
    assert collector.ask("GET", good[:-2] + "xx")[0] == 404
    assert collector.ask("GET", "/c/" + tokens.seal("click", 1, 1, 1, text="javascript:alert(1)"))[0] == 404
    assert collector.ask("GET", "/c/" + tokens.seal("open", 1, 1, 1, text="https://x.example/"))[0] == 404
    assert collector.ask("GET", "/c/https://evil.example/")[0] == 404


def test_a_header_cannot_be_smuggled_through_a_link(collector):
    status, headers, _ = collector.ask("GET", click("https://partner.example/\r\nSet-Cookie: a=b"))
    assert status == 302
    assert "\n" not in headers["location"]
    assert "set-cookie" not in {name.lower() for name in headers}


def test_scanners_are_let_through_but_suspected(collector):
    status, headers, _ = collector.ask("GET", click(f"{SITE}/"), User_Agent="Mozilla/5.0 Barracuda Link Scanner")
    assert (status, headers["location"]) == (302, f"{SITE}/")
    assert collector.ask("HEAD", click(f"{SITE}/"))[0] == 302
    collector.ask("GET", "/o/" + tokens.seal("open", 5, 6) + ".gif", User_Agent="Mozilla/5.0")
    time.sleep(0.2)
    found = [(row["kind"], row["details"]["by"], row["details"]["why"]) for row in collector.rows()]
    assert found == [("click", "bot", "agent"), ("open", "suspect", "agent")]


@pytest.mark.parametrize(
    ("agent", "by"),
    [
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "bot"),
        ("Mozilla/5.0 (compatible; Qwantify/1.0)", "bot"),  # known by the list alone
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "bot"),
        ("Mimecast", "bot"),
        ("", "bot"),
        ("Mozilla/5.0", "suspect"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", None),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", None),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.12026; Pro)", None),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Line/14.5",
            None,
        ),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT_X30) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36", None),
    ],
)
def test_who_fetches_the_pixel_by_its_own_word(collector, agent, by):
    collector.ask("GET", "/o/" + tokens.seal("open", 5, 6) + ".gif", User_Agent=agent)
    time.sleep(0.2)
    assert [(row["details"] or {}).get("by") for row in collector.rows()] == [by]


def test_the_trap_leads_on_but_names_nobody(collector):
    status, headers, _ = collector.ask("GET", click(f"{SITE}/", link=tokens.TRAP_LINK))
    assert (status, headers["location"]) == (302, f"{SITE}/")
    time.sleep(0.2)
    assert collector.rows()[0]["details"] == {"link": tokens.TRAP_LINK, "by": "bot", "why": "trap"}


def test_the_pixel(collector):
    status, headers, body = collector.ask("GET", "/o/" + tokens.seal("open", 5, 6) + ".gif")
    assert (status, headers["content-type"], body[:6]) == (200, "image/gif", b"GIF89a")
    assert "no-store" in headers["cache-control"]
    time.sleep(0.2)
    assert [(row["kind"], row["lead_id"], row["details"]) for row in collector.rows()] == [("open", 5, None)]


def test_an_arrival_carries_the_reader(collector):
    location = collector.ask("GET", click(f"{SITE}/"))[1]["location"]
    token = parse_qs(urlsplit(location).query)["hgk"][0]
    collector.say({}, a=token)
    collector.say({}, a=tokens.seal("arrive", 5, 6, int(time.time()) - 3600))
    collector.say({}, a=token[:-2] + "xx")
    views = collector.rows("kind = 'view'")
    assert [row["lead_id"] for row in views] == [5, None, None]
    assert "arrival" in views[0]["details"]


# -- forms --------------------------------------------------------------------------------------------------------


def fill(**given):
    started = answers.started_token(31, time.time() - 5)
    own = {"last_name": "佐藤", "email": "sato@aoba.example.co.jp"}
    return {**own, "_started": started, "_visitor": "visitor-0001", **given}


def test_an_answer_is_committed_and_the_file_is_promised(collector):
    status, _, body = collector.ask(
        "POST", "/f/catalog", urlencode(fill()), Origin=SITE, Content_Type="application/x-www-form-urlencoded"
    )
    reply = json.loads(body)
    assert (status, reply["ok"]) == (200, True)
    (row,) = collector.rows()
    assert (row["kind"], row["object_id"], row["visitor"]) == ("form", 31, "visitor-0001")
    assert row["details"]["answers"] == {"last_name": "佐藤", "email": "sato@aoba.example.co.jp"}
    target = urlsplit(reply["redirect"])
    assert (target.netloc, target.path) == ("web.example", "/f/catalog/thanks")
    numbers, event = tokens.unseal("download", parse_qs(target.query)["d"][0])
    assert (numbers[:2], event) == ([0, 8], str(row["event_id"]))


@pytest.mark.parametrize(("language", "words"), [("ja", "メールアドレスの形"), ("en-GB", "Please check the e-mail")])
def test_mistakes_are_told_in_the_visitors_language(collector, language, words):
    body = json.dumps(fill(email="nonsense"))
    status, _, text = collector.ask(
        "POST", "/f/catalog", body, Origin=SITE, Content_Type="application/json", Accept_Language=language
    )
    assert status == 422
    assert words in json.loads(text)["errors"]["email"]
    assert not collector.rows()


def test_a_robot_in_the_trap_is_thanked_and_counted(collector):
    body = json.dumps(fill(website_url="x"))
    status, _, text = collector.ask("POST", "/f/catalog", body, Content_Type="application/json")
    assert (status, json.loads(text)["ok"]) == (200, True)
    assert collector.drops() == {"trap": 1}


def test_forms_that_are_not_there_or_not_answers(collector):
    assert collector.ask("POST", "/f/other", "{}", Content_Type="application/json")[0] == 404
    assert collector.ask("POST", "/f/catalog", "[1]", Content_Type="application/json")[0] == 400
    assert collector.ask("POST", "/f/catalog", "{}", Origin="https://evil.example")[0] == 403
    assert collector.ask("GET", "/f/catalog")[0] == 405


# -- health -------------------------------------------------------------------------------------------------------


def test_a_database_that_died_in_silence_is_noticed_though_nobody_says_anything(collector, postgres):
    assert collector.health()["ok"]
    postgres.stop()
    try:
        assert wait_until(lambda: not collector.health()["ok"])
        assert collector.health()["problems"] == ["database"]
    finally:
        postgres.start()
    assert wait_until(lambda: collector.health()["ok"])


def test_health_tells_how_long_rows_wait_for_the_digest(collector, postgres):
    assert collector.health()["inbox_seconds"] == 0
    collector.say({})
    assert wait_until(lambda: collector.health()["inbox_seconds"] > 1)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("TRUNCATE inbox")
    assert wait_until(lambda: collector.health()["inbox_seconds"] == 0)


# -- faults -------------------------------------------------------------------------------------------------------


def test_without_the_database_events_are_spooled_and_come_back_once(collector, postgres):
    assert collector.say({"ti": "before"}) == 204
    postgres.stop()
    try:
        sent = [str(uuid.uuid4()) for _ in range(20)]
        for event in sent:
            assert collector.say({"id": event, "ti": "改行\nタブ\t"}) == 204
        told = collector.health()
        assert told["spooled_bytes"] > 0
        assert (told["ok"], told["database"], told["problems"]) == (False, False, ["database", "spool"])
        assert collector.ask("GET", "/health")[0] == 503
        assert collector.ask("GET", click(f"{SITE}/"))[0] == 302
    finally:
        postgres.start()
    assert wait_until(lambda: collector.health()["spooled_bytes"] == 0)
    assert wait_until(lambda: collector.health()["ok"])
    assert collector.ask("GET", "/health")[0] == 200
    titles = {str(row["event_id"]): row["title"] for row in collector.rows("kind = 'view'")}
    assert set(sent) <= set(titles)
    assert len(titles) == 21
    assert all(titles[event] == "改行\nタブ\t" for event in sent)
    assert len(collector.rows("kind = 'click'")) == 1


def test_it_starts_and_redirects_without_the_database(collector, postgres):
    collector.stop()
    postgres.stop()
    try:
        collector.start(wait_for_database=False)
        assert "hgk=" in collector.ask("GET", click(f"{SITE}/"))[1]["location"]
        assert collector.say({}) == 204
        body = json.dumps(fill())
        assert collector.ask("POST", "/f/catalog", body, Content_Type="application/json")[0] == 200
        assert collector.stop() == 0
    finally:
        postgres.start()
    collector.start()
    assert wait_until(lambda: len(collector.rows()) == 3)


def hammer(collector, acked, stop):
    while not stop.is_set():
        event = str(uuid.uuid4())
        try:
            if collector.say({"id": event}, visitor=f"v-{event[:8]}") == 204:
                acked.append(event)
        except (OSError, http.client.HTTPException):
            return


@pytest.mark.parametrize("away", [False, True])
def test_kill_9_loses_nothing_acknowledged(collector, postgres, away):
    acked: list[str] = []
    stop = threading.Event()
    if away:
        postgres.stop()
    try:
        threads = [threading.Thread(target=hammer, args=(collector, acked, stop)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        collector.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
    finally:
        if away:
            postgres.start()
    assert len(acked) > 20
    collector.start()
    assert wait_until(lambda: collector.health()["spooled_bytes"] == 0)
    assert set(acked) <= {str(row["event_id"]) for row in collector.rows()}


def test_sigterm_under_load_loses_nothing_acknowledged(collector):
    acked: list[str] = []
    stop = threading.Event()
    threads = [threading.Thread(target=hammer, args=(collector, acked, stop)) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    assert collector.stop() == 0
    stop.set()
    for thread in threads:
        thread.join()
    assert set(acked) <= {str(row["event_id"]) for row in collector.rows()}


def test_a_row_that_the_database_refuses_holds_up_nobody(collector, postgres):
    with psycopg.connect(postgres.url) as connection:
        connection.execute("ALTER TABLE inbox ALTER title TYPE varchar(10)")
    try:
        assert collector.say(*[{"ti": "short"}] * 9, {"ti": "far too long for it"}) == 204
        assert len(collector.rows("drop_reason = ''")) == 9
        assert collector.drops() == {"malformed": 1}
    finally:
        with psycopg.connect(postgres.url) as connection:
            connection.execute("ALTER TABLE inbox ALTER title TYPE text")
