"""Where a function of whole numbers steps: found by asking the function, so that nothing is rounded anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..ports import F32, I32, I64, U64, words_for

Bools = npt.NDArray[np.bool_]
Levels = Callable[[I64], I64]
_PROBES = 16  # places at which what was found is compared with the function
_SIGN = np.uint32(1 << 31)


@dataclass(frozen=True)
class Thresholds:
    """A never-turning function of whole numbers, as the places where it steps.

    Its level is `lowest` plus how many of `places` the number has reached; where the element falls, plus how
    many it has not.

    Attributes:
        places: int64 (levels - 1, elements), the first number on the upper side of each step, which is one
            past the last number where no number is.
        falls: bool (elements,).
        lowest: the least level.
    """

    places: I64
    falls: Bools
    lowest: int

    def levels(self, numbers: I64) -> I64:
        """Return the levels, int64 (n, elements), of `numbers`, int64 (n, elements)."""
        reached = numbers[:, None, :] >= self.places
        counts: I64 = (reached ^ self.falls).sum(1)
        return self.lowest + counts

    def flips(self) -> U64:
        """Return `falls` as packed words, uint64 (words,)."""
        return packed_bits(self.falls)


def find(levels_of: Levels, numbers: range, elements: int, *, bits: bool = False) -> Thresholds | None:
    """Return the thresholds of a function over `numbers`, or None where it turns after all.

    Args:
        levels_of: int64 (n, elements) numbers to int64 (n, elements) levels, each element on its own.
        numbers: what a number can be.
        elements: how many elements there are.
        bits: whether levels are 0 and 1, even where one of them never comes.
    """
    ends = levels_of(_rows(numbers, np.array([[0], [len(numbers) - 1]]), elements))
    lowest, highest = (0, 1) if bits else (int(ends.min()), int(ends.max()))
    falls = ends[1] < ends[0]
    wanted = np.arange(lowest + 1, highest + 1).reshape(-1, 1)
    low = np.zeros((len(wanted), elements), np.int64)
    high = np.full_like(low, len(numbers))
    # The first number on the upper side lies in low..high; halve until they meet.
    while (open_ := low < high).any():
        middle = (low + high) // 2
        asked = np.minimum(middle, len(numbers) - 1)
        upper = (levels_of(_rows(numbers, asked, elements)) >= wanted) ^ falls
        high = np.where(open_ & upper, middle, high)
        low = np.where(open_ & ~upper, middle + 1, low)
    found = Thresholds(numbers.start + numbers.step * low, falls, lowest)
    return found if _agrees(found, levels_of, numbers, elements) else None


def float_at(keys: I64) -> F32:
    """Return the floats at places in the order of all finite float32: 0 is +0, -1 is -0."""
    whole = keys.astype(np.int64)
    bits = np.where(whole >= 0, whole, -whole - 1 + int(_SIGN)).astype(np.uint32)
    return bits.view(np.float32)


FINITE = range(-0x7F800000, 0x7F800000)  # the places of all finite float32


def packed_bits(bits: Bools) -> U64:
    """Return bools, (elements,), as packed words, uint64 (words,)."""
    out = np.zeros(8 * words_for(len(bits)), np.uint8)
    raw = np.packbits(bits, bitorder="little")
    out[: len(raw)] = raw
    return out.view(np.uint64)


def unpacked_bits(words: U64, elements: int) -> I64:
    """Return packed words, uint64 (n, words), as 0 and 1, int64 (n, elements)."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(raw, axis=1, count=elements, bitorder="little").astype(np.int64)


def in_int32(places: I64) -> I32:
    """Return places as int32; what lies beyond is never reached by a number that fits."""
    return np.clip(places, -(1 << 31), (1 << 31) - 1).astype(np.int32)


def _rows(numbers: range, at: I64, elements: int) -> I64:
    return np.broadcast_to(numbers.start + numbers.step * at, (len(at), elements)).astype(np.int64)


def _agrees(found: Thresholds, levels_of: Levels, numbers: range, elements: int) -> bool:
    """Whether the thresholds say what the function says: beside every step and at places drawn at random."""
    step, (first, last) = numbers.step, (numbers[0], numbers[-1])
    drawn = np.random.default_rng(0).integers(0, len(numbers), (_PROBES, elements))
    asked = np.concatenate(
        [
            found.places,
            found.places - step,
            numbers.start + step * drawn,
        ]
    ).clip(first, last)
    return bool((levels_of(asked) == found.levels(asked)).all())
