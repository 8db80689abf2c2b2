"""One lead's life through the whole house: a card in a file, mails, a visit, a download, sales, 受注, and the numbers.

Real parts: web, collector, heart, sender, mailbox (its SMTP server and its page), Chromium. Only the clock is moved.
"""

import io
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CARDS = (
    "氏名,会社名,部署,役職,メールアドレス,電話番号\r\n"
    "髙﨑 健一,青葉①製作所㈱,生産技術部,部長,takasaki@aoba.example.co.jp,03-1234-5678\r\n"
    "森 さやか,青葉①製作所㈱,生産技術部,主任,mori@aoba.example.co.jp,03-1234-5679\r\n"
    "西野 亮,㈱みなと商会,営業部,,,045-111-2222\r\n"
    ",,総務部,,,\r\n"
)
PASSWORD = "correct-horse-battery"
WON_YEN = 4_800_000


def sql(text: str, *params: object) -> list[tuple]:
    """Plain SQL over the house's tables."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall()


def facts(lead_id: int) -> Counter:
    """How often each kind of thing happened to the lead, by its key."""
    from hagukumi.ledger import kinds

    rows = sql("SELECT kind, count(*) FROM activity WHERE lead_id = %s GROUP BY kind", lead_id)
    return Counter({kinds.by_code(kind).key: n for kind, n in rows})


def phases(lead_id: int) -> list[str]:
    """The phases of the primary model that the lead has come to, in order."""
    rows = sql(
        "SELECT p.name FROM activity a JOIN phase p ON p.id = a.object_id JOIN phase_model m ON m.id = p.model_id"
        " WHERE a.lead_id = %s AND a.kind = 70 AND m.is_primary ORDER BY a.at, a.id",
        lead_id,
    )
    return [name for (name,) in rows]


@pytest.fixture
def company(now, marketer, seller, site):
    """What marketing has prepared: sender, two mails, a paper behind a form, segments, and two scenarios as drafts."""
    from hagukumi.accounts.models import Workspace
    from hagukumi.app import readymade
    from hagukumi.channels.mail.models import Message, Sender
    from hagukumi.collect.content import services as contents
    from hagukumi.collect.content.models import Content
    from hagukumi.collect.forms import services as forms
    from hagukumi.collect.forms.models import Form
    from hagukumi.collect.tracking import services as tracking
    from hagukumi.judge.segments import services as segments
    from hagukumi.nurture.scenarios import services as scenarios
    from hagukumi.nurture.scenarios.rules import Graph

    readymade.lay(now)
    Workspace.objects.create(name="ひなた計測株式会社", set_up_at=now)
    tracking.add_site(site.origin, name="ミナモ 製品サイト", now=now)
    sender = Sender.objects.create(
        name="ひなた計測 ミナモ担当", email="minamo@hinata.example.co.jp", legal_name="ひなた計測株式会社",
        postal_address="静岡県浜松市中央区ひなた町1-2-3", contact="053-000-0000",
    )  # fmt: skip

    def mail(name: str, subject: str, path: str) -> int:
        body = f"{{{{ 会社名 }}}}\n{{{{ 姓 }}}} 様\n\n# {name}\n\n[[続きを読む]]({site.origin}{path})"
        return Message.objects.create(
            name=name, subject=subject, mjml=body, sender=sender, created_at=now, updated_at=now
        ).id

    thanks = mail("来場のお礼", "{{ 姓 }}様、ご来場ありがとうございました", "/")
    case = mail("事例のご紹介", "停止時間を32%減らした工場の話", "/case/")
    paper = Content.objects.create(title="はじめかたガイド", kind="whitepaper", created_at=now)
    upload = io.BytesIO(b"%PDF-1.7\n% a guide\n")
    upload.name, upload.size, upload.chunks = "guide.pdf", 19, lambda size=None: iter([upload.getvalue()])
    assert contents.keep_file(paper, upload) == ""
    form = forms.create(name="資料ダウンロード：ガイド", slug="guide", kind="download", now=now)
    Form.objects.filter(pk=form.pk).update(content=paper)
    assert forms.set_state(Form.objects.get(pk=form.pk), "open", now) == []
    fair = segments.save("展示会の新しい名刺", {"type": "source", "types": ["exhibition"]}, now=now)
    hot = segments.save("スコア到達", {"type": "score", "reached": True}, now=now)

    def draft(name: str, segment_id: int, *nodes: dict) -> int:
        entry = {"type": "segment", "segment_id": segment_id, "re_entry": "never"}
        graph = {"schema": 1, "entry": entry, "start": "n1", "nodes": nodes}
        return scenarios.create(name, now=now, graph=Graph.model_validate(graph)).id

    return {
        "follow": draft(
            "展示会フォロー", fair.id,
            {"id": "n1", "type": "mail", "message_id": thanks, "next": "n2"},
            {"id": "n2", "type": "wait", "days": 3, "time": "10:00", "next": "n3"},
            {"id": "n3", "type": "mail", "message_id": case, "next": "n4"},
            {"id": "n4", "type": "end"},
        ),
        "sales": draft(
            "スコア到達で営業へ", hot.id,
            {"id": "n1", "type": "hand_over", "next": "n2"},
            {"id": "n2", "type": "end"},
        ),
    }  # fmt: skip


class Life:
    """The people at their browsers, step by step. Each step leaves a picture."""

    def __init__(self, live, until, artifacts, page) -> None:
        self.live, self.until, self.page = live, until, page
        self.folder = artifacts / "life"
        self.folder.mkdir(exist_ok=True)
        self.number = 0

    def shot(self, page, name: str) -> None:
        self.number += 1
        page.screenshot(path=self.folder / f"{self.number:02}-{name}.png", full_page=True)

    def sign_in(self, page, email: str) -> None:
        page.goto(f"{self.live.url}/login/")
        page.fill("[name=login]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("form[action='/login/'] button[type=submit]")
        page.wait_for_url(f"{self.live.url}/")

    def take_in_cards(self) -> None:
        page = self.page
        page.goto("/imports/new/")
        page.set_input_files(
            "[name=file]", {"name": "名刺.csv", "mimeType": "text/csv", "buffer": CARDS.encode("cp932")}
        )
        page.fill("[name=new-name]", "工場DX展 2026")
        page.select_option("[name=new-type]", "exhibition")
        page.fill("[name=new-cost_yen]", "300000")
        page.select_option("[name=basis]", "card")
        self.shot(page, "import-new")
        page.click("text=次へ：列を確かめる")
        page.wait_for_selector("text=こう保存されます")
        chosen = page.eval_on_selector_all("tbody select", "all => all.map(one => one.value)")
        assert chosen == ["full_name", "company_name", "department", "title", "email", "phone"]
        assert page.input_value("[name=encoding]") == "cp932"
        assert "髙﨑" in page.inner_text("main") and "取り込めない行" in page.inner_text("main")
        self.shot(page, "import-columns")
        page.click("button[value=start]")
        page.wait_for_selector(".badge:has-text('完了')", timeout=20_000)
        numbers = page.eval_on_selector_all("#import-part .h1", "all => all.map(one => one.innerText)")
        assert numbers == ["3", "0", "0", "1"]  # new, updated, unchanged, rejected
        self.shot(page, "import-done")

    def publish(self, scenario_id: int, name: str) -> None:
        self.page.goto(f"/scenarios/{scenario_id}/publish/")
        self.shot(self.page, f"publish-{name}")
        self.page.click("button:has-text('公開する')")
        self.page.wait_for_selector(".badge:has-text('実行中')")

    def correct_company(self, company_id: int) -> None:
        page = self.page
        page.goto(f"/companies/{company_id}/edit/")
        page.select_option("[name=industry]", "manufacturing")
        page.fill("[name=sales_yen]", "50000000000")
        page.click("button:has-text('保存')")
        page.wait_for_selector("text=会社の情報を保存しました")
        self.shot(page, "company")

    def read_and_download(self, visitor, site) -> None:
        """The lead at their own browser: opens the mail, follows it, reads three pages, answers the form, downloads."""
        mailbox = visitor.new_page()
        key = (Path(self.live.environment["HAGUKUMI_HOME"]) / "mailbox.key").read_text().strip()
        mailbox.goto(f"http://127.0.0.1:{self.live.port + 3}/?key={key}&q=takasaki")
        mailbox.click("a:has-text('停止時間を32%減らした工場の話')")
        inside = mailbox.frame_locator("iframe")
        inside.locator("text=事例のご紹介").wait_for()
        self.shot(mailbox, "mail-opened")
        with visitor.expect_page() as opened:
            inside.locator("a:has-text('続きを読む')").click()
        page = opened.value
        page.wait_for_url(f"{site.origin}/case/")  # the tag has taken our token out of the address
        self.read_on(lambda: page.click("a:has-text('料金｜ミナモ')"), 1)
        self.read_on(lambda: page.click("a:has-text('設備の稼働を見える化')"), 2)
        self.read_on(lambda: page.click("#guide"), 3)
        page.wait_for_selector("[data-island=form]")
        self.read_on(lambda: None, 4)
        for name, value in {
            "company_name": "青葉①製作所㈱", "last_name": "髙﨑", "first_name": "健一",
            "email": "takasaki@aoba.example.co.jp", "department": "生産技術部", "title": "部長", 
        }.items():  # fmt: skip
            page.fill(f"[name={name}]", value)
        page.check("[name=_consent]")
        self.shot(page, "form")
        page.click("form button")
        page.wait_for_selector("text=はじめかたガイド")
        self.shot(page, "form-thanks")
        with page.expect_download() as arrived:
            page.click("a[href^='/d/']")
        assert arrived.value.suggested_filename == "guide.pdf"

    def read_on(self, leave, views: int) -> None:
        """The page is read for 45 s (once its view is in the ledger), then left."""
        self.until(lambda: sql("SELECT count(*) FROM activity WHERE kind = 1") == [(views,)])
        self.live.advance(timedelta(seconds=45))
        leave()

    def sell(self, page, lead_id: int) -> None:
        """The seller: sees the lead at home, accepts, opens a deal, moves it, wins it."""
        row = page.locator("tr", has_text="髙﨑 健一").first
        assert "青葉①製作所㈱ 部長" in row.inner_text() and "20" in row.inner_text()
        self.shot(page, "sales-home")
        row.locator("a").first.click()
        page.wait_for_selector("text=スコアの根拠")
        self.shot(page, "handover")
        page.click("button:has-text('受け入れて担当になる')")
        page.wait_for_selector("text=引き渡しを受け入れました")
        self.live.advance(timedelta(hours=2))
        page.goto(f"/leads/{lead_id}/deals/new/")
        page.fill("[name=amount_yen]", str(WON_YEN))
        page.click("button:has-text('作成する')")
        page.wait_for_selector("text=商談を作成しました")
        self.until(lambda: phases(lead_id)[-1] == "決定")
        self.live.advance(timedelta(days=5))
        page.click("button[name=stage]:not(.btn-primary) >> nth=0")
        page.wait_for_load_state()
        self.shot(page, "deal")
        self.live.advance(timedelta(days=9))
        page.fill("[name=reason]", "停止時間の削減効果が決め手")
        page.once("dialog", lambda asked: asked.accept())
        page.click("button[value=won]")
        page.wait_for_selector("text=受注しました")
        self.shot(page, "deal-won")

    # -- what the house says of it afterwards

    def check_ledger(self, lead_id: int) -> None:
        """Every fact once, and nothing that did not happen."""
        assert phases(lead_id) == ["潜在", "顕在", "検討", "決定"]
        found = facts(lead_id)
        told = {
            "lead_created": 1, "consent_changed": 2, "mail_sent": 2, "mail_opened": 1, "mail_clicked": 1,
            "page_view": 4, "form_submitted": 1, "content_downloaded": 1, "score_crossed": 1, "scenario_entered": 2,
            "scenario_ended": 2, "handover_created": 1, "handover_accepted": 1, "deal_created": 1, "deal_stage": 1,
            "deal_won": 1, "field_changed": 1,  # the seller who accepts becomes the owner
        }  # fmt: skip
        assert {key: found[key] for key in told} == told
        by_machine = {
            "score_changed", "phase_moved", "segment_entered", "segment_left", "visitor_joined", "dwell", "scroll",
        }  # fmt: skip
        assert set(found) <= told.keys() | by_machine
        assert sql("SELECT state, reason, count(*) FROM delivery GROUP BY 1, 2 ORDER BY 1") == [
            ("sent", "", 4), ("skipped", "no_address", 2),
        ]  # fmt: skip
        assert sql("SELECT * FROM dropped") == sql("SELECT * FROM set_aside") == []

    def check_lead_page(self, lead_id: int) -> None:
        page = self.page
        page.goto(f"/leads/{lead_id}/")
        page.eval_on_selector_all(
            "details:has(.why), .timeline-line details", "all => all.forEach(one => one.open = true)"
        )
        self.shot(page, "lead")
        assert page.inner_text("[aria-current=step]") == "決定"
        lines = Counter(
            text.split(" ")[0] for text in page.locator(".timeline-line > div > span:first-child").all_inner_texts()
        )
        found = facts(lead_id)
        for key, words in {
            "mail_sent": "メール送信", "mail_opened": "メール開封", "mail_clicked": "メールのクリック",
            "form_submitted": "フォーム回答", "content_downloaded": "資料ダウンロード", "phase_moved": "フェーズ移動",
            "score_changed": "スコア変動", "score_crossed": "スコアが基準に到達", "handover_created": "営業へ引き渡し",
            "handover_accepted": "引き渡し受入", "deal_created": "商談作成", "deal_stage": "商談ステージ変更",
            "deal_won": "受注",
        }.items():  # fmt: skip
            assert lines[words] == found[key], key
        views = [text for text in page.locator(".timeline-parts li").all_inner_texts() if "ページ閲覧" in text]
        assert len(views) == found["page_view"]
        why = [text.split("\n")[:2] for text in page.locator(".why li").all_inner_texts()]
        assert why == [
            ["売上500〜999億円", "+5"], ["業種 製造", "+3"], ["部課長", "+5"], ["資料ダウンロード", "+5"],
            ["Webアクセス3回以上", "+2"],
        ]  # fmt: skip
        assert sql("SELECT attribute, behaviour, total FROM lead_score WHERE lead_id = %s", lead_id) == [(13, 7, 20)]
        side = page.inner_text(".lead-side")
        assert "13 / 25" in side and "7 / 10" in side and "20/ 基準 20" in side

    def check_mail(self) -> None:
        """Rates over the mails sent: four went out, one person opened, clicked and answered the second."""
        page = self.page
        page.goto("/learn/mail/")
        self.shot(page, "mail-kpi")
        (row,) = sql(
            "SELECT count(*) FILTER (WHERE kind = 10), count(DISTINCT (lead_id, object_id)) FILTER (WHERE kind = 11),"
            " count(DISTINCT (lead_id, object_id)) FILTER (WHERE kind = 12),"
            " count(DISTINCT lead_id) FILTER (WHERE kind = 20) FROM activity"
        )
        assert row == (4, 1, 1, 1)
        figures = page.locator(".figure").all_inner_texts()
        assert [text.split("\n")[1] for text in figures] == ["4通", "25.0%", "25.0%", "25.0%", "0.0%", "0"]
        assert [text.split("\n")[2] for text in figures[1:4]] == ["1 / 4"] * 3
        cells = [row.split("\t")[1:7] for row in page.locator("tr[data-row]").all_inner_texts()]
        assert sorted(cells) == [
            ["事例のご紹介", "2", "0", "50.0%", "50.0%", "50.0%"], ["来場のお礼", "2", "0", "0.0%", "0.0%", "0.0%"],
        ]  # fmt: skip

    def check_funnel(self) -> None:
        """Stage by stage as plain SQL counts it, then the source's yield to 受注."""
        page = self.page
        page.goto("/funnel/")
        self.shot(page, "funnel")
        stages = [(), (12, 20, 21, 1, 3), (80,), (81,), (83,), (85,)]
        counted = [sql("SELECT count(*) FROM lead WHERE known_at IS NOT NULL AND merged_into IS NULL")[0][0]]
        counted += [
            sql("SELECT count(DISTINCT lead_id) FROM activity WHERE kind = ANY(%s)", list(kinds))[0][0]
            for kinds in stages[1:]
        ]
        assert counted == [3, 1, 1, 1, 1, 1]
        rows = [text.split("\t") for text in page.locator("tbody tr:has(td[title])").all_inner_texts()]
        assert [row[0].split("\n")[0] for row in rows] == ["リード", "反応あり", "MQL", "SQL", "商談", "受注"]
        assert [int(row[1]) for row in rows] == counted
        assert [row[2] for row in rows] == ["—", "33.3%", "100.0%", "100.0%", "100.0%", "100.0%"]
        assert page.locator("tr[data-row]").inner_text().split("\t") == [
            "工場DX展 2026", "3", "1", "1", "1", "1", "33.3%", "480万円", "30万円", "10万円",
        ]  # fmt: skip
        assert sql("SELECT amount FROM activity WHERE kind = 85") == [(WON_YEN,)]


def test_one_lead(live, browser_page, browser, person, site, company, marketer, seller, until, artifacts, now):
    life = Life(live, until, artifacts, browser_page)
    for part in ("mailbox", "collector", "worker", "sender"):
        live.run("-m", "hagukumi.app.cli", part)
    life.sign_in(browser_page, marketer.email)
    for name in ("follow", "sales"):
        life.publish(company[name], name)

    life.take_in_cards()
    ((lead_id, company_id),) = sql("SELECT lead_id, company_id FROM lead WHERE email = 'takasaki@aoba.example.co.jp'")
    until(lambda: facts(lead_id)["mail_sent"] == 1)
    life.correct_company(company_id)
    until(lambda: sql("SELECT total FROM lead_score WHERE lead_id = %s", lead_id) == [(13,)])

    live.set_clock(now + timedelta(days=4, minutes=5))  # three days on it was past 10:00: the next one
    until(lambda: facts(lead_id)["mail_sent"] == 2)
    live.advance(timedelta(hours=1))
    life.read_and_download(person, site)
    until(lambda: facts(lead_id)["handover_created"] == 1)

    desk = browser.new_context(locale="ja-JP", viewport={"width": 1440, "height": 900}, base_url=live.url)
    sales = desk.new_page()
    life.sign_in(sales, seller.email)
    life.sell(sales, lead_id)
    desk.close()
    until(lambda: facts(lead_id)["deal_won"] == 1)

    life.check_ledger(lead_id)
    life.check_lead_page(lead_id)
    life.check_mail()
    life.check_funnel()
    for name in ("", "deals/", f"scenarios/{company['follow']}/"):
        browser_page.goto(f"/{name}")
        life.shot(browser_page, name.partition("/")[0] or "home")
