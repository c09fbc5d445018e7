"""kernels/byte_shuffle.py against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.byte_shuffle import LARGEST, ByteWeights, share_filled
from engine.kernels.vectors import AVX2, COMPILED
from engine.runtime.thresholds import packed_bits

pytestmark = pytest.mark.skipif(COMPILED and not AVX2, reason="machine code for AVX2 alone")
sizes = st.tuples(st.integers(1, 5), st.integers(1, 150), st.integers(1, 400), st.integers(-128, 3))


def products(x, bits, lowest):
    return (x.astype(int) + lowest) @ (2 * bits.astype(int) - 1).T


@settings(deadline=None, max_examples=25)
@given(sizes, st.integers(0, 2**20))
def test_that_it_is_the_plain_product(size, seed):
    n, m, k, lowest = size
    rng = np.random.default_rng(seed)
    x, bits = rng.integers(0, 256, (n, k)).astype(np.uint8), rng.random((m, k)) < 0.5
    out = np.empty((n, m), np.int32)
    ByteWeights(np.stack([packed_bits(row) for row in bits]), k, lowest).into(x, out)
    assert (out == products(x, bits, lowest)).all()


@pytest.mark.parametrize("inputs", [LARGEST, LARGEST - 3, 336, 340])
def test_that_no_counter_overflows(inputs):
    x = np.full((2, inputs), 255, np.uint8)
    x[1, ::2] = 254
    bits = np.ones((33, inputs), bool)
    bits[1] = False
    out = np.empty((2, 33), np.int32)
    ByteWeights(np.stack([packed_bits(row) for row in bits]), inputs).into(x, out)
    assert (out == products(x, bits, 0)).all()


@pytest.mark.parametrize("inputs", [3, 8, 337, 784])
def test_that_groups_of_nothing_are_passed_over(inputs):
    rng = np.random.default_rng(inputs)
    x = rng.integers(0, 256, (6, inputs), np.uint8) * (rng.random((6, inputs)) < 0.1).astype(np.uint8)
    x[0], x[1], x[2, -1] = 0, 255, 7
    bits = rng.random((140, inputs)) < 0.5
    out = np.full((6, 140), -7, np.int32)
    ByteWeights(np.stack([packed_bits(row) for row in bits]), inputs).into(x, out)
    assert (out == products(x, bits, 0)).all()
    padded = np.pad(x, ((0, 0), (0, -inputs % 4))).reshape(6, -1, 4)
    assert share_filled(x) == pytest.approx((padded != 0).any(2).mean())
