"""What a process does not need it does not load: each of these costs every part of the house megabytes."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, django
django.setup()
{start}
print([name for name in ("polars", "fastexcel", "ninja", "granian", "aiosmtpd") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("start", "allowed"),
    [
        ("import hagukumi.worker.sender", []),
        ("import hagukumi.worker.heart", []),
        ("from django.urls import get_resolver; get_resolver().url_patterns", ["ninja"]),
    ],
)
def test_big_modules_wait_until_they_are_used(start: str, allowed: list[str]) -> None:
    command = [sys.executable, "-c", PROGRAM.format(start=start)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(allowed)


def test_they_are_there_when_they_are_used() -> None:
    from hagukumi.kit import lazy

    assert lazy.Module("colorsys").rgb_to_hsv(1, 0, 0) == (0.0, 1, 1)
    with pytest.raises(AttributeError):
        _ = lazy.Module("colorsys").no_such_thing
