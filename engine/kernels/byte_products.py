"""Products of signed with unsigned bytes, exact in int32: levels by 1-bit weights in training.

    out[i, j] = first[i] + 2 * sum over p of a[p, i] b[p, j]

`a` holds signed bytes in panels of 4 i, (ceil(I / 4), ceil(P / 4), 4, 4) with p innermost; `b` holds 0 and 1
in panels of 16 j, (ceil(J / 16), ceil(P / 4), 16, 4) with p innermost. Past the ends all is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .threads import share
from .vectors import (
    AVX2,
    add,
    add_pairs,
    load_bytes,
    multiply_pairs,
    no_ints,
    no_words,
    repeat_four,
    store,
    store_scaled,
)

F32 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

_WIDEN = 32767 // (2 * 128)  # quads of p that an int16 holds the sum of


def panels_a(i: int, p: int) -> tuple[int, int, int, int]:
    """Return the shape of the panels of signed bytes."""
    return (-(-i // 4), -(-p // 4), 4, 4)


def panels_b(j: int, p: int) -> tuple[int, int, int, int]:
    """Return the shape of the panels of what they meet."""
    return (-(-j // 16), -(-p // 4), 16, 4)


@kernel
def panel_rows(q: I8, out: I8, sums: I32) -> None:
    """Lay `q`, int8 (i, p), into panels of i over p; write the sums over p into `sums`, int32 (>= i,)."""
    i, p = q.shape
    for t in range(out.shape[0]):
        for a in range(4):
            c = 4 * t + a
            total = np.int32(0)
            for r in range(4 * out.shape[1]):
                v = q[c, r] if r < p and c < i else np.int8(0)
                out[t, r >> 2, a, r & 3] = v
                total += np.int32(v)
            if c < i:
                sums[c] = total


@kernel
def panel_signs_of_rows(words: U64, p: int, out: U8) -> None:
    """Lay packed signs, uint64 (j, words), into panels of j over `p` columns, as bytes 0 and 1."""
    j = words.shape[0]
    for t in range(out.shape[0]):
        for quad in range(out.shape[1]):
            word, shift = (4 * quad) >> 6, np.uint64((4 * quad) & 63)
            kept = np.uint64((1 << min(4, p - 4 * quad)) - 1)
            for c in range(16):
                r = 16 * t + c
                bits = (words[r, word] >> shift) & kept if r < j else np.uint64(0)
                for b in range(4):
                    out[t, quad, c, b] = np.uint8((bits >> np.uint64(b)) & np.uint64(1))


@kernel
def _finish(tile: I32, t: int, u: int, first: F32, out: F32) -> None:
    """Write one tile of sums, int32 (4, 16), into its place of `out`."""
    j = 16 * u
    columns = min(16, out.shape[1] - j)
    for a in range(min(4, out.shape[0] - 4 * t)):
        i = 4 * t + a
        for c in range(columns):
            out[i, j + c] = first[i] + np.float32(2.0) * np.float32(tile[a, c])


@kernel
def _plain_products(a: I8, b: U8, first: F32, out: F32) -> None:
    tile = np.zeros((4, 16), np.int32)
    for u in range(b.shape[0]):
        for t in range(a.shape[0]):
            tile[:] = 0
            for quad in range(a.shape[1]):
                for i in range(4):
                    for c in range(16):
                        for p in range(4):
                            tile[i, c] += np.int32(a[t, quad, i, p]) * np.int32(b[u, quad, c, p])
            _finish(tile, t, u, first, out)


@kernel
def _put(out: F32, i: int, j: int, left: Any, right: Any, first: np.float32) -> None:
    """Write 16 sums of row `i` into `out` from column `j` on."""
    at = 4 * (i * out.shape[1] + j)
    store_scaled(out, at, left, np.float32(2.0), first)
    store_scaled(out, at + 32, right, np.float32(2.0), first)


@kernel
def _vector_products(a: I8, b: U8, first: F32, out: F32) -> None:
    """Run over register tiles of 4 x 16 sums; int16 sums are widened every _WIDEN quads of p."""
    quads = a.shape[1]
    tile = np.zeros((4, 16), np.int32)
    for t in range(a.shape[0]):
        for u in range(b.shape[0]):
            w00, w01, w10, w11 = no_ints(), no_ints(), no_ints(), no_ints()
            w20, w21, w30, w31 = no_ints(), no_ints(), no_ints(), no_ints()
            at_a, at_b = t * quads * 16, u * quads * 64
            done = 0
            while done < quads:
                until = min(quads, done + _WIDEN)
                s00, s01, s10, s11 = no_words(), no_words(), no_words(), no_words()
                s20, s21, s30, s31 = no_words(), no_words(), no_words(), no_words()
                for p in range(done, until):
                    b0, b1 = load_bytes(b, at_b + p * 64), load_bytes(b, at_b + p * 64 + 32)
                    g = repeat_four(a, at_a + p * 16)
                    s00, s01 = add(s00, multiply_pairs(b0, g)), add(s01, multiply_pairs(b1, g))
                    g = repeat_four(a, at_a + p * 16 + 4)
                    s10, s11 = add(s10, multiply_pairs(b0, g)), add(s11, multiply_pairs(b1, g))
                    g = repeat_four(a, at_a + p * 16 + 8)
                    s20, s21 = add(s20, multiply_pairs(b0, g)), add(s21, multiply_pairs(b1, g))
                    g = repeat_four(a, at_a + p * 16 + 12)
                    s30, s31 = add(s30, multiply_pairs(b0, g)), add(s31, multiply_pairs(b1, g))
                w00, w01, w10 = add(w00, add_pairs(s00)), add(w01, add_pairs(s01)), add(w10, add_pairs(s10))
                w11, w20, w21 = add(w11, add_pairs(s11)), add(w20, add_pairs(s20)), add(w21, add_pairs(s21))
                w30, w31 = add(w30, add_pairs(s30)), add(w31, add_pairs(s31))
                done = until
            if 4 * t + 4 <= out.shape[0] and 16 * u + 16 <= out.shape[1]:
                _put(out, 4 * t, 16 * u, w00, w01, first[4 * t])
                _put(out, 4 * t + 1, 16 * u, w10, w11, first[4 * t + 1])
                _put(out, 4 * t + 2, 16 * u, w20, w21, first[4 * t + 2])
                _put(out, 4 * t + 3, 16 * u, w30, w31, first[4 * t + 3])
                continue
            store(tile, 0, w00)
            store(tile, 32, w01)
            store(tile, 64, w10)
            store(tile, 96, w11)
            store(tile, 128, w20)
            store(tile, 160, w21)
            store(tile, 192, w30)
            store(tile, 224, w31)
            _finish(tile, t, u, first, out)


def products(a: I8, b: U8, first: F32, out: F32) -> None:
    """Write first + 2 a . b into `out`, float32 (I, J); see the head of this file.

    Args:
        a: panels of signed bytes.
        b: panels of 0 and 1.
        first: float32 (I,).
        out: written; exact below 2^24.
    """
    run = _vector_products if AVX2 else _plain_products

    def part(begin: int, end: int) -> None:
        rows = slice(4 * begin, 4 * end)
        run(a[begin:end], b, first[rows], out[rows])

    share(part, len(a), least=4)
