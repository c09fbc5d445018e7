"""kernels/gradients.py and bnn/bytewise.py: products of 8-bit gradients against NumPy's whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bnn.bytewise import ByteGradients
from engine.bnn.dense import Dense
from engine.bnn.product import Activation
from engine.kernels import gradients as kernels
from engine.kernels.bits import pack_signs
from engine.node import Moment
from engine.ports import Spec, words_for
from engine.precision import PRECISIONS

sizes = st.integers(1, 40)


def panelled(a, b):
    """Lay int8 (p, i) and uint8 (p, j) out in panels, by the kernels."""
    p, i = a.shape
    sums = np.empty(i, np.int32)
    left = np.empty(kernels.panels_a(i, p), np.int8)
    kernels.panel_columns(a, left, sums)
    right = np.empty(kernels.panels_b(b.shape[1], p), np.uint8)
    kernels.panel_levels(b.astype(np.int16), 0, right)
    return left, right, sums


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, st.integers(1, 300), st.sampled_from([1, 2, 3, 7, 15, 255]), st.integers(0, 2**32 - 1))
def test_the_products_are_exact(i, j, p, highest, seed):
    rng = np.random.default_rng(seed)
    top = 127 if highest < 127 else 63
    a = rng.choice(np.array([-top, top, 0, 1], np.int8), (p, i))
    b = rng.choice(np.array([0, highest], np.uint8), (p, j))
    left, right, sums = panelled(a, b)
    rows = kernels.rows_of(sums, np.ones(i, np.float32), 1.0, 0.0)
    want = a.T.astype(np.int64) @ b.astype(np.int64)
    assert (sums == a.sum(axis=0, dtype=np.int64)).all()
    for more in (False, True):
        out = np.ones((i, j), np.float32)
        kernels.products(left, right, rows, out, highest=highest, more=more)
        assert (out == want + more).all()


def test_the_plain_twin_agrees_with_the_vectors():
    rng = np.random.default_rng(0)
    a, b = rng.integers(-127, 128, (70, 9)).astype(np.int8), rng.integers(0, 2, (70, 37)).astype(np.uint8)
    left, right, sums = panelled(a, b)
    rows = kernels.rows_of(sums, np.linspace(0.5, 2, 9).astype(np.float32), 2.0, -1.0)
    out, plain = np.zeros((9, 37), np.float32), np.ones((9, 37), np.float32)
    kernels.products(left, right, rows, out, highest=1)
    kernels._plain_products(left, right, rows, plain, False)
    assert np.array_equal(out, plain)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_rows_and_columns_are_laid_out_alike(seed):
    q = np.random.default_rng(seed).integers(-127, 128, (13, 10)).astype(np.int8)
    by_column, by_row = (np.empty(kernels.panels_a(10, 13), np.int8) for _ in range(2))
    sums, other = np.empty(10, np.int32), np.empty(10, np.int32)
    kernels.panel_columns(q, by_column, sums)
    kernels.panel_rows(np.ascontiguousarray(q.T), by_row, other)
    assert np.array_equal(by_column, by_row)
    assert np.array_equal(sums, other)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # with the JIT off, NumPy says so
def test_the_rounding_is_right_in_the_mean_and_never_off_by_more_than_a_level():
    grad = np.random.default_rng(0).standard_normal((64, 24)).astype(np.float32)
    ones, peak = np.ones(24, np.float32), np.empty(24, np.float32)
    kernels.largest_of_columns(grad, ones, peak)
    assert np.array_equal(peak, np.abs(grad).max(axis=0))
    total = np.zeros(grad.shape)
    times = 400
    out = np.empty(grad.shape, np.int8)
    for seed in range(times):
        kernels.round_gradients(grad, ones, False, np.float32(127) / peak, 127, np.uint32(seed), out)
        back = out * (peak / 127)
        assert (np.abs(back - grad) <= peak / 127 * 1.001).all()
        total += back - grad
    # The mean of n roundings of error below one level has a deviation below half a level / sqrt(n).
    assert np.abs(total / times / (peak / 127)).max() < 5 * 0.5 / np.sqrt(times)


@pytest.mark.parametrize("weight", ["1", "ternary", "2", "3", "4", "8"])
@pytest.mark.parametrize("activation", ["1", "ternary", "2", "3", "4", "8"])
def test_a_layer_gets_nearly_the_gradients_of_float32(weight, activation):
    rng = np.random.default_rng(1)
    spec = Spec("real", (70,))
    node = Dense(units=13, weight_bits=weight, activation_bits=activation)
    weights = node.start(rng, spec)
    x, grad = (rng.standard_normal((50, k)).astype(np.float32) for k in (70, 13))
    found = {}
    for bits in ("32", "8"):
        operator = node.operator({k: v.copy() for k, v in weights.items()}, 50, spec)
        operator.moment = Moment(gradients=bits)
        operator.execute(x)
        (back,) = operator.gradient(grad)
        by_name = {p.name: p.grad for p in operator.parameters()}
        found[bits] = (back.copy(), by_name["weight"].copy())
    for exact, rounded in zip(found["32"], found["8"], strict=True):
        assert np.linalg.norm(rounded - exact) < 0.05 * np.linalg.norm(exact)
        assert not np.array_equal(rounded, exact)


def test_pieces_add_up():
    rng = np.random.default_rng(2)
    n, m, k = 4100, 5, 70
    grad, x = rng.standard_normal((n, m)).astype(np.float32), rng.standard_normal((n, k)).astype(np.float32)
    signs = np.empty((n, words_for(k)), np.uint64)
    pack_signs(x, signs)
    out = np.empty((m, k), np.float32)
    ByteGradients(m, k).weights(grad, signs, Activation(PRECISIONS["1"]), 1.0, out)
    want = grad.T @ np.where(x >= 0, 1, -1)
    assert np.linalg.norm(out - want) < 0.05 * np.linalg.norm(want)
