"""Products of packed rows by population counts of eight words at once, with outputs in the lanes.

LLVM makes one instruction of each count where the host has AVX-512 VPOPCNTDQ, and byte shuffles elsewhere.

    lanes   uint64 (chunks of 16 outputs, words, 16): a word of 16 outputs side by side
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .lanes import U8, add_eight, differing, load_eight, put_below, put_eight, spread, zero_eight

U64 = npt.NDArray[np.uint64]

CHUNK = 16  # outputs whose counters stand in registers, for four rows


@kernel
def lay_lanes(words: U64, out: U64) -> None:
    """Write packed rows, uint64 (m, words), into `out`, zeroed uint64 as laid out above."""
    for r in range(words.shape[0]):
        for w in range(words.shape[1]):
            out[r // CHUNK, w, r % CHUNK] = words[r, w]


@kernel
def dot_wide(a: U64, inputs: int, lanes: U8, m: int, room: U8, out: U8) -> None:
    """Write the products of packed rows and m outputs of lanes into `out`, int32 (n, m) as bytes.

    Args:
        a: uint64 (n, words).
        inputs: columns of a row.
        lanes: as laid out above, flat bytes.
        m: outputs.
        room: bytes to work in, 256.
        out: int32 (n, m), flat bytes.
    """
    n = a.shape[0]
    for chunk in range(-(-m // CHUNK)):
        left = min(CHUNK, m - CHUNK * chunk)
        for r in range(0, n, 4):
            rows = min(4, n - r)
            whole = left == CHUNK and rows == 4
            target, to, stride = (out, 4 * (m * r + CHUNK * chunk), 4 * m) if whole else (room, 0, 64)
            _four_rows(a, r, inputs, lanes, 128 * a.shape[1] * chunk, target, to, stride)
            if not whole:
                for i in range(rows):
                    at = 4 * (m * (r + i) + CHUNK * chunk)
                    out[at : at + 4 * left] = room[64 * i : 64 * i + 4 * left]


@kernel
def _four_rows(a: U64, r: int, inputs: int, lanes: U8, at: int, out: U8, to: int, stride: int) -> None:
    """Write four rows of 16 products; the last row stands for rows past the end."""
    rows = min(4, a.shape[0] - r)
    r1, r2, r3 = r + min(1, rows - 1), r + min(2, rows - 1), r + rows - 1
    c00, c01, c10, c11 = zero_eight(), zero_eight(), zero_eight(), zero_eight()
    c20, c21, c30, c31 = zero_eight(), zero_eight(), zero_eight(), zero_eight()
    for w in range(a.shape[1]):
        x, y = load_eight(lanes, at), load_eight(lanes, at + 64)
        word = spread(a[r, w])
        c00, c01 = add_eight(c00, differing(x, word)), add_eight(c01, differing(y, word))
        word = spread(a[r1, w])
        c10, c11 = add_eight(c10, differing(x, word)), add_eight(c11, differing(y, word))
        word = spread(a[r2, w])
        c20, c21 = add_eight(c20, differing(x, word)), add_eight(c21, differing(y, word))
        word = spread(a[r3, w])
        c30, c31 = add_eight(c30, differing(x, word)), add_eight(c31, differing(y, word))
        at += 128
    put_eight(out, to, c00, inputs)
    put_eight(out, to + 32, c01, inputs)
    put_eight(out, to + stride, c10, inputs)
    put_eight(out, to + stride + 32, c11, inputs)
    put_eight(out, to + 2 * stride, c20, inputs)
    put_eight(out, to + 2 * stride + 32, c21, inputs)
    put_eight(out, to + 3 * stride, c30, inputs)
    put_eight(out, to + 3 * stride + 32, c31, inputs)


@kernel
def signs_wide(a: U64, lanes: U8, limits: U8, out: U8) -> None:
    """Write whether packed rows differ from each output in fewer places than its limit, as packed signs.

    Args:
        a: uint64 (n, words).
        lanes: as laid out above, flat bytes.
        limits: uint64 (chunks of 16 outputs, 16), flat bytes.
        out: uint64 (n, words), flat bytes; what stands past the chunks is left.
    """
    n, words = a.shape
    chunks = len(limits) // (8 * CHUNK)
    stride = len(out) // n
    for chunk in range(chunks):
        l0, l1 = load_eight(limits, 128 * chunk), load_eight(limits, 128 * chunk + 64)
        for r in range(0, n, 4):
            # Rows past the end count as the last one, and write what it wrote.
            r1, r2, r3 = min(r + 1, n - 1), min(r + 2, n - 1), min(r + 3, n - 1)
            c00, c01, c10, c11 = zero_eight(), zero_eight(), zero_eight(), zero_eight()
            c20, c21, c30, c31 = zero_eight(), zero_eight(), zero_eight(), zero_eight()
            at = 128 * words * chunk
            for w in range(words):
                x, y = load_eight(lanes, at), load_eight(lanes, at + 64)
                word = spread(a[r, w])
                c00, c01 = add_eight(c00, differing(x, word)), add_eight(c01, differing(y, word))
                word = spread(a[r1, w])
                c10, c11 = add_eight(c10, differing(x, word)), add_eight(c11, differing(y, word))
                word = spread(a[r2, w])
                c20, c21 = add_eight(c20, differing(x, word)), add_eight(c21, differing(y, word))
                word = spread(a[r3, w])
                c30, c31 = add_eight(c30, differing(x, word)), add_eight(c31, differing(y, word))
                at += 128
            to = 2 * chunk
            put_below(out, stride * r + to, c00, l0)
            put_below(out, stride * r + to + 1, c01, l1)
            put_below(out, stride * r1 + to, c10, l0)
            put_below(out, stride * r1 + to + 1, c11, l1)
            put_below(out, stride * r2 + to, c20, l0)
            put_below(out, stride * r2 + to + 1, c21, l1)
            put_below(out, stride * r3 + to, c30, l0)
            put_below(out, stride * r3 + to + 1, c31, l1)
