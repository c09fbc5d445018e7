"""Weights stored as places in a book, small floats and learned tables: values, gradients, storage."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weight_twins import G, W, counted, made

from engine.bnn.stored import multiplied, numbers, stored
from engine.bnn.weights.books import APoT
from engine.bnn.weights.minifloat import E2M1, E4M3, E5M2
from engine.catalog import NODES
from engine.levels import BrainFloats, planes_of, to_bfloat16, unpack_weights
from engine.node import Moment
from engine.ports import Spec
from engine.precision import PRECISIONS


def small_floats(exponent, mantissa, bias, largest):
    """All numbers of a format, from its bits."""
    found = {0.0}
    for e, m in itertools.product(range(2**exponent), range(2**mantissa)):
        value = (1 + m / 2**mantissa) * 2.0 ** (e - bias) if e else m / 2**mantissa * 2.0 ** (1 - bias)
        found |= {value, -value} if value <= largest else set()
    return np.array(sorted(found))


FORMATS = {
    "fp8_e4m3": (E4M3, small_floats(4, 3, 7, 448)),
    "fp8_e5m2": (E5M2, small_floats(5, 2, 15, 57_344)),
    "fp4": (E2M1, small_floats(2, 1, 1, 6)),
}


@pytest.mark.parametrize("key", FORMATS)
def test_a_format_has_the_numbers_that_its_bits_can_say(key):
    given_format, numbers_of = FORMATS[key]
    assert (given_format.numbers == numbers_of).all()
    v = np.random.default_rng(0).standard_normal((40, 50)).astype(np.float32) * given_format.largest / 3
    v[0, :9] = np.float32([0, 1e-30, -1e30, 448, 6, -6, 5, 2.5, 3.5])
    rounded = given_format.rounded(v)
    distance = np.abs(
        numbers_of[None, None] - np.clip(v, -given_format.largest, given_format.largest)[..., None]
    )
    np.testing.assert_allclose(
        np.abs(rounded - np.clip(v, numbers_of[0], numbers_of[-1])), distance.min(axis=2)
    )
    assert np.isin(rounded, numbers_of).all()


def test_half_way_small_floats_go_to_the_even_mantissa():
    assert E2M1.rounded(np.float32([2.5, 3.5, 5.0, 0.25, 0.75, 7.0])).tolist() == [
        2.0,
        4.0,
        4.0,
        0.0,
        1.0,
        6.0,
    ]


@pytest.mark.parametrize("key", FORMATS)
def test_small_floats_fit_the_largest_weight_of_each_output(key):
    numbers_of, quantizer = FORMATS[key][1], made(key, "4" if key == "fp4" else "8")
    w = W.astype(np.float64)
    scale = np.abs(w).max(axis=1, keepdims=True) / numbers_of[-1]
    place = np.abs(w[..., None] / scale[..., None] - numbers_of).argmin(axis=-1)
    np.testing.assert_allclose(
        counted(quantizer.quantize(W)), numbers_of[place] * scale, rtol=1e-4, atol=1e-6
    )


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-100, 100))
def test_bfloat16_is_the_nearest_number_of_eight_bits(seed, power):
    x = (np.random.default_rng(seed).standard_normal((3, 20)) * 2.0**power).astype(np.float32)
    found, ulp = to_bfloat16(x), 2.0 ** (np.floor(np.log2(np.abs(x).astype(np.float64))) - 7)
    np.testing.assert_array_equal(found, np.rint(x / ulp) * ulp)
    kept = stored(BrainFloats(found, np.ones(3, np.float32)), "16")["weight"]
    assert kept.dtype == np.uint16
    assert (unpack_weights(kept, "16", 20) == found).all()


def blocks_of(w, largest, nearest):
    """Each weight by the power of two of its block, rounded there."""
    out = np.empty_like(w)
    for row, at in itertools.product(range(len(w)), range(0, w.shape[1], 32)):
        part = w[row, at : at + 32]
        power = 2.0 ** (math.floor(math.log2(np.abs(part).max())) - math.floor(math.log2(largest)))
        out[row, at : at + 32] = nearest(part / power) * power
    return out


MICROSCALED = [("mx_fp8", "8"), ("mx_fp4", "4"), ("mx_int", "3"), ("mx_int", "4"), ("mx_int", "8")]


@pytest.mark.parametrize(("key", "width"), MICROSCALED)
def test_a_block_shares_a_power_of_two(key, width):
    quantizer, w = made(key, width), W.astype(np.float64)
    if key == "mx_int":
        high = 2 ** (int(width) - 1) - 1
        expected = blocks_of(w, 2.0 ** (int(width) - 2), lambda v: np.clip(np.rint(v), -high, high))
    else:
        book = FORMATS["fp4" if width == "4" else "fp8_e4m3"][1]
        expected = blocks_of(w, book[-1], lambda v: book[np.abs(v[:, None] - book).argmin(axis=1)])
    found = counted(quantizer.quantize(W))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    passed = quantizer.gradient(W, G.copy())
    assert ((passed == 0) <= (np.abs(found) < np.abs(w))).all()  # only what was clipped gets no gradient
    assert ((passed == 0) | (passed == G)).all()


def apot_sizes(width):
    terms = {"3": [(0, 1 / 2, 1 / 4, 1 / 8)], "4": [(0, 1 / 2, 1 / 4, 1 / 16), (0, 1 / 8)]}[width]
    sizes = np.unique([sum(parts) for parts in itertools.product(*terms)])
    return sizes / sizes.max()


@pytest.mark.parametrize("width", ["3", "4"])
def test_apot_counts_sums_of_powers_of_two_and_passes_finite_differences(width):
    quantizer, w0, a0 = made("apot", width), W.astype(np.float64), 1.4
    quantizer.arrays["weight_clip"][0] = a0
    sizes = apot_sizes(width)

    def v(w):
        return (w - w.mean()) / w.std(ddof=1)

    v0 = v(w0) / a0
    place = np.abs(np.minimum(np.abs(v0), 1)[..., None] - sizes).argmin(axis=-1)
    q0 = np.sign(v0) * sizes[place]
    np.testing.assert_allclose(counted(quantizer.quantize(W)), a0 * q0, atol=1e-5)
    found = quantizer.gradient(W, G.copy())

    def total(w, a):
        scaled = v(w) / a
        return (a * np.where(np.abs(v0) < 1, scaled + q0 - v0, np.sign(v0)) * G).sum()

    slope = (total(w0, a0 + 1e-6) - total(w0, a0 - 1e-6)) / 2e-6
    assert quantizer.grads["weight_clip"][0] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    for at in [(0, 0), (2, 11), (5, 36)]:
        moved = [w0.copy(), w0.copy()]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        assert found[at] == pytest.approx(
            (total(moved[0], a0) - total(moved[1], a0)) / 2e-6, rel=2e-3, abs=2e-3
        )


@pytest.mark.parametrize("width", ["3", "4", "8"])
def test_mu_law_is_even_once_it_is_compressed(width):
    n, m = 2 ** (int(width) - 1) - 1, np.abs(W).max(axis=1, keepdims=True).astype(np.float64)
    v = W / m
    even = np.rint(n * np.log1p(255 * np.abs(v)) / math.log(256)) / n
    np.testing.assert_allclose(
        counted(made("mu_law", width).quantize(W)),
        m * np.sign(v) * (256**even - 1) / 255,
        rtol=1e-4,
        atol=1e-6,
    )


# Storage


def test_whole_entries_are_multiplied_as_the_least_levels_that_hold_them():
    quantizer = made("apot", "4")
    packed = stored(quantizer.quantize(W), "4")
    assert packed["weight"].shape == (4, 6, 1)
    weight, width = multiplied(packed, "", "4", W.shape[1])
    assert width == APoT.multiplied_as == "8"
    assert (unpack_weights(weight, width, W.shape[1]) == quantizer.quantize(W).values).all()
    packed["book"] = np.clip(packed["book"], -2, 1)  # a file that says other things still gives what it says
    assert multiplied(packed, "", "4", W.shape[1])[1] == "2"


@pytest.mark.parametrize(("key", "width"), [("fp8_e4m3", "8"), ("mx_fp4", "4"), ("mu_law", "3")])
def test_other_entries_stay_floats(key, width):
    quantized = made(key, width).quantize(W)
    weight, found = multiplied(stored(quantized, width), "", width, W.shape[1])
    assert found == "32"
    assert (weight == quantized.values).all()


def test_places_past_the_end_of_a_damaged_book_are_its_last():
    packed = stored(made("fp8_e4m3", "8").quantize(W), "8")
    packed["book"] = packed["book"][:5]
    assert np.isin(numbers(packed, "", "8", W.shape[1]), packed["book"]).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(1, 8), inputs=st.integers(1, 130))
def test_planes_that_repeat_the_sign_are_not_multiplied(seed, bits, inputs):
    levels = np.random.default_rng(seed).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (5, inputs))
    packed = {"weight": planes_of(levels.astype(np.int16), PRECISIONS["8"])}
    weight, width = multiplied(packed, "", "8", inputs)
    assert (unpack_weights(weight, width, inputs) == levels).all()
    assert int(width) <= max(2, *(w for w in (2, 3, 4, 8) if w < 2 * bits + 1), 8 if bits > 4 else 2)


KINDS = [
    ("bnn.conv2d", (6, 5, 4)),
    ("bnn.depthwise_conv", (6, 5, 4)),
    ("bnn.local_conv", (6, 5, 4)),
    ("bnn.transposed_conv", (6, 5, 4)),
    ("bnn.embedding", (7,)),
]
EACH = [("apot", "4"), ("mx_fp4", "4"), ("fp8_e4m3", "8"), ("bfloat16", "16"), ("llt", "3"), ("siman", "1")]


@pytest.mark.parametrize(("key", "width"), EACH)
@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_every_kind_of_layer_ships_what_it_trains(kind, shape, key, width):
    fields = {} if kind == "bnn.embedding" else {"activation_bits": "4", "bias": False}
    node, spec = (
        NODES[kind].of({"weight_bits": width, "weight_quantizer": key, **fields}),
        Spec("real", shape),
    )
    weights, x = (
        node.start(np.random.default_rng(0), spec),
        np.random.default_rng(1).standard_normal((5, *shape)),
    )
    operator = node.operator(weights, 5, spec)
    (out,) = operator.execute(x.astype(np.float32))
    operator.gradient(np.ones_like(out))
    packed = node.pack(weights, spec)
    (shipped,) = node.predictor(packed, spec)(x.astype(np.float32))
    np.testing.assert_allclose(out, shipped, rtol=1e-4, atol=1e-4)
    assert node.cost(spec).weight_bits == 8 * sum(a.nbytes for a in packed.values())
    assert np.isfinite(node.weight_levels(packed)).all()


# Learned tables and widths


@pytest.mark.parametrize("width", ["2", "3", "4"])
def test_a_lookup_table_begins_as_even_levels_and_passes_finite_differences(width):
    quantizer = made("llt", width, 0.2)
    rng, high = np.random.default_rng(3), 2 ** (int(width) - 1) - 1
    table = rng.standard_normal((high, 9))
    quantizer.arrays["weight_table"][...] = table
    s0, w = 0.9, W.astype(np.float64)
    quantizer.arrays["weight_reach"][0] = s0
    place = np.rint(np.minimum(np.abs(w) / s0, 1) * 9 * high).astype(int)

    def looked_up(table, s=s0):
        soft = np.exp(table * 10**0.4)
        sums = np.concatenate([[0], (soft / soft.sum(axis=1, keepdims=True)).ravel().cumsum()])
        return s * np.sign(w) * sums[place] / high

    found = quantizer.quantize(W)
    assert found.soft
    np.testing.assert_allclose(counted(found), looked_up(table), rtol=1e-3, atol=1e-5)
    passed = quantizer.gradient(W, G.copy())
    np.testing.assert_allclose(passed, G * (np.abs(w) <= s0))
    often = np.bincount(place.ravel(), minlength=9 * high + 1)
    rate = (w.size / (often.size * (np.sqrt(often) + 1e-5)))[place]
    for at in [(0, 0), (0, 8), (high - 1, 4)]:
        moved = [table.copy(), table.copy()]
        moved[0][at] += 1e-6
        moved[1][at] -= 1e-6
        slope = ((looked_up(moved[0]) - looked_up(moved[1])) * G * rate).sum() / 2e-6
        assert quantizer.grads["weight_table"][at] == pytest.approx(slope, rel=2e-3, abs=2e-3)
    inside = np.abs(w) <= s0
    slope = (G * np.where(inside, looked_up(table) / s0 - w / s0, looked_up(table) / s0)).sum()
    assert quantizer.grads["weight_reach"][0] == pytest.approx(slope, rel=1e-3)
    shipped = quantizer.shipped(W)
    ends = 9 * np.arange(high) + table.argmax(axis=1)
    assert (shipped.values == np.sign(w) * (place[..., None] > ends).sum(axis=-1)).all()
    quantizer.moment = Moment(share=1.0)
    assert (quantizer.quantize(W).values == shipped.values).all()


@pytest.mark.parametrize(("key", "price"), [("fractional_bits_cheap", 1e-3), ("fractional_bits_dear", 1e-2)])
def test_a_learned_width_has_its_slope_and_its_price(key, price):
    quantizer = made(key, "8", 0.2)
    totals = []
    for width in (3.3, 3.2):
        quantizer.arrays["weight_width"][0] = width
        totals.append((counted(quantizer.quantize(W)) * G).sum())
    quantizer.gradient(W, G.copy())
    slope = (totals[0] - totals[1]) / 0.1 + price
    assert quantizer.grads["weight_width"][0] == pytest.approx(slope, rel=1e-3, abs=1e-4)
    quantizer.moment = Moment(share=0.6)
    quantizer.gradient(W, G.copy())
    assert quantizer.grads["weight_width"][0] == 0
    levels = quantizer.quantize(W)
    assert not levels.soft
    assert np.abs(levels.values).max() == 3
    assert multiplied(stored(levels, "8"), "", "8", W.shape[1])[1] == "3"


@pytest.mark.parametrize(("kind", "shape"), [("bnn.dense", (12,)), ("bnn.conv2d", (5, 5, 2))])
def test_a_learned_width_is_watched(kind, shape):
    node, spec = (
        NODES[kind].of({"weight_bits": "8", "weight_quantizer": "fractional_bits_dear"}),
        Spec("real", shape),
    )
    weights = node.start(np.random.default_rng(0), spec)
    operator = node.operator(weights, 2, spec)
    weights["weight_width"][0] = 4.25
    assert operator.metrics() == {"bits": 4.25}


def test_momentum_keeps_what_the_mask_takes():
    w = W * 3
    quantizer = made("momentum_sign", "1", w=w)
    size = np.abs(w).mean(axis=1, keepdims=True)
    quantizer.gradient(w, G.copy())
    passed = quantizer.gradient(w * 0.1, G.copy())  # all within the estimator's reach now
    expected = 0.09 * size * G + 0.1 * np.abs(w * 0.1).mean(axis=1, keepdims=True) * G
    np.testing.assert_allclose(passed, expected, rtol=1e-3, atol=1e-5)
