"""Products of whole numbers of few bits by weights of few bits, made ready once; all sums are exact int32.

Weights are bit planes: offset + sum over planes of coefficient x bit. A plane read as signs s = 2 bit - 1
makes a product of whole numbers out of sums under signs, S = sum over inputs of x s:

    2 x . w = (2 offset + sum of coefficients) sum x + sum over planes of coefficient x S

`S` comes from tables (sums.py) where many rows share them, from the products of bit planes of `x` where few
do, and is a product of signs where `x` is signs. Weights of many planes multiply as 16-bit numbers, by
pairs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import lookup, pairs, sums
from .bits import I32, U64
from .jit import kernel
from .lanes import U8
from .levels import pack_planes, plane_sums, unpack_planes
from .signs import PLAIN, Plan, SignWeights, room

I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]

MOST_PLANES = 3  # of weights; with more, 16-bit products are faster than tables
_FEW_ROWS = 8  # below, tables cost more than they save
_MOST_PLANE_PAIRS = 16  # that few rows are multiplied by
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


SIGNS = Levels((2,), -1)
TERNARY = Levels((1, -1), ternary=True)


class WholeWeights:
    """Weights of few bits, ready to be multiplied.

    Attributes:
        planes: uint64 (planes, m, words).
        levels: what the planes count.
        inputs: columns of a row.
    """

    def __init__(self, planes: U64, levels: Levels, inputs: int, plan: Plan = ((1, PLAIN),)) -> None:
        self.planes, self.levels, self.inputs = np.ascontiguousarray(planes), levels, inputs
        self._stacked = self.planes.reshape(planes.shape[0] * planes.shape[1], -1)
        self._coefficients = np.array(levels.coefficients, np.int64)
        self._signs = SignWeights(self._stacked, inputs, plan)
        self._indices: U8 | None = None
        self._pairs: U8 | None = None
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
        count = len(self.planes)
        few = len(x) < _FEW_ROWS and count * len(seen.coefficients) <= _MOST_PLANE_PAIRS
        if not few and count > MOST_PLANES:
            self._dot_pairs(x.astype(np.int16, copy=False), out)
            return
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
            indices = np.empty((-(-self.inputs // lookup.PART), 3, stacked), np.uint64)
            lookup.lay_indices(self._stacked, self.inputs, indices)
            self._indices = indices.reshape(-1).view(np.uint8)
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
            weights = np.empty((m, self.inputs), np.int16)
            unpack_planes(self.planes, self._coefficients, weights)
            weights += np.int16(self.levels.offset)
            laid = np.zeros((-(-m // pairs.CHUNK), inputs // 2, pairs.CHUNK, 2), np.int16)
            pairs.lay_pairs(weights, laid)
            self._pairs = laid.reshape(-1).view(np.uint8)
        if inputs != self.inputs:
            x = np.pad(x, ((0, 0), (0, 1)))
        flat = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
        pairs.dot_pairs(flat, inputs, self._pairs, m, room(256), out.reshape(-1).view(np.uint8))


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
