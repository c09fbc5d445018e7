"""Weights that learn how many bits they want, while wide weights cost (FracBits)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...node import Parameter
from ...ports import F32, Arrays
from ...precision import Precision
from .learned import GROUP
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

_LEAST_BITS, _TINY = 2.0, np.float32(1e-12)


class _Fractional(WeightQuantizer):
    """Base: a blend of the two whole widths beside b, in shares; b is rounded and kept in the second half.

    Levels lie evenly up to the largest weight of each output. The width of the layer is the most that b can
    be: a file stores, and a product takes, the planes that b leaves.
    """

    serves: ClassVar[tuple[str, ...]] = ("4", "8")
    trained: ClassVar[tuple[str, ...]] = ("weight_width",)
    learns_width: ClassVar[bool] = True
    price: ClassVar[float]

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_width": np.full(1, row.bits - 0.5, np.float32)}

    def quantize(self, w: F32) -> Quantized:
        if self.moment.share >= 0.5:
            return self.shipped(w)
        bits, part = self._bits
        low, high = self._at(w, bits), self._at(w, bits + 1)
        values = (1 - part) * _counted(low) + np.float32(part) * _counted(high)
        return Quantized(values.astype(np.float32), np.ones(len(w), np.float32), soft=True)

    def shipped(self, w: F32) -> Quantized:
        return self._at(w, round(float(self.arrays["weight_width"][0])))

    def gradient(self, w: F32, grad: F32) -> F32:
        found = self.grads["weight_width"]
        found[0] = 0
        if self.moment.share < 0.5:
            bits, _ = self._bits
            more = _counted(self._at(w, bits + 1)) - _counted(self._at(w, bits))
            found[0] = (grad * more).sum(dtype=np.float64) + self.price
        return grad

    def parameters(self) -> tuple[Parameter, ...]:
        width = self.arrays["weight_width"]
        # Widths beyond the layer's cannot be stored; a hair less, so that there is one to blend with above.
        most = self.row.bits - 1e-3
        np.minimum(width, np.float32(most), out=width)
        grad = self.grads["weight_width"]
        # By shares of itself: a rate that suits weights would take thousands of steps from 8 bits to 4.
        return (Parameter("weight_width", width, grad, limit=most, floor=_LEAST_BITS, relative=True),)

    def metrics(self) -> dict[str, float]:
        return {"bits": float(self.arrays["weight_width"][0])}

    @property
    def _bits(self) -> tuple[int, float]:
        width = min(max(float(self.arrays["weight_width"][0]), _LEAST_BITS), self.row.bits - 1e-3)
        return math.floor(width), width - math.floor(width)

    @staticmethod
    def _at(w: F32, bits: int) -> Quantized:
        high = np.float32(2 ** (bits - 1) - 1)
        steps = (np.abs(w).max(axis=1, initial=0) / high + _TINY).astype(np.float32)
        levels = np.clip(np.rint(w / steps[:, None]), -high, high).astype(np.float32)
        return Quantized(levels, steps, bits=bits)


def _counted(quantized: Quantized) -> F32:
    counted: F32 = quantized.values * quantized.scale[:, None]
    return counted


def _enter(key: str, price: float) -> None:
    @WEIGHT_QUANTIZERS.option(
        f"fractional_bits_{key}",
        f"Learned width, {price:g} a bit (FracBits)",
        formula="(1 - f) Q_n(w) + f Q_n+1(w), n + f = b, Q_n levels of n bits up to max|w| of the output; "
        f"b learned from the layer's width, dL/db = sum g (Q_n+1 - Q_n) + {price:g}; from share 1/2 on "
        "round(b) bits; dL/dw = g",
        citation="Yang & Jin 2020, arXiv:2007.02017",
        group=GROUP,
    )
    class _Entered(_Fractional):
        pass

    _Entered.price = price


_enter("cheap", 0.001)
_enter("dear", 0.01)
