import pytest

from hagukumi.learn.reports.rules import STAGES, ImpossibleRateError, needed, steps


def test_each_stage_needs_the_next_divided_by_its_rate_rounded_up():
    assert needed(3, [0.3]) == [10, 3]
    assert needed(3, [0.5, 0.2, 0.6, 0.5, 0.3]) == [340, 170, 34, 20, 10, 3]
    assert needed(10, [0.2, 0.5, 0.25]) == [400, 80, 40, 10]
    assert needed(3, [0.7, 0.4]) == [12, 8, 3]


def test_a_floating_point_crumb_asks_for_nobody_more():
    assert needed(3, [0.1]) == [30, 3]
    assert needed(7, [0.07]) == [100, 7]


@pytest.mark.parametrize("rate", [0, -0.1, 1.01])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(ImpossibleRateError):
        needed(1, [rate])


def test_steps_carry_rate_and_loss_from_the_stage_before():
    found = steps([200, 100, 20, 10, 5, 0])
    assert [step.people for step in found] == [200, 100, 20, 10, 5, 0]
    assert [step.rate for step in found] == [None, 0.5, 0.2, 0.5, 0.5, 0.0]
    assert [step.lost for step in found] == [None, 100, 80, 10, 5, 5]


def test_an_empty_stage_has_no_rate_below_it():
    assert [step.rate for step in steps([0] * len(STAGES))] == [None] * len(STAGES)
