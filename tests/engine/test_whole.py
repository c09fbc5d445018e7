"""kernels/whole.py, sums.py, pairs.py and ints.py: exact products of whole numbers against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import sums
from engine.kernels.levels import pack_planes
from engine.kernels.pairs import CHUNK, dot_pairs, lay_pairs
from engine.kernels.whole import PAIRS, SIGNS, WHOLE_KERNELS, Levels, WholeWeights

BITS = {b: Levels((*(1 << i for i in range(b - 1)), -(1 << (b - 1)))) for b in (2, 3, 4, 8)}
BYTES = Levels(tuple(1 << i for i in range(8)))
TERNARY = Levels((1, -1), ternary=True)
WEIGHTS = {"signs": SIGNS, "ternary": TERNARY, "2 bits": BITS[2], "3 bits": BITS[3], "4 bits": BITS[4]}
SEEN = {"bytes": BYTES, "ternary": TERNARY, "2 bits": BITS[2], "8 bits": BITS[8]}
sizes = st.tuples(st.integers(0, 20), st.integers(1, 40), st.integers(1, 300), st.integers(0, 2**32 - 1))


def values(levels, shape, rng):
    if levels == SIGNS:
        return rng.choice([-1, 1], shape).astype(np.int16)
    if levels.ternary:
        return rng.integers(-1, 2, shape).astype(np.int16)
    high = 1 << len(levels.coefficients)
    low = high // 2 if levels.coefficients[-1] < 0 else 0
    return rng.integers(-low, high - low, shape).astype(np.int16)


def planes_of(x, levels):
    out = np.zeros((len(levels.coefficients), len(x), -(-x.shape[1] // 64)), np.uint64)
    pack_planes((x > 0).astype(np.int16) if levels == SIGNS else x, levels.ternary, out)
    return out


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("seen", SEEN)
@settings(deadline=None, max_examples=8)
@given(size=sizes)
def test_products_are_those_of_the_numbers(weight, seen, size):
    n, m, k, seed = size
    rng = np.random.default_rng(seed)
    x, w = values(SEEN[seen], (n, k), rng), values(WEIGHTS[weight], (m, k), rng)
    out = np.empty((n, m), np.int32)
    weights = WholeWeights(planes_of(w, WEIGHTS[weight]), WEIGHTS[weight], k)
    weights.dot(x, SEEN[seen], out)
    assert (out == x.astype(np.int64) @ w.astype(np.int64).T).all()
    for key in WHOLE_KERNELS:
        by_key = WholeWeights(planes_of(w, WEIGHTS[weight]), WEIGHTS[weight], k, ranks=((1, (key,)),))
        by_key.dot(x, SEEN[seen], out)
        assert by_key.way(n, SEEN[seen]) in (key, PAIRS)
        assert (out == x.astype(np.int64) @ w.astype(np.int64).T).all()
    if SEEN[seen] == BYTES:
        apart = np.empty((m, n), np.int32).T
        weights.dot(x.astype(np.uint8), SEEN[seen], apart)
        assert (apart == out).all()


@pytest.mark.parametrize("weight", WEIGHTS)
@settings(deadline=None, max_examples=8)
@given(size=sizes)
def test_products_of_signs_are_those_of_the_numbers(weight, size):
    n, m, k, seed = size
    rng = np.random.default_rng(seed)
    x, w = values(SIGNS, (n, k), rng), values(WEIGHTS[weight], (m, k), rng)
    out = np.empty((n, m), np.int32)
    WholeWeights(planes_of(w, WEIGHTS[weight]), WEIGHTS[weight], k).dot_signs(planes_of(x, SIGNS)[0], out)
    assert (out == x.astype(np.int64) @ w.astype(np.int64).T).all()


@pytest.mark.parametrize("rows", [1, 3, 8, 17])
def test_the_largest_inputs_overflow_no_lane(rows):
    x = np.full((rows, 1000), sums.HIGHEST, np.int16)
    x[::2] *= -1
    w = np.ones((9, 1000), np.int16)
    w[::2] = -1
    out = np.empty((rows, 9), np.int32)
    WholeWeights(planes_of(w, SIGNS), SIGNS, 1000).dot(x, Levels(tuple(1 << i for i in range(9))), out)
    expected = x.astype(np.int64) @ w.astype(np.int64).T
    if rows >= 8:
        assert (out == expected).all()
    positive = np.abs(x)
    WholeWeights(planes_of(w, SIGNS), SIGNS, 1000).dot(positive, Levels(tuple(1 << i for i in range(9))), out)
    assert (out == positive.astype(np.int64) @ w.astype(np.int64).T).all()


@settings(deadline=None, max_examples=20)
@given(sizes)
def test_pairs_of_16_bits_multiply_exactly(size):
    n, m, k, seed = size
    k += k % 2
    rng = np.random.default_rng(seed)
    x, w = (rng.integers(-2000, 2000, (rows, k)).astype(np.int16) for rows in (n, m))
    laid = np.zeros((-(-m // CHUNK), k // 2, CHUNK, 2), np.int16)
    lay_pairs(w, laid)
    out = np.empty((n, m), np.int32)
    flat = (v.reshape(-1).view(np.uint8) for v in (x, laid, out))
    a, b, c = flat
    dot_pairs(a, k, b, m, np.empty(256, np.uint8), c)
    assert (out == x.astype(np.int64) @ w.astype(np.int64).T).all()
