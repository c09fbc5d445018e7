"""optimisers.py and train/optimiser.py against plain NumPy written from the papers."""

import numpy as np
import pytest

from engine.errors import ModelError
from engine.node import Parameter
from engine.optimisers import OPTIMISERS, Knobs
from engine.settings import Training
from engine.train.optimiser import Grouped

RATE, DECAY = 0.01, 0.1


def twin_adam(w, g, s, t, *, apart):
    grad = g if apart else g + DECAY * w
    s["m"] = 0.9 * s["m"] + 0.1 * grad
    s["v"] = 0.999 * s["v"] + 0.001 * grad * grad
    step = RATE * (s["m"] / (1 - 0.9**t)) / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8)
    return w - step - (RATE * DECAY * w if apart else 0)


def twin_sgd(w, g, s, t, *, ahead):
    grad = g + DECAY * w
    s["m"] = 0.9 * s["m"] + grad
    return w - RATE * (grad + 0.9 * s["m"] if ahead else s["m"])


TWINS = {
    "adamw": lambda *a: twin_adam(*a, apart=True),
    "adam": lambda *a: twin_adam(*a, apart=False),
    "sgd": lambda *a: twin_sgd(*a, ahead=False),
    "nesterov": lambda *a: twin_sgd(*a, ahead=True),
}


@pytest.mark.parametrize("key", TWINS)
def test_it_takes_the_steps_of_its_paper(key):
    rng = np.random.default_rng(0)
    value = rng.standard_normal(20).astype(np.float32)
    want, state = value.astype(np.float64), {"m": np.zeros(20), "v": np.zeros(20)}
    rule = OPTIMISERS.make(key)(Knobs(momentum=0.9))
    kept = np.zeros((rule.rows, 20), np.float32)
    for t in range(1, 8):
        grad = rng.standard_normal(20)
        want = TWINS[key](want, grad, state, t)
        rule.begin(t)
        rule.move(value, grad.astype(np.float32), kept, RATE, DECAY, np.array([-9, 9], np.float32))
        assert np.allclose(value, want, atol=2e-6)


@pytest.mark.parametrize("key", ["bop", "bop2"])
def test_bop_flips_what_the_gradient_speaks_against_and_nothing_else(key):
    rng = np.random.default_rng(1)
    value = rng.standard_normal(500).astype(np.float32)
    value[0] = 0.0
    sizes, signs = np.abs(value), np.where(value >= 0, 1.0, -1.0)
    gamma, threshold = 0.1, 0.05
    m, v = np.zeros(500), np.zeros(500)
    rule = OPTIMISERS.make(key)(Knobs(threshold=threshold))
    state = np.zeros((rule.rows, 500), np.float32)
    flips = 0
    for t in range(1, 10):
        g = rng.standard_normal(500).astype(np.float32)
        m += gamma * (g - m)
        v += 0.01 * (g.astype(np.float64) ** 2 - v)
        against = m / (np.sqrt(v) + 1e-10) if key == "bop2" else m
        flip = (np.abs(against) > threshold) & (np.sign(against) == signs)
        signs[flip] *= -1
        flips += int(flip.sum())
        rule.begin(t)
        rule.move(value, g, state, gamma, 1.0, np.array([-1, 1], np.float32))
        assert ((value >= 0) == (signs > 0)).all()
    assert flips > 100
    assert np.allclose(np.abs(value), sizes, atol=1e-30)


def parameter(*values, binary=False, **limits):
    array = np.array(values, np.float32)
    return Parameter("w", array, np.zeros_like(array), binary=binary, **limits)


def test_latent_weights_stay_in_their_limits_and_steps_above_their_floor():
    latent, step = parameter(0, 0, 0, binary=True, limit=1.0), parameter(1, floor=0.5)
    latent.grad[:], step.grad[:] = -1, 1
    moved = Grouped({"w": latent, "s": step}, Training())
    for _ in range(50):
        moved.step(0.1)
    assert latent.value.tolist() == [1, 1, 1]
    assert step.value.tolist() == [0.5]


def test_a_floor_holds_beside_a_limit():
    mix = parameter(0.5, 0.5, limit=1.0, floor=0.0)
    mix.grad[:] = -1, 1
    moved = Grouped({"w": mix}, Training())
    for _ in range(50):
        moved.step(0.1)
    assert mix.value.tolist() == [1, 0]


def test_what_has_no_value_yet_is_left_for_its_layer_to_start():
    step = parameter(0, floor=1e-6)
    moved = Grouped({"s": step}, Training())
    moved.step(0.1)
    assert step.value.tolist() == [0]
    step.value[0] = 0.5  # found from a batch
    step.grad[0] = 1
    moved.step(0.1)
    assert 0 < step.value[0] < 0.5


@pytest.mark.parametrize("key", ["adam", "adamw"])
def test_a_step_moves_by_shares_of_itself_where_the_size_of_the_gradient_says_nothing(key):
    steps = [parameter(1, floor=1e-6, relative=True), parameter(1e-3, floor=1e-6, relative=True)]
    for step in steps:
        step.grad[:] = 1
    moved = Grouped({f"s{i}": step for i, step in enumerate(steps)}, Training(optimiser=key))
    moved.step(0.01)
    assert [float(step.value[0]) for step in steps] == pytest.approx([0.99, 0.99e-3], rel=1e-4)


def test_gradient_descent_moves_a_step_as_far_as_its_gradient_says():
    step = parameter(1e-3, floor=1e-6, relative=True)
    step.grad[:] = 1e-3
    Grouped({"s": step}, Training(optimiser="sgd", momentum=0)).step(0.1)
    assert step.value[0] == pytest.approx(0.9e-3)


def test_signs_have_an_optimiser_rate_and_decay_of_their_own():
    latent = Parameter("w", np.full((1, 2), 0.5, np.float32), np.ones((1, 2), np.float32), 1.0, binary=True)
    other = Parameter("v", np.full((1, 2), 0.5, np.float32), np.ones((1, 2), np.float32))
    chosen = Training(
        optimiser="sgd", momentum=0, rate=0.1, binary_optimiser="sgd", binary_rate=0.01, binary_decay=1
    )
    Grouped({"w": latent, "v": other}, chosen).step(0.1)
    assert np.allclose(other.value, 0.5 - 0.1)
    assert np.allclose(latent.value, 0.5 - 0.01 * (1 + 0.5))
    Grouped({"w": latent}, chosen, signs=False).step(0.1)  # floats in this stage: as all others
    assert np.allclose(latent.value, 0.485 - 0.1)


def test_bop_has_a_rate_of_its_own_and_leaves_floats_to_the_other():
    assert Training(binary_optimiser="bop").sign_rate == 1e-4
    assert Training(binary_optimiser="bop", binary_rate=0.5).sign_rate == 0.5
    assert Training(rate=0.25).sign_rate == 0.25
    latent, other = parameter(0.5, -0.5, binary=True), parameter(0.5, -0.5)
    latent.grad[:] = other.grad[:] = 1
    Grouped({"w": latent, "v": other}, Training(binary_optimiser="bop")).step(0.003)
    assert latent.value.tolist() == [-0.5, -0.5]  # only the +1 has the sign of its gradient
    assert np.allclose(other.value, [0.497, -0.503])


def test_decay_leaves_biases_alone():
    matrix = Parameter("w", np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32))
    bias = parameter(1, 1)
    Grouped({"w": matrix, "b": bias}, Training(weight_decay=0.5)).step(0.1)
    assert np.allclose(matrix.value, 0.95)
    assert bias.value.tolist() == [1, 1]


@pytest.mark.parametrize("key", OPTIMISERS)
def test_its_state_goes_on_where_it_was(key):
    chosen = Training(
        binary_optimiser=key, optimiser="adamw" if OPTIMISERS.make(key).flips else key, flip_threshold=1e-3
    )

    def run(split):
        p = parameter(1, -1, 0.3, 0.5, binary=True, limit=1.0)
        moved = Grouped({"w": p}, chosen)
        for t in range(6):
            if t == split:
                state = {k: a.copy() for k, a in moved.state().items()}
                moved = Grouped({"w": p}, chosen)
                moved.restore(state)
            p.grad[:] = np.cos(np.arange(4) + t)
            moved.step(0.01)
        return p.value.tobytes()

    assert run(3) == run(99)


def test_the_state_of_another_optimiser_is_refused():
    p = parameter(1, 2)
    adam = Grouped({"w": p}, Training())
    with pytest.raises(ModelError, match="does not fit its graph"):
        Grouped({"w": p}, Training(optimiser="sgd")).restore(adam.state())
