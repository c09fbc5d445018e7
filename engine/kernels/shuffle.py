"""Products of a few packed rows by byte shuffles (AVX2): 4 inputs of 32 outputs and 2 rows an instruction.

Four weight bits of 32 outputs stand in the bytes of a vector; a shuffle looks each up in a table of 16 that
says how many of them differ from four input bits, of one row in the low half of a byte and of another row in
the high half. Three look-ups (3 x 4 = 12) add up before the halves are parted. The tables are constants, so
that nothing is built, and the weights of 128 outputs are read once for all rows.

    nibbles   uint8 (chunks of 128 outputs, words, 2,048), bytes of 4 bits. Words go in threes: for each half
              of a byte and each byte, 128 bytes of each of the three words. A word left over goes alone: for
              each byte, 128 bytes of its low half, then of its high half
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .count_lanes import put_counts
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
    load,
    load_twice,
    low_bytes,
    pick_byte,
    right_4,
    right_8,
    shuffle,
    store,
    sub16,
    zeros,
)

U64 = npt.NDArray[np.uint64]

CHUNK = 128  # outputs whose counters stand in registers
WORD_BYTES = 2048  # nibbles of a word of 128 outputs
WIDE = 512  # bytes of the 16-bit counters of two rows and 128 outputs

low_halves = constant([0x0F] * 32)


def tables() -> U8:
    """Return the 256 tables, flat: entry v of table a + 16 b says count(v xor a) + 16 count(v xor b)."""
    four = np.arange(16, dtype=np.uint8)
    count = np.bitwise_count(four[:, None] ^ four)
    return np.ascontiguousarray(count[None, :, :] + 16 * count[:, None, :]).reshape(-1).astype(np.uint8)


@kernel
def lay_nibbles(words: U64, out: U8) -> None:
    """Write the nibbles of packed rows, uint64 (m, words), into `out`, uint8 as laid out above, flat."""
    m, count = words.shape
    rows = words.view(np.uint8)
    column = np.zeros(CHUNK, np.uint8)
    paired = count // 3 * 3
    for chunk in range(-(-m // CHUNK)):
        filled = min(CHUNK, m - CHUNK * chunk)
        column[:] = 0
        for byte in range(8 * count):
            for r in range(filled):
                column[r] = rows[CHUNK * chunk + r, byte]
            w, t = byte >> 3, byte & 7
            low = WORD_BYTES * (chunk * count + w) + 256 * t
            high = low + 128
            if w < paired:
                low = WORD_BYTES * (chunk * count + w // 3 * 3) + 384 * t + 128 * (w % 3)
                high = low + 8 * 384
            for i in range(0, CHUNK, 32):
                four = load(column, i)
                store(out, low + i, and8(four, low_halves()))
                store(out, high + i, and8(right_4(four), low_halves()))


@kernel
def _pairs(x: np.uint64, y: np.uint64, high: bool) -> np.uint64:
    """Return the table of each byte of two rows' words: the low or high four bits of both."""
    low = np.uint64(0x0F0F0F0F0F0F0F0F)
    if high:
        return ((x >> np.uint64(4)) & low) | (y & (low << np.uint64(4)))
    return (x & low) | ((y & low) << np.uint64(4))


@kernel
def _widen(low: Vec, both: Vec, begin: bool, wide: U8, w: int) -> None:
    # A lane of `both` holds its high half, 16 x the odd byte's low half, and 256 x the odd byte's high half.
    odd = right_8(low)
    high = sub16(both, left_4(odd))
    c0, c2, c3 = and8(low, low_bytes()), and8(high, low_bytes()), right_8(high)
    if not begin:
        c0, odd = add16(c0, load(wide, w)), add16(odd, load(wide, w + 32))
        c2, c3 = add16(c2, load(wide, w + 64)), add16(c3, load(wide, w + 96))
    store(wide, w, c0)
    store(wide, w + 32, odd)
    store(wide, w + 64, c2)
    store(wide, w + 96, c3)


@kernel
def _count_three(tables: U8, a: U64, r: int, w: int, nibbles: U8, at: int, wide: U8) -> None:
    """Count three words of rows r and r + 1 for 128 outputs, whose nibbles begin at `at`."""
    begin, to = w == 0, WIDE * (r // 2)
    l0, l1, l2, l3 = zeros(), zeros(), zeros(), zeros()
    b0, b1, b2, b3 = zeros(), zeros(), zeros(), zeros()
    two = r + 1 < a.shape[0]
    none = np.uint64(0)
    for high in range(2):
        p0 = _pairs(a[r, w], a[r + 1, w] if two else none, high == 1)
        p1 = _pairs(a[r, w + 1], a[r + 1, w + 1] if two else none, high == 1)
        p2 = _pairs(a[r, w + 2], a[r + 1, w + 2] if two else none, high == 1)
        for t in range(8):
            table = load_twice(tables, 16 * pick_byte(p0, t))
            x0, x1 = shuffle(table, load(nibbles, at)), shuffle(table, load(nibbles, at + 32))
            x2, x3 = shuffle(table, load(nibbles, at + 64)), shuffle(table, load(nibbles, at + 96))
            table = load_twice(tables, 16 * pick_byte(p1, t))
            x0 = add8(x0, shuffle(table, load(nibbles, at + 128)))
            x1 = add8(x1, shuffle(table, load(nibbles, at + 160)))
            x2 = add8(x2, shuffle(table, load(nibbles, at + 192)))
            x3 = add8(x3, shuffle(table, load(nibbles, at + 224)))
            table = load_twice(tables, 16 * pick_byte(p2, t))
            x0 = add8(x0, shuffle(table, load(nibbles, at + 256)))
            x1 = add8(x1, shuffle(table, load(nibbles, at + 288)))
            x2 = add8(x2, shuffle(table, load(nibbles, at + 320)))
            x3 = add8(x3, shuffle(table, load(nibbles, at + 352)))
            l0, b0 = add8(l0, and8(x0, low_halves())), add16(b0, right_4(x0))
            l1, b1 = add8(l1, and8(x1, low_halves())), add16(b1, right_4(x1))
            l2, b2 = add8(l2, and8(x2, low_halves())), add16(b2, right_4(x2))
            l3, b3 = add8(l3, and8(x3, low_halves())), add16(b3, right_4(x3))
            at += 384
    _widen(l0, b0, begin, wide, to)
    _widen(l1, b1, begin, wide, to + 128)
    _widen(l2, b2, begin, wide, to + 256)
    _widen(l3, b3, begin, wide, to + 384)


@kernel
def _count_one(tables: U8, a: U64, r: int, w: int, nibbles: U8, at: int, wide: U8) -> None:
    """Count one word of rows r and r + 1 for 128 outputs, whose nibbles begin at `at`."""
    begin, to = w == 0, WIDE * (r // 2)
    x = a[r, w]
    y = a[r + 1, w] if r + 1 < a.shape[0] else np.uint64(0)
    p0, p1 = _pairs(x, y, high=False), _pairs(x, y, high=True)
    for i in range(4):
        low, both = zeros(), zeros()
        for t in range(8):
            place = at + 256 * t + 32 * i
            c = add8(
                shuffle(load_twice(tables, 16 * pick_byte(p0, t)), load(nibbles, place)),
                shuffle(load_twice(tables, 16 * pick_byte(p1, t)), load(nibbles, place + 128)),
            )
            low, both = add8(low, and8(c, low_halves())), add16(both, right_4(c))
        _widen(low, both, begin, wide, to + 128 * i)


@kernel
def _put(wide: U8, w: int, high: bool, columns: int, out: U8, at: int, left: int) -> None:
    """Write the products of one row of a pair and of `left` of 128 outputs, a multiple of 32."""
    h = 64 if high else 0
    for i in range(left // 32):
        c = w + 128 * i + h
        put_counts(out, at + 128 * i, load(wide, c), load(wide, c + 32), columns)


@kernel
def _count_chunk(tables: U8, a: U64, nibbles: U8, at: int, room: U8) -> None:
    """Count where rows and 128 outputs, whose nibbles begin at `at`, differ."""
    n, words = a.shape
    three = words // 3 * 3
    for w in range(0, three, 3):
        for r in range(0, n, 2):
            _count_three(tables, a, r, w, nibbles, at + WORD_BYTES * w, room)
    for w in range(three, words):
        for r in range(0, n, 2):
            _count_one(tables, a, r, w, nibbles, at + WORD_BYTES * w, room)


@kernel
def dot_shuffle(tables: U8, a: U64, inputs: int, nibbles: U8, m: int, room: U8, out: U8) -> None:
    """Write the products of packed rows and m outputs of nibbles into `out`, int32 (n, m) as bytes.

    Args:
        tables: as `tables` gives.
        a: uint64 (n, words).
        inputs: columns of a row.
        nibbles: as laid out above, flat.
        m: outputs.
        room: bytes to work in, WIDE x ceil(n / 2) + 512, best at the start of a cache line.
        out: int32 (n, m), flat bytes.
    """
    n, words = a.shape
    edge = room[WIDE * ((n + 1) // 2) :]
    for chunk in range(-(-m // CHUNK)):
        _count_chunk(tables, a, nibbles, WORD_BYTES * words * chunk, room)
        left = min(CHUNK, m - CHUNK * chunk)
        for r in range(n):
            to = 4 * (m * r + CHUNK * chunk)
            if left == CHUNK:
                _put(room, WIDE * (r // 2), r % 2 == 1, inputs, out, to, CHUNK)
            else:
                _put(room, WIDE * (r // 2), r % 2 == 1, inputs, edge, 0, CHUNK)
                out[to : to + 4 * left] = edge[: 4 * left]


@kernel
def signs_shuffle(tables: U8, a: U64, nibbles: U8, limits: U8, room: U8, out: U64) -> None:
    """Write whether packed rows differ from each output in fewer places than its limit, as packed signs.

    Args:
        tables: as `tables` gives.
        a: uint64 (n, words).
        nibbles: as laid out above, flat.
        limits: as `lookup.signs_lookup` takes them.
        room: bytes to work in, WIDE x ceil(n / 2), best at the start of a cache line.
        out: uint64 (n, words).
    """
    words = a.shape[1]
    for block in range(out.shape[1]):
        half = block % 2
        if half == 0:
            _count_chunk(tables, a, nibbles, WORD_BYTES * words * (block // 2), room)
        at = 128 * block
        l0, l1, l2, l3 = load(limits, at), load(limits, at + 32), load(limits, at + 64), load(limits, at + 96)
        for r in range(a.shape[0]):
            c = WIDE * (r // 2) + 64 * (r % 2) + 256 * half
            low = below(load(room, c), load(room, c + 32), l0, l1)
            high = below(load(room, c + 128), load(room, c + 160), l2, l3)
            out[r, block] = low | (high << np.uint64(32))
