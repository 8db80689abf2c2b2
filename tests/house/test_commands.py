"""The command line: help in both languages, one-line failures, and the contracts between the verbs."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hagukumi.app import cli

VERBS = sorted(next(a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction)).choices)
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龯]")
ENGLISH = re.compile(r"[A-Za-z]{3,}( [A-Za-z]{2,})+")


def hagukumi(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "PORT")}
    command = [sys.executable, "-m", "hagukumi", *arguments]
    own = {**kept, "HAGUKUMI_HOME": str(home), **environment}
    return subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)


def test_the_verbs_are_those_of_the_readme() -> None:
    wanted = {"up", "web", "collector", "worker", "sender", "mailbox", "migrate", "demo", "bench", "doctor"}
    wanted |= {"import", "export", "person"}
    assert wanted <= set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_speaks_both_languages(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    lines = capsys.readouterr().out.splitlines()
    body = lines[next(i for i, line in enumerate(lines) if not line.strip()) :]
    assert ended.value.code == 0
    assert any(JAPANESE.search(line) for line in body)
    assert any(ENGLISH.search(line) and not JAPANESE.search(line) for line in body)


def test_every_option_is_explained_in_both_languages() -> None:
    verbs = next(a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    for name, verb in verbs.choices.items():
        for action in verb._actions:
            if not isinstance(action, argparse._HelpAction):
                text = action.help or ""
                assert JAPANESE.search(text) and " / " in text, f"{name} {action.dest}"


@pytest.mark.parametrize("verb", ["import", "bench", "doctor"])
def test_what_programs_read_comes_as_json(verb: str) -> None:
    positional = {"import": ["file.csv"], "bench": ["w1"], "doctor": []}[verb]
    assert cli.parser().parse_args([verb, *positional, "--json"]).json is True


def test_wrong_usage_is_exit_code_two(tmp_path: Path) -> None:
    assert hagukumi(tmp_path, "no-such-verb").returncode == 2
    assert hagukumi(tmp_path).returncode == 2


def test_a_missing_file_is_one_line_each(tmp_path: Path) -> None:
    done = hagukumi(tmp_path, "import", str(tmp_path / "ない.csv"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    ja, en = done.stderr.strip().splitlines()
    assert "ファイルがありません" in ja and "no such file" in en


def test_a_database_out_of_reach_is_said_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://someone:verysecret@127.0.0.1:1/none"
    done = hagukumi(tmp_path, "migrate", DATABASE_URL=url)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 2
    assert "verysecret" not in done.stdout + done.stderr
    assert "Traceback" in (tmp_path / "log" / "hagukumi.log").read_text()


def test_a_bad_port_is_said(tmp_path: Path) -> None:
    done = hagukumi(tmp_path, "up", PORT="no")
    assert done.returncode == 1 and "PORT" in done.stderr and len(done.stderr.strip().splitlines()) == 2


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ([], True), (["--no-demo"], False), (["--demo"], True),
        (["DATABASE_URL=postgresql://db.example.co.jp/ma"], False), (["SMTP_URL=smtp://smtp.example.co.jp"], False),
        (["--demo", "DATABASE_URL=postgresql://db.example.co.jp/ma"], True),
    ],
)  # fmt: skip
def test_a_server_that_somebody_names_gets_no_invented_people(
    given: list[str], made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hagukumi.embedded import supervisor

    plans: list[supervisor.Plan] = []

    class Planned(supervisor.Supervisor):
        def run(self) -> int:
            plans.append(self.plan)
            return 0

    monkeypatch.setattr(supervisor, "Supervisor", Planned)
    for name in ("DATABASE_URL", "SMTP_URL"):
        monkeypatch.delenv(name, raising=False)
    for one in given:
        if "=" in one:
            monkeypatch.setenv(*one.split("=", 1))
    assert cli.main(["up", *(one for one in given if "=" not in one)]) == 0
    assert plans[0].demo is made


def test_a_wrong_public_address_is_said_at_the_start(tmp_path: Path) -> None:
    for verb in ("up", "web", "doctor"):
        done = hagukumi(tmp_path, verb, HAGUKUMI_BASE_URL="ma.example.co.jp", DATABASE_URL="postgresql:///none")
        assert done.returncode == 1 and done.stderr.count("HAGUKUMI_BASE_URL") == 2, done.stderr
