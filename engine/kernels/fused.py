"""Kernels between two layers of a compiled program: whole sums to packed bits, levels or table entries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .masks import reached_word

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]


@kernel
def compare_pack(x: F32 | I32 | U8, places: F32 | I32 | I16 | U8, flips: U64, out: U64) -> None:
    """Write (x >= places) xor flips into `out`, uint64 (n, words), for x (n, k), places (k,)."""
    k = x.shape[1]
    whole = k >> 6
    for r in range(x.shape[0]):
        row = x[r]
        for w in range(whole):
            out[r, w] = reached_word(row, places, 64 * w) ^ flips[w]
        if whole == out.shape[1]:
            continue
        if whole:  # the last 64 elements, of which some stood in the word before
            word = reached_word(row, places, k - 64) >> np.uint64(64 - (k & 63))
        else:
            word = np.uint64(0)
            for j in range(k):
                word |= np.uint64(row[j] >= places[j]) << np.uint64(j)
        out[r, whole] = word ^ flips[whole]


@kernel
def all_finite(x: F32) -> bool:
    """Return whether no element of `x`, float32 (n, k), is infinite or not a number."""
    for r in range(x.shape[0]):
        bad = 0
        for c in range(x.shape[1]):
            bad += not (abs(x[r, c]) <= np.float32(3.4028234663852886e38))
        if bad:
            return False
    return True


@kernel
def count_levels(sums: I32, places: I32, falls: U8, lowest: int, out: I16) -> None:
    """Write lowest + how many `places` each sum reached (or not, where `falls`) into `out`, int16 (n, m).

    Args:
        sums: int32 (n, m).
        places: int32 (levels - 1, m).
        falls: uint8 (m,), 0 or 1.
        lowest: the least level.
        out: int16 (n, m).
    """
    steps = places.shape[0]
    for r in range(sums.shape[0]):
        for c in range(sums.shape[1]):
            out[r, c] = lowest
        for p in range(steps):
            for c in range(sums.shape[1]):
                out[r, c] += np.int16((sums[r, c] >= places[p, c]) != (falls[c] != 0))


@kernel
def look_up(sums: I32, first: int, step: int, table: F32, out: F32) -> None:
    """Write table[j, (sum - first) / step] into `out`, float32 (n, m), for `sums`, int32 (n, m)."""
    for r in range(sums.shape[0]):
        for c in range(sums.shape[1]):
            out[r, c] = table[c, (sums[r, c] - first) // step]


@kernel
def look_up_bytes(x: U8, table: I16 | U8 | F32, out: I16 | U8 | F32) -> None:
    """Write table[x] into `out` (n, k) for `x`, uint8 (n, k), and `table` (256,) of the dtype of `out`."""
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            out[r, c] = table[x[r, c]]


@kernel
def first_largest(x: F32, out: I64) -> None:
    """Write the place of the first of the largest elements of each row of `x`, float32 (n, k), into `out`.

    Args:
        x: no element is a NaN, and k is at least 1.
        out: int64 (n,).
    """
    for r in range(x.shape[0]):
        best, largest = 0, x[r, 0]
        for c in range(1, x.shape[1]):
            if x[r, c] > largest:
                best, largest = c, x[r, c]
        out[r] = best
