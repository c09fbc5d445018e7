"""Products of bytes with 32-bit sums: four inputs of 8 or 16 outputs an instruction.

    out[r, j] = sum over i of (weights[j, i] - lowest) x (x[r, i] - shift) + first[r] + second[j]

Weights stand as bytes without a sign, rows as bytes with one; `first` and `second` give back what the two
offsets take off. Hosts with VNNI add four products to a sum at once (vpdpbusd), which never saturates. With
AVX2 alone pairs of products are added in 16 bits (vpmaddubsw), as many as fit there, and then widened: so
only where weights or rows are narrow enough for at least two products to fit.

    quads   uint8 (chunks of CHUNK outputs, inputs / 4 rounded up, CHUNK, 4), zeros past the ends
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ints import load_pair
from .jit import kernel
from .lanes import U8, add16, load, store, zeros
from .levels import plane_sums
from .quad_lanes import (
    VNNI,
    WIDTH,
    add_quads,
    add_shorts,
    add_wide,
    byte_pairs,
    load_wide,
    no_wide,
    repeat_wide,
    store_wide,
)
from .signs import aligned, room
from .vectors import AVX2

I8 = npt.NDArray[np.int8]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
U64 = npt.NDArray[np.uint64]

CHUNK = WIDTH // 2  # outputs: two vectors of sums
_ROWS = 4
ROOM = _ROWS * 2 * WIDTH  # bytes of a tile of sums
_ROWS_AT_ONCE = 256  # so that they stay in the second-level cache
_MOST = 32767  # that 16 bits hold
_LOW, _BYTE = -128, 255  # of a byte with a sign; the most that one without holds


@kernel
def lay_quads(weights: I16, lowest: int, out: U8) -> None:
    """Write int16 (m, k) weights less `lowest` into `out`, zeroed uint8 as laid out above."""
    for r in range(weights.shape[0]):
        for c in range(weights.shape[1]):
            out[r // CHUNK, c >> 2, r % CHUNK, c & 3] = weights[r, c] - lowest


@kernel
def lay_signs(words: U64, inputs: int, out: U8) -> None:
    """Write 2 for +1 and 0 for -1 of packed signs, uint64 (m, words), into `out`, zeroed uint8 likewise."""
    for r in range(words.shape[0]):
        for quad in range(out.shape[1]):
            bits = words[r, quad >> 4] >> np.uint64(4 * (quad & 15))
            for i in range(min(4, inputs - 4 * quad)):
                out[r // CHUNK, quad, r % CHUNK, i] = ((bits >> np.uint64(i)) & np.uint64(1)) << np.uint64(1)


@kernel
def lay_rows(x: I16 | U8, shift: int, lowest: int, out: I8, first: I32) -> None:
    """Write rows less `shift` into `out`, and `lowest` times each one's sum into `first`.

    Args:
        x: int16 or uint8 (n, k).
        shift: leaves numbers that fit a byte with a sign.
        lowest: what the weights lie above.
        out: int8 (n, k or more); zeros past k.
        first: int32 (n,).
    """
    k = x.shape[1]
    for r in range(x.shape[0]):
        total = np.int32(0)
        for c in range(k):
            v = np.int16(x[r, c]) - np.int16(shift)
            out[r, c] = v
            total += np.int32(v)
        out[r, k:] = 0
        first[r] = total * lowest


@kernel
def dot_quads(a: I8, quads: U8, many: int, first: I32, second: I32, room: U8, out: I32) -> None:
    """Write the products of rows and outputs into `out`, int32 (n, m).

    Args:
        a: int8 (n, inputs), C-contiguous; `inputs` is a multiple of 4.
        quads: as laid out above, flat.
        many: how many sums of two products 16 bits hold the sum of; nothing to hosts with VNNI.
        first: int32 (n,).
        second: int32 (m,).
        room: bytes to work in, ROOM.
        out: int32 (n, m).
    """
    n, inputs = a.shape
    m = out.shape[1]
    rows, sums = a.reshape(n * inputs).view(np.uint8), room.view(np.int32)
    for chunk in range(-(-m // CHUNK)):
        at = CHUNK * chunk
        weights = quads[at * inputs : (at + CHUNK) * inputs]
        for r in range(0, n, _ROWS):
            if n - r == 1:
                _row(rows, r, inputs, weights, many, room)
            else:
                _tile(rows, r, inputs, weights, many, room)
            for i in range(min(_ROWS, n - r)):
                for j in range(min(CHUNK, m - at)):
                    out[r + i, at + j] = sums[CHUNK * i + j] + first[r + i] + second[at + j]


@kernel
def _joined_tile(a: U8, r: int, inputs: int, weights: U8, many: int, out: U8) -> None:
    """Write the sums of four rows from `r` on by one chunk; the last row stands for rows past the end.

    Four products are added to a sum at once, so `many` says nothing.
    """
    last = len(a) - inputs
    at = r * inputs
    at1, at2, at3 = min(at + inputs, last), min(at + 2 * inputs, last), min(at + 3 * inputs, last)
    s00, s01, s10, s11 = no_wide(), no_wide(), no_wide(), no_wide()
    s20, s21, s30, s31 = no_wide(), no_wide(), no_wide(), no_wide()
    for p in range(inputs >> 2):
        x, y = load_wide(weights, 2 * WIDTH * p), load_wide(weights, 2 * WIDTH * p + WIDTH)
        four = repeat_wide(a, at + 4 * p)
        s00, s01 = add_quads(s00, x, four), add_quads(s01, y, four)
        four = repeat_wide(a, at1 + 4 * p)
        s10, s11 = add_quads(s10, x, four), add_quads(s11, y, four)
        four = repeat_wide(a, at2 + 4 * p)
        s20, s21 = add_quads(s20, x, four), add_quads(s21, y, four)
        four = repeat_wide(a, at3 + 4 * p)
        s30, s31 = add_quads(s30, x, four), add_quads(s31, y, four)
    store_wide(out, 0, s00)
    store_wide(out, WIDTH, s01)
    store_wide(out, 2 * WIDTH, s10)
    store_wide(out, 3 * WIDTH, s11)
    store_wide(out, 4 * WIDTH, s20)
    store_wide(out, 5 * WIDTH, s21)
    store_wide(out, 6 * WIDTH, s30)
    store_wide(out, 7 * WIDTH, s31)


@kernel
def _paired_tile(a: U8, r: int, inputs: int, weights: U8, many: int, out: U8) -> None:
    """Write the same, products added in 16 bits first, `many` pairs of them before they are widened."""
    last = len(a) - inputs
    at = r * inputs
    at1, at2, at3 = min(at + inputs, last), min(at + 2 * inputs, last), min(at + 3 * inputs, last)
    w00, w01, w10, w11 = zeros(), zeros(), zeros(), zeros()
    w20, w21, w30, w31 = zeros(), zeros(), zeros(), zeros()
    done, quads = 0, inputs >> 2
    while done < quads:
        until = min(quads, done + many)
        s00, s01, s10, s11 = zeros(), zeros(), zeros(), zeros()
        s20, s21, s30, s31 = zeros(), zeros(), zeros(), zeros()
        for p in range(done, until):
            x, y = load(weights, 64 * p), load(weights, 64 * p + 32)
            four = load_pair(a, at + 4 * p)
            s00, s01 = add16(s00, byte_pairs(x, four)), add16(s01, byte_pairs(y, four))
            four = load_pair(a, at1 + 4 * p)
            s10, s11 = add16(s10, byte_pairs(x, four)), add16(s11, byte_pairs(y, four))
            four = load_pair(a, at2 + 4 * p)
            s20, s21 = add16(s20, byte_pairs(x, four)), add16(s21, byte_pairs(y, four))
            four = load_pair(a, at3 + 4 * p)
            s30, s31 = add16(s30, byte_pairs(x, four)), add16(s31, byte_pairs(y, four))
        w00, w01, w10 = add_shorts(w00, s00), add_shorts(w01, s01), add_shorts(w10, s10)
        w11, w20, w21 = add_shorts(w11, s11), add_shorts(w20, s20), add_shorts(w21, s21)
        w30, w31 = add_shorts(w30, s30), add_shorts(w31, s31)
        done = until
    store(out, 0, w00)
    store(out, 32, w01)
    store(out, 64, w10)
    store(out, 96, w11)
    store(out, 128, w20)
    store(out, 160, w21)
    store(out, 192, w30)
    store(out, 224, w31)


@kernel
def _joined_row(a: U8, r: int, inputs: int, weights: U8, many: int, out: U8) -> None:
    """Write the sums of one row by one chunk; two sums an output, so that none waits for the one before."""
    at = r * inputs
    s0, s1, t0, t1 = no_wide(), no_wide(), no_wide(), no_wide()
    quads = inputs >> 2
    for p in range(0, quads - 1, 2):
        four, next_four = repeat_wide(a, at + 4 * p), repeat_wide(a, at + 4 * p + 4)
        w = 2 * WIDTH * p
        s0 = add_quads(s0, load_wide(weights, w), four)
        s1 = add_quads(s1, load_wide(weights, w + WIDTH), four)
        t0 = add_quads(t0, load_wide(weights, w + 2 * WIDTH), next_four)
        t1 = add_quads(t1, load_wide(weights, w + 3 * WIDTH), next_four)
    if quads % 2:
        four, w = repeat_wide(a, at + 4 * (quads - 1)), 2 * WIDTH * (quads - 1)
        s0 = add_quads(s0, load_wide(weights, w), four)
        s1 = add_quads(s1, load_wide(weights, w + WIDTH), four)
    store_wide(out, 0, add_wide(s0, t0))
    store_wide(out, WIDTH, add_wide(s1, t1))


@kernel
def _paired_row(a: U8, r: int, inputs: int, weights: U8, many: int, out: U8) -> None:
    """Write the same, products added in 16 bits first, `many` pairs of them before they are widened."""
    at, quads, done = r * inputs, inputs >> 2, 0
    w0, w1 = zeros(), zeros()
    while done < quads:
        until = min(quads, done + many)
        s0, s1 = zeros(), zeros()
        for p in range(done, until):
            four = load_pair(a, at + 4 * p)
            s0 = add16(s0, byte_pairs(load(weights, 64 * p), four))
            s1 = add16(s1, byte_pairs(load(weights, 64 * p + 32), four))
        w0, w1 = add_shorts(w0, s0), add_shorts(w1, s1)
        done = until
    store(out, 0, w0)
    store(out, 32, w1)


# A host compiles those that it can use; without AVX2, plain steps in place of VNNI's.
_tile, _row = (_paired_tile, _paired_row) if AVX2 and not VNNI else (_joined_tile, _joined_row)


class QuadWeights:
    """Weights of at most 8 bits ready to be multiplied with rows of at most 8 bits."""

    def __init__(self, weights: I16, lowest: int, highest: int) -> None:
        """Lay weights, int16 (m, k) from `lowest` to `highest`, out as above."""
        self._quads, self._lowest, self._span = _empty(*weights.shape), lowest, highest - lowest
        lay_quads(weights, lowest, _shaped(self._quads, *weights.shape))
        self._sums: I32 = weights.sum(axis=1, dtype=np.int32)
        self._met: dict[tuple[int, int], tuple[int, int, I32]] = {}

    def dot(self, x: I16 | U8, low: int, high: int, out: I32) -> None:
        """Write the products of rows and the weights into `out`.

        Args:
            x: int16 or uint8 (n, k), from `low` to `high`: see `fits`.
            low: the least that a row can hold.
            high: the most.
            out: int32 (n, m).
        """
        shift, many, second = self._met.get((low, high)) or self._meet(low, high)
        k = -(-x.shape[1] // 4) * 4
        for at in range(0, len(x), _ROWS_AT_ONCE):
            part, into = x[at : at + _ROWS_AT_ONCE], out[at : at + _ROWS_AT_ONCE]
            rows, first = np.empty((len(part), k), np.int8), np.empty(len(part), np.int32)
            lay_rows(part, shift, self._lowest, rows, first)
            dot_quads(rows, self._quads, many, first, second, room(ROOM)[:ROOM], into)

    def _meet(self, low: int, high: int) -> tuple[int, int, I32]:
        """Return, and keep, what rows from `low` to `high` ask for: see `dot_quads`."""
        shift = shift_of(low, high)
        second: I32 = np.int32(shift) * self._sums
        found = self._met[low, high] = shift, pairs_that_fit(self._span, low, high), second
        return found


class SignQuads(QuadWeights):
    """1-bit weights that change at every step, to be multiplied with rows of at most 8 bits."""

    def __init__(self, m: int, k: int) -> None:
        super().__init__(np.empty((0, k), np.int16), -1, 1)
        self._shape, self._quads = (m, k), _empty(m, k)

    def lay(self, words: U64) -> None:
        """Take packed signs, uint64 (m, words), for the weights from now on."""
        ones = np.empty(len(words), np.int64)
        plane_sums(words[None], np.array([2]), ones)
        lay_signs(words, self._shape[1], _shaped(self._quads, *self._shape))
        self._sums = (ones - self._shape[1]).astype(np.int32)
        self._met.clear()


def _empty(m: int, k: int) -> U8:
    quads = aligned(-(-m // CHUNK) * -(-k // 4) * CHUNK * 4)
    quads[:] = 0
    return quads


def _shaped(quads: U8, m: int, k: int) -> U8:
    return quads.reshape(-(-m // CHUNK), -(-k // 4), CHUNK, 4)


def shift_of(low: int, high: int) -> int:
    """Return what is taken off numbers from `low` to `high`, so that they fit a byte with a sign."""
    return 0 if low >= _LOW and high < -_LOW else low - _LOW


def pairs_that_fit(span: int, low: int, high: int) -> int:
    """Return how many sums of two products 16 bits hold the sum of.

    Args:
        span: the most that a weight lies above the lowest.
        low: the least that a row can hold.
        high: the most.
    """
    shift = shift_of(low, high)
    return _MOST // max(1, 2 * span * max(abs(low - shift), abs(high - shift)))


def fits(span: int, low: int, high: int) -> bool:
    """Return whether this host multiplies such weights and rows as bytes; see `pairs_that_fit`."""
    if not (VNNI or AVX2) or max(span, high - low) > _BYTE:
        return False
    return VNNI or pairs_that_fit(span, low, high) > 0
