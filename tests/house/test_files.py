"""What the repository promises about its own files."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
VARIABLE = re.compile(r"""environ(?:\.get|\.setdefault|\.pop)?[(\[]\s*["'](\w+)["']""")
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "PATH", "NO_COLOR", "PGAPPNAME"}
MARKS = {"HAGUKUMI_UP"}  # set by the supervisor for its parts, not by people


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_has_hashes_and_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text and "index" not in text.replace("importlib", "")
    entries = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert entries and all("--hash=sha256:" in entry for entry in entries)


def test_npm_lock_names_no_host() -> None:
    lock = ROOT / "frontend" / "package-lock.json"
    assert '"resolved"' not in lock.read_text()
    assert "omit-lockfile-registry-resolved" in (ROOT / "frontend" / ".npmrc").read_text()


def test_direct_dependencies_are_pinned_as_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    run, dev = (ROOT / "requirements" / f"{name}.lock" for name in ("run", "dev"))
    for lock, wanted in ((run, project["project"]["dependencies"] + groups["build"]), (dev, groups["dev"])):
        locked = lock.read_text()
        for one in wanted:
            name, version = re.match(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", one).groups()
            assert re.search(rf"^{re.escape(name)}(?:\[\w+\])?=={re.escape(version)}\b", locked, re.MULTILINE), one


def test_the_bench_of_tools_holds_what_the_program_holds() -> None:
    pins = [dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", path.read_text(), re.MULTILINE)) for path in LOCKS]
    by_name = dict(zip([path.stem for path in LOCKS], pins, strict=True))
    assert by_name["run"].items() <= by_name["dev"].items()


def test_every_variable_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(VARIABLE.findall(path.read_text()))
    ours = read - NOT_OURS - MARKS
    assert {"PORT", "HAGUKUMI_HOME", "DATABASE_URL", "SMTP_URL"} <= ours
    assert [name for name in sorted(ours) if f"| `{name}` |" not in readme] == []


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md", "Makefile"])
def test_the_house_has_its_papers(name: str) -> None:
    assert (ROOT / name).stat().st_size > 300


def test_make_explains_every_target_in_both_languages() -> None:
    makefile = (ROOT / "Makefile").read_text()
    told = dict(re.findall(r"^([a-z0-9]+):.*## (.+)$", makefile, re.MULTILINE))
    assert {"up", "test", "lint", "types", "layers", "unit", "e2e", "bench", "lock", "front", "clean"} <= set(told)
    assert all(" / " in words for words in told.values())


def test_every_room_is_in_the_layers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {room.strip() for layer in layers for room in layer.split("|")} | {"collector", "embedded", "migrations"}
    rooms = {path.parent.name for path in (ROOT / "src" / "hagukumi").glob("*/__init__.py")}
    assert rooms - named == set()
