"""The development mailbox: real SMTP in, pages and JSON out, and mail that means harm."""

import http.client
import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from hagukumi.embedded.mailstore import MailStore
from hagukumi.embedded.postgres import free_port


@dataclass
class Box:
    folder: Path
    smtp: int
    http: int

    def send(self, message: EmailMessage | bytes, to: str = "hanako@mail.example.jp") -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as server:
            content = message if isinstance(message, bytes) else message.as_bytes(policy=policy.SMTP)
            server.sendmail("ikusei@aoba.example.co.jp", [to], content)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found = answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def json(self, path: str) -> dict:
        return json.loads(self.ask(path)[2])


@pytest.fixture
def box(home: Path) -> Iterator[Box]:
    """A mailbox in a process of its own, as `hagukumi mailbox` runs it."""
    found = Box(home / "mail", free_port(), free_port())
    program = (
        "import sys; from pathlib import Path; from hagukumi.embedded import mailbox;"
        "raise SystemExit(mailbox.main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))"
    )
    command = [sys.executable, "-c", program, str(found.folder), str(found.smtp), str(found.http)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            if found.ask("/health")[0] == 200:
                break
        except OSError:
            time.sleep(0.1)
    yield found
    process.terminate()
    assert process.wait(5) == 0


def letter(subject: str = "導入事例のご案内", text: str = "こんにちは", html: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "育成 太郎 <ikusei@aoba.example.co.jp>"
    made["To"] = "山田 花子 <hanako@mail.example.jp>"
    made["Subject"] = subject
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    return made


def test_a_mail_arrives_and_is_shown(box: Box) -> None:
    box.send(letter(html="<p>詳しくは<a href='https://example.co.jp/c/abc'>こちら</a></p>"))
    listed = box.json("/api/mails")
    assert listed["total"] == 1
    line = listed["mails"][0]
    assert line["subject"] == "導入事例のご案内" and "ikusei@" in line["from"] and "花子" in line["to"]
    shown = box.json(f"/api/mails/{line['id']}")
    assert shown["text"].strip() == "こんにちは" and "https://example.co.jp/c/abc" in shown["html"]
    assert ["Return-Path", "<ikusei@aoba.example.co.jp>"] in shown["headers"]
    page = box.ask("/")[2].decode()
    assert "導入事例のご案内" in page and "開発用メールボックス" in page
    assert "Development mailbox" in box.ask("/?lang=en")[2].decode()
    raw = box.ask(f"/mail/{line['id']}.eml")
    assert raw[1]["content-type"] == "message/rfc822" and b"Return-Path" in raw[2]


def test_newest_first_in_pages_and_searched(box: Box) -> None:
    with smtplib.SMTP("127.0.0.1", box.smtp) as server:
        for number in range(60):
            server.send_message(letter(f"第{number}号"))
    assert [one["subject"] for one in box.json("/api/mails?limit=2")["mails"]] == ["第59号", "第58号"]
    assert "第9号" in box.ask("/?page=2")[2].decode() and "第9号" not in box.ask("/")[2].decode()
    found = box.json("/api/mails?q=%E7%AC%AC7%E5%8F%B7%20hanako")
    assert [one["subject"] for one in found["mails"]] == ["第7号"]


def test_hostile_html_cannot_run_or_get_out(box: Box) -> None:
    evil = "<script>top.location='https://evil.example'</script><img src=x onerror=alert(1)>"
    box.send(letter(f"</title>{evil}", text=f"{evil} javascript:alert(1)", html=evil))
    name = box.json("/api/mails")["mails"][0]["id"]
    for path in ("/", f"/mail/{name}"):
        status, headers, body = box.ask(path)
        assert status == 200 and b"<script" not in body and b"<img" not in body
        assert "default-src 'none'" in headers["content-security-policy"]
    assert b'sandbox="allow-popups' in box.ask(f"/mail/{name}")[2]
    policy = box.ask(f"/mail/{name}/html")[1]["content-security-policy"]
    assert policy.startswith("sandbox ") and "allow-scripts" not in policy and "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"Subject: =?utf-8?b?////?=\r\nFrom: <<<>>>\r\nTo: @@\r\n\r\nx",
        b"Subject: \xff\xfe\x00\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xe3\x81",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<b>",
        b"Content-Type: text/html; charset=iso-2022-jp\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b'Content-Type: application/pdf; name="../../etc/passwd"\r\nContent-Disposition: attachment\r\n\r\nx',
        b"From: a@b.example\r\nSubject: " + b"x" * 100_000 + b"\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n" * 50,
    ],
)
def test_a_malformed_mail_is_kept_and_shown(home: Path, raw: bytes) -> None:
    from hagukumi.embedded import mailpages

    store = MailStore(home / "mail")
    name = store.save(raw, "a@example.jp\r\nX-Evil: 1", ["b@example.jp"])
    mail = store.mail(name)
    assert mail is not None and "X-Evil" not in dict(mail.headers)
    word = mailpages.Words("ja")
    assert "<main" in mailpages.one(word, mail) and "<main" in mailpages.listing(
        word, store.search("", 0, 9)[0], 1, "", 1
    )
    mailpages.framed(mail)


def test_attachments_are_downloads_and_pictures_are_shown(box: Box) -> None:
    made = letter(html="<img src='cid:logo'>")
    made.add_attachment(b"<script>1</script>", maintype="text", subtype="html", filename="a.html")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="l.png", cid="<logo>")
    box.send(made)
    name = box.json("/api/mails")["mails"][0]["id"]
    parts = {part["name"]: part["index"] for part in box.json(f"/api/mails/{name}")["parts"]}
    page = box.ask(f"/mail/{name}/part/{parts['a.html']}")[1]
    assert page["content-type"] == "application/octet-stream" and page["content-disposition"].startswith("attachment")
    assert box.ask(f"/mail/{name}/part/{parts['l.png']}")[1]["content-type"] == "image/png"
    assert f"/mail/{name}/part/{parts['l.png']}".encode() in box.ask(f"/mail/{name}/html")[2]


def test_clearing_is_ours_alone(box: Box) -> None:
    box.send(letter())
    assert box.ask("/clear", "POST", Origin="https://evil.example")[0] == 403
    assert box.ask("/clear", "POST", Origin="null")[0] == 403
    assert box.ask("/clear")[0] == 404
    assert box.json("/api/mails")["total"] == 1
    status, headers, _ = box.ask("/clear?lang=en", "POST", Origin=f"http://127.0.0.1:{box.http}")
    assert (status, headers["location"]) == (303, "/?lang=en")
    assert box.json("/api/mails")["total"] == 0 and not list(box.folder.glob("*.eml"))


@pytest.mark.parametrize("path", ["/mail/..%2f..%2fsecret.key", "/mail/../../etc/passwd", "/mail/x.eml", "/nothing"])
def test_no_path_leads_out_of_the_folder(box: Box, path: str) -> None:
    assert box.ask(path)[0] == 404


def test_only_the_newest_are_kept(home: Path) -> None:
    store = MailStore(home / "mail", kept=3)
    names = [store.save(b"Subject: x\r\n\r\n", "a@example.jp", []) for _ in range(5)]
    assert sorted(path.stem for path in store.folder.glob("*.eml")) == names[2:]
    assert len(MailStore(home / "mail")) == 3


def test_what_was_cut_short_is_swept(home: Path) -> None:
    folder = home / "mail"
    folder.mkdir()
    (folder / "half.tmp").write_bytes(b"Subj")
    assert len(MailStore(folder)) == 0 and not list(folder.iterdir())


@pytest.fixture
def locked(home: Path) -> Iterator[Box]:
    """The mailbox as `hagukumi mailbox` runs it: with a key."""
    found = Box(home / "mail", free_port(), free_port())
    program = (
        "import sys; from pathlib import Path; from hagukumi.embedded import mailbox;"
        "raise SystemExit(mailbox.main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), key='open-sesame'))"
    )
    command = [sys.executable, "-c", program, str(found.folder), str(found.smtp), str(found.http)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            if found.ask("/health")[0] == 200:
                break
        except OSError:
            time.sleep(0.1)
    found.send(letter())
    yield found
    process.terminate()
    process.wait(5)


def test_a_foreign_page_whose_name_leads_here_reads_and_clears_nothing(locked: Box) -> None:
    """DNS rebinding: the browser asks us in the name of the attacker's host."""
    assert locked.ask("/api/mails", Host="rebound.evil.example")[0] == 400
    assert locked.ask("/clear?key=open-sesame", "POST", Host="rebound.evil.example")[0] == 400
    assert locked.ask("/", Host=f"localhost:{locked.http}")[0] == 401


def test_without_the_key_there_is_nothing_to_see(locked: Box) -> None:
    for path, method in (("/", "GET"), ("/api/mails", "GET"), ("/clear", "POST"), ("/api/mails", "DELETE")):
        status, _headers, body = locked.ask(path, method)
        assert status == 401 and "導入事例".encode() not in body
    assert locked.ask("/?key=wrong")[0] == 401
    assert locked.ask("/", Cookie="hagukumi_mailbox=wrong")[0] == 401
    assert "鍵が必要" in locked.ask("/")[2].decode()


def test_the_key_opens_once_and_the_cookie_from_then_on(locked: Box) -> None:
    status, headers, _body = locked.ask("/?key=open-sesame&lang=en")
    assert (status, headers["location"]) == (303, "/?lang=en")
    cookie = headers["set-cookie"].split(";")[0]
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=Strict" in headers["set-cookie"]
    assert "導入事例" in locked.ask("/", Cookie=cookie)[2].decode()
    assert json.loads(locked.ask("/api/mails", Authorization="Bearer open-sesame")[2])["total"] == 1
    assert json.loads(locked.ask("/api/mails?key=open-sesame")[2])["total"] == 1
