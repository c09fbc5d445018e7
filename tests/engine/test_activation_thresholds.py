"""Thresholds that are learned one by one, or set by each record: by NumPy twins and finite differences."""

import numpy as np
import pytest

from engine.bnn.activations import ACTIVATION_QUANTIZERS
from engine.levels import to_bfloat16
from engine.node import Moment
from engine.ports import Spec
from engine.precision import PRECISIONS

X = (np.random.default_rng(8).standard_normal((7, 4, 16)) * 1.1).astype(np.float32)
G = np.random.default_rng(9).standard_normal(X.shape).astype(np.float32)
SPEC = Spec("real", X.shape[1:])


def made(key, width):
    kind, row = ACTIVATION_QUANTIZERS.make(key), PRECISIONS[width]
    quantizer = kind(row, kind.start(row, SPEC), "clipped")
    quantizer.moment = Moment()
    return quantizer


def signs(quantizer, x=X):
    words = quantizer.quantize(x, Spec("bits", x.shape[1:], "1").array(len(x)))
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, : x[0].size]
    return bits.reshape(x.shape) * 2.0 - 1


@pytest.mark.parametrize("width", ["2", "3", "4"])
def test_learned_thresholds_begin_even(width):
    quantizer, n = made("n2uq", width), 2 ** int(width) - 1
    quantizer.observe(X)
    s = (X.mean() + 3 * X.std()) / n
    found = quantizer.step * quantizer.quantize(X, np.empty(X.shape, np.int16))
    np.testing.assert_allclose(found, s * np.clip(np.rint(X / s), 0, n), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", ["2", "4"])
def test_learned_thresholds_have_the_slopes_of_their_lines(width):
    quantizer, n = made("n2uq", width), 2 ** int(width) - 1
    quantizer.observe(X)
    intervals = np.random.default_rng(1).uniform(0.05, 0.4, n)
    learned = {"step": np.array([0.3]), "input_start": np.array([-0.2]), "input_intervals": intervals}
    for name, value in learned.items():
        quantizer.arrays[name][...] = value
    x = X.astype(np.float64)

    def thresholds(start, each):
        ends = start + np.concatenate([[0], each.cumsum()])
        return ends, (ends[1:] + ends[:-1]) / 2

    levels = (x[..., None] > thresholds(-0.2, intervals)[1]).sum(axis=-1)
    assert (quantizer.quantize(X, np.empty(X.shape, np.int16)) == levels).all()

    def total(step, input_start, input_intervals):
        ends, _ = thresholds(input_start[0], input_intervals)
        return (step[0] * np.interp(x, ends, np.arange(n + 1)) * G).sum()

    found = quantizer.gradient(X, G.copy())
    assert quantizer.grads["step"][0] == pytest.approx((levels * G).sum(dtype=np.float64), rel=1e-4)
    for name in ("input_start", "input_intervals"):
        for at in range(len(learned[name])):
            slopes = []
            for step in (1e-6, -1e-6):
                moved = {k: v.copy() for k, v in learned.items()}
                moved[name][at] += step
                slopes.append(total(**moved))
            slope = (slopes[0] - slopes[1]) / 2e-6
            assert quantizer.grads[name][at] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    ends, _ = thresholds(-0.2, intervals)
    cell = np.searchsorted(ends, x, side="right") - 1
    inside = (cell >= 0) & (cell < n)
    np.testing.assert_allclose(found, G * inside * 0.3 / intervals[np.clip(cell, 0, n - 1)], rtol=1e-4)


def test_a_record_sets_its_own_thresholds_and_passes_finite_differences():
    quantizer = made("dynamic_threshold", "1")
    assert (signs(quantizer) == np.where(X >= 0, 1, -1)).all()  # nothing is shifted at first
    rng = np.random.default_rng(2)
    names = ("input_squeeze", "input_squeeze_bias", "input_expand", "input_expand_bias")
    for name in names:
        quantizer.arrays[name][...] = rng.standard_normal(quantizer.arrays[name].shape) * 0.4
    kept = [quantizer.arrays[name].astype(np.float64) for name in names]

    def shifted(x, first, bias, second, last):
        hidden = np.maximum(x.mean(axis=1) @ first.T + bias, 0)
        return x + (hidden @ second.T + last)[:, None]

    at0 = shifted(X.astype(np.float64), *kept)
    assert (signs(quantizer) == np.where(at0 >= 0, 1, -1)).mean() > 0.999
    found = quantizer.gradient(X, G.copy())

    def total(x, *weights):
        return (shifted(x, *weights) * (np.abs(at0) <= 1) * G).sum()

    for place, name in enumerate(names):
        for at in [(0,) * kept[place].ndim, tuple(n - 1 for n in kept[place].shape)]:
            slopes = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in kept]
                moved[place][at] += step
                slopes.append(total(X.astype(np.float64), *moved))
            slope = (slopes[0] - slopes[1]) / 2e-6
            assert quantizer.grads[name][at] == pytest.approx(slope, rel=2e-3, abs=2e-3)
    for at in [(0, 0, 0), (6, 3, 15), (3, 2, 7)]:
        moved = [X.astype(np.float64), X.astype(np.float64)]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        slope = (total(moved[0], *kept) - total(moved[1], *kept)) / 2e-6
        assert found[at] == pytest.approx(slope, rel=2e-3, abs=2e-3)


def test_bfloat16_activations_are_rounded():
    quantizer = made("bfloat16", "16")
    found = quantizer.quantize(X, np.empty(X.shape, np.float32))
    assert (found == to_bfloat16(X)).all()
    assert np.abs(found - X).max() > 0


SIZES = {
    "2": np.array([0, 1, 2, 4]),
    "3": np.array([0, 1, 2, 3, 4, 6, 8, 10]),
    "4": np.unique([a + b for a in (0, 2, 8, 32) for b in (0, 1, 4, 16)]),
}


@pytest.mark.parametrize("width", ["2", "3", "4"])
def test_apot_counts_sums_of_powers_of_two_and_passes_finite_differences(width):
    quantizer, sizes, a0, x = made("apot", width), SIZES[width], 1.3, X.astype(np.float64)
    quantizer.observe(X)
    assert quantizer.arrays["input_clip"][0] == pytest.approx(X.mean() + 3 * X.std(), rel=1e-4)
    quantizer.arrays["input_clip"][0] = a0
    v0 = x / a0
    place = np.abs(np.clip(v0, 0, 1)[..., None] * sizes[-1] - sizes).argmin(axis=-1)
    q0 = sizes[place] / sizes[-1]
    levels = quantizer.quantize(X, np.empty(X.shape, np.int16))
    assert (levels == sizes[place]).all()
    assert quantizer.step == pytest.approx(a0 / sizes[-1], rel=1e-6)
    found = quantizer.gradient(X, G.copy())
    inside = (v0 > 0) & (v0 < 1)

    def total(a):
        return (a * np.where(inside, x / a + q0 - v0, v0 >= 1) * G).sum()

    slope = (total(a0 + 1e-6) - total(a0 - 1e-6)) / 2e-6
    assert quantizer.grads["input_clip"][0] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    np.testing.assert_allclose(found, G * inside)


def test_two_bases_take_what_is_left_over():
    x = X.astype(np.float64).reshape(len(X), -1)
    sign = np.where(x >= 0, 1, -1)
    first = np.abs(x).mean(axis=1, keepdims=True) * sign
    rest = x - first
    second = np.abs(rest).mean(axis=1, keepdims=True) * np.where(rest >= 0, 1, -1)
    found = made("residual_2", "2").quantize(X, np.empty(X.shape, np.float32))
    np.testing.assert_allclose(found.reshape(len(X), -1), first + second, rtol=1e-4, atol=1e-5)
