"""Unevenly spaced levels: weights are stored as places in a book of what each counts (stored.py)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...node import Parameter
from ...ports import F32, Arrays
from ...precision import Precision
from ..uneven import both_sides, nearest, sums_of_powers
from .balanced import deviation_of, through_standardising
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Uneven levels"
_LEAST, _TINY = np.float32(1e-3), np.float32(1e-12)


class Booked(WeightQuantizer):
    """Base: each weight counts an entry of a book, times the scale of its output."""

    @classmethod
    def book(cls, row: Precision) -> F32:
        """Return what the entries count, float32 (entries,), ascending, at most 2^bits of them."""
        raise NotImplementedError

    @classmethod
    def beside(cls, row: Precision, outputs: int, inputs: int) -> int:
        return 8 * cls.book(row).nbytes


@WEIGHT_QUANTIZERS.option(
    "apot",
    "Sums of powers of two (APoT)",
    formula="a p(clip(v / a, -1, 1)), v = (w - mean) / std over the layer, a learned from 3; p: the nearest "
    "of +-{0, 1/4, 1/2, 1} at 3 bits, +-{0, 1, 2, 3, 4, 6, 8, 10} / 10 at 4; da = p(v / a) - v / a inside, "
    "sign(v) outside",
    citation="Li et al. 2019, arXiv:1909.13144",
    group=GROUP,
)
class APoT(Booked):
    """Sizes that add at most two shifts; the gradient of v passes inside the clip, and the standardising."""

    serves: ClassVar[tuple[str, ...]] = ("3", "4")
    trained: ClassVar[tuple[str, ...]] = ("weight_clip",)
    multiplied_as: ClassVar[str] = "8"

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_clip": np.full(1, 3, np.float32)}

    @classmethod
    def book(cls, row: Precision) -> F32:
        return both_sides(sums_of_powers(row.bits - 1))

    def quantize(self, w: F32) -> Quantized:
        book = self.book(self.row)
        values = nearest(self._places(w)[0] * book[-1], book)
        return Quantized(values, np.full(len(w), self._clip / book[-1], np.float32), book=book)

    def gradient(self, w: F32, grad: F32) -> F32:
        book, (v, deviation) = self.book(self.row), self._places(w)
        inside = np.abs(v) < 1
        slope = np.where(inside, nearest(v * book[-1], book) / book[-1] - v, np.sign(v))
        self.grads["weight_clip"][0] = (grad * slope).sum(dtype=np.float64)
        passed = np.where(inside, grad, np.float32(0)).reshape(1, -1)
        standard = (v * self._clip).reshape(1, -1)
        return through_standardising(standard, deviation, w.size - 1, passed).reshape(w.shape)

    def parameters(self) -> tuple[Parameter, ...]:
        clip = self.arrays["weight_clip"]
        return (
            Parameter("weight_clip", clip, self.grads["weight_clip"], floor=float(_LEAST), relative=True),
        )

    @property
    def _clip(self) -> np.float32:
        return max(self.arrays["weight_clip"][0], _LEAST)

    def _places(self, w: F32) -> tuple[F32, F32]:
        """Return the standardised weights over the clip, and the deviation of the layer."""
        flat = w.reshape(1, -1)
        deviation = deviation_of(flat, w.size - 1)
        return ((flat - flat.mean()) / (deviation * self._clip)).reshape(w.shape), deviation


_MU = 255.0


@WEIGHT_QUANTIZERS.option(
    "mu_law",
    "Logarithmic levels (mu-law)",
    formula="m F^-1(round(n F(w / m)) / n), F(x) = sign(x) ln(1 + 255 |x|) / ln 256, n = high, m = max|w| of "
    "the output; dL/dw = g; multiplied as floats",
    group=GROUP,
)
class MuLaw(Booked):
    """Levels that lie closer the nearer they are to 0; nothing is clipped."""

    serves: ClassVar[tuple[str, ...]] = ("3", "4", "8")
    multiplied_as: ClassVar[str] = "32"

    @classmethod
    def book(cls, row: Precision) -> F32:
        steps = np.arange(row.high + 1) / row.high
        return both_sides((np.expm1(steps * math.log1p(_MU)) / _MU).astype(np.float32))

    def quantize(self, w: F32) -> Quantized:
        largest = np.abs(w).max(axis=1, initial=0) + _TINY
        v, book = w / largest[:, None], self.book(self.row)
        place = np.rint(np.sign(v) * np.log1p(_MU * np.abs(v)) * (self.row.high / math.log1p(_MU)))
        return Quantized(book[place.astype(np.intp) + self.row.high], largest, book=book)

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad
