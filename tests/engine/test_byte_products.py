"""kernels/byte_products.py: levels by 1-bit weights against NumPy's whole numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.bytewise import ByteForward
from engine.bnn.product import Activation
from engine.kernels import byte_products as kernels
from engine.kernels.bits import pack_signs
from engine.ports import words_for
from engine.precision import PRECISIONS

sizes = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, st.integers(1, 1200), st.integers(0, 2**32 - 1))
def test_the_products_are_exact_at_the_ends_of_the_range(i, j, p, seed):
    rng = np.random.default_rng(seed)
    a = rng.choice(np.array([-128, 127, 0], np.int8), (i, p))
    w = rng.standard_normal((j, p)).astype(np.float32)
    signs = np.zeros((j, words_for(p)), np.uint64)
    pack_signs(w, signs)
    left, sums = np.empty(kernels.panels_a(i, p), np.int8), np.empty(i, np.int32)
    right = np.empty(kernels.panels_b(j, p), np.uint8)
    kernels.panel_rows(a, left, sums)
    kernels.panel_signs_of_rows(signs, p, right)
    assert (sums == a.sum(axis=1, dtype=np.int64)).all()
    out, plain = np.zeros((i, j), np.float32), np.ones((i, j), np.float32)
    first = -sums.astype(np.float32)
    kernels.products(left, right, first, out)
    assert (out == a.astype(np.int64) @ np.where(w >= 0, 1, -1).T).all()
    if i * j * p < 5000:
        kernels._plain_products(left, right, first, plain)
        assert np.array_equal(out, plain)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["ternary", "2", "3", "4", "8"]), st.booleans(), st.integers(0, 2**32 - 1))
def test_levels_of_every_width_are_multiplied_exactly(width, unsigned, seed):
    row, rng = PRECISIONS[width], np.random.default_rng(seed)
    unsigned = unsigned and width != "ternary"
    low, high = (0, row.high - row.low) if unsigned else (row.low, row.high)
    levels = rng.choice(np.array([low, high, 0], np.int16), (7, 70))
    w = rng.standard_normal((13, 70)).astype(np.float32)
    signs = np.zeros((13, words_for(70)), np.uint64)
    pack_signs(w, signs)
    activation = Activation(row, unsigned)
    assert ByteForward.meets(PRECISIONS["1"], activation)
    out = np.empty((7, 13), np.float32)
    ByteForward(13, 70).sums(levels, signs, activation, out)
    assert (out == levels.astype(np.int64) @ np.where(w >= 0, 1, -1).T).all()
