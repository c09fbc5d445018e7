"""Packed bits: signs into 64-bit words and back, and products of packed rows.

Layout, owned here: bit j of word w is element 64*w + j of the flattened record, 1 for x >= 0 (so sign(0) is
+1; Courbariaux et al. 2016, arXiv:1602.02830); the tail of the last word is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel, popcount
from .masks import sign_word, spread_signs

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
U64 = npt.NDArray[np.uint64]


@kernel
def pack_signs(x: F32, out: U64) -> None:
    """Write the signs of `x`, float32 (n, k), into `out`, uint64 (n, ceil(k / 64))."""
    k = x.shape[1]
    whole = k >> 6
    for r in range(x.shape[0]):
        row = x[r]
        for w in range(whole):
            out[r, w] = sign_word(row, 64 * w)
        for w in range(whole, out.shape[1]):
            word = np.uint64(0)
            for j in range(k - 64 * w):
                word |= np.uint64(row[64 * w + j] >= np.float32(0.0)) << np.uint64(j)
            out[r, w] = word


@kernel
def unpack_signs(words: U64, out: F32) -> None:
    """Write the signs in `words`, uint64 (n, ceil(k / 64)), into `out`, float32 (n, k), as -1 and +1."""
    k = out.shape[1]
    for r in range(out.shape[0]):
        row = out[r]
        for w in range(k >> 6):
            spread_signs(row, 64 * w, words[r, w])
        for c in range(k & ~63, k):
            bit = (words[r, c >> 6] >> np.uint64(c & 63)) & np.uint64(1)
            row[c] = 2 * np.int8(bit) - 1


@kernel
def dot_signs(a: U64, b: U64, columns: int, out: I32) -> None:
    """Write the products of the +-1 rows of `a` (n, words) and `b` (m, words) into `out`, int32 (n, m).

    XNOR and popcount: columns - 2 popcount(a xor b) (Rastegari et al. 2016, arXiv:1603.05279). Rows of `b`
    go four at a time, so that a word of `a` is loaded once for four products.
    """
    words = a.shape[1]
    m = b.shape[0]
    for r in range(a.shape[0]):
        c = 0
        while c + 4 <= m:
            d0 = np.int64(0)
            d1 = np.int64(0)
            d2 = np.int64(0)
            d3 = np.int64(0)
            for w in range(words):
                word = a[r, w]
                d0 += popcount(word ^ b[c, w])
                d1 += popcount(word ^ b[c + 1, w])
                d2 += popcount(word ^ b[c + 2, w])
                d3 += popcount(word ^ b[c + 3, w])
            out[r, c] = columns - 2 * d0
            out[r, c + 1] = columns - 2 * d1
            out[r, c + 2] = columns - 2 * d2
            out[r, c + 3] = columns - 2 * d3
            c += 4
        while c < m:
            d0 = np.int64(0)
            for w in range(words):
                d0 += popcount(a[r, w] ^ b[c, w])
            out[r, c] = columns - 2 * d0
            c += 1
