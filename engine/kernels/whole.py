"""Products of whole numbers of few bits by weights of few bits, made ready once; all sums are exact int32.

Weights are bit planes: offset + sum over planes of coefficient x bit. There are several ways, all with the
same answers; hardware.py measures which is the fastest here, for how many planes and rows.

A plane read as signs s = 2 bit - 1 makes a product of whole numbers out of sums under signs,
S = sum over inputs of x s:

    2 x . w = (2 offset + sum of coefficients) sum x + sum over planes of coefficient x S

`S` comes from tables (sums.py) where many rows share them, from the products of bit planes of `x` where few
do, and is a product of signs where `x` is signs. Bits that say 0 or 1 have no kernel of their own (AND and
population count): through signs they take the kernels of signs.py, and one sum of each row beside them.
Otherwise weights multiply as numbers of 8 bits (quads.py) or 16 (pairs.py), or look up sums of bytes
(byte_shuffle.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from . import lookup, pairs, sums
from .bits import I32, U64
from .byte_shuffle import LARGEST, ByteWeights, share_filled
from .jit import kernel
from .lanes import U8
from .levels import pack_planes, plane_sums, unpack_planes
from .quads import QuadWeights, fits
from .signs import PLAIN, Plan, SignWeights, room
from .vectors import AVX2

I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]

PLANES, TABLES, PAIRS, QUADS, SHUFFLES = "planes", "tables", "pairs", "bytes", "sums"
WHOLE_KERNELS: dict[str, str] = {  # in words
    PAIRS: "products of 16 bits",
    TABLES: "tables of 5 inputs under the signs of each bit plane",
    PLANES: "products of signs, bit plane by bit plane",
    QUADS: "products of 8 bits",
    SHUFFLES: "look-ups of sums of 4 bytes by byte shuffles",
}
MOST_PLANES = 3  # of weights; with more, 16-bit products are faster than tables
_FEW_ROWS = 8  # below, tables cost more than they save
_MOST_PLANE_PAIRS = 16  # that few rows are multiplied by
_SPARSE = 1 / 3  # of the groups of four bytes, up to which those that hold anything are summed alone
_BYTE = 255
_ROWS_AT_ONCE = 256  # so that sums under several planes stay in the cache


@dataclass(frozen=True)
class Levels:
    """How whole numbers are made of bit planes: offset + sum over planes of coefficient x bit.

    Attributes:
        coefficients: what each plane counts.
        offset: what is added.
        ternary: whether a plane stands for +1 and one for -1; otherwise planes are the bits of the number.
    """

    coefficients: tuple[int, ...]
    offset: int = 0
    ternary: bool = False

    @property
    def twice_middle(self) -> int:
        """Return twice the number whose planes, read as signs, are all 0."""
        return 2 * self.offset + sum(self.coefficients)

    @cached_property
    def lowest(self) -> int:
        """Return the least number."""
        return self.offset + sum(c for c in self.coefficients if c < 0)

    @cached_property
    def highest(self) -> int:
        """Return the largest number."""
        return self.offset + sum(c for c in self.coefficients if c > 0)


SIGNS = Levels((2,), -1)
TERNARY = Levels((1, -1), ternary=True)


Ranks = Sequence[tuple[int, tuple[str, ...]]]  # from how many rows on which ways, the fastest first


def usual(planes: int) -> Ranks:
    """Return the ways that weights of so many planes are multiplied where nothing was measured."""
    many = TABLES if planes <= MOST_PLANES else PAIRS
    return ((1, (PLANES, many)), (_FEW_ROWS, (many,)))


class WholeWeights:
    """Weights of few bits, ready to be multiplied.

    Attributes:
        planes: uint64 (planes, m, words).
        levels: what the planes count.
        inputs: columns of a row.
    """

    def __init__(
        self,
        planes: U64,
        levels: Levels,
        inputs: int,
        plan: Plan = ((1, PLAIN),),
        ranks: Ranks | None = None,
    ) -> None:
        self.planes, self.levels, self.inputs = np.ascontiguousarray(planes), levels, inputs
        self._stacked = self.planes.reshape(planes.shape[0] * planes.shape[1], -1)
        self._coefficients = np.array(levels.coefficients, np.int64)
        self._signs = SignWeights(self._stacked, inputs, plan)
        self._ranks = usual(len(planes)) if ranks is None else ranks
        self._found: dict[tuple[tuple[str, ...], Levels], str] = {}
        self._last: tuple[int, Levels | None, str] = (-1, None, "")
        self._indices: U8 | None = None
        self._pairs: U8 | None = None
        self._quads: QuadWeights | None = None
        self._shuffles: tuple[int, ByteWeights] | None = None
        self._totals: I64 | None = None

    def dot(self, x: I16 | U8, seen: Levels, out: I32) -> None:
        """Write the products of the rows of `x` into `out`.

        Args:
            x: int16 (n, inputs), from -sums.HIGHEST to sums.HIGHEST, or uint8.
            seen: how the numbers of `x` are made of planes.
            out: int32 (n, m).
        """
        if not out.flags.c_contiguous:
            apart = np.empty(out.shape, np.int32)
            self.dot(x, seen, apart)
            out[...] = apart
            return
        key = self.way(len(x), seen)
        if key == TABLES and self._is_sparse(x, seen):
            key = SHUFFLES
        if key == PAIRS:
            self._dot_pairs(x.astype(np.int16, copy=False), out)
        elif key == QUADS:
            self._dot_quads(x, seen, out)
        elif key == SHUFFLES:
            self._dot_shuffles(x, seen, out)
        else:
            self._dot_planes(x, seen, out, few=key == PLANES)

    def _is_sparse(self, x: Any, seen: Levels) -> bool:
        """Return whether so many bytes are 0 that tables of each record cost less than those of 16."""
        return x.dtype == np.uint8 and self.can(SHUFFLES, seen) and share_filled(x) < _SPARSE

    def way(self, rows: int, seen: Levels) -> str:
        """Return the key of the way that serves so many rows of such numbers."""
        last = self._last  # another thread may write it meanwhile
        if last[0] == rows and last[1] is seen:
            return last[2]
        found = self._way(rows, seen)
        self._last = (rows, seen, found)
        return found

    def _way(self, rows: int, seen: Levels) -> str:
        ranked = next(keys for least, keys in reversed(self._ranks) if least <= max(1, rows))
        found = self._found.get((ranked, seen))
        if found is None:
            found = next((key for key in ranked if self.can(key, seen)), PAIRS)
            self._found[ranked, seen] = found
        return found

    def can(self, key: str, seen: Levels) -> bool:
        """Return whether a way multiplies rows of such numbers, here and without much waste."""
        levels, count = self.levels, len(self.planes)
        if key == PLANES:
            return count * len(seen.coefficients) <= _MOST_PLANE_PAIRS
        if key == QUADS:
            return fits(levels.highest - levels.lowest, seen.lowest, seen.highest)
        if key == SHUFFLES:
            small = seen.highest - seen.lowest <= _BYTE and self.inputs <= LARGEST
            return AVX2 and self._plain_signs and small
        return key != TABLES or count <= MOST_PLANES

    def _dot_planes(self, x: I16 | U8, seen: Levels, out: I32, *, few: bool) -> None:
        for at in range(0, len(x), _ROWS_AT_ONCE):
            part: Any = np.ascontiguousarray(x[at : at + _ROWS_AT_ONCE])
            into = out[at : at + _ROWS_AT_ONCE]
            under = into if self._plain_signs else np.empty((len(part), len(self._stacked)), np.int32)
            if few:
                self._under_planes(part.astype(np.int16, copy=False), seen, under)
            else:
                self._under_tables(part, under)
            if under is not into:
                row = self.levels.twice_middle * part.sum(axis=1, dtype=np.int64)
                combine_planes(under, self._coefficients, row, into)

    def dot_signs(self, a: U64, out: I32) -> None:
        """Write the products of packed signs, uint64 (n, words), into `out`, int32 (n, m)."""
        if self._plain_signs:
            self._signs.dot(a, out)
            return
        for at in range(0, len(a), _ROWS_AT_ONCE):
            part, into = np.ascontiguousarray(a[at : at + _ROWS_AT_ONCE]), out[at : at + _ROWS_AT_ONCE]
            row = self.levels.twice_middle * _sign_sums(part, self.inputs)
            combine_planes(self._signs.dot(part), self._coefficients, row, into)

    @property
    def nbytes(self) -> int:
        """Return the bytes of the packed weights."""
        return self.planes.nbytes

    @property
    def _plain_signs(self) -> bool:
        return self.levels == SIGNS

    def _under_tables(self, x: I16 | U8, out: I32) -> None:
        """Write the sums of rows under the signs of every plane, one after another, by tables."""
        stacked = len(self._stacked)
        if self._indices is None:
            parts = -(-self.inputs // lookup.PART)
            indices = np.zeros(3 * parts * stacked + lookup.PAST, np.uint64)
            lookup.lay_indices(self._stacked, self.inputs, indices[: -lookup.PAST].reshape(parts, -1, 3))
            self._indices = indices.view(np.uint8)
        sums.dot_sums(x, self._indices, stacked, room(sums.room_for_sums(self.inputs, stacked)), out)

    def _under_planes(self, x: I16, seen: Levels, out: I32) -> None:
        """Write the same as products of signs, plane by plane of the rows."""
        n, count = len(x), len(seen.coefficients)
        planes = np.zeros((count, n, self._stacked.shape[1]), np.uint64)
        pack_planes(x, seen.ternary, planes)
        if self._totals is None:
            self._totals = _sign_sums(self._stacked, self.inputs)
        products = self._signs.dot(planes.reshape(count * n, -1)).reshape(count, n, -1)
        twice = np.tensordot(np.array(seen.coefficients, np.int64), products, axes=1)
        out[...] = (twice + seen.twice_middle * self._totals) >> 1

    def _dot_pairs(self, x: I16, out: I32) -> None:
        inputs, m = self.inputs + self.inputs % 2, self.planes.shape[1]
        if self._pairs is None:
            weights = self._numbers()
            laid = np.zeros((-(-m // pairs.CHUNK), inputs // 2, pairs.CHUNK, 2), np.int16)
            pairs.lay_pairs(weights, laid)
            self._pairs = laid.reshape(-1).view(np.uint8)
        if inputs != self.inputs:
            x = np.pad(x, ((0, 0), (0, 1)))
        flat = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
        pairs.dot_pairs(flat, inputs, self._pairs, m, room(256), out.reshape(-1).view(np.uint8))

    def _dot_quads(self, x: Any, seen: Levels, out: I32) -> None:
        if self._quads is None:
            self._quads = QuadWeights(self._numbers(), self.levels.lowest, self.levels.highest)
        self._quads.dot(np.ascontiguousarray(x), seen.lowest, seen.highest, out)

    def byte_weights(self, seen: Levels) -> ByteWeights:
        """Return the weights as `SHUFFLES` takes them, for numbers as bytes above the lowest of them."""
        held = self._shuffles
        if held is None or held[0] != seen.lowest:
            made = ByteWeights(self.planes[0], self.inputs, seen.lowest)
            held = self._shuffles = (seen.lowest, made)
        return held[1]

    def _dot_shuffles(self, x: I16 | U8, seen: Levels, out: I32) -> None:
        if x.dtype != np.uint8:
            x = (x - np.int16(seen.lowest)).astype(np.uint8)
        self.byte_weights(seen).into(np.ascontiguousarray(x), out)

    def _numbers(self) -> I16:
        """Return the weights as numbers, int16 (m, inputs)."""
        weights = np.empty((self.planes.shape[1], self.inputs), np.int16)
        unpack_planes(self.planes, self._coefficients, weights)
        weights += np.int16(self.levels.offset)
        return weights


@kernel
def combine_planes(under: I32, coefficients: I64, row: I64, out: I32) -> None:
    """Write half of (row + sum over planes of coefficient x under) into `out`, int32 (n, m).

    Args:
        under: int32 (n, planes x m).
        coefficients: int64 (planes,).
        row: int64 (n,).
        out: int32 (n, m).
    """
    m = out.shape[1]
    for r in range(out.shape[0]):
        for c in range(m):
            twice = row[r]
            for p in range(coefficients.shape[0]):
                twice += coefficients[p] * np.int64(under[r, p * m + c])
            out[r, c] = twice >> 1


def _sign_sums(words: U64, inputs: int) -> I64:
    """Return the sum of each row of packed signs, int64 (n,)."""
    found = np.empty(len(words), np.int64)
    plane_sums(words[None], np.array([2], np.int64), found)
    return found - inputs
