"""Signs of packed rows, for 256 outputs at once, by counting under the inputs that are on.

    differing(x, w) = ones(x) + ones(w) - 2 ones(x and w)

so that inputs whose bit is 0 add nothing to the last count. Weights stand input by input, a bit for each
output, and the bits of the inputs that are on are added up in counters whose bits stand in planes, 256
counters to a vector, by carry-save adders (a tree of them after Harley and Seal: Mula, Kurz and Lemire 2016,
arXiv:1611.07612). Where more than half of the bits are on, the row is turned round: no row costs more than
half of its inputs, and rows of few bits cost little. What the row has no part in, the ones of the weights and
the limits, is what the counters begin with.

    store    uint8: weights (inputs + 1, columns of 256 outputs, 32), the last row 0; then what the counters
             begin with, (2 ways round, 2 parities of the row's ones, columns, planes, 32), lowest plane first
    tables   uint8: where the bits of each byte stand (256, 8); then 32 bytes of 255 and 32 of 0
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel, popcount
from .lanes import U8, Vec, and8, constant, load, load_word, or8, store, xor8
from .sign_lanes import load_int, put_places

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

COLUMN = 256  # outputs of a vector
STEP = 32  # inputs that are added up before their carry goes on
TREE = 5  # planes that they fill
USUAL = 11  # planes of the counters, or more: they do for some 1,000 inputs
_MASKS = 8 * 256

every_bit = constant([255] * 32)


def tables() -> U8:
    """Return the tables, flat."""
    found = np.zeros((256, 8), np.uint8)
    for byte in range(256):
        there = [i for i in range(8) if byte >> i & 1]
        found[byte, : len(there)] = there
    return np.concatenate([found.reshape(-1), np.full(32, 255, np.uint8), np.zeros(32, np.uint8)])


def lay(words: U64, inputs: int, limits: I64) -> tuple[U8, int, int]:
    """Return `store` for packed weights, uint64 (m, words), then the offset of its counters and their planes.

    Args:
        words: packed rows.
        inputs: columns of a row.
        limits: int64 (m,), an output is +1 where fewer places differ.
    """
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little", count=inputs)
    wide = -(-len(words) // COLUMN) * COLUMN
    weights = np.zeros((inputs + 1, wide), np.uint8)
    weights[:inputs, : len(words)] = bits.T
    ones, limits = bits.sum(axis=1, dtype=np.int64), np.clip(limits, 0, inputs + 1)
    # 2 count + limit - ones(w) > ones(x), halved; turned round it is the other limit, and the contrary.
    twice = np.stack([limits - ones, inputs + 1 - limits - ones])
    halves = np.stack([-(-twice // 2), twice // 2], axis=1)
    halves = np.clip(halves, -(inputs // 2) - 1, inputs // 4 + 2)  # past these the row decides nothing
    offset = -int(halves.min(initial=0))
    most = max(int(halves.max(initial=0)) + inputs // 2, inputs // 4 + 1) + offset
    planes = max(USUAL, most.bit_length())
    begin = np.zeros((2, 2, 1, wide), np.int64)
    begin[..., 0, : len(words)] = halves + offset
    begin = (begin >> np.arange(planes)[:, None] & 1).reshape(2, 2, planes, -1, COLUMN).swapaxes(2, 3)
    parts = (np.packbits(part.astype(np.uint8), axis=-1, bitorder="little") for part in (weights, begin))
    return np.concatenate([part.reshape(-1) for part in parts]), offset, planes


@kernel
def _list_bits(lookups: U8, words: U64, turned: bool, inputs: int, row: int, listed: U8) -> int:
    """Write `row` x the places of the bits that are on, or off where `turned`; return how many.

    As int32; what stands behind them is written over.
    """
    count, first = 0, 0
    for w in range((inputs + 63) // 64):
        word = words[w]
        if turned:
            word = ~word
        left = inputs - 64 * w
        if left < 64:
            word &= (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        for _ in range(8):
            byte = word & np.uint64(255)
            put_places(listed, 4 * count, lookups, 8 * np.int64(byte), first, row)
            count += popcount(byte)
            first += 8
            word >>= np.uint64(8)
    return count


@kernel
def _add(a: Vec, b: Vec, c: Vec) -> tuple[Vec, Vec]:
    """Return the sum and the carry of three bits; the last may come late."""
    half = xor8(a, b)
    return xor8(half, c), or8(and8(a, b), and8(half, c))


@kernel
def _two(weights: U8, at: int, listed: U8, i: int, v1: Vec) -> tuple[Vec, Vec]:
    """Return the sum of two listed inputs' bits and v1, and its carry."""
    return _add(load(weights, at + load_int(listed, i)), load(weights, at + load_int(listed, i + 4)), v1)


@kernel
def _eight(weights: U8, at: int, listed: U8, i: int, v1: Vec, v2: Vec, v4: Vec) -> tuple[Vec, Vec, Vec, Vec]:
    """Return the three planes with eight listed inputs' bits added, and the carry."""
    v1, a = _two(weights, at, listed, i, v1)
    v1, b = _two(weights, at, listed, i + 8, v1)
    v2, c = _add(a, b, v2)
    v1, a = _two(weights, at, listed, i + 16, v1)
    v1, b = _two(weights, at, listed, i + 24, v1)
    v2, d = _add(a, b, v2)
    v4, a = _add(c, d, v4)
    return v1, v2, v4, a


@kernel
def _carry_on(counters: U8, c: int, planes: int, carry: Vec) -> None:
    """Add a carry to the planes above the tree."""
    for plane in range(TREE, planes):
        held = load(counters, c + 32 * plane)
        store(counters, c + 32 * plane, xor8(held, carry))
        carry = and8(held, carry)


@kernel
def _count(weights: U8, listed: U8, count: int, columns: int, planes: int, counters: U8) -> None:
    """Add the bits of `count` listed inputs, a multiple of STEP, to the counters."""
    for first in range(0, 4 * count, 4 * STEP):
        for column in range(columns):
            at, c = 32 * column, 32 * planes * column
            v1, v2, v4 = load(counters, c), load(counters, c + 32), load(counters, c + 64)
            v8 = load(counters, c + 96)
            v1, v2, v4, a = _eight(weights, at, listed, first, v1, v2, v4)
            v1, v2, v4, b = _eight(weights, at, listed, first + 32, v1, v2, v4)
            v8, e = _add(a, b, v8)
            v1, v2, v4, a = _eight(weights, at, listed, first + 64, v1, v2, v4)
            v1, v2, v4, b = _eight(weights, at, listed, first + 96, v1, v2, v4)
            v8, f = _add(a, b, v8)
            v16, carry = _add(e, f, load(counters, c + 128))
            store(counters, c, v1)
            store(counters, c + 32, v2)
            store(counters, c + 64, v4)
            store(counters, c + 96, v8)
            store(counters, c + 128, v16)
            _carry_on(counters, c, planes, carry)


@kernel
def _reached(lookups: U8, least: int, counters: U8, at: int, planes: int) -> Vec:
    """Return which of 256 counters are `least` or more."""
    found = every_bit()
    for plane in range(planes):
        held = load(counters, at + 32 * plane)
        mask = load(lookups, _MASKS + 32 * ((least >> plane) & 1))
        found = or8(and8(held, found), and8(mask, or8(held, found)))
    return found


@kernel
def signs_picked(  # noqa: PLR0913, PLR0917 - what is counted, where it lies, and what it must reach
    lookups: U8,
    a: U64,
    inputs: int,
    outputs: int,
    offset: int,
    planes: int,
    weights: U8,
    listed: U8,
    room: U8,
    out: U64,
) -> None:
    """Write whether packed rows differ from each output in fewer places than its limit, as packed signs.

    Args:
        lookups: as `tables` gives.
        a: uint64 (n, words).
        inputs: columns of a row.
        outputs: how many there are.
        offset: what all counters begin with more than they should.
        planes: of the counters.
        weights: as `store` above.
        listed: scratch, 4 x (inputs + 8 + STEP) bytes.
        room: scratch, 32 x columns x planes bytes.
        out: uint64 (n, words).
    """
    columns = (outputs + COLUMN - 1) // COLUMN
    row, size = 32 * columns, 32 * columns * planes
    for r in range(a.shape[0]):
        ones = 0
        for w in range(a.shape[1]):
            ones += popcount(a[r, w])
        turned = 2 * ones > inputs
        count = _list_bits(lookups, a[r], turned, inputs, row, listed)
        steps = (count + STEP - 1) // STEP
        for i in range(count, STEP * steps, 8):
            put_places(listed, 4 * i, lookups, 0, inputs, row)
        at = row * (inputs + 1) + size * (2 * int(turned) + (count & 1))
        for i in range(0, size, 32):
            store(room, i, load(weights, at + i))
        if planes == USUAL:  # the loop over planes laid out in full
            _count(weights, listed, STEP * steps, columns, USUAL, room)
        else:
            _count(weights, listed, STEP * steps, columns, planes, room)
        least = count // 2 + 1 + offset
        for column in range(columns):
            found = _reached(lookups, least, room, 32 * planes * column, planes)
            if turned:
                found = xor8(found, every_bit())
            store(room, 32 * column, found)
        for w in range(out.shape[1]):
            out[r, w] = load_word(room, 8 * w)
        if outputs & 63:
            out[r, out.shape[1] - 1] &= (np.uint64(1) << np.uint64(outputs & 63)) - np.uint64(1)
