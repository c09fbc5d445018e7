"""Products of 16-bit whole numbers with 32-bit sums: two inputs of 8 outputs an instruction.

Four rows by 16 outputs stand in registers. LLVM joins the product and the sum where the host has VNNI.

    pairs   int16 (chunks of 16 outputs, inputs / 2 rounded up, 16, 2), zeros past the ends
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ints import add32, load_pair, multiply_add
from .jit import kernel
from .lanes import U8, load, store, zeros

I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]

CHUNK = 16  # outputs
_ROWS = 4


@kernel
def lay_pairs(weights: I16, out: I16) -> None:
    """Write int16 (m, k) weights into `out`, zeroed int16 as laid out above."""
    for r in range(weights.shape[0]):
        for c in range(weights.shape[1]):
            out[r // CHUNK, c >> 1, r % CHUNK, c & 1] = weights[r, c]


@kernel
def dot_pairs(a: U8, inputs: int, pairs: U8, m: int, room: U8, out: U8) -> None:
    """Write the products of int16 rows and m outputs of pairs into `out`, int32 (n, m) as bytes.

    Args:
        a: int16 (n, inputs), flat bytes; `inputs` is even.
        inputs: columns of a row.
        pairs: as laid out above, flat bytes.
        m: outputs.
        room: bytes to work in, 256.
        out: int32 (n, m), flat bytes.
    """
    n = len(a) // (2 * inputs)
    for chunk in range(-(-m // CHUNK)):
        left = min(CHUNK, m - CHUNK * chunk)
        for r in range(0, n, _ROWS):
            rows = min(_ROWS, n - r)
            whole = left == CHUNK and rows == _ROWS
            target, to, stride = (out, 4 * (m * r + CHUNK * chunk), 4 * m) if whole else (room, 0, 64)
            last = 2 * inputs * (n - 1)
            _four_rows(a, 2 * inputs * r, last, inputs, pairs[32 * inputs * chunk :], target, to, stride)
            if not whole:
                for i in range(rows):
                    at = 4 * (m * (r + i) + CHUNK * chunk)
                    out[at : at + 4 * left] = room[64 * i : 64 * i + 4 * left]


@kernel
def _four_rows(a: U8, at: int, last: int, inputs: int, pairs: U8, out: U8, to: int, stride: int) -> None:
    """Write four rows of 16 products; the last row, at `last`, stands for rows past the end."""
    at1, at2, at3 = min(at + 2 * inputs, last), min(at + 4 * inputs, last), min(at + 6 * inputs, last)
    s00, s01, s10, s11 = zeros(), zeros(), zeros(), zeros()
    s20, s21, s30, s31 = zeros(), zeros(), zeros(), zeros()
    for p in range(inputs >> 1):
        x, y = load(pairs, 64 * p), load(pairs, 64 * p + 32)
        two = load_pair(a, at + 4 * p)
        s00, s01 = add32(s00, multiply_add(x, two)), add32(s01, multiply_add(y, two))
        two = load_pair(a, at1 + 4 * p)
        s10, s11 = add32(s10, multiply_add(x, two)), add32(s11, multiply_add(y, two))
        two = load_pair(a, at2 + 4 * p)
        s20, s21 = add32(s20, multiply_add(x, two)), add32(s21, multiply_add(y, two))
        two = load_pair(a, at3 + 4 * p)
        s30, s31 = add32(s30, multiply_add(x, two)), add32(s31, multiply_add(y, two))
    store(out, to, s00)
    store(out, to + 32, s01)
    store(out, to + stride, s10)
    store(out, to + stride + 32, s11)
    store(out, to + 2 * stride, s20)
    store(out, to + 2 * stride + 32, s21)
    store(out, to + 3 * stride, s30)
    store(out, to + 3 * stride + 32, s31)
