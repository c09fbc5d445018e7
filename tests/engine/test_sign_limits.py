"""Packed signs straight from counts and limits: every kernel beside plain NumPy."""

import numpy as np
import pytest

from engine.kernels import lookup, shuffle, signs, wide
from engine.kernels.vectors import AVX2
from engine.runtime.thresholds import packed_bits

SIZES = [(1, 1), (63, 64), (64, 65), (130, 130), (784, 128), (1030, 70)]


def packed_rows(bits):
    return np.stack([packed_bits(row) for row in bits])


@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 64])
def test_that_signs_of_limits_are_those_of_counted_bits(inputs, outputs, n):
    rng = np.random.default_rng(inputs + n)
    x, w = rng.random((n, inputs)) < 0.5, rng.random((outputs, inputs)) < 0.5
    counts = (x[:, None] != w).sum(2)
    limits = rng.integers(0, inputs + 2, outputs)
    expected = packed_rows(counts < limits)
    a, b = packed_rows(x), packed_rows(w)
    for made in _ways(a, b, inputs, limits):
        assert (made == expected).all()


def _ways(a, b, inputs, limits):
    n, words = len(a), -(-len(b) // 64)
    out = np.zeros((n, words), np.uint64)
    by_block = signs.limits_by_block(limits)
    room = signs.room(lookup.ROOM + lookup.COUNTERS * n)
    parts = -(-inputs // lookup.PART)
    indices = np.empty(3 * parts * n + lookup.PAST, np.uint64)
    lookup.lay_indices(a, inputs, indices[: 3 * parts * n].reshape(parts, n, 3))
    digits = signs.SIGN_KERNELS["lookup"].lay(b, inputs)
    lookup.signs_lookup(indices.view(np.uint8), n, inputs, digits, by_block, room, out)
    yield out.copy()
    if AVX2:
        out[:] = 0
        nibbles, room = (
            signs.SIGN_KERNELS["shuffle"].lay(b, inputs),
            signs.room(shuffle.WIDE * ((n + 1) // 2)),
        )
        shuffle.signs_shuffle(shuffle.tables(), a, nibbles, by_block, room, out)
        yield out.copy()
    out[:] = 0
    lanes = signs.SIGN_KERNELS["wide"].lay(b, inputs).view(np.uint8).reshape(-1)
    wide.signs_wide(a, lanes, signs.limits_by_chunk(limits), out.reshape(-1).view(np.uint8))
    yield out
