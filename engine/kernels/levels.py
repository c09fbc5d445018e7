"""Small whole numbers (levels) as bit planes and int16 rows.

A plane is packed as bits.py packs signs: bit j of word w is element 64*w + j. A number is
offset + sum over planes of coefficient x bit; precision.py owns the coefficients.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel, popcount
from .masks import bit_word

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@kernel
def quantize(x: F32, step: np.float32, low: int, high: int, out: I16) -> None:
    """Write clip(round(x / step), low, high) into `out`, int16 of x's shape (n, k); halves go to even."""
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            v = np.rint(x[r, c] / step)
            out[r, c] = np.int16(min(max(v, np.float32(low)), np.float32(high)))


@kernel
def pack_planes(levels: I16, ternary: bool, out: U64) -> None:
    """Write the bit planes of `levels`, int16 (n, k), into `out`, uint64 (planes, n, ceil(k / 64)).

    Two's complement bits, lowest first; for `ternary` a plane of +1 and a plane of -1.
    """
    k = levels.shape[1]
    whole = k >> 6
    for p in range(out.shape[0]):
        # A plane of +1 or -1 asks for the whole number, others for one of its bits.
        mask, wanted = (-1, 1 - 2 * p) if ternary else (1 << p, 1 << p)
        for r in range(out.shape[1]):
            row = levels[r]
            for w in range(whole):
                out[p, r, w] = bit_word(row, 64 * w, mask, wanted)
            for w in range(whole, out.shape[2]):
                word = np.uint64(0)
                for j in range(k - 64 * w):
                    word |= np.uint64((row[64 * w + j] & mask) == wanted) << np.uint64(j)
                out[p, r, w] = word


@kernel
def unpack_planes(planes: U64, coefficients: I64, out: I16) -> None:
    """Write the numbers in `planes`, uint64 (planes, n, words), into `out`, int16 (n, k)."""
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            v = np.int64(0)
            for p in range(planes.shape[0]):
                v += coefficients[p] * np.int64((planes[p, r, c >> 6] >> np.uint64(c & 63)) & np.uint64(1))
            out[r, c] = v


@kernel
def plane_sums(planes: U64, coefficients: I64, out: I64) -> None:
    """Write the sum of each row's numbers, without the offset, into `out`, int64 (n,)."""
    for r in range(planes.shape[1]):
        total = np.int64(0)
        for p in range(planes.shape[0]):
            ones = np.int64(0)
            for w in range(planes.shape[2]):
                ones += popcount(planes[p, r, w])
            total += coefficients[p] * ones
        out[r] = total
