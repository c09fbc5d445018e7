"""kernels/floats.py: right, and the same bits whatever stands beside a row."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.floats import dot_floats, row_sums, scale_shift


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 7), st.integers(1, 40), st.integers(1, 130), st.integers(0, 2**32 - 1))
def test_dot_floats_adds_in_order_with_one_rounding_a_step(n, m, k, seed):
    rng = np.random.default_rng(seed)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in ((n, k), (k, m)))
    out = np.empty((n, m), np.float32)
    dot_floats(x, w, out)
    naive = np.zeros((n, m), np.float32)
    for c in range(k):
        naive += x[:, c, None] * w[None, c]
    assert out.tobytes() == naive.tobytes()
    assert np.allclose(out, x.astype(np.float64) @ w, atol=1e-3)


def test_scale_shift_takes_whole_numbers_and_floats():
    scale, shift = np.array([2, 3], np.float32), np.array([1, -1], np.float32)
    out = np.empty((1, 2), np.float32)
    for dtype in (np.float32, np.int32):
        scale_shift(np.array([[5, 7]], dtype), scale, shift, out)
        assert out.tolist() == [[11, 20]]


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 7), st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_row_sums_add_in_order_and_round_once(n, k, seed):
    x = (np.random.default_rng(seed).standard_normal((n, k)) * 1e3).astype(np.float32)
    out = np.empty(n, np.float32)
    row_sums(x, out)
    naive = np.zeros(n)
    for c in range(k):
        naive += x[:, c]
    assert out.tobytes() == naive.astype(np.float32).tobytes()
