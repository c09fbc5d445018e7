"""kernels/fused.py against NumPy."""

import numpy as np
import pytest

from engine.kernels.fused import (
    all_finite,
    compare_pack,
    count_levels,
    first_largest,
    look_up,
    look_up_bytes,
)
from engine.runtime.steps import Compare
from engine.runtime.thresholds import packed_bits, unpacked_bits


@pytest.mark.parametrize("kinds", [("f4", "f4"), ("i4", "i4"), ("u1", "i2"), ("u1", "u1")])
@pytest.mark.parametrize("elements", [1, 63, 64, 65, 200])
def test_that_comparing_packs_what_numpy_compares(kinds, elements):
    rng = np.random.default_rng(elements)
    x = rng.integers(0, 200, (7, elements)).astype(kinds[0])
    places = rng.integers(-1 if kinds[1] != "u1" else 0, 202, elements).astype(kinds[1])
    falls = rng.random(elements) < 0.5
    flips = packed_bits(falls)
    out = np.ones((7, len(flips)), np.uint64)
    compare_pack(x, places, flips, out)
    assert (unpacked_bits(out, elements) == ((x >= places) ^ falls)).all()
    assert (unpacked_bits(out, 64 * len(flips))[:, elements:] == 0).all()


def test_that_counting_levels_counts_what_is_reached():
    rng = np.random.default_rng(0)
    sums, places = rng.integers(-9, 9, (5, 7)).astype("i4"), rng.integers(-9, 9, (3, 7)).astype("i4")
    falls = rng.random(7) < 0.5
    out = np.empty((5, 7), np.int16)
    count_levels(sums, places, falls.astype(np.uint8), -2, out)
    assert (out == -2 + ((sums[:, None] >= places) ^ falls).sum(1)).all()


def test_that_tables_give_their_entries():
    sums = np.array([[-4, 0], [2, 4]], np.int32)
    table = np.arange(10, dtype=np.float32).reshape(2, 5)
    out = np.empty((2, 2), np.float32)
    look_up(sums, -4, 2, table, out)
    assert out.tolist() == [[0, 7], [3, 9]]
    levels = np.empty((1, 3), np.int16)
    look_up_bytes(np.array([[0, 255, 7]], np.uint8), (np.arange(256) * 2 - 99).astype(np.int16), levels)
    assert levels.tolist() == [[-99, 411, -85]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_that_what_is_not_finite_is_seen(value):
    x = np.full((3, 50), np.finfo(np.float32).max, np.float32)
    assert all_finite(x)
    x[2, 49] = value
    assert not all_finite(x)


def test_that_bytes_are_compared_with_thresholds_past_all_of_them():
    rng = np.random.default_rng(4)
    for k in (30, 64, 100, 200):
        x, places = rng.integers(0, 256, (5, k), np.uint8), rng.integers(-3, 260, k).astype(np.int16)
        falls = rng.random(k) < 0.5
        slots = [x, None]
        Compare(("a",), 0, 1, places, packed_bits(falls)).bind(5)(slots, 5)
        expected = np.stack([packed_bits(row) for row in (x >= places) ^ falls])
        assert (slots[1] == expected).all()


def test_that_the_first_of_the_largest_is_found():
    x = np.array([[1, 3, 3], [-np.inf, -np.inf, -np.inf], [-2, -np.inf, -1], [5, 4, 5]], np.float32)
    out = np.empty(4, np.int64)
    first_largest(x, out)
    assert (out == x.argmax(1)).all()
