"""kernels/signed.py against NumPy: bits transposed, and floats summed under packed signs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import signed
from engine.kernels.signed import signed_sums, transpose_bits
from engine.ports import words_for

sizes = st.integers(1, 200)


def packed(signs):
    bits = np.zeros((len(signs), words_for(signs.shape[1]) * 64), np.uint8)
    bits[:, : signs.shape[1]] = signs > 0
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


@settings(deadline=None, max_examples=40)
@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_bits_are_transposed_and_tails_are_0(n, columns, seed):
    signs = np.random.default_rng(seed).choice([-1, 1], (n, columns))
    out = np.full((columns, words_for(n)), 2**64 - 1, np.uint64)
    transpose_bits(packed(signs), columns, out)
    assert (out == packed(signs.T)).all()


@settings(deadline=None, max_examples=40)
@given(sizes, st.integers(1, 70), st.integers(1, 70), st.booleans(), st.integers(0, 2**32 - 1))
def test_sums_under_signs_are_the_float_product(rows, columns, m, turned, seed):
    rng = np.random.default_rng(seed)
    # Small whole numbers: every order of sums gives the same float.
    floats = rng.integers(-100, 100, (rows, columns)).astype(np.float32)
    signs = rng.choice([-1.0, 1.0], (m, rows)).astype(np.float32)
    out = np.full((columns, m), np.nan, np.float32)
    signed_sums(np.ascontiguousarray(floats.T) if turned else floats, packed(signs), out, turned=turned)
    assert (out == floats.T @ signs.T).all()


@pytest.mark.parametrize("turned", [False, True])
def test_the_plain_twin_gives_the_same(turned, monkeypatch):
    rng = np.random.default_rng(0)
    floats = rng.integers(-9, 9, (70, 20)).astype(np.float32)
    signs = packed(rng.choice([-1.0, 1.0], (30, floats.shape[1] if turned else floats.shape[0])))
    columns = floats.shape[0] if turned else floats.shape[1]
    outs = np.empty((2, columns, 30), np.float32)
    signed_sums(floats, signs, outs[0], turned=turned)
    monkeypatch.setattr(signed, "COMPILED", False)
    signed_sums(floats, signs, outs[1], turned=turned)
    assert (outs[0] == outs[1]).all()
