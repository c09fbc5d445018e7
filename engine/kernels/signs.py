"""Products of packed signs by weights that were made ready once: the kernels there are, and which when.

A kernel lays the packed weights out as it wants them, and multiplies rows by that layout. All give the same
whole numbers; hardware.py measures which is the fastest here, for how many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np
import numpy.typing as npt

from . import lookup, shuffle, wide
from .bits import I32, U64, dot_signs
from .count_lanes import MOST_COLUMNS
from .lanes import U8

I64 = npt.NDArray[np.int64]
Layout = npt.NDArray[Any]
_LINE = 64  # bytes of a cache line
_ROWS_AT_ONCE = 1024  # so that the counters of all rows stay in the cache
_MANY_ROWS = 64  # from which on tables of the inputs pay


@dataclass(frozen=True)
class SignKernel:
    """One way to multiply packed signs.

    Attributes:
        title: what it does, in words.
        lay: the layout of packed weights, uint64 (m, words), of so many inputs.
        dot: writes the products of packed rows, uint64 (n, words), into int32 (n, m), C-contiguous; given the
            rows, the inputs, the layout, and where to.
        feature: the feature of the processor, in LLVM's words, without which it cannot or should not run; ""
            for none.
    """

    title: str
    lay: Callable[[U64, int], Layout]
    dot: Callable[[U64, int, Layout, I32], None]
    feature: str = ""


def aligned(count: int) -> U8:
    """Return `count` bytes from the start of a cache line."""
    raw = np.empty(count + _LINE, np.uint8)
    return raw[-raw.ctypes.data % _LINE :][:count]


def room(count: int) -> U8:
    """Return at least `count` bytes to work in, from the start of a cache line, of this thread's own."""
    found: U8 | None = getattr(_local, "room", None)
    if found is None or len(found) < count:
        found = _local.room = aligned(count)
    return found


_local = local()


def _flat(array: npt.NDArray[Any]) -> U8:
    return array.reshape(-1).view(np.uint8)


def _dot_plain(a: U64, inputs: int, layout: Layout, out: I32) -> None:
    dot_signs(a, layout, inputs, out)


def _lay_lookup(words: U64, inputs: int) -> Layout:
    padded = -(-inputs // lookup.PART) * lookup.PART
    digits = np.zeros(-(-len(words) // lookup.BLOCK) * padded * 32, np.uint8)
    lookup.lay_digits(words, inputs, digits)
    return digits


def _dot_lookup(a: U64, inputs: int, layout: Layout, out: I32) -> None:
    n = max(1, min(len(a), _ROWS_AT_ONCE))
    counters, words = lookup.ROOM + lookup.COUNTERS * n + 256, 3 * -(-inputs // lookup.PART) * n + lookup.PAST
    work = room(counters + 8 * words)
    indices = work[counters : counters + 8 * words].view(np.uint64)
    lookup.dot_rows(a, inputs, layout, out.shape[1], indices, work, _flat(out))


def _lay_shuffle(words: U64, inputs: int) -> Layout:
    nibbles = aligned(-(-len(words) // shuffle.CHUNK) * words.shape[1] * shuffle.WORD_BYTES)
    shuffle.lay_nibbles(words, nibbles)
    return nibbles


def _dot_shuffle(a: U64, inputs: int, layout: Layout, out: I32) -> None:
    n, m = out.shape
    work = room(shuffle.WIDE * ((n + 1) // 2) + 512)
    shuffle.dot_shuffle(_TABLES, a, inputs, layout, m, work, _flat(out))


def _lay_wide(words: U64, inputs: int) -> Layout:
    lanes = aligned(-(-len(words) // wide.CHUNK) * words.shape[1] * wide.CHUNK * 8)
    lanes[:] = 0
    wide.lay_lanes(words, lanes.view(np.uint64).reshape(-1, words.shape[1], wide.CHUNK))
    return lanes


def _dot_wide(a: U64, inputs: int, layout: Layout, out: I32) -> None:
    wide.dot_wide(a, inputs, layout, out.shape[1], room(256), _flat(out))


def limits_by_block(limits: I64) -> U8:
    """Return limits of counts, int64 (m,), as `signs_lookup` and `signs_shuffle` take them.

    Args:
        limits: an output's sign is +1 where fewer places differ; from 0 to 32,767.
    """
    full = np.zeros(-(-len(limits) // lookup.BLOCK) * lookup.BLOCK, np.int16)
    full[: len(limits)] = limits
    return _flat(np.ascontiguousarray(full.reshape(-1, 2, 16, 2).transpose(0, 1, 3, 2)))


def limits_by_chunk(limits: I64) -> U8:
    """Return limits of counts, int64 (m,), as `signs_wide` takes them."""
    full = np.zeros(-(-len(limits) // wide.CHUNK) * wide.CHUNK, np.uint64)
    full[: len(limits)] = limits
    return _flat(full)


_TABLES = shuffle.tables()
PLAIN = "plain"
SIGN_KERNELS: dict[str, SignKernel] = {
    PLAIN: SignKernel("population counts of single words", lambda words, inputs: words, _dot_plain),
    "wide": SignKernel("population counts of eight words at once", _lay_wide, _dot_wide, "avx512vpopcntdq"),
    "shuffle": SignKernel("look-ups of 4 inputs by byte shuffles", _lay_shuffle, _dot_shuffle, "avx2"),
    "lookup": SignKernel("tables of 5 inputs in the first-level cache", _lay_lookup, _dot_lookup),
}
Plan = Sequence[tuple[int, str]]  # from how many rows on which kernel serves, ascending from 1


def serving(rows: int, plan: Plan) -> str:
    """Return the key of the kernel that serves so many rows."""
    return [key for least, key in plan if least <= max(1, rows)][-1]


class SignWeights:
    """Rows of packed signs, ready to be multiplied.

    Attributes:
        words: the packed weights, uint64 (m, words).
        inputs: columns of a row.
    """

    def __init__(self, words: U64, inputs: int, plan: Plan = ((1, PLAIN),)) -> None:
        self.words, self.inputs, self._plan = np.ascontiguousarray(words), inputs, plan
        self._layouts: dict[str, Layout] = {}

    def _fitting(self, key: str, rows: int) -> str:
        """Return another kernel where one does not fit.

        Where outputs are so few that byte shuffles would mostly count nothing, or inputs so many that sums of
        16 bits would overflow.
        """
        m = len(self.words)
        if self.inputs > MOST_COLUMNS and key != "wide":
            return PLAIN
        if key != "shuffle" or 3 * m >= 2 * shuffle.CHUNK * -(-m // shuffle.CHUNK):
            return key
        return "lookup" if rows >= _MANY_ROWS else "wide"

    def lay(self, rows: int) -> tuple[SignKernel, Layout]:
        """Return the kernel that serves so many rows, and the weights as it takes them, laid out once."""
        key = self._fitting(serving(rows, self._plan), rows)
        kernel = SIGN_KERNELS[key]
        layout = self._layouts.get(key)
        if layout is None:  # two threads may both lay it out: either is right
            layout = self._layouts[key] = kernel.lay(self.words, self.inputs)
        return kernel, layout

    def dot(self, a: U64, out: I32 | None = None, rows: int = 0) -> I32:
        """Return the products of the +-1 rows of `a`, uint64 (n, words), with the weights, int32 (n, m).

        Args:
            a: packed rows.
            out: written and returned, where it is given.
            rows: how many there are in all, where `a` is a part of them.
        """
        if out is None or not out.flags.c_contiguous:
            found = np.empty((len(a), len(self.words)), np.int32)
        else:
            found = out
        kernel, layout = self.lay(max(rows, len(a)))
        kernel.dot(np.ascontiguousarray(a), self.inputs, layout, found)
        if out is not None and out is not found:
            out[...] = found
            return out
        return found
