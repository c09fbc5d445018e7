"""Weights whose sums are bound to fit an accumulator of few bits, by a learned norm (A2Q)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .learned import GROUP
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

_LEAST = np.float32(1e-6)
_LN2 = np.float32(math.log(2))


class _A2Q(WeightQuantizer):
    """Base: bounds the sum of an output's level sizes: no sum with 8-bit inputs leaves the accumulator.

    Norm g and step s are learned by their logarithms; truncation passes the gradient within the levels, and
    the norm that divides is differentiated as well. A narrow accumulator below many inputs leaves each level
    little: with 1,024 inputs 16 bits let one weight in eight be 1, which seldom trains from nothing.
    """

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4", "8")
    bound: ClassVar[float]
    trained: ClassVar[tuple[str, ...]] = ("weight_log_norm", "weight_log_step")

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        norm, largest = np.abs(w).sum(axis=1), np.abs(w).max(axis=1, initial=0)
        step = np.maximum(largest / row.high, _LEAST)
        # A hair above the norm, so that truncation leaves the largest weight on the highest level.
        log_norm, log_step = np.log2(np.maximum(norm, _LEAST)) + 1e-3, np.log2(step)
        return {
            "weight_log_norm": log_norm.astype(np.float32),
            "weight_log_step": log_step.astype(np.float32),
        }

    def quantize(self, w: F32) -> Quantized:
        _, levels, _ = self._levels(w)
        return Quantized(levels, np.exp2(self.arrays["weight_log_step"]).astype(np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        unit, levels, ratio = self._levels(w)
        step = np.exp2(self.arrays["weight_log_step"])
        cap = np.minimum(ratio, np.float32(self.bound))
        real = unit * cap[:, None]
        inside = (real > self.row.low - 1) & (real < self.row.high + 1)
        passed = np.where(inside, grad * step[:, None], np.float32(0))
        along = (passed * unit).sum(axis=1)
        # Where the bound holds, the norm has no say and the step only scales.
        of_ratio = np.where(ratio < self.bound, along * ratio * _LN2, np.float32(0))
        self.grads["weight_log_norm"][...] = of_ratio
        self.grads["weight_log_step"][...] = (grad * levels).sum(axis=1) * step * _LN2 - of_ratio
        norm = np.maximum(np.abs(w).sum(axis=1, keepdims=True), _LEAST)
        back: F32 = (passed - np.sign(w) * along[:, None]) * cap[:, None] / norm
        return back.astype(np.float32)

    def _levels(self, w: F32) -> tuple[F32, F32, F32]:
        """Return w over its norm, the levels, and g / s of each output."""
        unit = w / np.maximum(np.abs(w).sum(axis=1, keepdims=True), _LEAST)
        ratio = np.exp2(self.arrays["weight_log_norm"] - self.arrays["weight_log_step"]).astype(np.float32)
        real = np.trunc(unit * np.minimum(ratio, np.float32(self.bound))[:, None])
        return unit, np.clip(real, self.row.low, self.row.high).astype(np.float32), ratio


def _enter(bits: int) -> None:
    @WEIGHT_QUANTIZERS.option(
        f"a2q_{bits}",
        f"Accumulator-aware, {bits} bits (A2Q)",
        formula="s clip(trunc(min(g / s, T) w / |w|_1)), |w|_1 of the output, g and s learned for each, "
        f"T = (2^{bits - 1} - 1) / 2^8",
        citation="Colbert et al. 2023, arXiv:2308.13504",
        group=GROUP,
    )
    class _Bounded(_A2Q):
        bound: ClassVar[float] = (2.0 ** (bits - 1) - 1) / 2.0**8


for _bits in (16, 20, 24):
    _enter(_bits)
