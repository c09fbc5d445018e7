"""One record through a whole program in one call: an instruction a step, read from a table.

For a single record the calls of a step each cost more than many of the steps. `store` begins with the
instructions, WIDTH whole numbers each; behind them stands what steps hold. `work` is where they write.

    code    one of those below
    read    byte of `work` where the step's input begins; -1: the record itself
    write   byte of `work` where its output begins
    n, m    elements of the two
    more    bytes of `store`, or of `work` for scratch, as each says
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .byte_shuffle import dot_bytes
from .fused import all_finite, compare_pack, first_largest, look_up_bytes
from .jit import kernel
from .lanes import U8
from .stack import count_scores, stack_picked, stack_plain, stack_wide
from .vectors import AVX2
from .views import (
    byte_row,
    byte_rows,
    bytes_of,
    float_row,
    float_rows,
    int_row,
    int_rows,
    long_row,
    long_rows,
    word_row,
    word_rows,
)

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

WIDTH = 12  # numbers of an instruction
SAMPLES = -1  # where the record itself is read
REST = 1 << 40  # bytes: as many as there are
LABEL, BYTE_SIGNS, FLOAT_SIGNS, SUM_SIGNS, BYTE_LEVELS, BYTE_FLOATS, BYTE_SUMS, SCORES = range(8)
PICKED, WIDE, PLAIN = range(8, 11)  # stacks, by how they count
FLOAT_MAPS, MAPS, SURE_LABEL, SIGN_FLOATS = range(11, 15)  # those of alone_maps.py
DONE, SILENT = -1, -2  # what `run_rows` returns


@kernel
def _compare(line: I64, given: U8, store: U8, work: U8) -> bool:
    """Write packed signs: more is where the places stand, and the signs that are turned round."""
    n, words = line[3], (line[3] + 63) // 64
    flips, out = word_row(store, line[6], words), word_rows(work, line[2], 1, words)
    if line[0] == BYTE_SIGNS:
        compare_pack(byte_rows(given, 0, 1, n), byte_row(store, line[5], n), flips, out)
    elif line[0] == SUM_SIGNS:
        compare_pack(int_rows(given, 0, 1, n), int_row(store, line[5], n), flips, out)
    else:
        floats = float_rows(given, 0, 1, n)
        if not all_finite(floats):
            return False
        compare_pack(floats, float_row(store, line[5], n), flips, out)
    return True


@kernel
def _look_up(line: I64, given: U8, store: U8, work: U8) -> None:
    """Write what stands in a table for each byte: more is where that stands."""
    n = line[3]
    x = byte_rows(given, 0, 1, n)
    if line[0] == BYTE_LEVELS:
        look_up_bytes(x, byte_row(store, line[5], 256), byte_rows(work, line[2], 1, n))
    else:
        look_up_bytes(x, float_row(store, line[5], 256), float_rows(work, line[2], 1, n))


@kernel
def _sum_bytes(line: I64, given: U8, store: U8, work: U8) -> None:
    """Write the products of bytes: more is nibbles, their bytes, first sums, how many, scratch, its bytes."""
    if AVX2:  # what it calls cannot be compiled for others, and numba leaves the branch out
        nibbles, first = byte_row(store, line[5], line[6]), int_row(store, line[7], line[8])
        room, out = byte_row(work, line[9], line[10]), int_rows(work, line[2], 1, line[4])
        dot_bytes(byte_rows(given, 0, 1, line[3]), nibbles, first, room, out)


@kernel
def _stack(line: I64, given: U8, store: U8, work: U8) -> None:
    """Write packed signs after layers: more is layers, how many, weights, most words, scratch, look-ups."""
    x, out = word_rows(given, 0, 1, line[3]), word_rows(work, line[2], 1, line[4])
    weights, most, room = byte_row(store, line[7], REST), line[8], byte_row(work, line[9], REST)
    if line[0] == PICKED:
        layers, lookups = long_rows(store, line[5], line[6], 5), byte_row(store, line[10], REST)
        stack_picked(x, lookups, layers, weights, most, room, out)
    elif line[0] == WIDE:
        stack_wide(x, long_rows(store, line[5], line[6], 4), weights, most, room, out)
    else:
        stack_plain(x, long_rows(store, line[5], line[6], 4), weights, most, room, out)


@kernel
def _score(line: I64, given: U8, store: U8, work: U8) -> None:
    """Write scores from counts: more is the weights, the table and its columns."""
    n, m = line[3], line[4]
    weights, table = word_rows(store, line[5], m, n), float_rows(store, line[6], m, line[7])
    count_scores(word_rows(given, 0, 1, n), weights, table, float_rows(work, line[2], 1, m))


@kernel
def _label(line: I64, work: U8, out: I64) -> bool:
    """Write the place of the largest of n scores; return whether all are numbers."""
    scores = float_rows(work, line[1], 1, line[3])
    if not all_finite(scores):
        return False
    first_largest(scores, out)
    return True


@kernel
def row_step(line: I64, x: U8, store: U8, work: U8) -> bool:
    """Run one instruction for a row of numbers; return whether it speaks for the record."""
    code, given = line[0], x if line[1] == SAMPLES else byte_row(work, line[1], REST)
    if code <= SUM_SIGNS:
        return _compare(line, given, store, work)
    if code <= BYTE_FLOATS:
        _look_up(line, given, store, work)
    elif code == BYTE_SUMS:
        _sum_bytes(line, given, store, work)
    elif code == SCORES:
        _score(line, given, store, work)
    else:
        _stack(line, given, store, work)
    return True


@kernel
def run_rows(x: U8, store: U8, work: U8, at: int, out: I64) -> int:
    """Run instructions from byte `at` on, up to the label or one of another file.

    Returns:
        The byte at which that one stands; DONE after the label; SILENT where thresholds do not speak for this
        record or its scores are not numbers, and `out` is not filled.
    """
    line = long_row(store, at, WIDTH)
    while line[0] != LABEL:
        if line[0] >= FLOAT_MAPS:
            return at
        if not row_step(line, x, store, work):
            return SILENT
        at += 8 * WIDTH
        line = long_row(store, at, WIDTH)
    return DONE if _label(line, work, out) else SILENT


@kernel
def label_of_row(samples: U8 | F32, store: U8, work: U8, out: I64) -> bool:
    """Write the class of one record into `out`, int64 (1,), by instructions of this file alone.

    Args:
        samples: uint8 or float32 (1, *shape), as the instructions take them.
        store: uint8, as above.
        work: uint8, as above.
        out: int64 (1,).

    Returns:
        Whether thresholds speak for this record and its scores are numbers; `out` is not filled where not.
    """
    return run_rows(bytes_of(samples), bytes_of(store), bytes_of(work), 0, out) == DONE
