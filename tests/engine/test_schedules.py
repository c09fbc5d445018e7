"""schedules.py: where each schedule begins, ends and bends."""

import numpy as np
import pytest

from engine.schedules import SCHEDULES, factor


@pytest.mark.parametrize("key", [k for k in SCHEDULES if k != "one_cycle"])
def test_it_starts_at_one_and_does_not_rise(key):
    values = [SCHEDULES.make(key)(s) for s in np.linspace(0, 1, 101)]
    assert values[0] == 1
    assert values == sorted(values, reverse=True)
    assert min(values) >= 0


def test_the_ends_of_those_that_fall():
    ends = {"cosine": 0, "linear": 0, "polynomial": 0, "step": 0.01, "constant": 1}
    for key, end in ends.items():
        assert SCHEDULES.make(key)(1.0) == pytest.approx(end)
    assert [SCHEDULES.make("step")(s) for s in (0.49, 0.5, 0.75)] == [1, 0.1, 0.01]


def test_one_cycle_rises_once_and_falls_once():
    values = np.array([SCHEDULES.make("one_cycle")(s) for s in np.linspace(0, 1, 101)])
    top = int(values.argmax())
    assert top == 30
    assert values[top] == pytest.approx(1)
    assert values[0] == pytest.approx(1 / 25)
    assert values[-1] == pytest.approx(1 / 250_000)
    assert (np.diff(values[: top + 1]) > 0).all()
    assert (np.diff(values[top:]) < 0).all()


@pytest.mark.parametrize("key", SCHEDULES)
def test_warm_up_rises_in_a_straight_line_and_leaves_the_rest_to_the_schedule(key):
    plain = SCHEDULES.make(key)
    assert factor(key, 0.0, warm=0.2) == 0
    assert factor(key, 0.1, warm=0.2) == pytest.approx(plain(0.0) / 2)
    for share in (0.2, 0.5, 1.0):
        assert factor(key, share, warm=0.2) == pytest.approx(plain((share - 0.2) / 0.8))
    assert factor(key, 0.5) == plain(0.5)


def test_a_floor_lifts_the_end_and_leaves_the_top():
    assert factor("cosine", 0.0, floor=0.1) == 1
    assert factor("cosine", 1.0, floor=0.1) == pytest.approx(0.1)
    assert factor("linear", 0.5, floor=0.1) == pytest.approx(0.55)
