"""kernels/estimators.py: each against its formula, written anew in float64, and against its soft step."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.sign import Sign
from engine.kernels.estimators import ESTIMATORS
from engine.kernels.threads import workers
from engine.ports import Spec

X = np.concatenate([np.linspace(-3, 3, 241), [0.0, 1.0, -1.0, 1.25, 1.5]]).astype(np.float32)


def within(limit):
    return lambda x, share: (np.abs(x) <= np.float32(limit)).astype(np.float64)


def ede(x, share):
    t = 10 ** (-3 + 4 * share)
    return max(1 / t, 1) * t * (1 - np.tanh(t * x) ** 2)


def fda(x, share):
    n = 9 + int(9 * share)
    series = sum(np.cos((2 * i + 1) * 0.1 * x) for i in range(n + 1))
    return 0.4 / math.pi * series * (np.abs(x) <= 1)


def reste(x, share):
    o = 1 + (1 - math.cos(math.pi * share / 2)) * 2
    size, low = np.abs(x), np.float32(0.1)
    slope = np.where(size > low, np.maximum(size, low) ** ((1 - o) / o) / o, 0.1 ** (1 / o) / 0.1)
    return slope * (size <= 1.5)


def training_aware(x, share):
    t = 10 ** (-2 + 3 * share)
    return max(1 / t, 1) * np.maximum(0, 2 * math.sqrt(t**2 / 2) - np.abs(t**2 * x))


def parabolas(x, share):
    t = 10 ** (-2 + 3 * share)
    end = min(abs(x), math.sqrt(2) / t)
    return max(1 / t, 1) * math.copysign(math.sqrt(2) * t * end - t * t * end**2 / 2, x)


def dsq(x, share):
    s = 1 / (1 - 0.4)
    k = math.log((s + 1) / (s - 1))
    return s * k / 2 / np.cosh(k * x / 2) ** 2 * (np.abs(x) <= 1)


def swish(x, share):
    return 5 * (2 - 5 * x * np.tanh(2.5 * x)) / (1 + np.cosh(5 * x))


def sigmoid(x, share):
    s = 1 / (1 + np.exp(-4 * x))
    return 2 * 4 * s * (1 - s)


def dynamic(x, share):
    return (np.abs(x) <= 2 * np.sqrt((x**2).mean())).astype(np.float64)


FORMULAS = {
    "clipped": within(1),
    "clipped_1_25": within(1.25),
    "clipped_1_3": within(1.3),
    "clipped_1_5": within(1.5),
    "identity": lambda x, share: np.ones_like(x),
    "approx_sign": lambda x, share: np.maximum(0, 2 - 2 * np.abs(x)),
    "swish_sign": swish,
    "dsq": dsq,
    "tanh": lambda x, share: 1 / np.cosh(x) ** 2,
    "sigmoid": sigmoid,
    "arctan": lambda x, share: 1 / (1 + (math.pi * x / 2) ** 2),
    "ede": ede,
    "fda": fda,
    "reste": reste,
    "training_aware": training_aware,
    "annealed_tanh": lambda x, share: 10**share / np.cosh(10**share * x) ** 2,
    "ewgs": None,
    "adaste": None,
    "dynamic_clip": dynamic,
}
every = pytest.mark.parametrize("key", FORMULAS)

# Soft signs whose derivatives the smooth estimators are, by share of the training.
SOFT = {
    "swish_sign": lambda x, share: (
        2 / (1 + np.exp(-5 * x)) * (1 + 5 * x * (1 - 1 / (1 + np.exp(-5 * x)))) - 1
    ),
    "dsq": lambda x, share: math.tanh(math.log(4) / 2 * x) / 0.6,
    "tanh": lambda x, share: math.tanh(x),
    "sigmoid": lambda x, share: 2 / (1 + math.exp(-4 * x)) - 1,
    "arctan": lambda x, share: 2 / math.pi * math.atan(math.pi / 2 * x),
    "ede": lambda x, share: max(10 ** (3 - 4 * share), 1) * math.tanh(10 ** (4 * share - 3) * x),
    "fda": lambda x, share: sum(
        4 / math.pi * math.sin((2 * i + 1) * 0.1 * x) / (2 * i + 1) for i in range(10 + int(9 * share))
    ),
    "reste": lambda x, share: math.copysign(abs(x) ** (1 / (3 - 2 * math.cos(math.pi / 2 * share))), x),
    "training_aware": parabolas,
    "annealed_tanh": lambda x, share: math.tanh(10**share * x),
}


def passed(key, x, grad, share=1.0):
    out = np.full_like(x, np.nan)
    ESTIMATORS.make(key)(x, grad, share, out)
    return out


def test_every_estimator_is_checked():
    assert set(FORMULAS) == set(ESTIMATORS)


@every
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_an_estimator_is_its_formula(key, share):
    grad = np.random.default_rng(0).standard_normal(len(X)).astype(np.float32)
    if key == "ewgs":
        u = np.clip((X.astype(np.float64) + 1) / 2, 0, 1)
        expected = grad * (1 + 1e-3 * np.sign(grad) * (u - np.rint(u))) * (np.abs(X) <= 1)
        expected[X == 0] = grad[X == 0] * (1 - 5e-4 * np.sign(grad[X == 0]))  # 1/2 counts as the upper value
    elif key == "adaste":
        x = np.where(X == 0, 1e-9, X.astype(np.float64))
        expected = grad * np.where(np.sign(x) == np.sign(grad), np.tanh(x) / x, 1 / np.cosh(x) ** 2)
    else:
        expected = grad * FORMULAS[key](X.astype(np.float64), share)
    np.testing.assert_allclose(passed(key, X, grad, share), expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("key", SOFT)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_smooth_estimator_is_the_slope_of_its_soft_sign(key, share):
    x = np.array([-0.83, -0.41, 0.23, 0.57, 0.92], np.float32)
    soft = SOFT[key]
    slopes = [(soft(float(v) + 1e-6, share) - soft(float(v) - 1e-6, share)) / 2e-6 for v in x]
    np.testing.assert_allclose(passed(key, x, np.ones_like(x), share), slopes, rtol=2e-3, atol=1e-4)


@every
def test_an_estimator_may_write_over_its_gradient(key):
    grad = np.linspace(-1, 1, len(X)).astype(np.float32)
    expected = passed(key, X, grad, 0.4)
    ESTIMATORS.make(key)(X, grad, 0.4, grad)
    assert (grad == expected).all()


@every
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 70), share=st.floats(0, 1))
def test_an_estimator_is_linear_in_the_gradient_and_finite(key, seed, size, share):
    rng = np.random.default_rng(seed)
    x, grad = (rng.standard_normal((2, size)) * 3).astype(np.float32)
    out = passed(key, x, grad, share)
    assert np.isfinite(out).all()
    np.testing.assert_allclose(passed(key, x, 2 * grad, share), 2 * out, rtol=1e-5, atol=1e-6)
    assert (passed(key, x, np.zeros_like(grad), share) == 0).all()


@every
def test_extreme_inputs_give_finite_gradients(key):
    x = np.float32([-1e15, -30, 0, 30, 1e15])
    assert np.isfinite(passed(key, x, np.ones_like(x), 1.0)).all()


def test_annealed_estimators_sharpen():
    at = np.float32([0.01, 0.8])
    for key in ("ede", "reste", "annealed_tanh", "training_aware"):
        early, late = (passed(key, at, np.ones(2, np.float32), share) for share in (0.0, 1.0))
        assert early[0] * late[1] < late[0] * early[1]


@pytest.mark.parametrize("key", ESTIMATORS)
def test_a_sign_passes_the_same_in_place_and_on_any_number_of_threads(key):
    rng, spec, n = np.random.default_rng(0), Spec("real", (9, 8, 33)), 40
    x, grad = (rng.standard_normal((n, *spec.shape)).astype(np.float32) for _ in range(2))
    found = []
    for threads, spare in ((1, False), (2, False), (2, True)):
        operator = Sign(estimator=key).operator({}, n, spec)
        operator.grad_spare, given = spare, grad.copy()
        with workers(threads):
            (words,) = operator.execute(x)
            (back,) = operator.gradient(given)
        assert np.shares_memory(back, given) == spare
        found.append((words.tobytes(), back.copy()))
    for words, back in found[1:]:
        assert words == found[0][0]
        assert np.allclose(back, found[0][1], rtol=1e-6, atol=0)
