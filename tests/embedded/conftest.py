"""Homes that are thrown away, short enough for a socket."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hgk-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)
