"""Every quantizer of activations against a plain NumPy twin, written from its formula in float64."""

import math

import numpy as np
import pytest

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.bnn.ranges import kl_range, mse_scale
from engine.node import Moment
from engine.ports import Spec
from engine.precision import PRECISIONS

X = (np.random.default_rng(8).standard_normal((11, 3, 5)) * 1.1).astype(np.float32)
G = np.random.default_rng(9).standard_normal(X.shape).astype(np.float32)
SPEC = Spec("real", X.shape[1:])
HALF_WAVE = {"2": 0.538, "3": 0.3217, "4": 0.185, "8": 0.019}


def made(key, width, learned=None, share=1.0):
    """A quantizer that has seen one batch, with learned arrays set where given."""
    kind, row = ACTIVATION_QUANTIZERS.make(key), PRECISIONS[width]
    quantizer = kind(row, kind.start(row, SPEC), "clipped")
    quantizer.moment = Moment(share=share)
    quantizer.observe(X)
    for name, value in (learned or {}).items():
        quantizer.arrays[name][...] = value
    return quantizer


def counted(quantizer, x=X):
    """What numbers count once quantized, float64 of x's shape."""
    if quantizer.soft:
        return quantizer.relaxed(x).astype(np.float64)
    spec = Spec("bits", x.shape[1:], quantizer.row.key)
    seen = quantizer.quantize(x, spec.array(len(x)))
    if quantizer.row.binary:
        bits = np.unpackbits(seen.view(np.uint8), axis=1, bitorder="little")[:, : spec.elements]
        seen = bits.reshape(x.shape) * 2.0 - 1
    return quantizer.step * seen.astype(np.float64) + (quantizer.offset or 0.0)


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def clip1(x):
    return np.abs(x) <= 1


def signed(reach):
    """Forward and gradient of signed levels whose step is `reach(x) / high`."""

    def forward(x, width):
        high = 2 ** (int(width) - 1) - 1
        s = reach(x) / high
        return s * np.clip(np.rint(x / s), -high - 1, high)

    def gradient(x, g, width):
        high = 2 ** (int(width) - 1) - 1
        v = x / (reach(x) / high)
        return g * ((v >= -high - 1.5) & (v <= high + 0.5))

    return forward, gradient


def affine(x, width):
    s = (x.max() - x.min()) / (2 ** int(width) - 1)
    return x.min() + s * np.rint((x - x.min()) / s)


def clipped_levels(top):
    """Forward and gradient of 2^bits unsigned levels from 0 to `top(width)`."""

    def forward(x, width):
        n = 2 ** int(width) - 1
        s = top(width) / n
        return s * np.rint(np.clip(x, 0, s * n) / s)

    return forward, lambda x, g, width: g * ((x >= 0) & (x <= top(width)))


def power_of_two(x, width):
    high = 2 ** (int(width) - 1) - 1
    s = 2 ** math.ceil(math.log2(np.abs(x).max() / high))
    return s * np.clip(np.rint(x / s), -high - 1, high)


BITS = {
    "heaviside": (lambda x, width: (x > 0) * 1.0, lambda x, g, width: g * clip1(x)),
    "stochastic_sign": (None, lambda x, g, width: g * clip1(x)),
    "bernoulli": (None, lambda x, g, width: 0.5 * g * clip1(x)),
    "gumbel": (None, None),
    "psa": (None, lambda x, g, width: g * (1 - np.tanh(x / 2) ** 2) / 2),  # test_psa.py
    "reinforce": (None, lambda x, g, width: g * (1 - np.tanh(x / 2) ** 2) / 2),  # test_reinforce.py
    "rsign": (lambda x, width: sign(x), lambda x, g, width: g * clip1(x)),
    "adabin": (lambda x, width: sign(x), lambda x, g, width: g * clip1(x)),
    "progressive": (lambda x, width: sign(x), lambda x, g, width: g),
    "dynamic_threshold": (None, None),  # test_activation_thresholds.py
}
LEVELS = {
    "ste_tern": (lambda x, width: np.sign(x) * (np.abs(x) > 0.05), lambda x, g, width: g * clip1(x)),
    "dorefa": clipped_levels(lambda width: 1.0),
    "hwgq": clipped_levels(lambda width: HALF_WAVE[width] * (2 ** int(width) - 1)),
    "pact": (
        clipped_levels(lambda width: float(X.max()))[0],
        lambda x, g, width: g * ((x >= 0) & (x < x.max())),
    ),
    "largest": signed(lambda x: np.abs(x).max()),
    "percentile": signed(lambda x: np.percentile(np.abs(x), 99.9)),
    "three_sigma": signed(lambda x: abs(x.mean()) + 3 * x.std()),
    "least_error": (None, None),
    "entropy": (None, None),
    "power_of_two_step": (power_of_two, None),
    "min_max": (affine, lambda x, g, width: g),
    "lsq_unsigned": (None, None),
    "lsq_plus": (affine, None),
    "tqt": (None, None),
    "qil": (None, None),
    "n2uq": (None, None),  # test_activation_thresholds.py
    "apot": (None, None),
    "residual_2": (None, lambda x, g, width: g * clip1(x)),
    "bfloat16": (None, lambda x, g, width: g),
    "standard": (None, None),  # test_dense.py
}
TWINS = {**BITS, **LEVELS}


def pairs(at):
    return [(k, w) for k in TWINS if TWINS[k][at] for w in ACTIVATION_QUANTIZERS.make(k).serves]


def test_every_quantizer_has_a_twin():
    assert set(TWINS) == set(ACTIVATION_QUANTIZERS)


@pytest.mark.parametrize(("key", "width"), pairs(0))
def test_activations_count_what_the_formula_says(key, width):
    found = counted(made(key, width))
    np.testing.assert_allclose(found, TWINS[key][0](X.astype(np.float64), width), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("key", "width"), pairs(1))
def test_the_gradient_is_what_the_formula_says(key, width):
    found = made(key, width).gradient(X, G.copy())
    expected = TWINS[key][1](X.astype(np.float64), G.astype(np.float64), width)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_shifted_sign_learns_a_threshold_for_each_channel():
    shift = np.linspace(-0.5, 0.5, 5).astype(np.float32)
    quantizer = made("rsign", "1", {"input_shift": shift})
    assert (counted(quantizer) == sign(X + shift)).all()
    found = quantizer.gradient(X, G.copy())
    expected = G * clip1(X + shift)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(quantizer.grads["input_shift"], expected.sum(axis=(0, 1)), atol=1e-4)


def test_the_two_values_of_adabin_pass_finite_differences():
    a0, b0 = 0.6, 0.2
    quantizer = made("adabin", "1", {"input_distance": a0, "input_centre": b0})
    np.testing.assert_allclose(counted(quantizer), np.where(b0 <= X, a0 + b0, b0 - a0), atol=1e-6)
    found = quantizer.gradient(X, G.copy())
    x = X.astype(np.float64)
    z0 = (x - b0) / a0

    def total(a, b):
        z = (x - b) / a
        return ((a * (sign(z0) + (z - z0) * clip1(z0)) + b) * G).sum()

    for name, up, down in (
        ("input_distance", total(a0 + 1e-6, b0), total(a0 - 1e-6, b0)),
        ("input_centre", total(a0, b0 + 1e-6), total(a0, b0 - 1e-6)),
    ):
        assert quantizer.grads[name][0] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, G * clip1(z0), atol=1e-6)


def test_the_gradient_of_gumbel_is_that_of_the_soft_draw():
    quantizer = made("gumbel", "1")
    u = np.clip(np.random.default_rng(0).random(X.shape, np.float32), 1e-6, 1 - 1e-6).astype(np.float64)
    z = X + np.log(u / (1 - u))
    assert (counted(quantizer) == sign(z)).mean() > 0.999
    slopes = (np.tanh((z + 1e-5) / 2) - np.tanh((z - 1e-5) / 2)) / 2e-5
    np.testing.assert_allclose(quantizer.gradient(X, G.copy()), G * slopes, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
def test_the_progressive_sign_is_soft_until_the_end(share):
    quantizer = made("progressive", "1", share=share)
    assert quantizer.soft
    np.testing.assert_allclose(counted(quantizer), np.clip(X * 4 ** (10 * share), -1, 1), rtol=1e-4)
    quantizer.moment = Moment(share=share, learning=False)
    assert not quantizer.soft


def test_pact_learns_its_clip():
    quantizer = made("pact", "4", {"input_clip": 0.8})
    n, x = 15, X.astype(np.float64)
    np.testing.assert_allclose(counted(quantizer), 0.8 / n * np.rint(np.clip(x, 0, 0.8) / 0.8 * n), atol=1e-5)
    found = quantizer.gradient(X, G.copy())
    assert quantizer.grads["input_clip"][0] == pytest.approx(G[X >= 0.8].sum(dtype=np.float64), rel=1e-4)
    np.testing.assert_allclose(found, G * ((X >= 0) & (X < 0.8)))


@pytest.mark.parametrize("width", ["2", "4", "8"])
def test_the_unsigned_step_has_the_gradient_of_lsq(width):
    high = 2 ** int(width) - 1
    quantizer = made("lsq_unsigned", width)
    s = float(quantizer.step)
    assert s == pytest.approx(2 * np.abs(X).mean() / math.sqrt(high), rel=1e-5)
    v = X.astype(np.float64) / s
    np.testing.assert_allclose(counted(quantizer), s * np.clip(np.rint(v), 0, high), rtol=1e-5, atol=1e-6)
    quantizer.gradient(X, G.copy())
    slope = np.where(v <= 0, 0, np.where(v >= high, high, np.rint(v) - v))
    expected = (G * slope).sum() / math.sqrt(X[0].size * high)
    assert quantizer.grads["step"][0] == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("width", ["2", "4"])
def test_lsq_plus_learns_step_and_offset(width):
    s0, b0, high = 0.4, -0.7, 2 ** int(width) - 1
    quantizer = made("lsq_plus", width, {"step": s0, "input_offset": b0})
    found = quantizer.gradient(X, G.copy())
    x = X.astype(np.float64)
    v0 = (x - b0) / s0
    inside, error = (v0 > 0) & (v0 < high), np.rint(v0) - v0

    def total(s, b):
        return ((s * np.where(inside, (x - b) / s + error, np.clip(v0, 0, high)) + b) * G).sum()

    scale = 1 / math.sqrt(X[0].size * high)
    for name, up, down in (
        ("step", total(s0 + 1e-6, b0), total(s0 - 1e-6, b0)),
        ("input_offset", total(s0, b0 + 1e-6), total(s0, b0 - 1e-6)),
    ):
        assert quantizer.grads[name][0] == pytest.approx((up - down) / 2e-6 * scale, rel=2e-3, abs=1e-3)
    np.testing.assert_allclose(found, G * inside)


def test_the_interval_of_qil_passes_finite_differences():
    c0, d0, n, x = 0.5, 0.8, 15, X.astype(np.float64)
    assert made("qil", "4").arrays["input_reach"][0] == pytest.approx(X.max() / 2)
    quantizer = made("qil", "4", {"input_middle": c0, "input_reach": d0})
    t0 = (x - c0 + d0) / (2 * d0)
    np.testing.assert_allclose(counted(quantizer), np.rint(n * np.clip(t0, 0, 1)) / n, atol=1e-6)
    found = quantizer.gradient(X, G.copy())
    inside = (t0 > 0) & (t0 < 1)

    def total(c, d):
        return (np.where(inside, (x - c + d) / (2 * d), 0) * G).sum()

    for name, up, down in (
        ("input_middle", total(c0 + 1e-6, d0), total(c0 - 1e-6, d0)),
        ("input_reach", total(c0, d0 + 1e-6), total(c0, d0 - 1e-6)),
    ):
        assert quantizer.grads[name][0] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, G * inside / (2 * d0), rtol=1e-5)


@pytest.mark.parametrize("width", ["2", "4", "8"])
def test_the_threshold_of_tqt_has_its_slope(width):
    quantizer = made("tqt", width)
    low, high = -(2 ** (int(width) - 1)), 2 ** (int(width) - 1) - 1
    s0 = 2.0 ** math.ceil(math.log2(np.abs(X).max())) / -low
    assert quantizer.step == s0
    quantizer.arrays["input_log_threshold"][0] -= 1
    s0, x = s0 / 2, X.astype(np.float64)
    v0 = x / s0
    np.testing.assert_allclose(counted(quantizer), s0 * np.clip(np.rint(v0), low, high))
    inside = (np.rint(v0) >= low) & (np.rint(v0) <= high)

    def total(power):
        s = s0 * 2.0**power
        return (s * np.where(inside, x / s + np.rint(v0) - v0, np.clip(np.rint(v0), low, high)) * G).sum()

    quantizer.gradient(X, G.copy())
    slope = (total(1e-6) - total(-1e-6)) / 2e-6
    assert quantizer.grads["input_log_threshold"][0] == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_searched_steps_are_those_of_the_searches():
    flat = X.reshape(-1)
    assert made("least_error", "4").step == pytest.approx(float(mse_scale(flat[None], -8, 7)[0]), rel=1e-5)
    assert made("entropy", "4").step == pytest.approx(kl_range(flat, 7) / 7, rel=1e-5)


@pytest.mark.parametrize("key", ["largest", "percentile", "three_sigma", "least_error", "entropy", "min_max"])
def test_a_range_follows_the_batches_a_tenth_of_the_way(key):
    quantizer = made(key, "4")
    first = float(quantizer.step)
    quantizer.observe(3 * X)
    assert quantizer.step == pytest.approx(0.9 * first + 0.1 * 3 * first, rel=1e-3)
    if key == "min_max":
        assert quantizer.offset == pytest.approx(1.2 * float(X.min()), rel=1e-3)
    for _ in range(200):
        quantizer.observe(3 * X)
    assert quantizer.step == pytest.approx(3 * first, rel=1e-3)
