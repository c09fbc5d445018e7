"""kernels/curves.py: exp, log and what is made of them, against NumPy, with and without the compiler."""

import numpy as np
import pytest

from engine.kernels import curves
from engine.kernels.jit import plain


def test_exp_and_log_are_right_to_the_last_bits():
    xs = np.concatenate([np.linspace(-700, 700, 4001), np.linspace(-1, 1, 501)])
    assert np.allclose([curves.exp(x) for x in xs], np.exp(xs), rtol=3e-15, atol=0)
    ys = np.exp(np.linspace(-600, 600, 3001))
    assert np.allclose([curves.log(y) for y in ys], np.log(ys), rtol=1e-15, atol=1e-15)
    assert curves.exp(0.0) == 1.0
    assert curves.log(1.0) == 0.0


def test_exp_stays_finite():
    assert curves.exp(1e9) == pytest.approx(np.exp(700.0))
    assert curves.exp(-1e9) == pytest.approx(np.exp(-700.0))


def test_sigmoid_and_softmax():
    x = np.random.default_rng(0).standard_normal((7, 9)).astype(np.float32) * 20
    out = np.empty_like(x)
    curves.sigmoid(x.ravel(), out.ravel())
    assert np.allclose(out, 1 / (1 + np.exp(-x.astype(np.float64))), rtol=2e-7)
    curves.softmax(x, out)
    wide = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    assert np.allclose(out, wide / wide.sum(1, keepdims=True), rtol=2e-7)
    assert np.allclose(out.sum(1), 1, rtol=1e-6)


def test_channel_means_add_one_place_after_the_other():
    x = np.random.default_rng(1).standard_normal((3, 6, 5)).astype(np.float32)
    out = np.empty((3, 5), np.float32)
    curves.channel_means(x, out)
    assert np.allclose(out, x.mean(1), atol=1e-6)
    again = np.empty_like(out)
    plain(curves.channel_means)(x, again)
    assert again.tobytes() == out.tobytes()


@pytest.mark.parametrize("x", [-3.7, 0.2, 5.1])
def test_the_compiler_changes_nothing(x):
    assert plain(curves.exp)(x) == curves.exp(x)
    assert plain(curves.log)(x * x) == curves.log(x * x)
