"""Products of packed rows by tables in the first-level cache: 5 inputs of 64 outputs for a load and an add.

The inputs are cut into groups of 5, and for each group a table says, for all 32 values that 5 input bits can
take, how many of them differ from the weight bits of 64 outputs (the method of four Russians, with outputs in
lanes). A row's product is then one table entry a group, added up. An entry is one vector of 32 bytes; a byte
holds the counts of two outputs in its two halves, so three entries (3 x 5 = 15) add up before the halves are
parted, by a mask for the low ones and by averages for the high ones. 24 tables fill 24 kB of cache and serve
every row before the next 24 are built.

It asks nothing of the processor but vectors of bytes, and counts no bits, so that the limit of population
counts does not hold for it. Building costs as much as some 60 rows take. On Zen 3 a part of 120 inputs of a
row and 64 outputs, 87 instructions with 24 loads of entries, takes 17 cycles, where 6 instructions a cycle
can begin; of 1,024 cubed, a quarter of the time goes into widening counters and writing 4 MB of products.

    digits    uint8 (blocks of 64 outputs, inputs padded to 120, 32): the bit of output j in the low half of
              byte j, of output 32 + j in the high half
    indices   uint64 (parts of 120 inputs, n, 3): byte t of word j is 8 x the bits of group j x trios + t; and
              PAST words, which are read and not used
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .count_lanes import average, put_counts
from .jit import kernel
from .lanes import (
    U8,
    Vec,
    add8,
    add16,
    and8,
    below,
    constant,
    left_4,
    left_8,
    load,
    load_word,
    ones,
    or8,
    pick_byte,
    right_1,
    right_4,
    right_8,
    shifter,
    spread_fives,
    store,
    sub8,
    sub16,
    zeros,
)

U64 = npt.NDArray[np.uint64]

GROUP = 5  # inputs of a table: three entries of at most 5 fit half a byte
PART = 120  # inputs whose tables stand in the cache at once
BLOCK = 64  # outputs of a vector of half bytes
ROOM = 24 * 1024  # bytes of the tables
PAST = 3  # words past the indices of the last row
TOGETHER = 10  # parts that are widened together; two count 240 inputs in a byte, three do not fit
COUNTERS = 128 + 32 * TOGETHER  # bytes of a row's counters in 16 bits, and in bytes

both_ones = constant([0x11] * 32)
low_halves = constant([0x0F] * 32)
fives_kept = constant([0x1F] * 32)
above, twice_above = constant([8] * 32), constant([16] * 32)  # what the counts of high halves are above
all_of_part, all_of_two = constant([PART] * 32), constant([2 * PART] * 32)
right_3 = shifter("lshr", 3)
high_ones = constant([0x10] * 32)


@kernel
def lay_digits(words: U64, inputs: int, out: U8) -> None:
    """Write the digits of packed rows, uint64 (m, words), into `out`, zeroed flat uint8."""
    rows = words.view(np.uint8)
    m = words.shape[0]
    padded = -(-inputs // PART) * PART
    column = np.zeros(BLOCK, np.uint8)
    for block in range(-(-m // BLOCK)):
        count = min(BLOCK, m - BLOCK * block)
        column[:] = 0
        for byte in range(-(-inputs // 8)):
            for r in range(count):
                column[r] = rows[BLOCK * block + r, byte]
            low, high = load(column, 0), load(column, 32)
            at = 32 * (block * padded + 8 * byte)
            for _ in range(8):
                store(out, at, or8(and8(low, ones()), and8(left_4(high), high_ones())))
                low, high = right_1(low), right_1(high)
                at += 32


@kernel
def lay_indices(words: U64, inputs: int, out: U64) -> None:
    """Write the indices of packed rows, uint64 (n, words), into `out`, uint64 (parts, n, 3)."""
    for part in range(out.shape[0]):
        trios = trios_of(inputs - PART * part)
        for j in range(3):
            bit = PART * part + GROUP * j * trios
            w, shift = bit >> 6, np.uint64(bit & 63)
            over = (bit & 63) + GROUP * trios > 64 and w + 1 < words.shape[1]
            back = np.uint64(64 - (bit & 63)) if over else np.uint64(0)
            kept = (np.uint64(1) << np.uint64(GROUP * trios)) - np.uint64(1)
            for r in range(words.shape[0]):
                x = words[r, w] >> shift if w < words.shape[1] else np.uint64(0)
                if over:
                    x |= words[r, w + 1] << back
                out[part, r, j] = spread_fives(x & kept)


@kernel
def trios_of(inputs: int) -> int:
    """Return how many times three groups a part of `inputs` inputs, or more, is cut into.

    More than 5 are taken as a whole part, whose look-ups need no loop.
    """
    groups = -(-min(inputs, PART) // GROUP)
    trios = -(-groups // 3)
    return 8 if trios > 5 else trios


@kernel
def build_tables(digits: U8, start: int, trios: int, table: U8) -> None:
    """Write 3 x `trios` tables: entry v of a group counts where the bits of v differ from its digits."""
    for group in range(3 * trios):
        d = start + 32 * GROUP * group
        at = 1024 * (3 * (group % trios) + group // trios)
        w0, w1, w2 = load(digits, d), load(digits, d + 32), load(digits, d + 64)
        w3, w4 = load(digits, d + 96), load(digits, d + 128)
        one = both_ones()
        # Where a bit of v turns from 0 to 1, the count changes from w to 1 - w.
        d0, d1, d2 = sub8(one, add8(w0, w0)), sub8(one, add8(w1, w1)), sub8(one, add8(w2, w2))
        d3, d4 = sub8(one, add8(w3, w3)), sub8(one, add8(w4, w4))
        x4 = add8(add8(add8(w0, w1), add8(w2, w3)), w4)
        for _ in range(2):
            x3 = x4
            for _ in range(2):
                x2 = x3
                for _ in range(2):
                    store(table, at, x2)
                    store(table, at + 32, add8(x2, d0))
                    store(table, at + 64, add8(x2, d1))
                    store(table, at + 96, add8(add8(x2, d0), d1))
                    x2 = add8(x2, d2)
                    at += 128
                x3 = add8(x3, d3)
            x4 = add8(x4, d4)


@kernel
def look_up(table: U8, q0: np.uint64, q1: np.uint64, q2: np.uint64, t: int) -> Vec:
    """Return the entries of three groups, byte t of the words of indices, added up."""
    at = 3072 * t
    first = add8(load(table, at + 4 * pick_byte(q0, t)), load(table, at + 1024 + 4 * pick_byte(q1, t)))
    return add8(first, load(table, at + 2048 + 4 * pick_byte(q2, t)))


@kernel
def words_at(indices: U8, at: int) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Return the three words of indices of one row and one part."""
    return load_word(indices, at), load_word(indices, at + 8), load_word(indices, at + 16)


@kernel
def _count_whole(table: U8, q0: np.uint64, q1: np.uint64, q2: np.uint64) -> tuple[Vec, Vec]:
    """Return 120 - the counts of the low halves of a whole part, and 8 + those of the high halves.

    Three rounds of averages that round up give an eighth of the sum of eight bytes, and at most 1.5 more. The
    sum is low + 16 high, so what 8 x the average is above `low` lies from 16 high to 16 high + 12, and a last
    average, with 15 - low / 8 rounded up, gives 8 + high: high halves are never parted from the others.
    """
    x0, x1 = look_up(table, q0, q1, q2, 0), look_up(table, q0, q1, q2, 1)
    x2, x3 = look_up(table, q0, q1, q2, 2), look_up(table, q0, q1, q2, 3)
    x4, x5 = look_up(table, q0, q1, q2, 4), look_up(table, q0, q1, q2, 5)
    x6, x7 = look_up(table, q0, q1, q2, 6), look_up(table, q0, q1, q2, 7)
    kept = low_halves()
    left = sub8(sub8(sub8(all_of_part(), and8(x0, kept)), and8(x1, kept)), and8(x2, kept))
    left = sub8(sub8(sub8(left, and8(x3, kept)), and8(x4, kept)), and8(x5, kept))
    left = sub8(sub8(left, and8(x6, kept)), and8(x7, kept))
    low, high = average(average(x0, x1), average(x2, x3)), average(average(x4, x5), average(x6, x7))
    return left, average(average(low, high), and8(right_3(left), fives_kept()))


@kernel
def _count_first(table: U8, indices: U8, at: int, n: int, pair: U8) -> None:
    """Count the first of two whole parts into 64 bytes of each row.

    The next row's indices are read while this one's are counted: the processor cannot see that far ahead.
    """
    q0, q1, q2 = words_at(indices, at)
    for r in range(n):
        p0, p1, p2 = q0, q1, q2
        q0, q1, q2 = words_at(indices, at + 24 * (r + 1))
        left, high = _count_whole(table, p0, p1, p2)
        store(pair, 64 * r, left)
        store(pair, 64 * r + 32, high)


@kernel
def _count_second(table: U8, indices: U8, at: int, n: int, pair: U8) -> None:
    """Add the second of two whole parts: 240 - the counts of the low halves, and those of the high halves."""
    q0, q1, q2 = words_at(indices, at)
    for r in range(n):
        p0, p1, p2 = q0, q1, q2
        q0, q1, q2 = words_at(indices, at + 24 * (r + 1))
        left, high = _count_whole(table, p0, p1, p2)
        store(pair, 64 * r, add8(left, load(pair, 64 * r)))
        store(pair, 64 * r + 32, sub8(add8(high, load(pair, 64 * r + 32)), twice_above()))


@kernel
def _count_last(  # noqa: PLR0913, PLR0917 - what it counts, and where that goes
    table: U8,
    indices: U8,
    at: int,
    n: int,
    trios: int,
    before: int,
    counters: U8,
    columns: int,
    out: U8,
    to: int,
    stride: int,
) -> None:
    """Count the last of up to TOGETHER parts, and widen what they counted; or write the products.

    Args:
        table: the part's tables.
        indices: of all parts, flat.
        at: where the part's indices begin.
        n: rows.
        trios: how often three groups are looked up.
        before: parts that were counted before.
        counters: COUNTERS bytes a row: of all rows in 16 bits even and odd outputs of the low halves, then of
            the high ones; then pair after pair of parts, what `_count_second` leaves.
        columns: inputs of a row.
        out: where products are written to, int32, flat bytes.
        to: where the first row's products begin.
        stride: bytes from one row's to the next; 0 to leave the 16-bit counters instead.
    """
    pairs = before % TOGETHER // 2
    q0, q1, q2 = words_at(indices, at)
    for r in range(n):
        p0, p1, p2 = q0, q1, q2
        q0, q1, q2 = words_at(indices, at + 24 * (r + 1))
        low, high = zeros(), zeros()
        if trios == 8:
            left, high = _count_whole(table, p0, p1, p2)
            low, high = sub8(all_of_part(), left), sub8(high, above())
        elif trios == 5:  # as of 1,024 inputs
            for t in range(5):
                x = look_up(table, p0, p1, p2, t)
                low, high = add8(low, and8(x, low_halves())), add8(high, and8(right_4(x), low_halves()))
        else:
            for t in range(trios):
                x = look_up(table, p0, p1, p2, t)
                low, high = add8(low, and8(x, low_halves())), add8(high, and8(right_4(x), low_halves()))
        if before % 2:
            c = 128 * n + 64 * (n * pairs + r)
            low = add8(low, sub8(all_of_part(), load(counters, c)))
            high = add8(high, sub8(load(counters, c + 32), above()))
        # Lanes of 16 bits: whole ones, from which 256 x their upper bytes is taken at the end.
        c0, c1, c2, c3 = low, right_8(low), high, right_8(high)
        for i in range(pairs):
            c = 128 * n + 64 * (n * i + r)
            low, high = sub8(all_of_two(), load(counters, c)), load(counters, c + 32)
            c0, c1 = add16(c0, low), add16(c1, right_8(low))
            c2, c3 = add16(c2, high), add16(c3, right_8(high))
        c0, c2 = sub16(c0, left_8(c1)), sub16(c2, left_8(c3))
        w = 128 * r
        if before >= TOGETHER:
            c0, c1 = add16(c0, load(counters, w)), add16(c1, load(counters, w + 32))
            c2, c3 = add16(c2, load(counters, w + 64)), add16(c3, load(counters, w + 96))
        if stride:
            put_counts(out, to + stride * r, c0, c1, columns)
            put_counts(out, to + stride * r + 128, c2, c3, columns)
        else:
            store(counters, w, c0)
            store(counters, w + 32, c1)
            store(counters, w + 64, c2)
            store(counters, w + 96, c3)


@kernel
def count_block(indices: U8, n: int, inputs: int, digits: U8, block: int, room: U8, out: U8, m: int) -> None:
    """Count where rows and 64 outputs differ, into 16-bit counters that stand in `room` behind the tables.

    Where m is not 0, the products of the block's outputs, of m, are written into `out` instead.
    """
    table, counters = room[:ROOM], room[ROOM : ROOM + COUNTERS * n]
    parts = -(-inputs // PART)
    for part in range(parts):
        trios = trios_of(inputs - PART * part)
        build_tables(digits, 32 * PART * (parts * block + part), trios, table)
        at, place = 24 * part * n, part % TOGETHER
        pair = counters[128 * n + 64 * n * (place // 2) :]
        if part == parts - 1:
            _count_last(table, indices, at, n, trios, part, counters, inputs, out, 256 * block, 4 * m)
        elif place == TOGETHER - 1:
            _count_last(table, indices, at, n, trios, part, counters, inputs, out, 0, 0)
        elif place % 2:
            _count_second(table, indices, at, n, pair)
        else:
            _count_first(table, indices, at, n, pair)


@kernel
def dot_lookup(indices: U8, n: int, inputs: int, digits: U8, m: int, room: U8, out: U8) -> None:
    """Write the products of n rows of indices and m outputs of digits into `out`, int32 (n, m) as bytes.

    Args:
        indices: as laid out above, flat bytes.
        n: rows.
        inputs: columns of a row.
        digits: as laid out above, flat.
        m: outputs.
        room: bytes to work in, ROOM + COUNTERS x n + 256, best at the start of a cache line.
        out: int32 (n, m), flat bytes.
    """
    for block in range(-(-m // BLOCK)):
        left = m - BLOCK * block
        if left >= BLOCK:
            count_block(indices, n, inputs, digits, block, room, out, m)
            continue
        count_block(indices, n, inputs, digits, block, room, out, 0)
        edge = room[ROOM + COUNTERS * n :]
        for r in range(n):
            w, at = ROOM + 128 * r, 4 * (m * r + BLOCK * block)
            put_counts(edge, 0, load(room, w), load(room, w + 32), inputs)
            put_counts(edge, 128, load(room, w + 64), load(room, w + 96), inputs)
            out[at : at + 4 * left] = edge[: 4 * left]


@kernel
def dot_rows(a: U64, inputs: int, digits: U8, m: int, indices: U64, room: U8, out: U8) -> None:
    """Write the products of packed rows, uint64 (n, words), and m outputs of digits into `out`.

    Args:
        a: packed rows.
        inputs: columns of a row.
        digits: as laid out above, flat.
        m: outputs.
        indices: room for those of some rows, flat, and PAST; so many rows are taken at a time.
        room: as in `dot_lookup`, for so many rows.
        out: int32 (n, m), flat bytes.
    """
    parts = -(-inputs // PART)
    each = (len(indices) - PAST) // (3 * parts)
    for at in range(0, a.shape[0], each):
        n = min(each, a.shape[0] - at)
        words = 3 * parts * n
        lay_indices(a[at : at + n], inputs, indices[:words].reshape(parts, n, 3))
        dot_lookup(
            indices[: words + PAST].view(np.uint8),
            n,
            inputs,
            digits,
            m,
            room,
            out[4 * m * at : 4 * m * (at + n)],
        )


@kernel
def signs_lookup(indices: U8, n: int, inputs: int, digits: U8, limits: U8, room: U8, out: U64) -> None:
    """Write whether n rows differ from each output in fewer places than its limit, as packed signs.

    Args:
        indices: as laid out above, flat bytes.
        n: rows.
        inputs: columns of a row.
        digits: as laid out above, flat.
        limits: int16 (blocks, 64), as bytes: of a block first the even ones of 32 outputs, then the odd ones,
            then those of the other 32.
        room: bytes to work in, ROOM + COUNTERS x n, best at the start of a cache line.
        out: uint64 (n, words).
    """
    for block in range(out.shape[1]):
        count_block(indices, n, inputs, digits, block, room, room, 0)
        at = 2 * BLOCK * block
        l0, l1, l2, l3 = load(limits, at), load(limits, at + 32), load(limits, at + 64), load(limits, at + 96)
        for r in range(n):
            c = ROOM + 128 * r
            low = below(load(room, c), load(room, c + 32), l0, l1)
            high = below(load(room, c + 64), load(room, c + 96), l2, l3)
            out[r, block] = low | (high << np.uint64(32))
