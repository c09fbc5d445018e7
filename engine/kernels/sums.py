"""Sums of whole numbers under packed signs, by tables: 5 inputs of 16 rows for a load and an add.

As lookup.py has it, with the sides changed: a table says, for all 32 values that 5 weight bits can take, what
they make of 5 inputs of 16 rows (added where a bit is 1, taken off where it is 0), and an output is one entry
a group, added up. Weights are laid out as lookup's `indices`; 120 inputs of at most HIGHEST fit 16 bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ints import SIDE, add32, high_ints, low_ints, turn
from .jit import kernel
from .lanes import U8, Vec, add16, load, pick_byte, store, sub16, zeros
from .lookup import GROUP, PART, trios_of, words_at

I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]

LANES = 16  # rows of a vector
HIGHEST = 32767 // PART  # largest magnitude of an input
_TABLES = 24 * 1024
_SUMS = 4 * LANES  # bytes of an output's sums


@kernel
def turn_rows(x: I16 | U8, first: int, out: I16) -> None:
    """Write 16 rows of `x`, (n, k), from `first` on into columns of `out`, int16 (inputs, 16)."""
    n, k = x.shape
    for r in range(LANES):
        if first + r < n:
            for c in range(k):
                out[c, r] = x[first + r, c]
        else:
            for c in range(k):
                out[c, r] = 0


@kernel
def _build_tables(columns: U8, start: int, trios: int, table: U8) -> None:
    """Write 3 x `trios` tables: entry v of a group adds inputs where v has a 1, and takes off the rest."""
    for group in range(3 * trios):
        c = start + 32 * GROUP * group
        at = 1024 * (3 * (group % trios) + group // trios)
        x0, x1, x2 = load(columns, c), load(columns, c + 32), load(columns, c + 64)
        x3, x4 = load(columns, c + 96), load(columns, c + 128)
        d0, d1, d2, d3, d4 = add16(x0, x0), add16(x1, x1), add16(x2, x2), add16(x3, x3), add16(x4, x4)
        y4 = sub16(sub16(sub16(sub16(sub16(zeros(), x0), x1), x2), x3), x4)
        for _ in range(2):
            y3 = y4
            for _ in range(2):
                y2 = y3
                for _ in range(2):
                    store(table, at, y2)
                    store(table, at + 32, add16(y2, d0))
                    store(table, at + 64, add16(y2, d1))
                    store(table, at + 96, add16(add16(y2, d0), d1))
                    y2 = add16(y2, d2)
                    at += 128
                y3 = add16(y3, d3)
            y4 = add16(y4, d4)


@kernel
def _look_up(table: U8, q0: np.uint64, q1: np.uint64, q2: np.uint64, t: int) -> Vec:
    at = 3072 * t
    first = add16(load(table, at + 4 * pick_byte(q0, t)), load(table, at + 1024 + 4 * pick_byte(q1, t)))
    return add16(first, load(table, at + 2048 + 4 * pick_byte(q2, t)))


@kernel
def _sum_trios(table: U8, q0: np.uint64, q1: np.uint64, q2: np.uint64, trios: int) -> Vec:
    total = zeros()
    for t in range(trios):
        total = add16(total, _look_up(table, q0, q1, q2, t))
    return total


@kernel
def _sum_outputs(table: U8, indices: U8, at: int, m: int, trios: int, begin: bool, sums: U8) -> None:
    """Add what a part's inputs come to, for 16 rows, to the sums of every output."""
    q0, q1, q2 = words_at(indices, at)
    for c in range(m):
        p0, p1, p2 = q0, q1, q2
        q0, q1, q2 = words_at(indices, at + 24 * (c + 1))
        if trios == 8:  # the usual lengths are laid out in full
            total = _sum_trios(table, p0, p1, p2, 8)
        elif trios == 5:
            total = _sum_trios(table, p0, p1, p2, 5)
        else:
            total = _sum_trios(table, p0, p1, p2, trios)
        low, high = low_ints(total), high_ints(total)
        if not begin:
            low, high = add32(low, load(sums, _SUMS * c)), add32(high, load(sums, _SUMS * c + 32))
        store(sums, _SUMS * c, low)
        store(sums, _SUMS * c + 32, high)


@kernel
def room_for_sums(inputs: int, m: int) -> int:
    """Return the bytes that `dot_sums` works in."""
    return _TABLES + 32 * PART * (-(-inputs // PART)) + _SUMS * m


@kernel
def dot_sums(x: I16 | U8, indices: U8, m: int, room: U8, out: I32) -> None:
    """Write the sums of rows under packed signs into `out`, int32 (n, m).

    Args:
        x: int16 (n, k), from -HIGHEST to HIGHEST, or uint8.
        indices: the weights of m outputs, as lookup.py lays them out, and its PAST words, flat bytes.
        m: outputs.
        room: `room_for_sums` bytes to work in, best at the start of a cache line.
        out: int32 (n, m).
    """
    n, inputs = x.shape
    parts = -(-inputs // PART)
    table, columns = room[:_TABLES], room[_TABLES : _TABLES + 32 * PART * parts]
    sums = room[_TABLES + 32 * PART * parts : _TABLES + 32 * PART * parts + _SUMS * m]
    columns[:] = 0
    flat = out.reshape(-1).view(np.uint8)
    by_output = sums.view(np.int32)
    whole = m - m % SIDE
    for first in range(0, n, LANES):
        turn_rows(x, first, columns.view(np.int16).reshape(-1, LANES))
        for part in range(parts):
            trios = trios_of(inputs - PART * part)
            _build_tables(columns, 32 * PART * part, trios, table)
            _sum_outputs(table, indices, 24 * part * m, m, trios, part == 0, sums)
        rows = min(LANES, n - first)
        turned = rows - rows % SIDE
        for r in range(0, turned, SIDE):
            for c in range(0, whole, SIDE):
                turn(sums, _SUMS * c + 4 * r, flat, 4 * ((first + r) * m + c), 4 * m)
        for r in range(rows):
            for c in range(whole if r < turned else 0, m):
                out[first + r, c] = by_output[LANES * c + r]
