"""losses.py: gradients against finite differences, values against the formulas."""

import numpy as np
import pytest

from engine.losses import LOSSES, attention_transfer, cross_entropy, distillation


def slope(value, at, array, step=1e-4):
    moved = [array.copy(), array.copy()]
    moved[0][at] += step
    moved[1][at] -= step
    return (value(moved[0]) - value(moved[1])) / (2 * step)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_gradients_pass_finite_differences(name, smoothing):
    rng = np.random.default_rng(0)
    scores, labels = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    loss = LOSSES.make(name)
    _, grad = loss(scores.astype(np.float32), labels, smoothing)
    for at in np.ndindex(5, 4):
        numeric = slope(lambda s: loss(s, labels, smoothing)[0].mean(), at, scores, 1e-3)
        assert numeric == pytest.approx(float(grad[at]), abs=1e-4)


def test_smoothed_cross_entropy_is_that_of_the_smoothed_target():
    rng = np.random.default_rng(1)
    scores, labels = rng.standard_normal((6, 5)), rng.integers(0, 5, 6)
    target = np.full((6, 5), 0.3 / 5)
    target[np.arange(6), labels] += 0.7
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    want = -(target * logs).sum(1).mean()
    assert cross_entropy(scores, labels, 0.3)[0].mean() == pytest.approx(want)


def test_distillation_is_t_squared_times_the_divergence():
    rng = np.random.default_rng(2)
    scores, teacher = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))

    def soft(s):
        e = np.exp(s / 2.5)
        return e / e.sum(1, keepdims=True)

    want = 2.5**2 * (soft(teacher) * np.log(soft(teacher) / soft(scores))).sum(1)
    loss, grad = distillation(scores, teacher, 2.5)
    assert loss == pytest.approx(want)
    for at in np.ndindex(4, 3):
        numeric = slope(lambda s: distillation(s, teacher, 2.5)[0].mean(), at, scores)
        assert numeric == pytest.approx(float(grad[at]), abs=1e-5)
    same, none = distillation(teacher, teacher, 2.5)
    assert same == pytest.approx(0, abs=1e-9)
    assert np.allclose(none, 0)


def test_attention_transfer_passes_finite_differences_and_ignores_sizes():
    rng = np.random.default_rng(3)
    values, teacher = rng.standard_normal((2, 6, 3)), rng.standard_normal((2, 6, 5))
    loss, grad = attention_transfer(values, teacher)
    maps = [np.square(v).mean(2) for v in (values, teacher)]
    maps = [m / np.linalg.norm(m, axis=1, keepdims=True) for m in maps]
    assert loss == pytest.approx(((maps[0] - maps[1]) ** 2).mean(1))
    for at in np.ndindex(2, 6, 3):
        numeric = slope(lambda v: attention_transfer(v, teacher)[0].mean(), at, values)
        assert numeric == pytest.approx(float(grad[at]), abs=1e-5)
    assert attention_transfer(3 * values, 7 * values)[0] == pytest.approx(0, abs=1e-12)
