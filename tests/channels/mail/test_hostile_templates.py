"""Templates written to hurt: each ends in a sentence, within seconds, and whoever asked is alive afterwards."""

import pytest

from hagukumi.channels.mail import render, services
from hagukumi.channels.mail.identity import Identity
from hagukumi.channels.mail.models import Message
from hagukumi.channels.outbox.models import Delivery
from hagukumi.kit import confined

BOMBS = {
    "nots": "{{ " + "not " * 20_000 + "1 }}",
    "many nots": "{{ not not 1 }}" * 3000,
    "format": '{{ "%2000000000d"|format(1) }}',
    "times": '{{ "あ" * 1000000000 }}',
    "range": "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "ifs": "{% if 1 %}" * 900 + "{% endif %}" * 900,
    "brackets": "{{ " + "(" * 240 + "1" + ")" * 240 + " }}",
    "long": "あ" * 200_000,
    "include": '{% include "mail.html" %}',
    "macro": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "escape off": "{% autoescape false %}{{ 会社名 }}{% endautoescape %}",
    "script": "<mj-section><mj-column><mj-raw><script>alert(1)</script></mj-raw></mj-column></mj-section>",
    "svg": "<mj-section><mj-column><mj-raw><svg><a>x</a></svg></mj-raw></mj-column></mj-section>",
    "onload": '<mj-section><mj-column><mj-text><b onclick="x()">x</b></mj-text></mj-column></mj-section>',
    "form": "<mj-section><mj-column><mj-raw><input name=a></mj-raw></mj-column></mj-section>",
    "javascript": "[x](javascript:alert(1))",
}


def problems(source):
    return confined.call(render.check, subject="件名", preheader="", source=source, text="", language="ja")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_sentence(name):
    ((part, sentence),) = problems(BOMBS[name])
    assert part == "mjml"
    assert sentence


@pytest.mark.parametrize("source", ["# " + "[a](" * 16_000, "# " + "[a](https://a.jp/" * 4_000, "# " + "**a" * 16_000])
def test_a_heading_of_nested_links_is_read_in_time(source):
    assert problems(source) == []


@pytest.mark.parametrize("part", ["subject", "preheader", "text"])
def test_every_part_has_the_limits(part):
    given = {"subject": "件名", "preheader": "", "source": "本文", "text": "", part: BOMBS["nots"]}
    ((where, _sentence),) = confined.call(render.check, **given, language="ja")
    assert where == part


@pytest.mark.django_db(transaction=True)
def test_what_only_a_child_survives_fails_its_own_mails_and_no_others(message, consenting, queue, deliver, script):
    good = Message.objects.get()
    Message.objects.update(mjml=BOMBS["nots"])
    message.refresh_from_db()
    assert services.problems(message)
    with pytest.raises(services.TemplateProblemError):
        services.preview(message, None)
    good.pk = None
    good.mjml = "よい本文"
    good.save(force_insert=True)
    leads = consenting(2)
    queue(message, leads)
    queue(good, leads, "t2")
    deliver()
    states = Delivery.objects.order_by("message_id", "lead_id").values_list("state", "reason")
    assert list(states) == [("failed", "render_failed")] * 2 + [("sent", "")] * 2


def test_html_of_a_mail_is_an_allowlist_after_rendering():
    identity = Identity("x", "x@a.jp", "", "", "", "", "https://a.jp", "https://a.jp")
    source = (
        "<mj-section><mj-column><mj-text><!-- [if mso]><script>1</script><![endif] -->"
        "<b class='k' data-x='1' foo='2'>x</b>"
        "<a href='https://a.jp' rel='x'>y</a></mj-text></mj-column></mj-section>"
    )
    html = render.compile_mail(
        subject="件名", preheader="", source=source, text="", kind="operational", identity=identity, tracked=False
    ).render({}, 1, 1).html  # fmt: skip
    assert '<b class="k" data-x="1">x</b><a href="https://a.jp">y</a>' in html
    assert "<script" not in html
    assert "<!--[if mso | IE]>" in html, "MJML's own comments for Outlook stay"
    assert html.count("<body") == html.count("</body>") == html.count("</html>") == 1
