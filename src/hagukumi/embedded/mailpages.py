"""The mailbox's pages: plain HTML with its style inside, Japanese first. Everything from a mail is escaped here."""

import re
from datetime import datetime
from html import escape
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from hagukumi.embedded.mailstore import Mail, Part, Summary

PER_PAGE = 50
JST = ZoneInfo("Asia/Tokyo")
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_URL = re.compile(r"https?://[^\s<>\"'）」』】]+")

WORDS = {
    "title": ("開発用メールボックス", "Development mailbox"),
    "lead": (
        "ここに届いたメールは、外へは送られていません。",
        "Mail that arrives here has not been sent anywhere.",
    ),
    "search": ("差出人・宛先・件名で探す", "Search sender, address, subject"),
    "find": ("検索", "Search"),
    "count": ("{} 通", "{} mails"),
    "clear": ("すべて削除", "Clear all"),
    "empty": (
        "まだメールはありません。育みから配信すると、ここに届きます。",
        "No mail yet. What Hagukumi sends arrives here.",
    ),
    "nothing": ("条件に合うメールはありません。", "No mail matches."),
    "newer": ("← 新しい", "← Newer"),
    "older": ("古い →", "Older →"),
    "back": ("← 一覧へ", "← All mail"),
    "from": ("差出人", "From"),
    "to": ("宛先", "To"),
    "subject": ("件名", "Subject"),
    "at": ("受信", "Received"),
    "nosubject": ("（件名なし）", "(no subject)"),
    "html": ("HTML", "HTML"),
    "text": ("テキスト", "Text"),
    "headers": ("ヘッダー", "Headers"),
    "parts": ("添付", "Attachments"),
    "download": (".eml を保存", "Download .eml"),
    "locked": (
        "このメールボックスは鍵が必要です。hagukumi up が表示した住所（?key=…）から開いてください。",
        "This mailbox needs its key. Open it by the address that hagukumi up printed (?key=…).",
    ),
    "missing": ("このメールはありません（削除されたようです）。", "There is no such mail (it may have been removed)."),
}

_STYLE = """
:root{--ground:#faf8f4;--paper:#fff;--ink:#2b2a27;--soft:#6f6b63;--line:#e7e2d8;--sprout:#2f9e5b;--deep:#1f7a44}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.6 "Hiragino Sans",
"Noto Sans JP","Noto Sans CJK JP","Yu Gothic",Meiryo,system-ui,sans-serif;font-variant-numeric:tabular-nums}
header{background:var(--paper);border-bottom:1px solid var(--line);border-top:3px solid var(--sprout)}
.wrap{max-width:1040px;margin:0 auto;padding:14px 20px}header .wrap{display:flex;flex-wrap:wrap;gap:4px 16px;
align-items:baseline}h1{font-size:17px;margin:0}h1 a{color:inherit;text-decoration:none}h1 b{color:var(--deep)}
header p{margin:0;color:var(--soft);flex:1}a{color:var(--deep)}form{margin:0}.bar{display:flex;flex-wrap:wrap;gap:10px;
align-items:center;padding-bottom:12px}.bar form.q{flex:1;display:flex;gap:8px;min-width:220px}input{flex:1;min-width:0;
font:inherit;padding:7px 11px;border:1px solid var(--line);border-radius:7px;background:var(--paper)}
button,.button{font:inherit;padding:7px 13px;border:1px solid var(--line);border-radius:7px;background:var(--paper);
color:var(--ink);cursor:pointer;text-decoration:none}button.main{background:var(--deep);border-color:var(--deep);
color:#fff}:focus-visible{outline:2px solid var(--sprout);outline-offset:1px}.card{background:var(--paper);border:1px
solid var(--line);border-radius:10px;overflow:hidden}ul.list{list-style:none;margin:0;padding:0}.list li+li{border-top:
1px solid var(--line)}.list a{display:grid;grid-template-columns:14em 1fr auto;gap:2px 16px;padding:10px 16px;
color:inherit;text-decoration:none}.list a:hover{background:#f3f8f3}.list span{overflow:hidden;text-overflow:ellipsis;
white-space:nowrap}.list .s{font-weight:600}.list .f,.list .t,.list time{color:var(--soft)}.list .t{grid-column:2}
.list time{grid-row:1;grid-column:3}.empty{padding:56px 20px;text-align:center;color:var(--soft)}.pager{display:flex;
justify-content:space-between;padding:14px 2px}h2{font-size:19px;margin:4px 0 12px;overflow-wrap:anywhere}dl{display:
grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0 0 14px}dt{color:var(--soft)}dd{margin:0;
overflow-wrap:anywhere}iframe{display:block;width:100%;height:80vh;border:0;background:#fff}section{margin:0 0 18px}
h3{font-size:13px;margin:0 0 6px;color:var(--soft);font-weight:600}pre{margin:0;padding:14px 16px;white-space:pre-wrap;
overflow-wrap:anywhere;font:13px/1.7 ui-monospace,"Noto Sans Mono CJK JP",monospace}summary{cursor:pointer;
color:var(--soft);padding:4px 0}table{border-collapse:collapse;width:100%;font-size:12.5px}td,th{padding:3px 14px;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{white-space:nowrap;color:var(--soft);font-weight:500}
@media(max-width:640px){.list a{grid-template-columns:1fr auto}.list .s{grid-row:2;grid-column:1/-1}
.list .t{grid-column:1/-1}.list time{grid-column:2}}
"""


class Words:
    """The page's words in one language (`ja` unless `en`), and links that keep it."""

    def __init__(self, language: str) -> None:
        self.language = "en" if language == "en" else "ja"

    def __call__(self, key: str) -> str:
        return WORDS[key][self.language == "en"]

    def link(self, path: str, language: str | None = None, **query: str | int) -> str:
        kept = {key: value for key, value in query.items() if value}
        if (language or self.language) == "en":
            kept["lang"] = "en"
        return escape(path + (f"?{urlencode(kept)}" if kept else ""))


def listing(word: Words, mails: list[Summary], total: int, query: str, page: int) -> str:
    """The newest first; `page` counts from 1. Renews itself while nobody is searching."""
    rows = "".join(_row(word, mail) for mail in mails)
    nothing = word("nothing" if query else "empty")
    body = f'<ul class="list">{rows}</ul>' if rows else f'<p class="empty">{nothing}</p>'
    newer = f'<a href="{word.link("/", q=query, page=page - 1)}">{word("newer")}</a>' if page > 1 else "<span></span>"
    more = page * PER_PAGE < total
    older = f'<a href="{word.link("/", q=query, page=page + 1)}">{word("older")}</a>' if more else ""
    hidden = '<input type="hidden" name="lang" value="en">' if word.language == "en" else ""
    content = f"""
<div class="bar"><form class="q" role="search"><input type="search" name="q" value="{escape(query)}"
 aria-label="{word("search")}" placeholder="{word("search")}">{hidden}
<button class="main">{word("find")}</button></form>
<span>{word("count").format(f"{total:,}")}</span>
<form method="post" action="{word.link("/clear")}"><button>{word("clear")}</button></form></div>
<div class="card">{body}</div><nav class="pager">{newer}{older}</nav>"""
    return _page(word, word("title"), content, "/", refresh=not query and page == 1)


def one(word: Words, mail: Mail) -> str:
    """One mail: its HTML in a frame that can run nothing, its text, its headers."""
    summary = mail.summary
    subject = summary.subject or word("nosubject")
    facts = (("from", summary.sender), ("to", summary.to), ("at", _time(summary.received_at, "%Y-%m-%d %H:%M:%S")))
    rows = "".join(f"<dt>{word(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts)
    eml = f'<a class="button" href="/mail/{summary.id}.eml" download>{word("download")}</a>'
    content = f"""
<div class="bar"><a href="{word.link("/")}">{word("back")}</a><span style="flex:1"></span>{eml}</div>
<h2>{escape(subject)}</h2><dl>{rows}</dl>{_html(word, mail)}{_text(word, mail)}{_parts(word, mail)}
<details><summary>{word("headers")}</summary><div class="card"><table>{_headers(mail)}</table></div></details>"""
    return _page(word, subject, content, f"/mail/{summary.id}")


def missing(word: Words) -> str:
    """The page of a mail that is gone."""
    back = f'<a href="{word.link("/")}">{word("back")}</a>'
    return _page(word, word("title"), f'<p class="empty">{word("missing")}<br>{back}</p>', "/")


def locked(word: Words) -> str:
    """The page of somebody who does not show the key."""
    return _page(word, word("title"), f'<p class="empty">{word("locked")}</p>', "/")


def framed(mail: Mail) -> str:
    """The mail's own HTML for the frame: links open a new tab, embedded pictures come from the mail's parts."""
    html = mail.html or ""
    for part in mail.parts:
        if part.content_id:
            html = html.replace(f"cid:{part.content_id}", part_path(mail, part))
    return f'<!doctype html><meta charset="utf-8"><base target="_blank">{html}'


def part_path(mail: Mail, part: Part) -> str:
    """Where the page serves a part."""
    return f"/mail/{mail.summary.id}/part/{part.index}"


def _row(word: Words, mail: Summary) -> str:
    subject = escape(mail.subject or word("nosubject"))
    time = f'<time datetime="{mail.received_at.isoformat()}">{_time(mail.received_at)}</time>'
    return (
        f'<li><a href="{word.link(f"/mail/{mail.id}")}"><span class="f">{escape(mail.sender)}</span>'
        f'<span class="s">{subject}</span>{time}<span class="t">{escape(mail.to)}</span></a></li>'
    )


def _html(word: Words, mail: Mail) -> str:
    if mail.html is None:
        return ""
    frame = f'<iframe src="/mail/{mail.summary.id}/html" sandbox="{SANDBOX}" title="{word("html")}"></iframe>'
    return f'<section><h3>{word("html")}</h3><div class="card">{frame}</div></section>'


def _text(word: Words, mail: Mail) -> str:
    if mail.text is None:
        return ""
    return f'<section><h3>{word("text")}</h3><div class="card"><pre>{_linked(mail.text)}</pre></div></section>'


def _parts(word: Words, mail: Mail) -> str:
    if not mail.parts:
        return ""
    items = "".join(
        f'<li><a href="{quote(part_path(mail, part))}">{escape(part.name)}</a> {escape(part.kind)} '
        f"({len(part.body):,} B)</li>"
        for part in mail.parts
    )
    return f"<section><h3>{word('parts')}</h3><ul>{items}</ul></section>"


def _headers(mail: Mail) -> str:
    return "".join(f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in mail.headers)


def _linked(text: str) -> str:
    """Escaped text whose web addresses can be clicked."""
    made, end = [], 0
    for found in _URL.finditer(text):
        url = escape(found.group())
        made += [escape(text[end : found.start()]), f'<a href="{url}" target="_blank" rel="noopener">{url}</a>']
        end = found.end()
    return "".join([*made, escape(text[end:])])


def _time(at: datetime, shape: str = "%m/%d %H:%M") -> str:
    return at.astimezone(JST).strftime(shape)


def _page(word: Words, title: str, content: str, path: str, *, refresh: bool = False) -> str:
    other, label = ("ja", "日本語") if word.language == "en" else ("en", "English")
    again = '<meta http-equiv="refresh" content="10">' if refresh else ""
    return f"""<!doctype html><html lang="{word.language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)} · 育み</title>{again}
<style>{_STYLE}</style></head><body><header><div class="wrap"><h1><a href="{word.link("/")}"><b>育み</b>
 {word("title")}</a></h1><p>{word("lead")}</p>
<a href="{word.link(path, other)}" lang="{other}">{label}</a></div></header>
<main class="wrap">{content}</main></body></html>"""
