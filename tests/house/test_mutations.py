"""The kept mutations can still be made: file, text and tests are there. That they are noticed, `make mutate` says."""

import pytest

from mutations import run as mutate


def test_every_kept_mutation_can_be_made():
    found = mutate.mutations()
    assert [f"{one.room}: {one.says}: {because}" for one in found if (because := mutate.problem(one))] == []
    assert len(found) >= 60
    assert len({(one.file, one.find, one.replace) for one in found}) == len(found)


def _one(**changed) -> mutate.Mutation:
    whole = {
        "room": "x", "says": "x", "file": "pyproject.toml", "find": "[project]\n", "replace": "",
        "tests": ("tests/house/test_mutations.py::test_every_kept_mutation_can_be_made",),
    }  # fmt: skip
    return mutate.Mutation(**{**whole, **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"file": "src/hagukumi/nowhere.sql"}, "the file is gone"),
        ({"find": "no such text"}, "the text is gone"),
        ({"find": "python"}, "times in"),
        ({"replace": "[project]\n"}, "changes nothing"),
        ({"tests": ("tests/house/test_nowhere.py",)}, "the test is gone"),
        ({"tests": ("tests/house/test_mutations.py::test_nothing",)}, "the test is gone"),
        ({"tests": ()}, "names no test"),
        ({"file": "tests/conftest.py", "find": "def pytest_unconfigure() -> None:", "replace": "def"}, "no Python"),
    ],
)
def test_what_cannot_be_made_is_said(changed, said):
    assert said in mutate.problem(_one(**changed))
    assert bool(mutate.problem(_one(**changed))) is bool(said)


@pytest.mark.parametrize(
    ("code", "output", "state"),
    [
        (0, "1 passed", mutate.SURVIVED),
        (1, "FAILED tests/x.py::test_y - assert 1 == 2", mutate.NOTICED),
        (1, 'E  psycopg.errors.SyntaxError: syntax error at or near "AND"\nFAILED tests/x.py::test_y', mutate.ERROR),
        (2, "ERROR collecting tests/x.py", mutate.ERROR),
        (4, "no tests", mutate.ERROR),
        (5, "no tests ran", mutate.ERROR),
    ],
)
def test_only_a_red_test_is_a_catch(code, output, state):
    assert mutate._judged(code, output)[0] == state
