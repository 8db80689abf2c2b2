"""What strangers sent stands in the log without harm: no forged lines, no secrets that still open something."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
from hagukumi.kit import log
log.configure("web")
told = sys.argv[1].encode().decode("unicode_escape")
logging.getLogger("django.request").warning("Gone: %s", told)
log.get("hagukumi.x").info("told", what=told)
try:
    raise ValueError(told)
except ValueError:
    log.get("hagukumi.x").exception("broke")
"""


def logged(told: str, **environment: str) -> str:
    command = [sys.executable, "-c", PROGRAM, told]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}).stderr


@pytest.mark.parametrize("break_", ["\\n", "\\r\\n", "\\x0b", "\\x85", "\\u2028"])
def test_a_line_break_begins_no_line(break_: str) -> None:
    forged = "2026-01-01T00:00:00Z [info     ] admin signed in"
    lines = logged(f"a{break_}{forged}").splitlines()
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert "broke" in logged("a") and "ValueError" in logged("a")


def test_a_terminal_is_not_spoken_to() -> None:
    assert "\x1b" not in logged("\\x1b[2J").split("  | ")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/welcome/MQ/cabc12-0123456789abcdef0123456789abcdef/", "/u/0123456789abcdefghijABCDEFGHIJ_-0123/",
        "/d/0123456789abcdefghijABCDEFGHIJ_-0123", "/x/?token=0123456789abcdefghijABCDEFGHIJ_-0123",
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["", "json"])
def test_what_opens_something_is_cut(path: str, shape: str) -> None:
    said = "".join(line for line in logged(path, HAGUKUMI_LOG=shape).splitlines() if "ValueError" not in line)
    assert "…" in said
    assert "0123456789abcdef" not in said.split("Traceback")[0]


def test_ordinary_addresses_stay_whole() -> None:
    assert "/leads/?q=abc&page=2" in logged("/leads/?q=abc&page=2")
