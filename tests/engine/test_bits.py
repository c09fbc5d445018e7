"""kernels/bits.py against plain NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.bits import dot_signs, pack_signs, unpack_signs
from engine.ports import words_for

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 300), st.integers(0, 2**32 - 1))


def packed(x):
    words = np.full((len(x), words_for(x.shape[1])), 2**64 - 1, np.uint64)
    pack_signs(x, words)
    return words


@settings(deadline=None, max_examples=40)
@given(shapes)
def test_dot_signs_is_the_plain_dot_product(shape):
    n, m, k, seed = shape
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal((r, k)).astype(np.float32) for r in (n, m))
    out = np.empty((n, m), np.int32)
    dot_signs(packed(a), packed(b), k, out)
    signs = [np.where(v >= 0, 1, -1) for v in (a, b)]
    assert (out == signs[0] @ signs[1].T).all()


@settings(deadline=None, max_examples=40)
@given(shapes)
def test_packing_lays_bits_as_documented_and_unpacks(shape):
    n, _, k, seed = shape
    x = np.random.default_rng(seed).integers(-2, 3, (n, k)).astype(np.float32)
    words = packed(x)
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    assert (bits[:, :k] == (x >= 0)).all()
    assert not bits[:, k:].any()
    back = np.empty((n, k), np.float32)
    unpack_signs(words, back)
    assert (back == np.where(x >= 0, 1, -1)).all()


def test_the_sign_of_zero_is_plus_one():
    words = packed(np.array([[0.0, -0.0, -1e-30]], np.float32))
    assert words[0, 0] == 0b011
