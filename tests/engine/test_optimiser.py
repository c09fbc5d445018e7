"""train/optimiser.py and losses.py against plain NumPy and finite differences."""

import numpy as np
import pytest

from engine.losses import LOSSES, SCHEDULES
from engine.node import Parameter
from engine.train.optimiser import Adam


def test_adam_takes_the_steps_of_algorithm_one():
    rng = np.random.default_rng(0)
    value = rng.standard_normal((4, 5)).astype(np.float32)
    start = value.astype(np.float64)
    parameter = Parameter("w", value, np.zeros_like(value))
    adam = Adam({"w": parameter}, decay=0.1)
    m = v = np.zeros((4, 5))
    for t in range(1, 6):
        parameter.grad[...] = rng.standard_normal((4, 5))
        g = parameter.grad.astype(np.float64)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        move = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        start = start - 0.01 * move - 0.01 * 0.1 * start
        adam.step(0.01)
        assert np.allclose(value, start, atol=1e-5)


def test_latent_weights_stay_in_their_limits_and_steps_above_their_floor():
    latent = Parameter("w", np.zeros(3, np.float32), np.full(3, -1, np.float32), limit=1.0)
    step = Parameter("s", np.ones(1, np.float32), np.ones(1, np.float32), floor=0.5)
    adam = Adam({"w": latent, "s": step}, decay=0.0)
    for _ in range(50):
        adam.step(0.1)
    assert latent.value.tolist() == [1, 1, 1]
    assert step.value.tolist() == [0.5]


def test_its_state_goes_on_where_it_was():
    def run(split):
        value = np.ones(4, np.float32)
        p = Parameter("w", value, np.array([1, -2, 3, 0.5], np.float32))
        adam = Adam({"w": p}, decay=0.0)
        for t in range(6):
            if t == split:
                state = {k: a.copy() for k, a in adam.state().items()}
                adam = Adam({"w": p}, decay=0.0)
                adam.restore(state)
            adam.step(0.01)
        return value.tobytes()

    assert run(3) == run(99)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradients_pass_finite_differences(name):
    rng = np.random.default_rng(0)
    scores, labels = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    loss = LOSSES.make(name)
    _, grad = loss(scores.astype(np.float32), labels)
    for at in ((0, 0), (2, 3), (4, int(labels[4]))):
        moved = [scores.copy(), scores.copy()]
        moved[0][at] += 1e-3
        moved[1][at] -= 1e-3
        numeric = (loss(moved[0], labels)[0] - loss(moved[1], labels)[0]) / 2e-3
        assert numeric == pytest.approx(float(grad[at]), abs=1e-4)


def test_schedules_start_at_one_and_do_not_rise():
    for name in SCHEDULES:
        values = [SCHEDULES.make(name)(s) for s in np.linspace(0, 1, 11)]
        assert values[0] == 1
        assert values == sorted(values, reverse=True)
    assert SCHEDULES.make("cosine")(1.0) == pytest.approx(0)
