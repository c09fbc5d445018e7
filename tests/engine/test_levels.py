"""levels.py and kernels/levels.py: widths, planes and exact products against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.levels import dot_levels, dot_planes, plane_sums, quantize, unpack_planes
from engine.levels import (
    coefficients_of,
    latent_gradient,
    pack_weights,
    packed_shape,
    planes_of,
    quantize_weights,
    unpack_weights,
)
from engine.precision import PRECISIONS

LEVELS = [key for key, row in PRECISIONS.items() if row.store == "planes"]
every_width = pytest.mark.parametrize("precision", PRECISIONS)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 200), st.integers(0, 2**32 - 1))


@every_width
@settings(deadline=None, max_examples=20)
@given(shape=sizes)
def test_packed_weights_unpack_to_the_same_values(precision, shape):
    _, m, k, seed = shape
    w = (np.random.default_rng(seed).standard_normal((m, k)) * 0.4).astype(np.float32)
    quantized = quantize_weights(w, precision)
    stored = pack_weights(quantized, precision)
    assert stored.shape == packed_shape(precision, m, k)
    assert (unpack_weights(stored, precision, k) == quantized.values).all()
    row = PRECISIONS[precision]
    if not row.is_float:
        assert (quantized.values >= row.low).all()
        assert (quantized.values <= row.high).all()


def test_wider_weights_err_less():
    w = np.random.default_rng(0).standard_normal((64, 256)).astype(np.float32)
    errors = []
    for precision in ("1", "2", "3", "4", "8", "16", "32"):
        q = quantize_weights(w, precision)
        errors.append(float(((q.values * q.scale[:, None] - w) ** 2).mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0


def test_scales_are_those_of_the_papers():
    w = np.array([[0.5, -1.0, 0.1, 2.0]], np.float32)
    assert quantize_weights(w, "1").scale[0] == pytest.approx(0.9)
    ternary = quantize_weights(w, "ternary")
    assert ternary.values.tolist() == [[0, -1, 0, 1]]  # threshold 0.7 * 0.9 = 0.63
    assert ternary.scale[0] == pytest.approx(1.5)
    assert quantize_weights(w, "4").scale[0] == pytest.approx(2 * 0.9 / np.sqrt(7))


@pytest.mark.parametrize("a_width", LEVELS)
@pytest.mark.parametrize("b_width", LEVELS)
@settings(deadline=None, max_examples=8)
@given(shape=sizes)
def test_planes_multiply_like_whole_numbers(a_width, b_width, shape):
    n, m, k, seed = shape
    rng = np.random.default_rng(seed)
    rows = PRECISIONS[a_width], PRECISIONS[b_width]
    a, b = (
        rng.integers(r.low, r.high + 1, (c, k)).astype(np.int16) for r, c in zip(rows, (n, m), strict=True)
    )
    out = np.empty((n, m), np.int32)
    dot_planes(
        planes_of(a, rows[0]), coefficients_of(rows[0]), planes_of(b, rows[1]), coefficients_of(rows[1]), out
    )
    expected = a.astype(np.int64) @ b.astype(np.int64).T
    assert (out == expected).all()
    dot_levels(a, b, out)
    assert (out == expected).all()
    sums = np.empty(n, np.int64)
    plane_sums(planes_of(a, rows[0]), coefficients_of(rows[0]), sums)
    assert (sums == a.sum(axis=1)).all()
    back = np.empty_like(a)
    unpack_planes(planes_of(a, rows[0]), coefficients_of(rows[0]), back)
    assert (back == a).all()


def test_quantize_rounds_halves_to_even_and_clips():
    x = np.array([[-9, -1.5, -0.5, 0.5, 1.5, 2.5, 9]], np.float32)
    out = np.empty(x.shape, np.int16)
    quantize(x, np.float32(1), -4, 3, out)
    assert out.tolist() == [[-4, -2, 0, 0, 2, 2, 3]]


@every_width
def test_the_latent_gradient_stops_outside_the_range(precision):
    w = np.array([[0.01, -0.02, 50.0, -0.5]], np.float32)
    grad = np.ones_like(w)
    found = latent_gradient(w, grad, precision)
    row = PRECISIONS[precision]
    if row.is_float:
        assert (found == 1).all()
        return
    assert found[0, 0] == 1
    step = quantize_weights(w, precision).scale[0]
    stopped = ((row.high + 0.5) * step if row.low < -1 else 1) < 50.0
    assert found[0, 2] == (0 if stopped else 1)
