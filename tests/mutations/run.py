"""`make mutate`: break the product on purpose, one small change at a time, and see that its tests turn red.

The changes are kept in the `*.toml` beside this file, a file a group of rooms:

    [[mutation]]
    says = "a late answer counts as within the SLA"   # what the product would do wrongly
    file = "src/hagukumi/…/queries.sql"                # where, from the root of the repository
    find = "answered_at <= due_at"                     # text that stands there exactly once
    replace = "true"
    tests = ["tests/…/test_handover.py"]               # who must notice

Each is applied to a scratch copy of the tree, never to the tree itself. One PostgreSQL serves all runs. A change that
no test notices is a survivor; one whose file, text or test is gone, or that is not even valid SQL or Python, is an
error: then nothing was proven, and the list is to be mended. Exit status 1 for either.
"""

import argparse
import ast
import itertools
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
COPIED = ("src", "tests", "docs", "requirements")
COPIED_FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile")
LINKED = ("frontend",)
LIMIT_SECONDS = 300
"""A change that makes its tests hang has been noticed, too."""
NOTICED, SURVIVED, ERROR = "noticed", "SURVIVED", "ERROR"


@dataclass(frozen=True)
class Mutation:
    """One change; `room` is the list it stands in."""

    room: str
    says: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What became of one change; `because` names the first test that noticed, or what is wrong with the change."""

    mutation: Mutation
    state: str
    because: str
    seconds: float


def mutations(folder: Path = HERE) -> list[Mutation]:
    """Every kept change, in the order of the files."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(path.read_text())["mutation"]:
            found.append(Mutation(room=path.stem, **{**entry, "tests": tuple(entry["tests"])}))
    return found


def problem(mutation: Mutation, root: Path = ROOT) -> str:
    """Why this change cannot be made as it is written; '' where it can."""
    path = root / mutation.file
    if not path.is_file():
        return f"the file is gone: {mutation.file}"
    text = path.read_text()
    if (times := text.count(mutation.find)) != 1:
        where = "the text is gone from" if times == 0 else f"the text stands {times} times in"
        return f"{where} {mutation.file}: {mutation.find.strip().splitlines()[0]}"
    if mutation.find == mutation.replace:
        return "it changes nothing"
    if path.suffix == ".py":
        try:
            ast.parse(text.replace(mutation.find, mutation.replace))
        except SyntaxError as error:
            return f"it is no Python: {error}"
    missing = [test for test in mutation.tests if not _test_exists(root, test)]
    return f"the test is gone: {', '.join(missing)}" if missing else "" if mutation.tests else "it names no test"


def _test_exists(root: Path, test: str) -> bool:
    name, _separator, function = test.partition("::")
    path = root / name
    if not function:
        return path.exists()
    return path.is_file() and f"def {function.partition('[')[0]}(" in path.read_text()


def copy_of_the_tree(folder: Path) -> Path:
    """A scratch copy of what the tests need, under `folder`."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "artifacts"))
    for name in COPIED_FILES:
        shutil.copy2(ROOT / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    return folder


class Bench:
    """A scratch copy and a database of its own, in which one change at a time is tried."""

    def __init__(self, folder: Path, number: int, database_url: str) -> None:
        self.tree = copy_of_the_tree(folder)
        parts = urlsplit(database_url)
        url = urlunsplit(parts._replace(path=f"/mutate{number}"))
        self._touched = itertools.count(int(time.time()) - 1_000_000)
        self._environment = {
            **os.environ,
            "HAGUKUMI_TEST_DATABASE_URL": url if parts.netloc else url.replace("postgresql:/", "postgresql:///", 1),
            "PYTHONPATH": str(self.tree / "src"),
            "PYTHONPYCACHEPREFIX": str(folder.parent / f"pycache{number}"),
        }
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def try_out(self, mutation: Mutation) -> Verdict:
        """Make the change, run its tests until one fails, take the change back."""
        started = time.monotonic()
        if because := problem(mutation, self.tree):
            return Verdict(mutation, ERROR, because, 0.0)
        path = self.tree / mutation.file
        before = path.read_text()
        self._write(path, before.replace(mutation.find, mutation.replace))
        try:
            code, said = self.run_tests(mutation.tests)
        finally:
            self._write(path, before)
        return Verdict(mutation, *_judged(code, said), time.monotonic() - started)

    def run_tests(self, tests: tuple[str, ...], limit: float = LIMIT_SECONDS) -> tuple[int, str]:
        """(pytest's exit status, what it said). The database of the first run is used again by the others."""
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "--reuse-db",
            "--no-header",
            "-rfE",
            "--tb=short",
            *tests,
        ]
        try:
            done = subprocess.run(
                command, cwd=self.tree, env=self._environment, capture_output=True, text=True, timeout=limit
            )
        except subprocess.TimeoutExpired:
            return 1, "FAILED (the tests did not end)"
        return done.returncode, done.stdout + done.stderr

    def _write(self, path: Path, text: str) -> None:
        """With a time stamp that no version had: Python tells compiled files apart by size and second alone."""
        path.write_text(text)
        stamp = next(self._touched)
        os.utime(path, (stamp, stamp))


def _judged(code: int, said: str) -> tuple[str, str]:
    if code == 0:
        return SURVIVED, "its tests pass all the same"
    if "syntax error at or near" in said:
        return ERROR, "it is no SQL"
    if code != 1:
        return ERROR, f"pytest ended with {code}: {said.strip().splitlines()[-1] if said.strip() else ''}"
    red = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return NOTICED, red[0].partition(" - ")[0] if red else "a test failed"


def run(chosen: list[Mutation], jobs: int) -> list[Verdict]:
    """Try every change on `jobs` benches at once; SystemExit where the tests are red without any change."""
    from hagukumi.embedded.postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="hagukumi-mutate-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        postgres = EmbeddedPostgres(scratch / "pg", durable=False)
        postgres.start()
        try:
            benches = [Bench(_made(scratch / f"tree{n}"), n, postgres.url) for n in range(jobs)]
            _must_be_green(benches, chosen)
            return list(_tried(benches, chosen))
        finally:
            postgres.stop()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _must_be_green(benches: list[Bench], chosen: list[Mutation]) -> None:
    """Unchanged, the named tests pass: else a red test would prove nothing. Makes each bench's database on the way."""
    tests = tuple(dict.fromkeys(test.partition("::")[0] for one in chosen for test in one.tests if not problem(one)))
    print(f"  {len(chosen)} changes, {len(tests)} test files; first without any change …", flush=True)
    for number, bench in enumerate(benches):
        if not tests:
            return
        code, said = bench.run_tests(tests if number == 0 else tests[:1], limit=10 * LIMIT_SECONDS)
        if code != 0:
            print(said)
            raise SystemExit("the tests are red without any change")


def _tried(benches: list[Bench], chosen: list[Mutation]) -> Iterator[Verdict]:
    waiting: queue.SimpleQueue[Mutation] = queue.SimpleQueue()
    verdicts: queue.SimpleQueue[Verdict] = queue.SimpleQueue()
    for mutation in chosen:
        waiting.put(mutation)

    def work(bench: Bench) -> None:
        while True:
            try:
                mutation = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                verdicts.put(bench.try_out(mutation))
            except Exception as error:  # one that breaks the bench proves nothing, and the others still have their turn
                verdicts.put(Verdict(mutation, ERROR, f"{type(error).__name__}: {error}", 0.0))

    for bench in benches:
        threading.Thread(target=work, args=(bench,), daemon=True).start()
    for _one in chosen:
        verdict = verdicts.get()
        print(_line(verdict), flush=True)
        yield verdict


def _line(verdict: Verdict) -> str:
    mark = {NOTICED: "✓", SURVIVED: "✗", ERROR: "!"}[verdict.state]
    line = f"{mark} {verdict.seconds:4.0f}s  {verdict.mutation.room}: {verdict.mutation.says}"
    return line if verdict.state == NOTICED else f"{line}\n         {verdict.state}: {verdict.because}"


def _chosen(words: list[str]) -> list[Mutation]:
    every = mutations()
    if not words:
        return every
    return [one for one in every if any(word in f"{one.room}: {one.says} {one.file}" for word in words)]


def main() -> int:
    """Report survivors and errors; 0 only where there are none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="only changes with one of these words in list, sentence or file")
    parser.add_argument("-j", "--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--check", action="store_true", help="only whether every change can still be made")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server and the copies go with us
    chosen = _chosen(given.words)
    if given.check:
        verdicts = [Verdict(one, ERROR, because, 0.0) for one in chosen if (because := problem(one))]
        print(*map(_line, verdicts), sep="\n")
    else:
        verdicts = run(chosen, max(1, given.jobs))
    bad = [verdict for verdict in verdicts if verdict.state != NOTICED]
    survived = sum(verdict.state == SURVIVED for verdict in bad)
    print(f"{len(chosen)} changes: {survived} survived, {len(bad) - survived} could not be made or proved nothing")
    for verdict in bad if not given.check else []:
        print(_line(verdict))
    return 1 if bad or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
