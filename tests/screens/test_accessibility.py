"""Main screens under axe-core, after a year of a company: in Japanese by day, some in English by night on a phone."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

import hagukumi
from hagukumi.accounts.models import User
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail.models import Message
from hagukumi.collect.forms.models import Form
from hagukumi.demo import company
from hagukumi.judge.segments.models import Segment
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.people.leads.models import Lead
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.handovers.models import Handover

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
AXE = Path(hagukumi.__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
BESIDES = ["heading-order", "page-has-heading-one", "empty-table-header", "label-title-only", "landmark-unique"]
ASK = """async ([tags, besides]) => {
  const rules = Object.fromEntries(besides.map((rule) => [rule, { enabled: true }]));
  const found = await axe.run(document, { runOnly: { type: 'tag', values: tags }, rules });
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}`));
}"""
ON_A_PHONE = ("/", "/leads/", "/companies/", "/handovers/", "/deals/", "/plan/", "/imports/new/", "/scenarios/")


@pytest.fixture
def year(now, tmp_path, settings, transactional_db):
    """A small company after a year."""
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE activity")  # Django's flush leaves what it does not manage
    company.build(now, leads=60)


def screens():
    """The main screens' addresses, by the role that looks at them."""
    handover, deal = Handover.objects.order_by("-created_at").first(), Deal.objects.first()
    lead = Lead.objects.get(lead_id=handover.lead_id)
    form, segment, scenario = (model.objects.first().pk for model in (Form, Segment, Scenario))
    plain = (
        "home", "leads", "companies", "sources", "source_new", "imports", "import_new", "forms", "form_new", "content",
        "content_new", "tracking", "tracking_pages", "tracking_drops", "segments", "segment_new", "scoring", "phases",
        "messages", "message_templates", "message_new", "broadcast_new", "senders", "suppressions", "scenarios",
        "handovers", "deals", "funnel", "plan", "mail_kpi", "profile", "security",
    )  # fmt: skip
    one = {
        "lead": [lead.lead_id], "company": [lead.company_id], "segment": [segment], "segment_edit": [segment],
        "form": [form], "form_edit": [form], "form_answers": [form], "message": [Message.objects.first().pk],
        "scenario": [scenario], "scenario_edit": [scenario], "broadcast": [Broadcast.objects.first().pk],
        "handover": [handover.lead_id, handover.id], "deal": [deal.lead_id, deal.id], "phase_rules": ["interest"],
    }  # fmt: skip
    return {
        "marketing": [*(reverse(name) for name in plain), *(reverse(name, args=args) for name, args in one.items())],
        "admin": [reverse(name) for name in ("members", "tokens", "workspace", "audit", "limits", "health")],
        "sales": ["/", reverse("handovers")],
    }


def test_axe_finds_nothing(year, live, browser, signed_in, artifacts):
    wrong = []
    for role, addresses in screens().items():
        wrong += look(browser, live, signed_in, artifacts, role, addresses, language="ja", width=1440, theme="light")
    wrong += look(browser, live, signed_in, artifacts, "marketing", ON_A_PHONE, language="en", width=390, theme="dark")
    assert not wrong, "\n".join(wrong)


def look(browser, live, signed_in, artifacts, role, addresses, *, language, width, theme):
    """What axe finds on these addresses, one line each; a screenshot of each is kept."""
    User.objects.update(language=language)
    session = signed_in(User.objects.filter(role=role).first()).cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live.url, color_scheme=theme)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live.url}])
    page, axe, found = context.new_page(), AXE.read_text(encoding="utf-8"), []
    for address in addresses:
        answer = page.goto(address, wait_until="networkidle")
        assert answer.status == 200 and page.locator("html").get_attribute("lang") == language, address
        page.wait_for_selector(f"html[data-bs-theme={theme}]")
        page.evaluate(axe)
        found += [f"{address} ({language}) {line}" for line in page.evaluate(ASK, [TAGS, BESIDES])]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        name = address.strip("/").replace("/", "-") or "home"
        page.screenshot(path=artifacts / f"{role}-{name}-{language}-{width}.png", full_page=True)
    context.close()
    return found
