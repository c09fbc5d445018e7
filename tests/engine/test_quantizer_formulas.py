"""Every quantizer of weights against a plain NumPy twin, written from its formula in float64."""

import math

import numpy as np
import pytest
from weight_twins import G, W, bounds, clip1, counted, made, mean, nearest_sums, sign, size, standard

from engine.bnn.weights import WEIGHT_QUANTIZERS

SHARES = (0.0, 0.3, 1.0)


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


def siman(w, width, share):
    v = np.abs(w - mean(w))
    larger = np.array([np.argsort(np.argsort(-row)) < len(row) // 2 for row in v])
    return size(w) * np.where(larger, 1.0, -1.0)


def fractional(w, width, share):
    def levels(bits):
        s = np.abs(w).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
        return s * np.rint(w / s)

    bits = int(width)
    return levels(bits) if share >= 0.5 else (levels(bits - 1) + levels(bits)) / 2


def directed(rounding):
    def twin(w, width, share):
        low, high = bounds(width)
        s = 2 * size(w) / math.sqrt(high)
        return s * np.clip(rounding(w / s), low, high)

    return twin


def recu(w, width, share):
    return np.abs(w).mean(axis=1, keepdims=True) * sign(w - mean(w))


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
    "lns": lambda w, width, share: size(w) * sign(w),  # at its start; test_lns.py
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
    "siman": siman,
    "momentum_sign": lambda w, width, share: size(w) * sign(w),
    "fractional_bits_cheap": fractional,
    "fractional_bits_dear": fractional,
    "rounded_down": directed(np.floor),
    "rounded_up": directed(np.ceil),
    "rounded_to_zero": directed(np.trunc),
    **dict.fromkeys(
        ("apot", "mu_law", "llt", "bfloat16", "fp8_e4m3", "fp8_e5m2", "fp4", "mx_fp8", "mx_fp4", "mx_int")
    ),  # test_uneven_levels.py
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


def lns_gradient(w, g, width, share):
    v, s = w / size(w), sign(w)
    of_v = np.clip(g * size(w), -1, 1) + 1e-5 * (2 * (v - s) - 0.4 * s / 0.8)
    return (of_v - s * mean(of_v * v)) / size(w)


IDENTITY = (
    *("dorefa_sign", "lq_nets_2", "lq_nets_3", "temperature", "progressive", "affine", "absmean"),
    *("mu_law", "bfloat16", "fp8_e4m3", "fp8_e5m2", "fp4", "fractional_bits_cheap", "fractional_bits_dear"),
)
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
    "momentum_sign": lambda w, g, width, share: 0.1 * size(w) * g * clip1(w),
    "learned_scale": lambda w, g, width, share: g * clip1(w),
    "centred": lambda w, g, width, share: g * clip1(w - mean(w)) - mean(g * clip1(w - mean(w))),
    "abc_net_2": abc_gradient(2),
    "abc_net_3": abc_gradient(3),
    "abc_net_5": abc_gradient(5),
    "searched": lambda w, g, width, share: (
        g * 100**share / np.cosh(w * 100**share) ** 2 if share < 1 else g * clip1(w)
    ),
    "lns": lns_gradient,
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
