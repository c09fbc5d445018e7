"""Products of bytes by 1-bit weights by byte shuffles (AVX2): 4 inputs of 32 outputs in two instructions.

    out[r, j] = 2 * sum over i with weight +1 of x[r, i] - sum over i of x[r, i] + first[j]

Four bytes have 16 sums of some of them. For each record and each four of its inputs those are made once, in
two tables: of their low bytes and of their high ones. A shuffle then looks up, for 32 outputs at once, the
sum that four weight bits ask for (the method of four Russians, the tables on the side of the records). Groups
of nothing but 0, the background of many images, are passed over.

    nibbles   uint8 (chunks of 128 outputs, groups of 4 inputs, 128): four weight bits of an output, 1 for +1
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
    left_8,
    load,
    load_four,
    load_twice,
    low_bytes,
    put_sums,
    put_tables,
    right_8,
    shuffle,
    store,
    sub16,
    zeros,
)
from .signs import aligned, room

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

CHUNK = 128  # outputs whose counters stand in registers
GROUPS = 84  # groups whose high bytes, at most 3 each, a byte holds the sum of
LARGEST = 65_535 // 255 * 4  # inputs; more low bytes would not add up in 16 bits
WIDE = 512  # bytes of the 16-bit counters of 128 outputs


@kernel
def lay_weights(words: U64, inputs: int, out: U8) -> None:
    """Write the nibbles of packed weights, uint64 (m, words), into `out`, zeroed uint8 as above, flat."""
    groups = (inputs + 3) // 4
    for j in range(words.shape[0]):
        at = j // CHUNK * groups * CHUNK + j % CHUNK
        for g in range(groups):
            nibble = (words[j, g >> 4] >> np.uint64(4 * (g & 15))) & np.uint64(15)
            out[at + g * CHUNK] = np.uint8(nibble)


@kernel
def four_of(x: U8, at: int, inputs: int, group: int) -> np.uint64:
    """Return the four bytes of a group of the record whose bytes begin at `at`, the first lowest."""
    begin = 4 * group
    if begin + 4 <= inputs:
        return np.uint64(load_four(x, at + begin))
    four = np.uint64(0)
    for i in range(inputs - begin):
        four |= np.uint64(x[at + begin + i]) << np.uint64(8 * i)
    return four


@kernel
def _lay_tables(x: U8, at: int, inputs: int, table: U8, listed: I64) -> tuple[int, int]:
    """Write the tables of the groups that hold anything but 0; return how many, and the sum of all bytes.

    Of each group first the low bytes of 16 sums, then their high bytes; and which group it is into `listed`.
    """
    count = 0
    for g in range((inputs + 3) // 4):
        listed[count] = g
        count += int(four_of(x, at, inputs, g) != 0)
    for i in range(count):
        put_tables(table, 32 * i, four_of(x, at, inputs, listed[i]))
    total = 0
    for i in range(inputs):
        total += int(x[at + i])
    return count, total


@kernel
def _spread(low: Vec, odd: Vec, high: Vec, begin: bool, end: bool, wide: U8, w: int) -> None:
    """Add counters to those in `wide`: low bytes of even and odd outputs, then high bytes of both."""
    c2, c3 = and8(high, low_bytes()), right_8(high)
    if not begin:
        c2, c3 = add16(c2, load(wide, w + 64)), add16(c3, load(wide, w + 96))
    store(wide, w + 64, c2)
    store(wide, w + 96, c3)
    if end:
        # `low` holds even outputs' sums and 256 x the odd ones', all modulo 2^16.
        store(wide, w, sub16(low, left_8(odd)))
        store(wide, w + 32, odd)


@kernel
def _count_chunk(table: U8, listed: I64, groups: int, nibbles: U8, begin_at: int, wide: U8) -> None:
    """Count the listed groups of one record for 128 outputs, whose nibbles begin at `begin_at`."""
    l0, l1, l2, l3 = zeros(), zeros(), zeros(), zeros()
    o0, o1, o2, o3 = zeros(), zeros(), zeros(), zeros()
    done = 0
    while True:
        until = min(groups, done + GROUPS)
        h0, h1, h2, h3 = zeros(), zeros(), zeros(), zeros()
        for g in range(done, until):
            low, high = load_twice(table, 32 * g), load_twice(table, 32 * g + 16)
            at = begin_at + CHUNK * listed[g]
            n = load(nibbles, at)
            x = shuffle(low, n)
            h0, l0, o0 = add8(h0, shuffle(high, n)), add16(l0, x), add16(o0, right_8(x))
            n = load(nibbles, at + 32)
            x = shuffle(low, n)
            h1, l1, o1 = add8(h1, shuffle(high, n)), add16(l1, x), add16(o1, right_8(x))
            n = load(nibbles, at + 64)
            x = shuffle(low, n)
            h2, l2, o2 = add8(h2, shuffle(high, n)), add16(l2, x), add16(o2, right_8(x))
            n = load(nibbles, at + 96)
            x = shuffle(low, n)
            h3, l3, o3 = add8(h3, shuffle(high, n)), add16(l3, x), add16(o3, right_8(x))
        begin, end = done == 0, until == groups
        _spread(l0, o0, h0, begin, end, wide, 0)
        _spread(l1, o1, h1, begin, end, wide, 128)
        _spread(l2, o2, h2, begin, end, wide, 256)
        _spread(l3, o3, h3, begin, end, wide, 384)
        if end:
            break
        done = until


@kernel
def dot_bytes(x: U8, nibbles: U8, first: I32, room: U8, out: I32) -> None:
    """Write the products of bytes and 1-bit weights into `out`, int32 (n, m), C-contiguous.

    Args:
        x: uint8 (n, inputs), at most LARGEST inputs.
        inputs: columns of a row.
        nibbles: as laid out above, flat.
        first: int32 (m,), what each output's sum begins with; or of no outputs, for 0.
        room: bytes to work in, WIDE + 128 + 40 x ceil(inputs / 4), best at the start of a cache line.
        out: int32 (n, m).
    """
    n, groups, m = x.shape[0], (x.shape[1] + 3) // 4, out.shape[1]
    wide, edge = room[:WIDE], room[WIDE : WIDE + 128]
    table = room[WIDE + 128 : WIDE + 128 + 32 * groups]
    listed = room[WIDE + 128 + 32 * groups : WIDE + 128 + 40 * groups].view(np.int64)
    flat, bytes_ = out.reshape(n * m).view(np.uint8), x.reshape(x.size)
    for r in range(n):
        count, total = _lay_tables(bytes_, x.shape[1] * r, x.shape[1], table, listed)
        for chunk in range((m + CHUNK - 1) // CHUNK):
            _count_chunk(table, listed, count, nibbles, CHUNK * groups * chunk, wide)
            left = min(CHUNK, m - CHUNK * chunk)
            for i in range((left + 31) // 32):
                to = 4 * (m * r + CHUNK * chunk + 32 * i)
                if left >= 32 * (i + 1):
                    put_sums(flat, to, wide, 128 * i, total)
                else:
                    put_sums(edge, 0, wide, 128 * i, total)
                    rest = 4 * (left - 32 * i)
                    flat[to : to + rest] = edge[:rest]
        for j in range(len(first)):
            out[r, j] += first[j]


class ByteWeights:
    """1-bit weights ready to be multiplied with bytes.

    Attributes:
        inputs: columns of a row.
        nibbles: as laid out above, flat.
        first: int32 (m,), what each output's sum begins with; of no outputs for 0.
        work: bytes that `dot_bytes` works in.
    """

    def __init__(self, words: U64, inputs: int, lowest: int = 0) -> None:
        """Lay packed weights, uint64 (m, words), for levels of `lowest` and more, as bytes above it."""
        self.inputs, m, groups = inputs, len(words), -(-inputs // 4)
        self.nibbles = aligned(-(-m // CHUNK) * groups * CHUNK)
        self.nibbles[:] = 0
        lay_weights(words, inputs, self.nibbles)
        self.work = WIDE + 128 + 40 * groups
        ones = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
        first = lowest * (2 * ones - inputs)
        self.first = first.astype(np.int32) if lowest else np.empty(0, np.int32)

    def into(self, x: U8, out: I32) -> None:
        """Write the products of uint8 (n, inputs) and the weights into `out`, int32 (n, m)."""
        dot_bytes(x, self.nibbles, self.first, room(self.work), out)


@kernel
def share_filled(x: U8) -> float:
    """Return which share of the groups of four inputs of `x`, uint8 (n, inputs), hold anything but 0."""
    n, inputs = x.shape
    filled, groups, flat = 0, (inputs + 3) // 4, x.reshape(n * inputs)
    for r in range(n):
        for g in range(groups):
            filled += int(four_of(flat, inputs * r, inputs, g) != 0)
    return float(filled / max(1, n * groups))
