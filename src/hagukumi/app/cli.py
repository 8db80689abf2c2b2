"""The command `hagukumi`: one verb for each thing a person or a program does with the house from a shell.

Every verb imports what it needs only when called. A failure is one line in each language and exit code 1; the traceback
goes to HAGUKUMI_HOME/log/hagukumi.log (and to the terminal with HAGUKUMI_DEBUG=1). Wrong usage is exit code 2.
"""

import argparse
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from hagukumi.embedded import home as homes
from hagukumi.embedded.errors import StartError

Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.verb(options) or 0)
    except StartError as error:
        return _fail(error.ja, error.en)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone; nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _unexpected(error)


def parser() -> argparse.ArgumentParser:
    """The whole command line. Each help text holds a Japanese and an English line."""
    top = argparse.ArgumentParser(
        prog="hagukumi",
        description="育み: リードを育てて商談につなぐ、自社で動かせるシステム\nHagukumi: self-hosted lead nurturing",
        epilog="環境変数は README.md にあります。 / README.md lists the environment variables.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = _verb(verbs, "up", _up, "すべてを起動する（止めるには Ctrl-C）", "Start everything (Ctrl-C stops it)")
    demo_or_not = up.add_mutually_exclusive_group()
    demo_or_not.add_argument(
        "--demo",
        action="store_true",
        help="接続先が指定されていてもデモの会社を作る / make the demo company even on a named server",
    )
    demo_or_not.add_argument(
        "--no-demo", action="store_true", help="デモの会社を作らない / do not make the demo company"
    )
    _verb(verbs, "web", _web, "画面と API だけを動かす", "Run the screens and the API alone")
    _verb(verbs, "collector", _collector, "計測（タグ・クリック・フォーム）だけを動かす", "Run the collector alone")
    _verb(verbs, "worker", _worker, "心臓（セグメント・スコア・シナリオ）だけを動かす", "Run the heart alone")
    _verb(verbs, "sender", _sender, "メール送信だけを動かす", "Run the mail sender alone")
    _verb(verbs, "mailbox", _mailbox, "開発用メールボックスだけを動かす", "Run the development mailbox alone")
    bring = _verb(verbs, "migrate", _migrate, "データベースを最新の形にする", "Bring the database up to date")
    bring.add_argument(
        "--pre",
        action="store_true",
        help="新しい版を動かす前に当てる分だけ / only what goes before the new version starts",
    )

    way_in = _verb(
        verbs,
        "admin",
        _admin,
        "管理者を作る・戻す（パスワードは新しくなる）",
        "Make or restore an administrator (new password)",
    )
    reset = _verb(verbs, "password", _password, "メンバーのパスワードを新しくする", "Give a member a new password")
    for one in (way_in, reset):
        one.add_argument("email", metavar="EMAIL", help="サインインのアドレス / the address they sign in with")
        one.add_argument(
            "--stdin",
            action="store_true",
            help="パスワードを標準入力から読む（既定は作る） / read the password from standard input, not make one",
        )
    way_in.add_argument("--name", default="", metavar="NAME", help="新しい人の名前 / the name of somebody new")

    load = _verb(
        verbs, "import", _import, "リードのファイル（CSV・Excel）を取り込む", "Import a file of leads (CSV, Excel)"
    )
    load.add_argument("file", type=Path, metavar="FILE", help="取り込むファイル / the file")
    load.add_argument(
        "--source", default="", metavar="NAME", help="ソースの名前（既定はファイル名） / name of the source"
    )
    load.add_argument(
        "--basis",
        choices=("none", "optin", "card", "relation", "published"),
        help="配信の根拠（なし・本人の同意・名刺など書面・取引関係・公表、既定はソースのもの）"
        " / basis of consent (none, opt-in, card, relation, published; the source's by default)",
    )
    load.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="HEADING=COLUMN",
        help="見出しの列を何として取り込むか。何度でも書ける。項目はキーか名前、空なら取り込まない"
        " / what a column becomes, by key or name, empty = left out; may be given again",
    )
    load.add_argument(
        "--result",
        type=Path,
        metavar="OUT.csv",
        help="行ごとの結果（row, outcome, lead_id, reason）を書くファイル。あれば上書きする"
        " / write how each row came out (row, outcome, lead_id, reason); an existing file is replaced",
    )
    load.add_argument("--sheet", default="", help="シート名（既定は行の一番多いもの） / sheet (the fullest by default)")
    load.add_argument(
        "--header-row",
        type=int,
        default=0,
        help="見出しの行（既定は自動判定） / row of the headings (found by default)",
    )
    load.add_argument("--encoding", default="", help="文字コード（既定は自動判定） / encoding (found out by default)")
    load.add_argument(
        "--dates",
        default="",
        choices=("", "month-first", "day-first"),
        help="03/04/2026 の読み方（既定はファイルのほかの日付から、分からなければ月/日）"
        " / how 03/04/2026 is read (by default as the file's other dates show, else the month first)",
    )
    _json(load)

    leave = _verb(verbs, "export", _export, "リードの一覧を CSV に書き出す", "Write the list of leads to a CSV file")
    leave.add_argument("--to", type=Path, required=True, metavar="FILE", help="書き出すファイル / the file to write")
    leave.add_argument(
        "--segment",
        default="",
        metavar="NAME",
        help="このセグメントの人だけ（名前か番号） / the people of a segment only (its name or number)",
    )
    leave.add_argument(
        "--encoding",
        default="utf-8-sig",
        choices=("utf-8", "utf-8-sig", "cp932"),
        help="文字コード（既定は utf-8-sig、Excel で開ける） / encoding (utf-8-sig by default, which Excel opens)",
    )
    leave.add_argument(
        "--anyway",
        action="store_true",
        help="文字コードにない文字を 〓 に置き換える（既定はやめる） / write 〓 for what the encoding lacks",
    )
    leave.add_argument("--force", action="store_true", help="ファイルがあれば上書きする / replace a file that is there")

    person = _verb(
        verbs, "person", _person, "一人の全記録を書き出す・消去する", "Export or erase everything about one person"
    )
    person.add_argument("act", choices=("export", "erase"), help="書き出す・消去する / what to do")
    person.add_argument("lead", type=int, metavar="NUMBER", help="リードの番号 / the lead's number")
    person.add_argument("--reason", default="", help="消去の理由（操作の記録に残ります） / why (kept in the audit log)")

    demo = _verb(
        verbs, "demo", _demo, "デモの会社（1 年分の履歴）を作る", "Make the demo company with a year of history"
    )
    demo.add_argument("--leads", type=int, default=3000, metavar="N", help="リードの人数 / how many leads")

    bench = _verb(
        verbs, "bench", _bench, "性能を測る（W1・W2・W6・W7・heart）", "Measure performance (W1, W2, W6, W7, heart)"
    )
    bench.add_argument("name", metavar="NAME", help="測るもの / what to measure: w1, w2, w6, w7, heart")
    bench.add_argument("--leads", type=int, default=None, metavar="N", help="リードの人数 / how many leads")
    bench.add_argument("--activity", type=int, default=None, metavar="N", help="行動の件数 / how many activities")
    _json(bench)

    _verb(verbs, "setup-key", _setup_key, "はじめの準備の鍵を表示する", "Print the key that the first run asks for")
    _json(_verb(verbs, "doctor", _doctor, "全体の健康状態を調べる", "Report the health of every part"))
    _verb(verbs, "messages-compile", _compile, "画面の文言（ja・en）を組み立てる", "Compile the ja and en catalogues")
    return top


# -- the verbs ------------------------------------------------------------------------------------------------------


def _up(options: argparse.Namespace) -> int:
    from hagukumi.embedded.supervisor import Plan, Supervisor

    # a server that somebody names is where real people are: no invented ones go there unasked
    theirs = bool(os.environ.get("DATABASE_URL") or os.environ.get("SMTP_URL"))
    demo = options.demo or not (options.no_demo or theirs)
    plan = Plan(homes.home_of_environment(), homes.Ports.of_environment(), demo=demo)
    return Supervisor(plan).run()


def _web(options: argparse.Namespace) -> int:
    from .web import serve

    with _ready("web"):
        return serve(homes.Ports.of_environment().web)


def _collector(options: argparse.Namespace) -> int:
    from hagukumi.collector.app import serve

    with _ready("collector"):
        return serve(homes.Ports.of_environment().collector, homes.bind_address()) or 0


def _worker(options: argparse.Namespace) -> int:
    with _ready("worker", django=True):
        from hagukumi.worker.heart import main as beat

        return beat() or 0


def _sender(options: argparse.Namespace) -> int:
    with _ready("sender", django=True):
        from hagukumi.worker.sender import main as send

        return send() or 0


def _mailbox(options: argparse.Namespace) -> int:
    from hagukumi.embedded import mailbox
    from hagukumi.kit import log

    log.configure("mailbox")
    home, ports = homes.home_of_environment(), homes.Ports.of_environment()
    homes.prepare(home)
    key = homes.mailbox_key(home)
    return mailbox.main(home / "mailbox", ports.smtp, ports.mailbox, homes.bind_address(), key)


def _migrate(options: argparse.Namespace) -> int:
    with _ready("migrate", django=True, migrate=False):
        _bring_up_to_date(only_pre=options.pre)
    print("データベースは最新の形です。 / The database is up to date.")
    return 0


def _import(options: argparse.Namespace) -> int:
    if not options.file.is_file():
        raise StartError(f"ファイルがありません: {options.file}", f"no such file: {options.file}")
    with _ready("import", django=True):
        from hagukumi.people.imports.command import import_file

        return import_file(
            options.file,
            source_name=options.source or options.file.stem,
            encoding=options.encoding or None,
            sheet=options.sheet,
            header_row=options.header_row,
            dates=options.dates.replace("-", "_"),
            basis=options.basis if options.basis != "none" else "",
            columns=options.map,
            result=options.result,
            as_json=options.json,
        )


def _export(options: argparse.Namespace) -> int:
    path: Path = options.to
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise StartError(f"書き出せるのは CSV です: {path}", f"only CSV is written: {path}")
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise StartError(f"ここにはファイルを書けません: {path}", f"no file can be written here: {path}")
    if path.exists() and not options.force:
        raise StartError(
            f"ファイルがもうあります（--force で上書き）: {path}", f"the file is there (--force replaces it): {path}"
        )
    with _ready("export", django=True):
        from hagukumi.app.export import leads_to

        done = leads_to(path, segment=options.segment, encoding=options.encoding, anyway=options.anyway)
    print(f"{done} 名を書き出しました: {path} / wrote {done} leads to {path}")
    return 0


def _person(options: argparse.Namespace) -> int:
    import json

    if options.act == "erase" and not options.reason.strip():
        raise StartError("消去の理由を --reason に書いてください", "say why with --reason")
    with _ready("person", django=True):
        from hagukumi.integrations.privacy import services
        from hagukumi.kit import clock

        try:
            if options.act == "export":
                print(json.dumps(services.export(options.lead, clock.now()), ensure_ascii=False, indent=1))
                return 0
            done = services.erase(options.lead, clock.now(), reason=options.reason)
        except services.NobodyError:
            raise StartError(f"リード {options.lead} はいません", f"there is no lead {options.lead}") from None
    rows = sum(done.rows.values())
    print(f"消去しました: 記録 {rows} 件、ファイル {len(done.files)} 個、残した配信停止の照合値 {done.stops_kept} 件")
    print(f"erased: {rows} rows, {len(done.files)} files; {done.stops_kept} stops kept by hash")
    return 0


def _demo(options: argparse.Namespace) -> int:
    with _ready("demo", django=True):
        from hagukumi.demo import company
        from hagukumi.kit import clock

        company.build(clock.now(), leads=options.leads, progress=lambda *words: print("     ", *words, flush=True))
    return 0


def _bench(options: argparse.Namespace) -> int:
    with _ready("bench", django=True):
        from hagukumi.bench.run import main as run

        return run(options.name, options.leads, options.activity, options.json) or 0


def _setup_key(options: argparse.Namespace) -> int:
    from hagukumi.kit import tokens

    if not os.environ.get("HAGUKUMI_SECRET_KEY"):
        os.environ["HAGUKUMI_SECRET_KEY"] = homes.secret_key(homes.home_of_environment())
    print(tokens.setup_key())
    return 0


def _admin(options: argparse.Namespace) -> int:
    return _give_password(options, admin=True)


def _password(options: argparse.Namespace) -> int:
    return _give_password(options, admin=False)


def _give_password(options: argparse.Namespace, *, admin: bool) -> int:
    """The way back in, for whoever may run programs here. The password is shown once and kept nowhere."""
    given = sys.stdin.readline().rstrip("\r\n") if options.stdin else ""
    with _ready("admin", django=True):
        from hagukumi.app import way_in

        password = way_in.give(options.email, given, admin=admin, name=getattr(options, "name", ""))
    if not given:
        print(f"  {options.email}   {password}")
    print("このパスワードでサインインできます。 / This password signs in now.")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    """Asks and changes nothing: no folder, no key, no server is made or started for it."""
    from hagukumi.kit import log

    log.configure("doctor")
    homes.check_addresses()
    home = homes.home_of_environment()
    os.environ.setdefault("HAGUKUMI_SECRET_KEY", homes.kept_secret_key(home) or "none: nothing is signed here")
    if not os.environ.get("DATABASE_URL"):
        from hagukumi.embedded.postgres import EmbeddedPostgres

        if not (home / "postgres").is_dir():
            raise StartError(
                f"ここにはまだ何もありません: {home}（HAGUKUMI_HOME を確かめてください）",
                f"nothing lives here yet: {home} (check HAGUKUMI_HOME)",
            )
        os.environ["DATABASE_URL"] = EmbeddedPostgres(home).url
    _set_up_django()
    from hagukumi.app import doctor

    found = doctor.report()
    doctor.show(found, as_json=options.json)
    return 0 if found["ok"] else 1


def _compile(options: argparse.Namespace) -> int:
    import runpy

    sys.argv = ["hagukumi.kit.catalog", "compile"]
    runpy.run_module("hagukumi.kit.catalog", run_name="__main__")
    return 0


# -- what they stand on ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _ready(part: str, *, django: bool = False, migrate: bool = True) -> Iterator[None]:
    """Logging, a database (DATABASE_URL's, or the home's own for as long as we run) and, if asked for, Django."""
    from hagukumi.kit import log

    log.configure(part)
    os.environ["PGAPPNAME"] = f"hagukumi {part}"  # so that the doctor sees who is at the database
    homes.check_addresses()
    home = homes.home_of_environment()
    homes.prepare(home)
    if not os.environ.get("HAGUKUMI_SECRET_KEY"):
        os.environ["HAGUKUMI_SECRET_KEY"] = homes.secret_key(home)
    with _database(home) as ours:
        if django or (ours and migrate):
            _set_up_django()
        if ours and migrate:
            _bring_up_to_date()
        if not django or part in _PARTS:
            yield
            return
        from hagukumi.accounts import audit

        with audit.acting(audit.command()):  # whoever is at the shell does what this command does
            yield


_PARTS = ("worker", "sender", "migrate")
"""Commands that act for nobody: what they do is the system's doing."""


def _set_up_django() -> None:
    import django as framework

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hagukumi.app.settings")
    framework.setup()


@contextlib.contextmanager
def _database(home: Path) -> Iterator[bool]:
    """Sets DATABASE_URL. Yields True where the embedded server was started by us and ends with us."""
    if os.environ.get("DATABASE_URL"):
        yield False
        return
    from hagukumi.embedded.postgres import EmbeddedPostgres

    if (home / homes.PENDING).exists():  # that database may be thrown away: no work may go into it
        raise StartError(
            "デモの会社を作っている途中です。hagukumi up が終わらせるのを待ってください",
            "the demo company is being made; let hagukumi up finish it first",
        )
    postgres = EmbeddedPostgres(home)
    joined = postgres.running()
    if not joined:
        signal.signal(signal.SIGTERM, _leave)  # so that the server is stopped by us, not left to itself
        postgres.start()
    os.environ["DATABASE_URL"] = postgres.url
    try:
        yield not joined
    finally:
        postgres.stop()


def _bring_up_to_date(*, only_pre: bool = False) -> None:
    """Django's migrations, then what every workspace starts with; quick when there is nothing to do."""
    from django.core.management import call_command

    from hagukumi.kit import clock

    from . import migrate, readymade

    migrate.run(only_pre=only_pre)
    call_command("createcachetable", verbosity=0)
    readymade.lay(clock.now())


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _fail(ja: str, en: str) -> int:
    print(f"hagukumi: {ja}\nhagukumi: {en}", file=sys.stderr)
    return 1


def _unexpected(error: Exception) -> int:
    """One line for the person, the traceback for the log."""
    path = homes.home_of_environment() / "log" / "hagukumi.log"
    text = traceback.format_exc()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv)}\n{text}\n")
    if os.environ.get("HAGUKUMI_DEBUG") == "1":
        sys.stderr.write(text)
    reason = (str(error).strip().splitlines() or [""])[0]
    what = f"{type(error).__name__}: {reason}"
    return _fail(f"予期しないエラーです（{what}）。詳しくは {path}", f"unexpected error ({what}); details in {path}")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Verb, ja: str, en: str
) -> argparse.ArgumentParser:
    made = verbs.add_parser(
        name,
        help=f"{ja} / {en}",
        description=f"{ja}\n{en}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(verb=run)
    return made


def _json(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true", help="結果を JSON で出す / print the result as JSON")


if __name__ == "__main__":
    raise SystemExit(main())
