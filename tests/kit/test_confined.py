"""A child may run wild, crash or swallow memory: whoever asked gets a sentence's worth of an error and lives on."""

import ctypes
import time

import pytest

from hagukumi.kit import confined


def double(number: int, plus: int = 0) -> int:
    return number * 2 + plus


def refuse() -> None:
    raise ValueError("一行目に誤りがあります")


def for_ever() -> None:
    while True:
        time.sleep(0.01)


def swallow() -> int:
    return len(bytearray(4_000_000_000))


def crash() -> None:
    ctypes.string_at(0)


def test_an_answer_and_an_error_come_back_as_they_are():
    assert confined.call(double, 4, plus=1) == 9
    with pytest.raises(ValueError, match="一行目"):
        confined.call(refuse)


@pytest.mark.parametrize(("task", "why"), [(for_ever, "slow"), (swallow, "memory"), (crash, "crashed")])
def test_what_goes_wrong_there_stays_there(task, why):
    with pytest.raises(confined.ConfinedError) as caught:
        confined.call(task, seconds=0.5, megabytes=200)
    assert caught.value.why == why
    assert confined.call(double, 1) == 2


def test_a_server_that_has_gone_is_started_again():
    confined.call(double, 1)
    confined._server._process.terminate()
    confined._server._process.wait()
    assert confined.call(double, 2) == 4
