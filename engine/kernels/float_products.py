"""Fixed-order float32 products of shapes that rows of outputs do not fill vectors for: the same bits, sooner.

Every sum is that of floats.dot_floats: from 0, element k after element k - 1, rounded after each product and
each addition. Only which sums stand in the lanes of a vector differs: 32 outputs of a small patch, or one
output of 16 records.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import conv
from .floats import dot_floats
from .jit import kernel
from .vectors import COMPILED, add_floats, add_multiple, load_floats, no_floats, store_floats, turn_floats

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


@kernel
def _gradients_of_16(maps: F32, origins: I64, places: I64, grad: F32, out: F32) -> None:
    """Do what conv.patch_gradients does, three elements of a patch at a time, for m a multiple of 16.

    Args:
        maps: float32 (n, elements).
        origins: int64 (positions,).
        places: int64 (k,), k a multiple of 3.
        grad: float32 (n * positions * m,).
        out: float32 (k * m,).
    """
    k = len(places)
    m = len(out) // k
    out[:] = np.float32(0.0)
    for r in range(maps.shape[0]):
        x = maps[r]
        for j in range(0, m, _LANES):
            for i in range(0, k, 3):
                p0, p1, p2 = places[i], places[i + 1], places[i + 2]
                a, b, c = no_floats(), no_floats(), no_floats()
                for p in range(len(origins)):
                    g, at = load_floats(grad, (r * len(origins) + p) * m + j), origins[p]
                    a = add_multiple(a, g, x[at + p0])
                    b = add_multiple(b, g, x[at + p1])
                    c = add_multiple(c, g, x[at + p2])
                to = i * m + j
                store_floats(out, to, add_floats(load_floats(out, to), a))
                store_floats(out, to + m, add_floats(load_floats(out, to + m), b))
                store_floats(out, to + 2 * m, add_floats(load_floats(out, to + 2 * m), c))


def patch_gradients(maps: F32, origins: I64, places: I64, grad: F32, out: F32) -> None:
    """Write the gradient of `w_t` in conv.dot_patches into `out`, float32 (k, m).

    Args:
        maps: float32 (n, elements).
        origins: int64 (positions,).
        places: int64 (k,).
        grad: float32 (n * positions, m).
        out: written.
    """
    k, m = out.shape
    if COMPILED and k % 3 == 0 and m % _LANES == 0 and grad.flags.c_contiguous and out.flags.c_contiguous:
        _gradients_of_16(maps, origins, places, grad.reshape(-1), out.reshape(-1))
    else:
        conv.patch_gradients(maps, origins, places, grad, np.empty_like(out), out)


def patch_products(maps: F32, origins: I64, places: I64, w_t: F32, out: F32) -> None:
    """Do what conv.dot_patches does, to the bit."""
    if COMPILED and w_t.shape[1] % (2 * _LANES) == 0 and out.flags.c_contiguous and w_t.flags.c_contiguous:
        _patches_of_32(maps, origins, places, w_t, out.reshape(-1))
    else:
        conv.dot_patches(maps, origins, places, w_t, out)


def row_products(x: F32, w_t: F32, out: F32) -> None:
    """Do what floats.dot_floats does, to the bit."""
    if COMPILED and w_t.shape[1] <= _FEW and len(x) >= _LANES and x.flags.c_contiguous:
        _few_outputs(x, w_t, out)
    else:
        dot_floats(x, w_t, out)
