"""Fixed-order float32 sums of weights under packed signs: float layers that 1-bit numbers enter.

Every sum is that of floats.dot_floats over +1 and -1: from 0, input k after input k - 1, rounded after each
addition; a product with a sign is exact. Lanes hold 16 outputs of one record, or one output of 16 records
with five outputs side by side, so that sums need not wait for each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .lanes import U8, load, store
from .vectors import add_multiple, load_floats, no_floats, store_floats

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

LANES = 16  # outputs of a record, or records, that are summed at once
SIDE = 5  # outputs that are summed at once for 16 records
_WORD = 64 * LANES  # signs of a word of 16 records


def by_lanes(values_t: F32) -> F32:
    """Return weights (k, m) as one record's sums take them: flat (blocks, k, 16), filled up with 0."""
    return _blocks(values_t, LANES)


def by_sides(values_t: F32) -> F32:
    """Return weights (k, m) as the sums of 16 records take them: flat (blocks, k, 5), filled up with 0."""
    return _blocks(values_t, SIDE)


def _blocks(values_t: F32, size: int) -> F32:
    k, m = values_t.shape
    filled = np.zeros((k, -(-m // size) * size), np.float32)
    filled[:, :m] = values_t
    return np.ascontiguousarray(filled.reshape(k, -1, size).transpose(1, 0, 2)).reshape(-1)


def sign_table() -> U8:
    """Return the signs that each byte stands for, float32 (256, 8) as flat bytes: bit j is number j."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return np.ascontiguousarray(2 * bits.astype(np.float32) - 1).reshape(-1).view(np.uint8)


@kernel
def finish_row(sums: F32, first: int, step: int, affine: F32, out: F32) -> None:
    """Write sums[first + j step] through each scale and shift of `affine`, (times, 2, m), into `out`."""
    for j in range(len(out)):
        v = sums[first + j * step]
        for i in range(affine.shape[0]):
            v = v * affine[i, 0, j] + affine[i, 1, j]
        out[j] = v


@kernel
def sums_of_one(x: U64, inputs: int, weights: F32, signs: F32, affine: F32, sums: F32, out: F32) -> None:
    """Write what becomes of the sums of packed rows into `out`, float32 (n, m), a row at a time.

    Args:
        x: uint64 (n, words).
        inputs: of a row.
        weights: as `by_lanes` lays them out.
        signs: float32 (2,): -1 and 1.
        affine: float32 (times, 2, m), scales and shifts, one after another.
        sums: float32, scratch: m, rounded up to 16.
        out: float32 (n, m).
    """
    for r in range(x.shape[0]):
        at = 0
        for block in range((out.shape[1] + LANES - 1) // LANES):
            total = no_floats()
            for w in range(x.shape[1]):
                word = x[r, w]
                for _ in range(min(64, inputs - 64 * w)):
                    total = add_multiple(total, load_floats(weights, at), signs[word & np.uint64(1)])
                    word >>= np.uint64(1)
                    at += LANES
            store_floats(sums, LANES * block, total)
        finish_row(sums, 0, 1, affine, out[r])


@kernel
def _turned(words: U64, byte: int) -> np.uint64:
    """Return a word whose byte j has in bit i bit j of byte `byte` of word i, for eight words."""
    x = np.uint64(0)
    for i in range(8):
        x |= ((words[i] >> np.uint64(8 * byte)) & np.uint64(255)) << np.uint64(8 * i)
    # Squares of 1, 2 and 4 bits change places across the diagonal (Hacker's Delight, 7-3).
    t = (x ^ (x >> np.uint64(7))) & np.uint64(0x00AA00AA00AA00AA)
    x ^= t ^ (t << np.uint64(7))
    t = (x ^ (x >> np.uint64(14))) & np.uint64(0x0000CCCC0000CCCC)
    x ^= t ^ (t << np.uint64(14))
    t = (x ^ (x >> np.uint64(28))) & np.uint64(0x00000000F0F0F0F0)
    return x ^ t ^ (t << np.uint64(28))


@kernel
def _spread_word(x: U64, first: int, w: int, table: U8, eight: U64, spread: U8) -> None:
    """Write word w of rows `first` to `first` + 15 as signs, float32 (64, 16) as bytes."""
    for half in range(2):
        for i in range(8):
            r = first + 8 * half + i
            eight[i] = x[r, w] if r < x.shape[0] else np.uint64(0)
        for byte in range(8):
            turned = _turned(eight, byte)
            for j in range(8):
                signs = load(table, 32 * np.int64((turned >> np.uint64(8 * j)) & np.uint64(255)))
                store(spread, 64 * (8 * byte + j) + 32 * half, signs)


@kernel
def _add_word(spread: F32, count: int, weights: F32, at: int, sums: F32, to: int) -> None:
    """Add `count` inputs of 16 rows to the sums of five outputs."""
    a, b, c = load_floats(sums, to), load_floats(sums, to + 16), load_floats(sums, to + 32)
    d, e = load_floats(sums, to + 48), load_floats(sums, to + 64)
    for i in range(count):
        signs = load_floats(spread, LANES * i)
        w = np.uint64(at + SIDE * i)
        a, b = add_multiple(a, signs, weights[w]), add_multiple(b, signs, weights[w + np.uint64(1)])
        c, d = (
            add_multiple(c, signs, weights[w + np.uint64(2)]),
            add_multiple(d, signs, weights[w + np.uint64(3)]),
        )
        e = add_multiple(e, signs, weights[w + np.uint64(4)])
    store_floats(sums, to, a)
    store_floats(sums, to + 16, b)
    store_floats(sums, to + 32, c)
    store_floats(sums, to + 48, d)
    store_floats(sums, to + 64, e)


@kernel
def sums_of_many(x: U64, inputs: int, weights: F32, table: U8, affine: F32, room: F32, out: F32) -> None:
    """Do what `sums_of_one` does, 16 rows at a time.

    Args:
        x: uint64 (n, words).
        inputs: of a row.
        weights: as `by_sides` lays them out.
        table: as `sign_table` gives.
        affine: float32 (times, 2, m).
        room: float32, scratch: 1,024 and 16 for each of m outputs, rounded up to 5.
        out: float32 (n, m).
    """
    n, m = out.shape
    spread, sums = room[:_WORD], room[_WORD:]
    eight = np.zeros(8, np.uint64)
    blocks = (m + SIDE - 1) // SIDE
    for first in range(0, n, LANES):
        sums[:] = np.float32(0.0)
        for w in range(x.shape[1]):
            _spread_word(x, first, w, table, eight, spread.view(np.uint8))
            count = min(64, inputs - 64 * w)
            for block in range(blocks):
                at = SIDE * (block * inputs + 64 * w)
                _add_word(spread, count, weights, at, sums, block * SIDE * LANES)
        for r in range(first, min(n, first + LANES)):
            finish_row(sums, r - first, LANES, affine, out[r])
