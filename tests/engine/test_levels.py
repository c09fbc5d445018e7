"""levels.py and kernels/levels.py: widths, planes and their sums against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.levels import plane_sums, quantize, unpack_planes
from engine.kernels.threads import workers
from engine.levels import (
    coefficients_of,
    latent_gradient,
    pack_latent,
    pack_weights,
    packed_shape,
    planes_of,
    quantize_weights,
    unpack_weights,
)
from engine.ports import words_for
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


@pytest.mark.parametrize("width", LEVELS)
@settings(deadline=None, max_examples=8)
@given(shape=sizes)
def test_planes_hold_the_whole_numbers_and_their_sums(width, shape):
    n, _, k, seed = shape
    row = PRECISIONS[width]
    a = np.random.default_rng(seed).integers(row.low, row.high + 1, (n, k)).astype(np.int16)
    planes, coefficients = planes_of(a, row), coefficients_of(row)
    sums = np.empty(n, np.int64)
    plane_sums(planes, coefficients, sums)
    assert (sums == a.sum(axis=1)).all()
    back = np.empty_like(a)
    unpack_planes(planes, coefficients, back)
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


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([1, 7, 70, 900]), st.integers(1, 200), st.floats(0.1, 2.0), st.integers(1, 3))
def test_packed_latent_weights_are_the_quantized_ones(outputs, inputs, spread, threads):
    w = (spread * np.random.default_rng(outputs).standard_normal((outputs, inputs))).astype(np.float32)
    signs = np.zeros((outputs, words_for(inputs)), np.uint64)
    with workers(threads):
        packed, inside = pack_latent(w, signs)
    plain = quantize_weights(w, "1")
    assert (packed.values == plain.values).all()
    assert (packed.scale == plain.scale).all()
    assert inside == (np.abs(w) <= 1).all()
