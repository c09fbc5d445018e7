"""Every quantizer of weights against a plain NumPy twin, written from its formula in float64."""

import itertools
import math

import numpy as np
import pytest

from engine.bnn.ranges import kl_range, mse_scale
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.node import Moment
from engine.precision import PRECISIONS

SHARES = (0.0, 0.3, 1.0)
W = (np.random.default_rng(5).standard_normal((6, 37)) * 0.5).astype(np.float32)
G = np.random.default_rng(6).standard_normal(W.shape).astype(np.float32)


def made(key, width, share=1.0, w=W):
    kind, row = WEIGHT_QUANTIZERS.make(key), PRECISIONS[width]
    quantizer = kind(row, {"weight": w, **kind.start(row, w)}, "clipped")
    quantizer.moment = Moment(share=share)
    return quantizer


def counted(quantized):
    """What weights count, float64."""
    total = np.zeros(quantized.values.shape)
    while quantized is not None:
        total += quantized.values.astype(np.float64) * quantized.scale[:, None]
        if quantized.offset is not None:
            total += quantized.offset[:, None]
        quantized = quantized.more
    return total


def sign(w):
    return np.where(w >= 0, 1.0, -1.0)


def mean(w, axis=1):
    return w.mean(axis=axis, keepdims=True)


def size(w):
    return np.abs(w).mean(axis=1, keepdims=True)


def bounds(width):
    bits = int(width)
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def uniform(steps):
    """The twin of levels whose step is `steps(w, high)`."""

    def twin(w, width, share):
        low, high = bounds(width)
        s = steps(w, high)
        return s * np.clip(np.rint(w / s), low, high)

    return twin


def dorefa(w, width, share):
    n = 2 ** int(width) - 1
    z = np.tanh(w) / (2 * np.abs(np.tanh(w)).max()) + 0.5
    return 2 * np.rint(n * z) / n - 1


def sawb(w, width, share):
    c1, c2 = {"2": (3.12, 2.064), "3": (7.509, 6.892), "4": (12.68, 12.80), "8": (31.76, 35.04)}[width]
    a = max(c1 * math.sqrt((w**2).mean()) - c2 * np.abs(w).mean(), np.abs(w).mean())
    levels = np.linspace(-a, a, 2 ** int(width))
    return levels[np.abs(w[..., None] - levels).argmin(axis=-1)]


def affine(w, width, share):
    low, high = w.min(axis=1, keepdims=True), w.max(axis=1, keepdims=True)
    s = (high - low) / (2 ** int(width) - 1)
    return low + s * np.rint((w - low) / s)


def powers(w, width, share):
    top = {"3": 1, "4": 2, "8": 6}[width]
    s = np.abs(w).max(axis=1, keepdims=True) / 2**top
    levels = np.array([2.0**e for e in range(top + 1)])
    near = levels[np.abs(np.log2(np.abs(w) / s)[..., None] - np.log2(levels)).argmin(axis=-1)]
    return s * np.where(np.abs(w) < s / 2, 0, np.sign(w) * near)


def abc(count):
    def twin(w, width, share):
        rows = []
        for row in w:
            us = [-1 + 2 * i / (count - 1) for i in range(count)]
            bases = np.array([sign(row - row.mean() + u * row.std()) for u in us])
            rows.append(np.linalg.lstsq(bases.T, row, rcond=None)[0] @ bases)
        return np.array(rows)

    return twin


def nearest_sums(w, basis):
    """The sums of +-v_i nearest to each weight, by trying them all."""
    codes = np.array(list(itertools.product((-1, 1), repeat=len(basis))))
    sums = codes @ basis
    place = np.abs(w[:, :, None] - sums.T[:, None]).argmin(axis=2)
    return codes[place], np.take_along_axis(sums.T[:, None].repeat(w.shape[1], 1), place[:, :, None], 2)[
        :, :, 0
    ]


def lq_nets(count):
    def twin(w, width, share):
        basis = np.array([0.6745 * w.std(axis=1) / 2 ** (count - 1 - i) for i in range(count)])
        codes, _ = nearest_sums(w, basis)
        found = np.array([np.linalg.lstsq(c, row, rcond=None)[0] for c, row in zip(codes, w, strict=True)])
        return nearest_sums(w, 0.9 * basis + 0.1 * found.T)[1]

    return twin


def residual(count):
    def twin(w, width, share):
        total = np.zeros_like(w)
        for _ in range(count):
            total = total + size(w - total) * sign(w - total)
        return total

    return twin


def kept(w, threshold):
    rows = []
    for row, t in zip(w, np.broadcast_to(threshold, (len(w), 1)), strict=True):
        above = np.abs(row) > t
        rows.append(np.sign(row) * above * np.abs(row)[above].mean())
    return np.array(rows)


def auto_ternary(w, width, share):
    a = 4 / 3 * size(w)
    for _ in range(5):
        q = kept(w, a / 2)
        a = np.abs(q).max(axis=1, keepdims=True)
    return q


def ttq(w, width, share):
    d, a = 0.05 * np.abs(w).max(), np.abs(w).mean()
    return a * (w > d) - a * (w < -d)


def lsq(first):
    def twin(w, width, share):
        low, high = (-1, 1) if width == "ternary" else bounds(width)
        s = first(w, low, high)
        return s * np.clip(np.rint(w / s), low, high)

    return twin


def lsq_plus_step(w, low, high):
    m, d = w.mean(), w.std()
    return max(abs(m - 3 * d), abs(m + 3 * d)) / -low


def tqt(w, width, share):
    low, high = bounds(width)
    s = 2.0 ** math.ceil(math.log2(np.float32(np.abs(w).max()))) / 2 ** (int(width) - 1)
    return s * np.clip(np.rint(w / s), low, high)


def a2q(bits):
    def twin(w, width, share):
        low, high = bounds(width)
        norm, s = np.abs(w).sum(axis=1, keepdims=True), np.abs(w).max(axis=1, keepdims=True) / high
        ratio = np.minimum(2**0.001 * norm / s, (2 ** (bits - 1) - 1) / 2**8)
        return s * np.clip(np.trunc(w / norm * ratio), low, high)

    return twin


def clamp(temperature):
    def twin(w, width, share):
        t = temperature(share)
        return np.clip(w / t, -1, 1) if t else sign(w)

    return twin


def noise(w, width, share):
    hard = counted(made("standard", width).quantize(w.astype(np.float32)))
    return w + min(1, 2 * share) * (hard - w)


def recu(w, width, share):
    return np.abs(w).mean(axis=1, keepdims=True) * sign(w - mean(w))


def standard(x):
    return (x - mean(x)) / x.std(axis=1, keepdims=True)


def libra(w, width, share):
    v = (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)
    return 2 ** np.rint(np.log2(size(v))) * sign(v)


TWINS = {
    "sign": lambda w, width, share: sign(w),
    "xnor": lambda w, width, share: size(w) * sign(w),
    "magnitude_aware": lambda w, width, share: size(w) * sign(w),
    "dorefa_sign": lambda w, width, share: np.abs(w).mean() * sign(w),
    "power_of_two_scale": lambda w, width, share: 2 ** np.rint(np.log2(size(w))) * sign(w),
    "learned_scale": lambda w, width, share: sign(w),
    "centred": lambda w, width, share: size(w - mean(w)) * sign(w - mean(w)),
    "standardised": lambda w, width, share: size(standard(w)) * sign(standard(w)),
    "libra": libra,
    "recu": recu,
    "adabin": lambda w, width, share: w.std(axis=1, keepdims=True) * sign(w - mean(w)) + mean(w),
    "abc_net_2": abc(2),
    "abc_net_3": abc(3),
    "abc_net_5": abc(5),
    "residual_2": residual(2),
    "residual_3": residual(3),
    "lq_nets_2": lq_nets(2),
    "lq_nets_3": lq_nets(3),
    "rotated": None,  # checked by what it is for
    "learned_rounding": None,
    "temperature": clamp(lambda share: 10 ** (-14 * share) if share < 0.5 else 0),
    "progressive": clamp(lambda share: 4 ** (-10 * share) if share < 1 else 0),
    "searched": lambda w, width, share: np.tanh(w * 100**share) if share < 1 else sign(w),
    "noise_ramp": noise,
    "lsq": lsq(lambda w, low, high: 2 * np.abs(w).mean() / math.sqrt(high)),
    "lsq_output": lsq(lambda w, low, high: 2 * size(w) / math.sqrt(high)),
    "lsq_plus": lsq(lsq_plus_step),
    "tqt": tqt,
    "qil": lambda w, width, share: (
        np.sign(w) * np.rint(np.abs(w) / np.abs(w).max() * bounds(width)[1]) / bounds(width)[1]
    ),
    "a2q_16": a2q(16),
    "a2q_20": a2q(20),
    "a2q_24": a2q(24),
    "min_max": uniform(lambda w, high: np.abs(w).max(axis=1, keepdims=True) / high),
    "min_max_layer": uniform(lambda w, high: np.abs(w).max() / high),
    "power_of_two_step": uniform(
        lambda w, high: 2 ** np.ceil(np.log2(np.abs(w).max(axis=1, keepdims=True) / high))
    ),
    "percentile": uniform(lambda w, high: np.percentile(np.abs(w), 99, axis=1, keepdims=True) / high),
    "three_sigma": uniform(lambda w, high: (np.abs(mean(w)) + 3 * w.std(axis=1, keepdims=True)) / high),
    "least_error": None,  # a search: checked below
    "entropy": None,
    "affine": affine,
    "sawb": sawb,
    "dorefa": dorefa,
    "powers_of_two": powers,
    "ste_tern": lambda w, width, share: np.sign(w) * (np.abs(w) > 0.05),
    "ternary_auto": auto_ternary,
    "ternary_sparse": lambda w, width, share: kept(
        w, np.quantile(np.abs(w), 0.7 * (1 - (1 - share) ** 3), axis=1, keepdims=True)
    ),
    "ttq": ttq,
    "absmean": lambda w, width, share: np.abs(w).mean() * np.clip(np.rint(w / np.abs(w).mean()), -1, 1),
    # by chance, checked by their means
    "stochastic_sign": None,
    "quant_noise": None,
    "stochastic_rounding": None,
    "ternary_stochastic": None,
    "standard": None,  # test_dense.py, test_levels.py
}
CHECKED = [(key, width) for key in TWINS if TWINS[key] for width in WEIGHT_QUANTIZERS.make(key).serves]


def test_every_quantizer_has_a_twin():
    assert set(TWINS) == set(WEIGHT_QUANTIZERS)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("key", "width"), CHECKED)
def test_weights_count_what_the_formula_says(key, width, share):
    found = counted(made(key, width, share).quantize(W))
    np.testing.assert_allclose(found, TWINS[key](W.astype(np.float64), width, share), rtol=1e-4, atol=1e-5)


# Gradients: (w, g, width, share) -> dL/dw for g = dL/d(weight as it counts), where no soft function has them.


def clip1(x):
    return np.abs(x) <= 1


def within(steps):
    def gradient(w, g, width, share):
        low, high = bounds(width)
        v = w / steps(w, high)
        return g * ((v >= low - 0.5) & (v <= high + 0.5))

    return gradient


def abc_gradient(count):
    def gradient(w, g, width, share):
        total = np.zeros_like(w)
        for o, row in enumerate(w):
            us = [-1 + 2 * i / (count - 1) for i in range(count)]
            shifted = np.array([row - row.mean() + u * row.std() for u in us])
            scales = np.linalg.lstsq(sign(shifted).T, row, rcond=None)[0]
            total[o] = sum(a * g[o] * clip1(s) for a, s in zip(scales, shifted, strict=True))
        return total

    return gradient


def lsq_gradient(first):
    def gradient(w, g, width, share):
        low, high = (-1, 1) if width == "ternary" else bounds(width)
        v = w / first(w, low, high)
        return g * ((v > low) & (v < high))

    return gradient


def sawb_gradient(w, g, width, share):
    return g * (np.abs(w) <= np.abs(sawb(w, width, share)).max())


IDENTITY = ("dorefa_sign", "lq_nets_2", "lq_nets_3", "temperature", "progressive", "affine", "absmean")
CLIPPED = (
    "residual_2",
    "residual_3",
    "sign",
    "power_of_two_scale",
    "ste_tern",
    "ternary_auto",
    "ternary_sparse",
    "stochastic_sign",
)
GRADIENTS = {
    **{key: lambda w, g, width, share: g for key in IDENTITY},
    **{key: lambda w, g, width, share: g * clip1(w) for key in (*CLIPPED, "ternary_stochastic")},
    "xnor": lambda w, g, width, share: size(w) * g * clip1(w) + sign(w) * mean(g * sign(w)),
    "magnitude_aware": lambda w, g, width, share: size(w) * g * clip1(w),
    "learned_scale": lambda w, g, width, share: g * clip1(w),
    "centred": lambda w, g, width, share: g * clip1(w - mean(w)) - mean(g * clip1(w - mean(w))),
    "abc_net_2": abc_gradient(2),
    "abc_net_3": abc_gradient(3),
    "abc_net_5": abc_gradient(5),
    "searched": lambda w, g, width, share: (
        g * 100**share / np.cosh(w * 100**share) ** 2 if share < 1 else g * clip1(w)
    ),
    "min_max": within(lambda w, high: np.abs(w).max(axis=1, keepdims=True) / high),
    "percentile": within(lambda w, high: np.percentile(np.abs(w), 99, axis=1, keepdims=True) / high),
    "three_sigma": within(lambda w, high: (np.abs(mean(w)) + 3 * w.std(axis=1, keepdims=True)) / high),
    "sawb": sawb_gradient,
    "dorefa": lambda w, g, width, share: g * (1 - np.tanh(w) ** 2) / np.abs(np.tanh(w)).max(),
    "ttq": lambda w, g, width, share: g * np.where(np.abs(w) > 0.05 * np.abs(w).max(), np.abs(w).mean(), 1.0),
    "lsq": lsq_gradient(lambda w, low, high: 2 * np.abs(w).mean() / math.sqrt(high)),
    "lsq_output": lsq_gradient(lambda w, low, high: 2 * size(w) / math.sqrt(high)),
    "lsq_plus": lsq_gradient(lsq_plus_step),
}


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(
    ("key", "width"), [(k, width) for k in GRADIENTS for width in WEIGHT_QUANTIZERS.make(k).serves]
)
def test_the_gradient_is_what_the_formula_says(key, width, share):
    quantizer = made(key, width, share)
    quantizer.quantize(W)
    found = quantizer.gradient(W, G.copy())
    expected = GRADIENTS[key](W.astype(np.float64), G.astype(np.float64), width, share)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)


# Gradients by finite differences: of the same weights with every step replaced by its straight line, and what
# the quantizer holds constant frozen where it stands.


def frozen(key, share):
    """Return w -> weights whose slope the quantizer claims, with constants taken at W."""
    w0 = W.astype(np.float64)
    if key == "adabin":

        def soft(w):
            b, a = mean(w), w.std(axis=1, keepdims=True)
            b0, a0 = mean(w0), w0.std(axis=1, keepdims=True)
            z, z0 = (w - b) / a, (w0 - b0) / a0
            return a * (sign(z0) + (z - z0) * clip1(z0)) + b

        return soft
    if key == "standardised":
        return lambda w: size(standard(w0)) * standard(w) * clip1(standard(w0))
    if key == "libra":

        def v(w):
            return (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

        return lambda w: 2 ** np.rint(np.log2(size(v(w0)))) * v(w) * clip1(v(w0))

    def v(w):
        return 2 * math.sqrt(2) * (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

    t = 0.85 + 0.14 * (math.exp(share) - 1) / (math.e - 1)
    q = -np.abs(v(w0)).mean() * math.log(2 - 2 * t)
    return lambda w: size(w0) * v(w) * (np.abs(v(w0)) <= q)


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("key", ["adabin", "standardised", "libra", "recu"])
def test_balanced_gradients_pass_finite_differences(key, share):
    soft, w = frozen(key, share), W.astype(np.float64)
    found = made(key, "1", share).gradient(W, G.copy())
    for at in [(0, 0), (2, 11), (5, 36), (3, 20)]:
        moved = [w.copy(), w.copy()]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        slope = ((soft(moved[0]) - soft(moved[1])) * G).sum() / 2e-6
        assert found[at] == pytest.approx(slope, rel=2e-3, abs=2e-3)


def rounded_at(v0, low, high):
    """Return v -> clip(round(v)) whose slope is straight-through: the rounding error of v0 stays."""
    error, inside = np.rint(v0) - v0, (v0 > low) & (v0 < high)
    return lambda v: np.where(inside, v + error, np.clip(v0, low, high))


LEARNED = [
    ("learned_scale", "1", "weight_scale"),
    ("recu", "1", "weight_scale"),
    ("ttq", "ternary", "weight_positive"),
    ("ttq", "ternary", "weight_negative"),
]


@pytest.mark.parametrize(("key", "width", "name"), LEARNED)
def test_learned_scales_have_the_slope_of_the_weights_they_scale(key, width, name):
    quantizer = made(key, width)
    quantizer.gradient(W, G.copy())
    array, grad = quantizer.arrays[name], quantizer.grads[name].copy()
    for at in range(len(array)):
        before, totals = float(array[at]), []
        for step in (0.25, -0.25):
            array[at] = before + step
            totals.append((counted(quantizer.quantize(W)) * G).sum())
        array[at] = before
        assert grad[at] == pytest.approx((totals[0] - totals[1]) / 0.5, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("width", ["ternary", "2", "4"])
@pytest.mark.parametrize("key", ["lsq", "lsq_output"])
def test_learned_steps_have_the_slope_of_lsq(key, width):
    quantizer = made(key, width)
    quantizer.gradient(W, G.copy())
    low, high = quantizer.row.low, quantizer.row.high
    s0 = quantizer.arrays["weight_step"].astype(np.float64)[:, None]
    w, together = W.astype(np.float64), W.size // len(s0)

    def total(s):
        return (s * rounded_at(w / s0, low, high)(w / s) * G).reshape(len(s0), -1).sum(axis=1)

    slope = (total(s0 + 1e-7) - total(s0 - 1e-7)) / 2e-7 / math.sqrt(together * high)
    np.testing.assert_allclose(quantizer.grads["weight_step"], slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("width", ["2", "4", "8"])
def test_the_threshold_of_tqt_has_its_slope(width):
    w = W * 2.0  # so that some are clipped at a learned threshold
    quantizer = made("tqt", width, w=w)
    quantizer.arrays["weight_log_threshold"][0] -= 1
    found = quantizer.gradient(w, G.copy())
    low, high = bounds(width)
    s0, w = float(quantizer.step), w.astype(np.float64)
    v0 = w / s0
    inside = (np.rint(v0) >= low) & (np.rint(v0) <= high)

    def total(power):
        s = s0 * 2.0**power
        return (s * np.where(inside, w / s + np.rint(v0) - v0, np.clip(np.rint(v0), low, high)) * G).sum()

    slope = (total(1e-6) - total(-1e-6)) / 2e-6
    assert quantizer.grads["weight_log_threshold"][0] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, np.where(inside, G, 0))


def test_the_interval_of_qil_passes_finite_differences():
    quantizer = made("qil", "3")
    c0, d0, w = 0.6, 0.45, W.astype(np.float64)
    quantizer.arrays["weight_middle"][0], quantizer.arrays["weight_reach"][0] = c0, d0
    t0 = (np.abs(w) - c0 + d0) / (2 * d0)
    expected = np.sign(w) * np.rint(3 * np.clip(t0, 0, 1)) / 3
    np.testing.assert_allclose(counted(quantizer.quantize(W)), expected, atol=1e-6)
    found = quantizer.gradient(W, G.copy())
    inside = (t0 > 0) & (t0 < 1)

    def total(c, d):
        return (np.sign(w) * np.where(inside, (np.abs(w) - c + d) / (2 * d), 0) * G).sum()

    for name, up, down in (
        ("weight_middle", total(c0 + 1e-6, d0), total(c0 - 1e-6, d0)),
        ("weight_reach", total(c0, d0 + 1e-6), total(c0, d0 - 1e-6)),
    ):
        assert quantizer.grads[name][0] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, G * inside / (2 * d0), rtol=1e-5)


@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("width", ["4", "8"])
def test_a2q_differentiates_norm_step_and_weights(width, tight):
    quantizer = made("a2q_16", width)
    if tight:
        quantizer.bound = 20.0
    logs = [quantizer.arrays[n].astype(np.float64)[:, None] for n in ("weight_log_norm", "weight_log_step")]
    w0 = W.astype(np.float64)

    def real(w, log_norm, log_step):
        return (
            w / np.abs(w).sum(axis=1, keepdims=True) * np.minimum(2 ** (log_norm - log_step), quantizer.bound)
        )

    levels = counted(quantizer.quantize(W)) / 2 ** logs[1]
    v0 = real(w0, *logs)

    def total(w, log_norm, log_step):
        return 2**log_step * (levels + real(w, log_norm, log_step) - v0) * G

    found = quantizer.gradient(W, G.copy())
    for at, name in enumerate(("weight_log_norm", "weight_log_step")):
        up, down = ([log + (step if i == at else 0) for i, log in enumerate(logs)] for step in (1e-6, -1e-6))
        slope = (total(w0, *up) - total(w0, *down)).sum(axis=1) / 2e-6
        np.testing.assert_allclose(quantizer.grads[name], slope, rtol=2e-3, atol=2e-3)
    for at in [(0, 0), (4, 30)]:
        moved = [w0.copy(), w0.copy()]
        moved[0][at] += 1e-7
        moved[1][at] -= 1e-7
        slope = (total(moved[0], *logs) - total(moved[1], *logs)).sum() / 2e-7
        assert found[at] == pytest.approx(slope, rel=5e-3, abs=5e-3)


@pytest.mark.parametrize("bits", [16, 20, 24])
@pytest.mark.parametrize("width", ["2", "4", "8"])
def test_a2q_never_leaves_its_accumulator(width, bits):
    w = np.random.default_rng(bits).standard_normal((9, 2000)).astype(np.float32)
    quantizer = made(f"a2q_{bits}", width, w=w)
    quantizer.arrays["weight_log_norm"][:] += 5
    assert np.abs(quantizer.shipped(w).values).sum(axis=1).max() * 255 <= 2 ** (bits - 1) - 1


def test_the_means_of_chance_are_the_latent_weights():
    for key, width, expected in (
        ("stochastic_sign", "1", np.clip(W, -1, 1)),
        ("stochastic_rounding", "8", W),
        ("quant_noise", "2", (W + counted(made("standard", "2").quantize(W))) / 2),
    ):
        quantizer = made(key, width)
        mean_of = np.mean([counted(quantizer.quantize(W)) for _ in range(3000)], axis=0)
        np.testing.assert_allclose(mean_of, expected, atol=0.08 if width == "1" else 0.03)
    quantizer = made("ternary_stochastic", "ternary")
    often = np.mean([quantizer.quantize(W).values != 0 for _ in range(3000)], axis=0)
    np.testing.assert_allclose(often, np.minimum(1, np.abs(W) / (1.4 * size(W))), atol=0.05)
    twn = counted(made("standard", "ternary").quantize(W))
    np.testing.assert_allclose(counted(quantizer.shipped(W)), twn, atol=1e-6)


def test_the_step_of_least_error_beats_its_neighbours():
    for low, high in ((-2, 1), (-8, 7)):
        steps = mse_scale(W, low, high).astype(np.float64)
        largest = np.abs(W).max(axis=1)

        def error(steps, low=low, high=high):
            s = steps[:, None]
            return ((s * np.clip(np.rint(W / s), low, high) - W) ** 2).sum(axis=1)

        for part in np.linspace(0.25, 1, 24):
            assert (error(steps) <= error(largest * part / high) + 1e-4).all()
        found = made("least_error", {1: "2", 7: "4"}[high]).quantize(W)
        np.testing.assert_allclose(found.scale, steps, rtol=1e-5)


def test_the_threshold_of_least_divergence_clips_a_long_tail():
    rng = np.random.default_rng(0)
    normal = rng.standard_normal(20_000).astype(np.float32)
    tail = np.concatenate([normal, np.float32([40.0])])
    assert kl_range(tail, 7) < 12
    assert 1 < kl_range(normal, 7) <= np.abs(normal).max() * 1.0001
    assert kl_range(normal, 127) >= kl_range(normal, 3)
    assert kl_range(np.zeros(5, np.float32), 7) > 0
    found = made("entropy", "4", w=tail[None].copy()).quantize(tail[None])
    assert found.scale[0] == pytest.approx(kl_range(tail, 7) / 7, rel=1e-5)


def test_sparse_ternary_reaches_its_share_of_zeros():
    w = np.random.default_rng(0).standard_normal((20, 500)).astype(np.float32)
    for share, zeros in ((0.0, 0.0), (0.5, 0.6125), (1.0, 0.7)):
        values = made("ternary_sparse", "ternary", share, w).quantize(w).values
        assert (values == 0).mean() == pytest.approx(zeros, abs=0.01)


def test_more_bases_err_less():
    errors = [((counted(made(f"abc_net_{n}", "1").quantize(W)) - W) ** 2).mean() for n in (2, 3, 5)]
    assert errors[0] > errors[1] > errors[2]


def test_a_learned_basis_settles_at_the_least_error():
    quantizer = made("lq_nets_3", "1")
    errors = [((counted(quantizer.quantize(W)) - W) ** 2).mean() for _ in range(60)]
    assert errors[-1] < 0.5 * errors[0]
    basis = quantizer.arrays["weight_basis"].astype(np.float64)
    assert errors[-1] == pytest.approx(((nearest_sums(W, basis)[1] - W) ** 2).mean(), rel=1e-4)
    assert errors[-1] < ((counted(made("abc_net_3", "1").quantize(W)) - W) ** 2).mean()
    before = basis.copy()
    quantizer.shipped(W)
    assert (quantizer.arrays["weight_basis"] == before).all()


@pytest.mark.parametrize("inputs", [36, 41, 2 * 1031])
def test_rotations_stay_rotations_and_bring_weights_near_their_signs(inputs):
    w = np.random.default_rng(2).standard_normal((30, inputs)).astype(np.float32) ** 3
    quantizer = made("rotated", "1", 0.0, w)

    def cosine(v):
        return np.abs(v).sum(axis=1) / np.linalg.norm(v, axis=1) / math.sqrt(v.shape[1])

    v = (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)
    quantizer.quantize(w)
    for name in ("weight_turn_1", "weight_turn_2"):
        turn = quantizer.arrays[name]
        np.testing.assert_allclose(turn.T @ turn, np.eye(len(turn)), atol=1e-4)
    turned = quantizer._rotated(v.astype(np.float32))
    if inputs == 36:
        first, second = (quantizer.arrays[f"weight_turn_{i}"] for i in (1, 2))
        by_hand = np.array([(first.T @ row.reshape(6, 6) @ second).ravel() for row in v])
        np.testing.assert_allclose(turned, by_hand, rtol=1e-3, atol=1e-3)
        assert cosine(turned).mean() > cosine(v).mean() + 0.05
    part = np.abs(np.sin(quantizer.arrays["weight_angle"]))[:, None]
    expected = quantizer.arrays["weight_scale"][:, None] * sign(v + part * (turned - v))
    assert (np.sign(counted(quantizer.quantize(w))) == np.sign(expected)).mean() > 0.999
    turn = quantizer.arrays["weight_turn_1"].copy()
    quantizer.quantize(w)
    assert (quantizer.arrays["weight_turn_1"] == turn).all()  # not found anew at the same moment


def test_rotated_gradients_pass_finite_differences():
    quantizer = made("rotated", "1", 0.5)
    quantizer.quantize(W)
    found = quantizer.gradient(W, G.copy())
    w0, angle0 = W.astype(np.float64), quantizer.arrays["weight_angle"].astype(np.float64)[:, None]

    def v(w):
        return (w - mean(w)) / w.std(axis=1, ddof=1, keepdims=True)

    added = quantizer._rotated(v(w0).astype(np.float32)) - v(w0)
    turned0 = v(w0) + np.abs(np.sin(angle0)) * added
    scale = quantizer.arrays["weight_scale"].astype(np.float64)[:, None]

    def total(w, angle):
        turned = v(w) + np.abs(np.sin(angle)) * added
        return (scale * turned * clip1(turned0) * G).sum(axis=1)

    slope = (total(w0, angle0 + 1e-6) - total(w0, angle0 - 1e-6)) / 2e-6
    np.testing.assert_allclose(quantizer.grads["weight_angle"], slope, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(quantizer.grads["weight_scale"], (G * sign(turned0)).sum(axis=1), atol=1e-3)
    for at in [(0, 0), (3, 20)]:
        moved = [w0.copy(), w0.copy()]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        slope = (total(moved[0], angle0) - total(moved[1], angle0)).sum() / 2e-6
        assert found[at] == pytest.approx(slope, rel=5e-3, abs=5e-3)


def test_rounding_is_learned_once_the_weights_have_settled():
    quantizer = made("learned_rounding", "3", 0.4)
    nearest = counted(made("standard", "3").quantize(W))
    np.testing.assert_allclose(counted(quantizer.quantize(W)), nearest)
    quantizer.gradient(W, G.copy())
    assert (quantizer.grads["weight_round"] == 0).all()
    quantizer.moment = Moment(share=0.6)
    soft = quantizer.quantize(W)
    assert soft.soft
    step = soft.scale.astype(np.float64)[:, None]
    floor, over = np.floor(W / step), np.clip(W / step - np.floor(W / step), 0.01, 0.99)
    np.testing.assert_allclose(soft.values, np.clip(floor + over, -4, 3), atol=1e-4)
    np.testing.assert_allclose(counted(quantizer.shipped(W)), nearest, atol=1e-5)
    found = quantizer.gradient(W, G.copy())
    assert (found == 0).all()
    v0, power = quantizer.arrays["weight_round"].astype(np.float64), 20 - 36 * 0.1

    def total(v):
        h = np.clip(1.2 / (1 + np.exp(-v)) - 0.1, 0, 1)
        drawn = 0.01 * (1 - np.abs(2 * h - 1) ** power)
        return G * step * np.clip(floor + h, -4, 3) + drawn

    slope = (total(v0 + 1e-6) - total(v0 - 1e-6)) / 2e-6
    np.testing.assert_allclose(quantizer.grads["weight_round"], slope, rtol=2e-3, atol=2e-4)
    quantizer.arrays["weight_round"] *= -1
    up = step * np.clip(floor + (v0 < 0), -4, 3)
    for share in (0.7, 1.0):
        quantizer.moment = Moment(share=share)
        moved = quantizer.shipped(W + 1)  # the weights count no more
        np.testing.assert_allclose(counted(moved), up, atol=1e-5)
    assert not quantizer.quantize(W).soft
