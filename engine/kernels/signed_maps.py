"""The ways back of a 1-bit convolution, straight on its maps: sums under signs by tables, as in signed.py.

Sums run across records, not along a map: 64 records at one element of a map make a word of signs, and 16
records at one place make the columns of a table. So a patch is some runs of words, or of sums, that lie in
the map as they are: nothing is gathered into rows, and no gradient of rows is folded back. For batches of few
records most of a word would stay empty; signed.py serves those.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .signed import LANES, TABLE, add_signed, aligned, lay_tables, store_columns, turn_square
from .threads import share
from .vectors import load_floats, multiple, no_floats, store_floats, turn_floats

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
# Where each patch begins, in elements; where its runs begin from there on, (groups, runs); elements of a run.
Runs = tuple[I64, I64, int]
_BLOCK = 64 * LANES  # float32 of the numbers that tables are made of


@kernel
def turn_maps(maps: U64, elements: int, out: U64) -> None:
    """Write packed `maps` (n, words) by element into `out` (ceil(n / 64), elements): bit r is of record r.

    Records that are not there are 0.
    """
    n, square = maps.shape[0], np.empty(64, np.uint64)
    for g in range(out.shape[0]):
        rows = min(64, n - 64 * g)
        for w in range(maps.shape[1]):
            for i in range(64):
                square[i] = maps[64 * g + i, w] if i < rows else np.uint64(0)
            turn_square(square)
            for i in range(min(64, elements - 64 * w)):
                out[g, 64 * w + i] = square[i]


@kernel
def _load_records(grad: F32, place: int, records: int, stride: int, width: int, block: F32) -> None:
    """Lay `width` of 16 columns of up to 64 records into `block`, 0 where there are none."""
    if width == LANES:
        for r in range(records):
            store_floats(block, LANES * r, load_floats(grad, place + r * stride))
        for r in range(records, 64):
            store_floats(block, LANES * r, no_floats())
        return
    flat = grad.reshape(-1)
    block[:] = np.float32(0.0)
    for r in range(records):
        for c in range(width):
            block[LANES * r + c] = flat[place + r * stride + c]


@kernel
def _filter_sums(grad: F32, bits: U64, runs: Runs, scratch: F32, out: F32, first: int, last: int) -> None:
    n, places, m = grad.shape
    origins, starts, length = runs
    each = m // starts.shape[0]
    block, table, part = scratch[:_BLOCK], scratch[_BLOCK : _BLOCK + TABLE], scratch[_BLOCK + TABLE :]
    begin = first
    while begin < last:
        group = begin // each
        end = min(last, begin + LANES, (group + 1) * each)
        part[:] = np.float32(0.0)
        for g in range(bits.shape[0]):
            words, records = bits[g], min(64, n - 64 * g)
            for p in range(places):
                place = (64 * g * places + p) * m + begin
                _load_records(grad, place, records, places * m, end - begin, block)
                lay_tables(block, table)
                at = 0
                for i in range(starts.shape[1]):
                    element = origins[p] + starts[group, i]
                    for j in range(length):
                        add_signed(words[element + j], table, part, at)
                        at += LANES
        store_columns(part, out[begin:end])
        begin = end


def filter_sums(grad: F32, bits: U64, runs: Runs, out: F32) -> None:
    """Write the gradient of 1-bit filters into `out`, float32 (outputs, inputs).

    Args:
        grad: float32 (n, places, outputs), dL/d(products).
        bits: what `turn_maps` gave of the padded maps.
        runs: where patches lie in a padded map, by group of outputs; inputs are runs x their length.
        out: written.
    """

    def part(begin: int, end: int) -> None:
        scratch = aligned(_BLOCK + TABLE + LANES * out.shape[1])
        _filter_sums(grad, bits, runs, scratch, out, begin, end)

    share(part, len(out), least=LANES, grain=LANES)


@kernel
def _load_outputs(
    grad: F32, scale: F32, place: int, records: int, stride: int, first: int, count: int, block: F32
) -> None:
    """Lay 16 records of up to 64 outputs into `block`, an output a row, times their scales."""
    if records == LANES and count == 64:
        for c in range(0, 64, LANES):
            turn_floats(grad, place + c, stride, block, LANES * c, LANES)
    else:
        flat = grad.reshape(-1)
        block[:] = np.float32(0.0)
        for r in range(records):
            for c in range(count):
                block[LANES * c + r] = flat[place + r * stride + c]
    for c in range(count):
        store_floats(block, LANES * c, multiple(load_floats(block, LANES * c), scale[first + c]))


@kernel
def _store_maps(sums: F32, rows: I64, length: int, out: F32) -> None:
    """Write the sums of up to 16 records, (padded elements, 16), without their padding into `out`."""
    records = out.shape[0]
    whole = length & ~15 if records == LANES else 0
    flat = out.reshape(-1)
    for i in range(len(rows)):
        for c in range(0, whole, LANES):
            turn_floats(sums, LANES * (rows[i] + c), LANES, out, i * length + c, out.shape[1])
        for r in range(records):
            for c in range(whole, length):
                flat[r * out.shape[1] + i * length + c] = sums[LANES * (rows[i] + c) + r]


@kernel
def _map_sums(
    grad: F32, scale: F32, signs: U64, runs: Runs, scratch: F32, out: F32, rows: I64, span: tuple[int, int]
) -> None:
    places, m = grad.shape[1], grad.shape[2]
    (groups, words), (origins, starts, length), (first, last) = signs.shape[:2], runs, span
    each = m // groups
    block, table, sums = scratch[:_BLOCK], scratch[_BLOCK : _BLOCK + TABLE], scratch[_BLOCK + TABLE :]
    for begin in range(first, last, LANES):
        end = min(last, begin + LANES)
        sums[:] = np.float32(0.0)
        for p in range(places):
            for group in range(groups):
                for w in range(words):
                    at, count = group * each + 64 * w, min(64, each - 64 * w)
                    place = (begin * places + p) * m + at
                    _load_outputs(grad, scale, place, end - begin, places * m, at, count, block)
                    lay_tables(block, table)
                    of_word, at = signs[group, w], 0
                    for i in range(starts.shape[1]):
                        element = LANES * (origins[p] + starts[group, i])
                        for j in range(length):
                            add_signed(of_word[at + j], table, sums, element + LANES * j)
                        at += length
        _store_maps(sums, rows, out.shape[1] // len(rows), out[begin:end])


def map_sums(grad: F32, scale: F32, signs: U64, runs: Runs, elements: int, rows: I64, out: F32) -> None:
    """Write the gradient of the maps under 1-bit filters into `out`, float32 (n, elements without padding).

    Args:
        grad: float32 (n, places, outputs), dL/d(products).
        scale: float32 (outputs,), what a sign of each output counts.
        signs: uint64 (groups, ceil(outputs of a group / 64), inputs), packed filters by input.
        runs: as in `filter_sums`.
        elements: of a padded map.
        rows: int64, where each row of the map begins in the padded one.
        out: written.
    """

    def part(begin: int, end: int) -> None:
        scratch = aligned(_BLOCK + TABLE + LANES * elements)
        _map_sums(grad, scale, signs, runs, scratch, out, rows, (begin, end))

    share(part, len(out), least=LANES, grain=LANES)
