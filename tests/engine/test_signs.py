"""kernels/signs.py and the kernels behind it (lookup, shuffle, wide, lanes) against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.signs import PLAIN, SIGN_KERNELS, SignWeights

sizes = st.tuples(st.integers(0, 9), st.integers(1, 140), st.integers(1, 700), st.integers(0, 2**32 - 1))
every_kernel = pytest.mark.parametrize("key", SIGN_KERNELS)


def packed(bits):
    wide = np.zeros((len(bits), -(-bits.shape[1] // 64) * 64), np.uint8)
    wide[:, : bits.shape[1]] = bits
    return np.packbits(wide, axis=1, bitorder="little").view(np.uint64)


def products(a, b):
    return (2 * a.astype(np.int32) - 1) @ (2 * b.astype(np.int32) - 1).T


@every_kernel
@settings(deadline=None, max_examples=25)
@given(sizes)
def test_every_kernel_is_the_plain_dot_product(key, size):
    n, m, k, seed = size
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 2, (rows, k)).astype(np.uint8) for rows in (n, m))
    found = SignWeights(packed(b), k, ((1, key),)).dot(packed(a))
    assert found.dtype == np.int32
    assert (found == products(a, b)).all()


@every_kernel
@pytest.mark.parametrize("inputs", [192, 240, 1024, 1200, 1201, 2000, 2460])
def test_no_counter_overflows_where_all_bits_differ_or_agree(key, inputs):
    a = np.array([[1] * inputs, [0] * inputs, [1] * inputs], np.uint8)
    b = np.zeros((65, inputs), np.uint8)
    b[64] = 1
    assert (SignWeights(packed(b), inputs, ((1, key),)).dot(packed(a)) == products(a, b)).all()


@every_kernel
@settings(deadline=None, max_examples=5)
@given(st.integers(1, 70), st.integers(1, 130), st.integers(1100, 5000), st.integers(0, 2**32 - 1))
def test_long_rows_are_widened_again_and_again(key, n, m, k, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 256, (rows, k)).astype(np.uint8) < rng.integers(0, 257) for rows in (n, m))
    found = SignWeights(packed(b), k, ((1, key),)).dot(packed(a))
    assert (found == products(a, b)).all()


@every_kernel
@pytest.mark.parametrize("inputs", [32_767, 32_768, 70_000])
def test_products_of_long_rows_need_more_than_16_bits(key, inputs):
    a, b = np.ones((3, inputs), np.uint8), np.zeros((70, inputs), np.uint8)
    a[1] = 0
    assert (SignWeights(packed(b), inputs, ((1, key),)).dot(packed(a)) == products(a, b)).all()


def test_the_plan_says_which_kernel_serves_how_many_rows(monkeypatch):
    asked = []
    for key in SIGN_KERNELS:
        kernel = SIGN_KERNELS[key]

        def dot(a, inputs, layout, out, kernel=kernel, key=key):
            asked.append(key)
            kernel.dot(a, inputs, layout, out)

        monkeypatch.setitem(SIGN_KERNELS, key, type(kernel)(kernel.title, kernel.lay, dot, kernel.feature))
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2, (n, 100)).astype(np.uint8) for n in (9, 5))
    weights = SignWeights(packed(b), 100, ((1, PLAIN), (3, "wide"), (9, "lookup")))
    for n in (0, 1, 2, 3, 8, 9):
        assert (weights.dot(packed(a[:n])) == products(a[:n], b)).all()
    assert asked == [PLAIN, PLAIN, PLAIN, "wide", "wide", "lookup"]


def test_products_go_into_any_array_of_the_right_shape():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2, (n, 100)).astype(np.uint8) for n in (4, 6))
    out = np.zeros((6, 4), np.int32).T
    assert SignWeights(packed(b), 100).dot(packed(a), out) is out
    assert (out == products(a, b)).all()
