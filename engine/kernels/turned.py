"""Stacks of 1-bit layers by the tables of lookup.py with the records in the lanes of vectors, 64 at a time.

What a table counts for lanes of weights, it counts for lanes of records as well, and which entries are taken
is then what the weights say, once and for all. So 64 records share their tables, where tables of the weights
pay from some hundreds of records on; and what a layer has compared are already the digits that the tables of
the next are built of. Where few inputs of the first layer are on, or nearly all, picked.py counts its rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel, popcount
from .lanes import U8, and8, load, ones, or8, store
from .lookup import BLOCK, ROOM, count_block, high_ones, lay_digits
from .picked import signs_picked
from .sign_lanes import below_one, sign_bits
from .signed import turn_square

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@kernel
def _next_digits(room: U8, limits: I64, digits: U8) -> None:
    """Write which records' counts are below each output's limit as the digits of the next layer."""
    for j in range(len(limits)):
        c = ROOM + 128 * j
        low = below_one(load(room, c), load(room, c + 32), limits[j])
        high = below_one(load(room, c + 64), load(room, c + 96), limits[j])
        store(digits, 32 * j, or8(and8(low, ones()), and8(high, high_ones())))


@kernel
def _last_signs(room: U8, limits: I64, square: U64, out: U64) -> None:
    """Write which records' counts are below each output's limit as packed rows of `out`."""
    m = len(limits)
    for w in range(out.shape[1]):
        for i in range(64):
            j = 64 * w + i
            square[i] = np.uint64(0)
            if j < m:
                c = ROOM + 128 * j
                low = sign_bits(below_one(load(room, c), load(room, c + 32), limits[j]))
                high = sign_bits(below_one(load(room, c + 64), load(room, c + 96), limits[j]))
                square[i] = low | (high << np.uint64(32))
        turn_square(square)
        for r in range(out.shape[0]):
            out[r, w] = square[r]


@kernel
def _are_few(rows: U64, inputs: int) -> bool:
    """Return whether counting what is on costs less than tables: below some 2 of 7 inputs, measured."""
    total = 0
    for r in range(rows.shape[0]):
        ones = 0
        for w in range(rows.shape[1]):
            ones += popcount(rows[r, w])
        total += min(ones, inputs - ones)
    return bool(7 * total < 2 * inputs * rows.shape[0])


@kernel
def stack_turned(  # noqa: PLR0913, PLR0917 - the layers, what they are made of, and where they are worked on
    x: U64,
    layers: I64,
    indices: U8,
    limits: I64,
    lookups: U8,
    picked: U8,
    listed: U8,
    digits: U8,
    room: U8,
    square: U64,
    signs: U64,
    out: U64,
) -> None:
    """Write the packed signs after the last layer into `out`, uint64 (n, words).

    Args:
        x: uint64 (n, words).
        layers: int64 (layers, 7): inputs, outputs, where its indices, its limits and its digits begin; and
            offset and planes of the first as picked.py wants them.
        indices: of every layer's weights, as lookup.py lays out those of rows, flat bytes.
        limits: of every layer, an output is +1 where fewer places differ.
        lookups: as `picked.tables` gives.
        picked: the first layer, as picked.py lays it out.
        listed: scratch for picked.py.
        digits: scratch, 32 bytes for each input of a layer, a multiple of lookup.PART; 0 past the inputs.
        room: scratch, ROOM and COUNTERS bytes for each output of the widest layer, from a cache line on.
        square: scratch, uint64 (64,).
        signs: scratch, uint64 (BLOCK, words of the first layer's outputs).
        out: uint64 (n, words).
    """
    last = layers.shape[0] - 1
    for begin in range(0, x.shape[0], BLOCK):
        end = min(begin + BLOCK, x.shape[0])
        rows, made, first = x[begin:end], out[begin:end], 0
        inputs, outputs = layers[0, 0], layers[0, 1]
        if _are_few(rows, inputs):
            first, to = 1, signs[: end - begin] if last else made
            signs_picked(lookups, rows, inputs, outputs, layers[0, 5], layers[0, 6], picked, listed, room, to)
            rows = to
        if first <= last:
            lay_digits(rows, layers[first, 0], digits[layers[first, 4] :])
        for i in range(first, last + 1):
            inputs, outputs = layers[i, 0], layers[i, 1]
            own = limits[layers[i, 3] : layers[i, 3] + outputs]
            count_block(indices[layers[i, 2] :], outputs, inputs, digits[layers[i, 4] :], 0, room, room, 0)
            if i == last:
                _last_signs(room, own, square, made)
            else:
                _next_digits(room, own, digits[layers[i + 1, 4] :])
