"""kernels/masks.py against plain NumPy: words of bits from rows of every kind and layout."""

import numpy as np
import pytest

from engine.kernels.bits import pack_signs, unpack_signs
from engine.kernels.fused import compare_pack
from engine.kernels.levels import pack_planes

rng = np.random.default_rng(0)
COLUMNS = 200  # three whole words and a rest


def bits_of(words):
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, :COLUMNS].astype(bool)


def layouts(x):
    wide = np.zeros((x.shape[0], 2 * x.shape[1]), x.dtype)
    wide[:, ::2] = x
    return [x, np.asfortranarray(x), wide[:, ::2], wide[:, ::2][::-1][::-1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int16])
def test_signs_of_rows_in_any_layout(dtype):
    x = (4 * rng.standard_normal((5, COLUMNS))).astype(dtype)
    for given in layouts(x):
        words = np.zeros((5, 4), np.uint64)
        pack_signs(given, words)
        assert (bits_of(words) == (x >= 0)).all()


def test_what_is_no_number_is_no_plus_one():
    x = np.full((1, 64), np.nan, np.float32)
    x[0, 1], x[0, 2], x[0, 3] = np.inf, -np.inf, -0.0
    words = np.zeros((1, 1), np.uint64)
    pack_signs(x, words)
    assert words[0, 0] == 0b1010


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_signs_are_written_in_any_layout(dtype):
    words = rng.integers(0, 2**64, (5, 4), np.uint64)
    for out in layouts(np.zeros((5, COLUMNS), dtype)):
        unpack_signs(words, out)
        assert (out == np.where(bits_of(words), 1, -1)).all()


@pytest.mark.parametrize(
    ("kind", "place"),
    [(np.float32, np.float32), (np.int32, np.int32), (np.uint8, np.int16), (np.int32, np.float32)],
)
def test_comparisons_are_those_of_numpy(kind, place):
    x = np.abs(60 * rng.standard_normal((7, COLUMNS))).astype(kind)
    places = (60 * rng.standard_normal(COLUMNS)).astype(place)
    places[::5] = x[0, ::5]
    flips = rng.integers(0, 2**64, 4, np.uint64)
    words = np.zeros((7, 4), np.uint64)
    compare_pack(x, places, flips, words)
    assert (bits_of(words ^ flips) == (x >= places)).all()


def test_planes_hold_the_bits_of_whole_numbers():
    levels = rng.integers(-4, 4, (5, COLUMNS)).astype(np.int16)
    planes = np.zeros((3, 5, 4), np.uint64)
    pack_planes(levels, False, planes)
    for p in range(3):
        assert (bits_of(planes[p]) == ((levels >> p) & 1 == 1)).all()
    ternary = np.sign(levels)
    pack_planes(ternary, True, planes[:2])
    assert (bits_of(planes[0]) == (ternary == 1)).all()
    assert (bits_of(planes[1]) == (ternary == -1)).all()
