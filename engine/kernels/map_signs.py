"""Packed maps through a 1-bit convolution, and a pooling, to packed maps, by tables as in lookup.py.

The runs of a patch, the rows of its window, are shared: the three patches of a 3 x 3 window above one another
read the same run. Each run of a map is therefore cut into groups of 5 bits once, and patches say which runs
they meet. A part of lookup.py is at most 120 inputs of one run, so that a run of 3 x 32 inputs is one part
and one of 3 x 64 two. Patches that are pooled stand side by side, and their signs are joined before they
are written.

    indices   uint64 (parts of a run, maps, runs, 3): byte t of word j is 8 x the bits of group j x trios + t
    lines     int64 (runs of a patch, patches): which run of the map each patch meets
    digits    as in lookup.py, of weights whose inputs stand part by part, 120 places each
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .lanes import (
    U8,
    Vec,
    add8,
    add16,
    and8,
    below,
    left_4,
    load,
    load_word,
    low_bytes,
    right_4,
    right_8,
    spread_fives,
    store,
    sub16,
    zeros,
)
from .lookup import BLOCK, GROUP, PART, ROOM, build_tables, look_up, low_halves

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

PAST = 8  # bytes past a padded map, which are read and not used
_TRIO = 3 * 32 * 32  # bytes of three tables
_LINE = 24  # bytes of a run's indices


@kernel
def trios_of(inputs: int) -> int:
    """Return how many times three groups a part of `inputs` inputs is cut into."""
    return (inputs + 3 * GROUP - 1) // (3 * GROUP)


@kernel
def _place_map(x: U8, rows: I64, length: int, padded: U8) -> None:
    """Copy row i of a packed map, `length` bytes, to byte rows[i] of `padded`, whose rest stays."""
    for i in range(len(rows)):
        source, target = x[i * length : (i + 1) * length], padded[rows[i] : rows[i] + length]
        for j in range(length):
            target[j] = source[j]


@kernel
def _lay_run(padded: U8, begins: I64, begin: int, inputs: int, at: int, indices: U64) -> None:
    """Write the indices of `inputs` bits from bit begins[i] + `begin` on to word `at` + 3 i of `indices`."""
    trios = trios_of(inputs)
    for j in range(3):
        first = begin + GROUP * trios * j
        count = max(0, min(GROUP * trios, inputs - GROUP * trios * j))
        kept = (np.uint64(1) << np.uint64(count)) - np.uint64(1)
        for i in range(len(begins)):
            bit = begins[i] + (first if count else begin)
            word = load_word(padded, bit >> 3) >> np.uint64(bit & 7)
            indices[np.uint64(at + 3 * i + j)] = spread_fives(word & kept)


@kernel
def _three(table: U8, indices: U8, at: int, trios: int, low: Vec, both: Vec) -> tuple[Vec, Vec]:
    """Return the counts of one part of one patch, added to `low` and `both`; see lookup.py."""
    q0, q1, q2 = load_word(indices, at), load_word(indices, at + 8), load_word(indices, at + 16)
    for t in range(trios):
        x = look_up(table, q0, q1, q2, t)
        low, both = add8(low, and8(x, low_halves())), add16(both, right_4(x))
    return low, both


@kernel
def _begin(table: U8, indices: U8, begin: int, lines: I64, trios: int, counters: U8) -> None:
    """Count the first of two parts of every patch into its 64 bytes."""
    for r in range(len(lines)):
        low, both = _three(table, indices, begin + _LINE * lines[r], trios, zeros(), zeros())
        store(counters, 64 * r, low)
        store(counters, 64 * r + 32, both)


@kernel
def _widen(
    table: U8, indices: U8, begin: int, lines: I64, trios: int, add: bool, counters: U8, wide: U8
) -> None:
    """Count the second of two parts, and add both to the patch's 128 bytes of 16-bit counters."""
    for r in range(len(lines)):
        low, both = load(counters, 64 * r), load(counters, 64 * r + 32)
        low, both = _three(table, indices, begin + _LINE * lines[r], trios, low, both)
        c1 = right_8(low)
        high = sub16(both, left_4(c1))
        c0, c2, c3 = and8(low, low_bytes()), and8(high, low_bytes()), right_8(high)
        w = 128 * r
        if add:
            c0, c1 = add16(c0, load(wide, w)), add16(c1, load(wide, w + 32))
            c2, c3 = add16(c2, load(wide, w + 64)), add16(c3, load(wide, w + 96))
        store(wide, w, c0)
        store(wide, w + 32, c1)
        store(wide, w + 64, c2)
        store(wide, w + 96, c3)


@kernel
def _finish(  # noqa: PLR0913, PLR0917 - what it counts, and where that goes
    table: U8,
    indices: U8,
    begin: int,
    lines: I64,
    trios: int,
    before: int,
    counters: U8,
    wide: U8,
    limits: U8,
    block: int,
    taps: int,
    turned: U64,
    out: U64,
) -> None:
    """Count the last part, compare, and write the signs of a block of outputs, joined window by window."""
    blocks, at = len(limits) // (2 * BLOCK), 2 * BLOCK * block
    for window in range(len(lines) // taps):
        word = np.uint64(0)
        for r in range(window * taps, (window + 1) * taps):
            low, both = zeros(), zeros()
            if before % 2:
                low, both = load(counters, 64 * r), load(counters, 64 * r + 32)
            low, both = _three(table, indices, begin + _LINE * lines[r], trios, low, both)
            c1 = right_8(low)
            high = sub16(both, left_4(c1))
            c0, c2, c3 = and8(low, low_bytes()), and8(high, low_bytes()), right_8(high)
            if before >= 2:
                w = 128 * r
                c0, c1 = add16(c0, load(wide, w)), add16(c1, load(wide, w + 32))
                c2, c3 = add16(c2, load(wide, w + 64)), add16(c3, load(wide, w + 96))
            word |= below(c0, c1, load(limits, at), load(limits, at + 32))
            word |= below(c2, c3, load(limits, at + 64), load(limits, at + 96)) << np.uint64(32)
        to = window * blocks + block
        out[to] = word ^ turned[to]


@kernel
def _count_part(  # noqa: PLR0913, PLR0917 - as `map_signs`
    table: U8,
    indices: U8,
    begin: int,
    lines: I64,
    trios: int,
    part: int,
    parts: int,
    counters: U8,
    wide: U8,
    limits: U8,
    block: int,
    taps: int,
    turned: U64,
    out: U64,
) -> None:
    """Count a part of every patch of a map. The usual lengths of its loop are laid out in full."""
    if part == parts - 1:
        if trios == 7:
            _finish(table, indices, begin, lines, 7, part, counters, wide, limits, block, taps, turned, out)
        elif trios == 8:
            _finish(table, indices, begin, lines, 8, part, counters, wide, limits, block, taps, turned, out)
        else:
            _finish(
                table, indices, begin, lines, trios, part, counters, wide, limits, block, taps, turned, out
            )
    elif part % 2:
        if trios == 7:
            _widen(table, indices, begin, lines, 7, part >= 2, counters, wide)
        elif trios == 8:
            _widen(table, indices, begin, lines, 8, part >= 2, counters, wide)
        else:
            _widen(table, indices, begin, lines, trios, part >= 2, counters, wide)
    elif trios == 7:
        _begin(table, indices, begin, lines, 7, counters)
    elif trios == 8:
        _begin(table, indices, begin, lines, 8, counters)
    else:
        _begin(table, indices, begin, lines, trios, counters)


@kernel
def _count_maps(  # noqa: PLR0913, PLR0917 - as `map_signs`
    indices: U8,
    count: int,
    each: int,
    cuts: I64,
    lines: I64,
    digits: U8,
    limits: U8,
    taps: int,
    turned: U64,
    tables: U8,
    room: U8,
    out: U64,
) -> None:
    """Write the signs of `count` maps, whose indices of one part take `each` bytes; see `map_signs`."""
    parts, runs, patches = len(cuts) - 1, lines.shape[0], lines.shape[1]
    table, whole, blocks = room[:ROOM], runs * parts, len(limits) // (2 * BLOCK)
    size = len(tables) // (whole * blocks)
    for block in range(blocks):
        for part in range(whole):
            run, cut = part // parts, part % parts
            trios = trios_of(cuts[cut + 1] - cuts[cut])
            if size:
                at = size * (whole * block + part)
                table = tables[at : at + size]
            else:
                build_tables(digits, 32 * PART * (whole * block + part), trios, table)
            for r in range(count):
                begin = (cut * count + r) * each
                c = ROOM + 64 * patches * r
                w = ROOM + 64 * patches * count + 128 * patches * r
                counters, wide = room[c : c + 64 * patches], room[w : w + 128 * patches]
                _count_part(
                    table,
                    indices,
                    begin,
                    lines[run],
                    trios,
                    part,
                    whole,
                    counters,
                    wide,
                    limits,
                    block,
                    taps,
                    turned,
                    out[r],
                )


@kernel
def map_signs(  # noqa: PLR0913, PLR0917 - what is counted, where it lies, and what it must stay below
    x: U8,
    rows: I64,
    length: int,
    padded: U8,
    begins: I64,
    cuts: I64,
    lines: I64,
    digits: U8,
    limits: U8,
    taps: int,
    turned: U64,
    tables: U8,
    indices: U64,
    room: U8,
    out: U64,
) -> None:
    """Write the signs of outputs whose patches differ from them in fewer places than a limit, joined.

    Args:
        x: uint8 (n, bytes), packed maps without their padding.
        rows: int64, the byte of `padded` at which each row of a map begins.
        length: bytes of a row.
        padded: uint8, a padded map and PAST bytes: scratch, whose border stays.
        begins: int64, the bit of `padded` at which each run begins.
        cuts: int64 (parts of a run + 1,), the bits of a run between which its parts lie.
        lines: as above; patches of one window side by side.
        digits: as above, flat.
        limits: as lookup.signs_lookup takes them.
        taps: patches of a window.
        turned: uint64 (numbers,), the signs that are turned round.
        tables: as `tables_of` gives; none, to build them for every so many maps.
        indices: scratch, of as many maps as are counted at a time.
        room: scratch, ROOM + 192 x maps x patches bytes.
        out: uint64 (n, numbers): word window x blocks + block.
    """
    parts, each = len(cuts) - 1, 3 * len(begins)
    most = len(indices) // (parts * each)
    for first in range(0, x.shape[0], most):
        count = min(most, x.shape[0] - first)
        for r in range(count):
            _place_map(x[first + r], rows, length, padded)
            for part in range(parts):
                at = (part * count + r) * each
                _lay_run(padded, begins, cuts[part], cuts[part + 1] - cuts[part], at, indices)
        _count_maps(
            indices.view(np.uint8),
            count,
            8 * each,
            cuts,
            lines,
            digits,
            limits,
            taps,
            turned,
            tables,
            room,
            out[first : first + count],
        )


def tables_of(digits: U8, cuts: I64) -> U8:
    """Return the tables of all parts, one after another: for a single map they are sooner read than built."""
    inputs = np.tile(np.diff(cuts), len(digits) // (32 * PART) // (len(cuts) - 1))
    size = _TRIO * max(trios_of(count) for count in inputs)
    found = np.zeros((len(inputs), size), np.uint8)
    for part, count in enumerate(inputs):
        build_tables(digits, 32 * PART * part, trios_of(count), found[part])
    return found.reshape(-1)
