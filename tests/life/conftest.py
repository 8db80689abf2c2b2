"""The parts of a life: the house's processes, a customer's site with the tag, cards in a file, mails and a form."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PAGES = {"/": "ミナモ｜設備の稼働を見える化", "/case/": "導入事例｜ミナモ", "/price/": "料金｜ミナモ"}


@dataclass
class Site:
    """The customer's own website on a port of its own: three pages, each with our tag."""

    origin: str


class _Pages(BaseHTTPRequestHandler):
    def __init__(self, *given: Any, tag: str, form: str) -> None:
        self.tag, self.form = tag, form
        super().__init__(*given)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        title = PAGES.get(path)
        links = "".join(f'<li><a href="{address}">{name}</a></li>' for address, name in PAGES.items())
        page = (
            f'<!doctype html><html lang="ja"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
            f'<ul>{links}</ul><p><a id="guide" href="{self.form}">資料をダウンロード</a></p>'
            f'<script async src="{self.tag}"></script></html>'
        )
        self.send_response(200 if title else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode() if title else b"")

    def log_message(self, *said: Any) -> None:
        pass


@pytest.fixture
def site(live) -> Iterator[Site]:
    """Runs beside the house. 127.0.0.1 and not localhost: cookies know no ports, and this is another company's host."""
    collector = f"http://localhost:{live.port + 1}"
    handler = partial(_Pages, tag=f"{collector}/tag.js", form=f"{live.url}/f/guide")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def person(browser, chromium_program):
    """A browser context of somebody outside. Of a browser of its own: a headless one says so in its User-Agent, is
    rightly taken for a robot, and a context's override does not reach the beacons of a page that is being left.
    """
    version = browser.version.partition(".")[0]
    agent = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    theirs = browser.browser_type.launch(
        executable_path=chromium_program, args=[*options, f"--user-agent={agent} Safari/537.36"]
    )
    yield theirs.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900})
    theirs.close()


@pytest.fixture
def until() -> Callable:
    """Asks again and again until the answer is true, and returns it; fails with the last answer after `seconds`."""

    def ask(question: Callable[[], Any], seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (answer := question()):
            assert time.monotonic() < deadline, f"not within {seconds} s: {question} gave {answer!r}"
            time.sleep(0.1)
        return answer

    return ask
