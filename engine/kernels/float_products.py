"""Fixed-order float32 products of shapes that rows of outputs do not fill vectors for: the same bits, sooner.

Every sum is that of floats.dot_floats: from 0, element k after element k - 1, rounded after each product and
each addition. Only which sums stand in the lanes of a vector differs: 32 outputs of a small patch, or one
output of 16 records.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .conv import dot_patches
from .floats import dot_floats
from .jit import kernel
from .vectors import COMPILED, add_multiple, load_floats, no_floats, store_floats, turn_floats

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_LANES = 16
_FEW = 24  # outputs up to which records fill the lanes better than outputs do


@kernel
def _patches_of_32(maps: F32, origins: I64, places: I64, w_t: F32, flat: F32) -> None:
    """Write the products of patches and w_t (k, m), m a multiple of 32, into `flat`, float32 (n * p * m,)."""
    k, m = w_t.shape
    weights = w_t.reshape(k * m)
    for r in range(maps.shape[0]):
        x = maps[r]
        for p in range(len(origins)):
            at, to = origins[p], (r * len(origins) + p) * m
            for j in range(0, m, 2 * _LANES):
                a, b = no_floats(), no_floats()
                for i in range(k):
                    v = x[at + places[i]]
                    a = add_multiple(a, load_floats(weights, i * m + j), v)
                    b = add_multiple(b, load_floats(weights, i * m + j + _LANES), v)
                store_floats(flat, to + j, a)
                store_floats(flat, to + j + _LANES, b)


@kernel
def _sixteen_records(x: F32, first: int, w_t: F32, square: F32, sums: F32, out: F32) -> None:
    """Write the products of records `first` to `first` + 15 and w_t (k, m) into their rows of `out` (n, m).

    Args:
        x: float32 (n, k).
        first: the first record.
        w_t: float32 (k, m).
        square: float32 (256,), scratch.
        sums: float32 (16 m,), scratch.
        out: float32 (n, m).
    """
    k, m = w_t.shape
    flat = x.reshape(x.size)
    sums[:] = np.float32(0.0)
    whole = k // _LANES * _LANES
    for c in range(0, whole, _LANES):
        turn_floats(flat, first * k + c, k, square, 0, _LANES)
        for j in range(m):
            total = load_floats(sums, _LANES * j)
            for i in range(_LANES):
                total = add_multiple(total, load_floats(square, _LANES * i), w_t[c + i, j])
            store_floats(sums, _LANES * j, total)
    for r in range(_LANES):
        for j in range(m):
            total_left = sums[_LANES * j + r]
            for c in range(whole, k):
                total_left += x[first + r, c] * w_t[c, j]
            out[first + r, j] = total_left


@kernel
def _few_outputs(x: F32, w_t: F32, out: F32) -> None:
    square, sums = np.empty(_LANES * _LANES, np.float32), np.empty(_LANES * w_t.shape[1], np.float32)
    whole = x.shape[0] // _LANES * _LANES
    for first in range(0, whole, _LANES):
        _sixteen_records(x, first, w_t, square, sums, out)
    if whole < x.shape[0]:
        dot_floats(x[whole:], w_t, out[whole:])


def patch_products(maps: F32, origins: I64, places: I64, w_t: F32, out: F32) -> None:
    """Do what conv.dot_patches does, to the bit."""
    if COMPILED and w_t.shape[1] % (2 * _LANES) == 0 and out.flags.c_contiguous and w_t.flags.c_contiguous:
        _patches_of_32(maps, origins, places, w_t, out.reshape(-1))
    else:
        dot_patches(maps, origins, places, w_t, out)


def row_products(x: F32, w_t: F32, out: F32) -> None:
    """Do what floats.dot_floats does, to the bit."""
    if COMPILED and w_t.shape[1] <= _FEW and len(x) >= _LANES and x.flags.c_contiguous:
        _few_outputs(x, w_t, out)
    else:
        dot_floats(x, w_t, out)
