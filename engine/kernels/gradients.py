"""Products of 8-bit gradients with low-bit weights and activations, for training's backward pass.

Gradients are rounded to 8 bits with a scale for each row of the result, by chance in proportion to what is
rounded away, so that every product is right in the mean (stochastic rounding: Gupta et al. 2015,
arXiv:1502.02551; gradients of few bits: Zhou et al. 2016, arXiv:1606.06160). Sums are exact int32.

    out[i, j] = first[i] + factor[i] * sum over p of a[p, i] b[p, j]

`a` holds gradients, int8, in panels of 4 i, (ceil(I / 4), ceil(P / 4), 4, 4) with p innermost; `b` holds what
they meet as unsigned bytes, in panels of 16 j, (ceil(J / 16), ceil(P / 4), 16, 4) with p innermost: a sign as
0 or 1, a level as its distance from the lowest; `rows_of` gives `first` and `factor`. Past the ends all is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import kernel
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

HIGHEST = 127  # of a gradient
HIGHEST_BESIDE_BYTES = 63  # of a gradient that meets bytes up to 255: two such products fit in int16
_WIDEN = 32767 // (2 * 128)  # quads of 0 and 1 that an int16 holds the sum of, whatever they meet


def panels_a(i: int, p: int) -> tuple[int, int, int, int]:
    """Return the shape of the gradients' panels."""
    return (-(-i // 4), -(-p // 4), 4, 4)


def panels_b(j: int, p: int) -> tuple[int, int, int, int]:
    """Return the shape of the panels of what gradients meet."""
    return (-(-j // 16), -(-p // 4), 16, 4)


@kernel
def _mixed(at: np.uint32, seed: np.uint32) -> np.uint32:
    """Return 32 bits by chance from a place and a seed (the finaliser of MurmurHash3, public domain)."""
    h = np.uint32(at * np.uint32(0x9E3779B1)) ^ seed
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return h ^ (h >> np.uint32(16))


@kernel
def largest_of_columns(g: F32, factor: F32, out: F32) -> None:
    """Write max over rows of |g * factor| into `out`, float32 (m,), for `g` (n, m) and `factor` (m,)."""
    for c in range(g.shape[1]):
        out[c] = np.float32(0.0)
    for r in range(g.shape[0]):
        for c in range(g.shape[1]):
            out[c] = max(out[c], abs(g[r, c] * factor[c]))


@kernel
def largest_of_rows(g: F32, factor: F32, out: F32) -> None:
    """Write max over columns of |g * factor| into `out`, float32 (n,), for `g` (n, m) and `factor` (m,)."""
    for r in range(g.shape[0]):
        high = np.float32(0.0)
        for c in range(g.shape[1]):
            high = max(high, abs(g[r, c] * factor[c]))
        out[r] = high


@kernel
def round_gradients(
    g: F32, factor: F32, by_row: bool, inverse: F32, highest: int, seed: np.uint32, out: I8
) -> None:
    """Write g * factor * inverse, rounded by chance to -highest .. highest, into `out`, int8 (n, m).

    Args:
        g: float32 (n, m).
        factor: float32 (m,).
        by_row: whether `inverse` is of rows, (n,), or of columns, (m,).
        inverse: highest / the largest magnitude, 0 where all are 0.
        highest: largest level.
        seed: where chance starts.
        out: written.
    """
    n, m = g.shape
    top = np.float32(highest)
    for r in range(n):
        for c in range(m):
            v = g[r, c] * factor[c] * (inverse[r] if by_row else inverse[c])
            chance = np.float32(_mixed(np.uint32(r * m + c), seed) >> np.uint32(8)) * np.float32(2.0**-24)
            v = np.floor(v + chance)
            out[r, c] = np.int8(min(max(v, -top), top))


@kernel
def panel_columns(q: I8, out: I8, sums: I32) -> None:
    """Lay `q`, int8 (p, i), into panels of i over p; write the sums over p into `sums`, int32 (>= i,)."""
    p, i = q.shape
    for t in range(out.shape[0]):
        for quad in range(out.shape[1]):
            for a in range(4):
                for b in range(4):
                    r, c = 4 * quad + b, 4 * t + a
                    out[t, quad, a, b] = q[r, c] if r < p and c < i else np.int8(0)
    for c in range(i):
        sums[c] = 0
    for r in range(p):
        for c in range(i):
            sums[c] += np.int32(q[r, c])


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
def panel_signs(words: U64, j: int, out: U8) -> None:
    """Lay packed signs, uint64 (p, words), into panels of `j` columns over p, as bytes 0 and 1."""
    p = words.shape[0]
    for t in range(out.shape[0]):
        word, shift = (16 * t) >> 6, np.uint64((16 * t) & 63)
        kept = np.uint64((1 << min(16, j - 16 * t)) - 1)
        for quad in range(out.shape[1]):
            for b in range(4):
                r = 4 * quad + b
                bits = np.uint32((words[r, word] >> shift) & kept) if r < p else np.uint32(0)
                for c in range(16):
                    out[t, quad, c, b] = np.uint8((bits >> np.uint32(c)) & np.uint32(1))


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
def panel_levels(levels: Any, low: int, out: U8) -> None:
    """Lay whole numbers, (p, j) of any real dtype, less `low`, into panels of j over p, as bytes."""
    p, j = levels.shape
    for t in range(out.shape[0]):
        for quad in range(out.shape[1]):
            for c in range(16):
                for b in range(4):
                    r, at = 4 * quad + b, 16 * t + c
                    out[t, quad, c, b] = np.uint8(levels[r, at] - low) if r < p and at < j else np.uint8(0)


@kernel
def _finish(tile: I32, t: int, u: int, rows: F32, out: F32, more: bool) -> None:
    """Write one tile of sums, int32 (4, 16), into its place of `out`; with `more`, add it."""
    j = 16 * u
    columns = min(16, out.shape[1] - j)
    for a in range(min(4, out.shape[0] - 4 * t)):
        i = 4 * t + a
        for c in range(columns):
            v = rows[0, i] + rows[1, i] * np.float32(tile[a, c])
            out[i, j + c] = out[i, j + c] + v if more else v


@kernel
def _plain_products(a: I8, b: U8, rows: F32, out: F32, more: bool) -> None:
    tile = np.zeros((4, 16), np.int32)
    for u in range(b.shape[0]):
        for t in range(a.shape[0]):
            tile[:] = 0
            for quad in range(a.shape[1]):
                for i in range(4):
                    for c in range(16):
                        for p in range(4):
                            tile[i, c] += np.int32(a[t, quad, i, p]) * np.int32(b[u, quad, c, p])
            _finish(tile, t, u, rows, out, more)


@kernel
def _put(out: F32, i: int, j: int, left: Any, right: Any, rows: F32) -> None:
    """Write 16 sums of row `i` into `out` from column `j` on."""
    at = 4 * (i * out.shape[1] + j)
    store_scaled(out, at, left, rows[1, i], rows[0, i])
    store_scaled(out, at + 32, right, rows[1, i], rows[0, i])


@kernel
def _vector_products(  # noqa: PLR0915 - a register tile is written out
    a: I8, b: U8, rows: F32, out: F32, more: bool, widen: int
) -> None:
    """Run over register tiles of 4 x 16 sums; int16 sums are widened every `widen` quads of p."""
    quads = a.shape[1]
    tile = np.zeros((4, 16), np.int32)
    for t in range(a.shape[0]):
        for u in range(b.shape[0]):
            w00, w01, w10, w11 = no_ints(), no_ints(), no_ints(), no_ints()
            w20, w21, w30, w31 = no_ints(), no_ints(), no_ints(), no_ints()
            at_a, at_b = t * quads * 16, u * quads * 64
            done = 0
            while widen > 1 and done < quads:
                until = min(quads, done + widen)
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
            for p in range(done, quads):
                b0, b1 = load_bytes(b, at_b + p * 64), load_bytes(b, at_b + p * 64 + 32)
                g = repeat_four(a, at_a + p * 16)
                w00 = add(w00, add_pairs(multiply_pairs(b0, g)))
                w01 = add(w01, add_pairs(multiply_pairs(b1, g)))
                g = repeat_four(a, at_a + p * 16 + 4)
                w10 = add(w10, add_pairs(multiply_pairs(b0, g)))
                w11 = add(w11, add_pairs(multiply_pairs(b1, g)))
                g = repeat_four(a, at_a + p * 16 + 8)
                w20 = add(w20, add_pairs(multiply_pairs(b0, g)))
                w21 = add(w21, add_pairs(multiply_pairs(b1, g)))
                g = repeat_four(a, at_a + p * 16 + 12)
                w30 = add(w30, add_pairs(multiply_pairs(b0, g)))
                w31 = add(w31, add_pairs(multiply_pairs(b1, g)))
            if not more and 4 * t + 4 <= out.shape[0] and 16 * u + 16 <= out.shape[1]:
                _put(out, 4 * t, 16 * u, w00, w01, rows)
                _put(out, 4 * t + 1, 16 * u, w10, w11, rows)
                _put(out, 4 * t + 2, 16 * u, w20, w21, rows)
                _put(out, 4 * t + 3, 16 * u, w30, w31, rows)
                continue
            store(tile, 0, w00)
            store(tile, 32, w01)
            store(tile, 64, w10)
            store(tile, 96, w11)
            store(tile, 128, w20)
            store(tile, 160, w21)
            store(tile, 192, w30)
            store(tile, 224, w31)
            _finish(tile, t, u, rows, out, more)


def rows_of(sums: I32, scale: F32, step: float, base: float) -> F32:
    """Return `first` and `factor`, float32 (2, I), of products of gradients.

    Args:
        sums: int32 (I,), the sums of the rounded gradients over p.
        scale: float32 (I,), what one level of a gradient counts.
        step: what one unit of `b` counts.
        base: what a 0 of `b` counts.
    """
    return np.stack([scale * np.float32(base) * sums.astype(np.float32), scale * np.float32(step)])


def products(a: I8, b: U8, rows: F32, out: F32, *, highest: int, more: bool = False) -> None:
    """Write the products of gradients into `out`, float32 (I, J), or add them with `more`.

    Args:
        a: panels of gradients.
        b: panels of what they meet.
        rows: what `rows_of` gave.
        out: written.
        highest: the largest byte in `b`; gradients that meet more than 127 are at most HIGHEST_BESIDE_BYTES.
        more: whether to add.
    """
    if AVX2:
        _vector_products(a, b, rows, out, more, max(1, _WIDEN // highest))
    else:
        _plain_products(a, b, rows, out, more)
