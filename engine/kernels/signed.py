"""Floats times signs: sums of +-numbers by tables, as the backward pass of 1-bit layers wants them.

    out[c, i] = sum over j of floats[j, c] sign[i, j]

Four numbers have 16 signed sums. Those are made once, 16 columns at a time, and every row of signs then adds
one of them by four of its bits: a quarter of the additions, and no multiplication (the method of the four
Russians, here on signs). Sums are float32, in an order of their own; only training takes them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .threads import share
from .vectors import COMPILED, add_floats, load_floats, no_floats, store_floats, subtract_floats, turn_floats

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

LANES = 16
TABLE = 16 * 16 * LANES  # float32 of the tables of one word of signs: they stay in the first-level cache


@kernel
def transpose_bits(words: U64, columns: int, out: U64) -> None:
    """Write the transpose of packed `words` (n, ceil(columns / 64)) into `out` (columns, ceil(n / 64)).

    Tails are 0. Squares of 64 x 64 bits are turned by swapping halves, then quarters, and so on.
    """
    n = words.shape[0]
    square = np.empty(64, np.uint64)
    for r in range(out.shape[1]):
        rows = min(64, n - 64 * r)
        for w in range(words.shape[1]):
            for i in range(64):
                square[i] = words[64 * r + i, w] if i < rows else np.uint64(0)
            turn_square(square)
            for i in range(min(64, columns - 64 * w)):
                out[64 * w + i, r] = square[i]


@kernel
def turn_square(square: U64) -> None:
    """Transpose a square of 64 x 64 bits in place."""
    half = 32
    mask = np.uint64(0x00000000FFFFFFFF)
    while half:
        shift = np.uint64(half)
        for block in range(0, 64, 2 * half):
            for i in range(block, block + half):
                swap = ((square[i] >> shift) ^ square[i + half]) & mask
                square[i] ^= swap << shift
                square[i + half] ^= swap
        half >>= 1
        mask ^= mask << np.uint64(half)


@kernel
def _sixteen_sums(floats: F32, place: int, table: F32, at: int) -> None:
    """Write +-a +-b +-c +-d into 16 rows of `table`; bit i of the row says whether number i counts +."""
    a, b = load_floats(floats, place), load_floats(floats, place + 16)
    c, d = load_floats(floats, place + 32), load_floats(floats, place + 48)
    none = no_floats()
    both, apart = add_floats(a, b), subtract_floats(a, b)
    low0, low1, low2, low3 = subtract_floats(none, both), apart, subtract_floats(none, apart), both
    both, apart = add_floats(c, d), subtract_floats(c, d)
    high0, high1, high2, high3 = subtract_floats(none, both), apart, subtract_floats(none, apart), both
    store_floats(table, at, add_floats(low0, high0))
    store_floats(table, at + 16, add_floats(low1, high0))
    store_floats(table, at + 32, add_floats(low2, high0))
    store_floats(table, at + 48, add_floats(low3, high0))
    store_floats(table, at + 64, add_floats(low0, high1))
    store_floats(table, at + 80, add_floats(low1, high1))
    store_floats(table, at + 96, add_floats(low2, high1))
    store_floats(table, at + 112, add_floats(low3, high1))
    store_floats(table, at + 128, add_floats(low0, high2))
    store_floats(table, at + 144, add_floats(low1, high2))
    store_floats(table, at + 160, add_floats(low2, high2))
    store_floats(table, at + 176, add_floats(low3, high2))
    store_floats(table, at + 192, add_floats(low0, high3))
    store_floats(table, at + 208, add_floats(low1, high3))
    store_floats(table, at + 224, add_floats(low2, high3))
    store_floats(table, at + 240, add_floats(low3, high3))


@kernel
def lay_tables(block: F32, table: F32) -> None:
    """Write the signed sums of 64 rows of 16 numbers, four rows at a time, into `table`."""
    for g in range(16):
        _sixteen_sums(block, 64 * g, table, 256 * g)


@kernel
def add_signed(word: np.uint64, table: F32, part: F32, at: int) -> None:
    """Add to 16 columns of `part` what the 64 signs of a word make of the numbers in `table`."""
    first, second = load_floats(part, at), no_floats()
    for g in range(0, 16, 2):
        low = np.int64((word >> np.uint64(4 * g)) & np.uint64(15))
        high = np.int64((word >> np.uint64(4 * g + 4)) & np.uint64(15))
        first = add_floats(first, load_floats(table, 256 * g + 16 * low))
        second = add_floats(second, load_floats(table, 256 * g + 256 + 16 * high))
    store_floats(part, at, add_floats(first, second))


@kernel
def _load_columns(floats: F32, begin: int, first: int, turned: bool, block: F32) -> None:
    """Lay 64 rows of 16 columns into `block`, 0 where there are none."""
    rows, columns = (floats.shape[1], floats.shape[0]) if turned else (floats.shape[0], floats.shape[1])
    width, deep = min(LANES, columns - begin), min(64, rows - first)
    if width < LANES or deep < 64:
        block[:] = np.float32(0.0)
    if turned:
        whole = deep & ~15 if width == LANES else 0
        for j in range(0, whole, 16):
            turn_floats(floats, begin * rows + first + j, rows, block, 16 * j, 16)
        for c in range(width):
            for j in range(whole, deep):
                block[16 * j + c] = floats[begin + c, first + j]
    elif width == LANES:
        for j in range(deep):
            store_floats(block, 16 * j, load_floats(floats, (first + j) * columns + begin))
    else:
        for j in range(deep):
            for c in range(width):
                block[16 * j + c] = floats[first + j, begin + c]


@kernel
def store_columns(part: F32, out: F32) -> None:
    """Write up to 16 columns of `part`, (m, 16), as rows of `out`, float32 (columns, m)."""
    width, m = out.shape
    whole = m & ~15 if width == LANES else 0
    for i in range(0, whole, 16):
        turn_floats(part, 16 * i, 16, out, i, m)
    for c in range(width):
        for i in range(whole, m):
            out[c, i] = part[16 * i + c]


@kernel
def _signed_sums(
    floats: F32, turned: bool, signs: U64, scratch: F32, part: F32, out: F32, first: int, last: int
) -> None:
    m = out.shape[1]
    block, table = scratch[: 64 * LANES], scratch[64 * LANES :]
    for begin in range(first, last, LANES):
        part[:] = np.float32(0.0)
        for w in range(signs.shape[1]):
            _load_columns(floats, begin, 64 * w, turned, block)
            lay_tables(block, table)
            for i in range(m):
                add_signed(signs[i, w], table, part, 16 * i)
        store_columns(part, out[begin : min(begin + LANES, len(out))])


def signed_sums(floats: F32, signs: U64, out: F32, *, turned: bool = False) -> None:
    """Write the sums of `floats` under `signs` into `out`, float32 (columns, m).

    Args:
        floats: float32 (rows, columns), or (columns, rows) where `turned`.
        signs: packed, uint64 (m, ceil(rows / 64)).
        out: written.
        turned: whether each row of `floats` is a column of the sums.
    """
    if not COMPILED:
        _plain_sums(floats.T if turned else floats, signs, out)
        return

    def columns(begin: int, end: int) -> None:
        scratch, part = aligned(64 * LANES + TABLE), aligned(LANES * len(signs))
        _signed_sums(floats, turned, signs, scratch, part, out, begin, end)

    share(columns, len(out), least=LANES, grain=LANES)


def aligned(count: int) -> F32:
    """Return `count` float32 that begin with a line of the cache: no load of 64 bytes crosses two."""
    held = np.empty(count + 16, np.float32)
    skip = -held.ctypes.data // 4 % 16
    return held[skip : skip + count]


def _plain_sums(floats: F32, signs: U64, out: F32) -> None:
    """Do the same in NumPy, where nothing is compiled."""
    bits = (signs[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    ones = bits.reshape(len(signs), -1)[:, : len(floats)].astype(np.float32)
    out[...] = floats.T @ (2 * ones - 1).T
