"""Weights as small floats: bfloat16, FP8, FP4, and blocks that share a power of two (MX)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from ...levels import BLOCK, BrainFloats, Quantized, to_bfloat16
from ...ports import F32
from ...precision import Precision
from ..uneven import both_sides
from .books import Booked
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Small floats"
_TINY = np.float32(1e-12)
_FP8, _MX = "Micikevicius et al. 2022, arXiv:2209.05433", "Rouhani et al. 2023, arXiv:2310.10537"
_REACH = 100  # the largest power of two that a block has


class Format(NamedTuple):
    """A sign, an exponent and a mantissa.

    Attributes:
        mantissa: its bits.
        lowest: exponent of the smallest normal number; below it numbers are evenly spaced.
        largest: the largest number.
        words: what it is called.
    """

    mantissa: int
    lowest: int
    largest: float
    words: str

    def rounded(self, v: F32) -> F32:
        """Return the nearest numbers, float32; halves go to the even mantissa, too large ones are clipped."""
        exponent = np.maximum(np.frexp(v)[1] - 1, self.lowest)
        step = np.ldexp(np.float32(1), exponent - self.mantissa).astype(np.float32)
        found: F32 = np.clip(np.rint(v / step) * step, -self.largest, self.largest).astype(np.float32)
        return found

    @property
    def numbers(self) -> F32:
        """Return all of them, float32, ascending."""
        found, step = [0.0], 2.0 ** (self.lowest - self.mantissa)
        while found[-1] < self.largest:
            found.append(found[-1] + step)
            if found[-1] >= 2 * step * 2**self.mantissa:
                step *= 2
        return both_sides(np.array(found, np.float32))


E4M3 = Format(3, -6, 448.0, "4 bits of exponent, 3 of mantissa")
E5M2 = Format(2, -14, 57_344.0, "5 bits of exponent, 2 of mantissa")
E2M1 = Format(1, 0, 6.0, "2 bits of exponent, 1 of mantissa")


@WEIGHT_QUANTIZERS.option(
    "bfloat16",
    "bfloat16",
    formula="w rounded to 8 bits of mantissa, halves to even; the exponents of float32; dL/dw = g",
    citation="Kalamkar et al. 2019, arXiv:1905.12322",
    group=GROUP,
)
class BFloat16(WeightQuantizer):
    """Half the bits of a float with its whole range: stored as two bytes, multiplied as float32."""

    serves: ClassVar[tuple[str, ...]] = ("16",)
    multiplied_as: ClassVar[str] = "32"

    def quantize(self, w: F32) -> Quantized:
        return BrainFloats(to_bfloat16(w), np.ones(len(w), np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad


class _Small(Booked):
    """Base: s r(w / s), the largest weight of an output on the format's largest number; nothing clips."""

    format: ClassVar[Format]
    whole: ClassVar[float] = 1.0  # what makes every number of the format a whole one, where bytes hold them

    @classmethod
    def book(cls, row: Precision) -> F32:
        return cls.format.numbers * np.float32(cls.whole)

    def quantize(self, w: F32) -> Quantized:
        scale = np.abs(w).max(axis=1, initial=0) / np.float32(self.format.largest) + _TINY
        values = self.format.rounded(w / scale[:, None]) * np.float32(self.whole)
        return Quantized(
            values, (scale / np.float32(self.whole)).astype(np.float32), book=self.book(self.row)
        )

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad


def _enter(key: str, title: str, bits: str, small: Format, whole: float = 0.0) -> None:
    how = "" if whole else "; multiplied as floats"

    @WEIGHT_QUANTIZERS.option(
        key,
        title,
        formula=f"s r(w / s), s = max|w| / {small.largest:g} of the output, r to the nearest of "
        f"{small.words}; dL/dw = g{how}",
        citation=_MX if bits == "4" else _FP8,
        group=GROUP,
    )
    class _Entered(_Small):
        serves: ClassVar[tuple[str, ...]] = (bits,)
        format: ClassVar[Format] = small

    _Entered.whole, _Entered.multiplied_as = whole or 1.0, "8" if whole else "32"


_enter("fp8_e4m3", "FP8, E4M3", "8", E4M3)
_enter("fp8_e5m2", "FP8, E5M2", "8", E5M2)
_enter("fp4", "FP4, E2M1", "4", E2M1, whole=2.0)


class _Microscaled(Booked):
    """Base: 2^e r(w / 2^e), e = floor(log2 max|w|) of 32 inputs less that of the largest number.

    What lies between the largest number and the next power of two is clipped to it, as the formats have it.
    """

    multiplied_as: ClassVar[str] = "32"

    @classmethod
    def beside(cls, row: Precision, outputs: int, inputs: int) -> int:
        return super().beside(row, outputs, inputs) + 8 * outputs * -(-inputs // BLOCK)

    def rounded(self, v: F32) -> F32:
        """Return weights over their power of two as entries of the book."""
        raise NotImplementedError

    def quantize(self, w: F32) -> Quantized:
        book = self.book(self.row)
        blocks = self._exponents(w, book)
        spread = self._spread(blocks, w.shape[1])
        values = (self.rounded(w / spread) * spread).astype(np.float32)
        return Quantized(values, np.ones(len(w), np.float32), book=book, blocks=blocks.astype(np.int8))

    def gradient(self, w: F32, grad: F32) -> F32:
        book = self.book(self.row)
        largest = self._spread(self._exponents(w, book), w.shape[1]) * book[-1]
        return np.where(np.abs(w) <= largest, grad, np.float32(0))

    @staticmethod
    def _exponents(w: F32, book: F32) -> F32:
        inputs = w.shape[1]
        padded = np.pad(np.abs(w), ((0, 0), (0, -inputs % BLOCK))).reshape(len(w), -1, BLOCK)
        sizes = padded.max(axis=2) + _TINY
        own = np.frexp(book[-1])[1]
        blocks: F32 = np.clip(np.frexp(sizes)[1] - own, -_REACH, _REACH).astype(np.float32)
        return blocks

    @staticmethod
    def _spread(blocks: F32, inputs: int) -> F32:
        spread: F32 = np.repeat(np.exp2(blocks), BLOCK, axis=1)[:, :inputs]
        return spread


def _enter_block(key: str, title: str, bits: str, small: Format) -> None:
    @WEIGHT_QUANTIZERS.option(
        key,
        title,
        formula="2^e r(w / 2^e), e = floor(log2 max|w|) of 32 inputs - floor(log2 "
        f"{small.largest:g}), r to the nearest of {small.words}; dL/dw = g where not clipped; "
        "multiplied as floats",
        citation=_MX,
        group=GROUP,
    )
    class _Entered(_Microscaled):
        serves: ClassVar[tuple[str, ...]] = (bits,)

        @classmethod
        def book(cls, row: Precision) -> F32:
            return small.numbers

        def rounded(self, v: F32) -> F32:
            return small.rounded(v)


_enter_block("mx_fp8", "MXFP8: blocks of E4M3", "8", E4M3)
_enter_block("mx_fp4", "MXFP4: blocks of E2M1", "4", E2M1)


@WEIGHT_QUANTIZERS.option(
    "mx_int",
    "Blocks of levels (MXINT8 at 8 bits)",
    formula="2^e clip(round(w / 2^e), -high, high), e = floor(log2 max|w|) of 32 inputs - (bits - 2); "
    "dL/dw = g where not clipped; multiplied as floats",
    citation=_MX,
    group=GROUP,
)
class MXInt(_Microscaled):
    """A step for each group of inputs: the granularity between an output and a single weight."""

    serves: ClassVar[tuple[str, ...]] = ("3", "4", "8")

    @classmethod
    def book(cls, row: Precision) -> F32:
        return np.arange(-row.high, row.high + 1).astype(np.float32)

    def rounded(self, v: F32) -> F32:
        return np.clip(np.rint(v), -self.row.high, self.row.high).astype(np.float32)
