"""Evenly spaced levels whose step follows the weights: the observers of quantization toolkits.

Every one serves 2 to 8 bits. The gradient passes within the range of the levels and stops outside.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32
from ..ranges import kl_range, mse_scale
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Steps that follow the weights"
_TINY = np.float32(1e-12)
WIDTHS = ("2", "3", "4", "8")


class Uniform(WeightQuantizer):
    """Base: s round(w / s) within the levels, s by `steps`."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS

    def steps(self, w: F32) -> F32:
        """Return the step of each output, float32 (outputs,), above 0."""
        raise NotImplementedError

    _taken: F32 | None = None  # the steps of the last `quantize`: a search is not made again for the way back

    def quantize(self, w: F32) -> Quantized:
        steps = self._taken = self.steps(w)
        levels = np.clip(np.rint(w / steps[:, None]), self.row.low, self.row.high)
        return Quantized(levels.astype(np.float32), steps)

    def gradient(self, w: F32, grad: F32) -> F32:
        steps = self.steps(w) if self._taken is None else self._taken
        v = w / steps[:, None]
        return np.where((v >= self.row.low - 0.5) & (v <= self.row.high + 0.5), grad, np.float32(0))

    def spread(self, step: float | F32, outputs: int) -> F32:
        """Return one step for all outputs, float32 (outputs,)."""
        return np.full(outputs, max(np.float32(step), _TINY), np.float32)


@WEIGHT_QUANTIZERS.option(
    "min_max",
    "Largest weight, narrow range",
    formula="s round(w / s), s = max|w| / high of the output; levels -high to high",
    group=GROUP,
)
class MinMax(Uniform):
    """Nothing is clipped and the lowest level is never taken (narrow range)."""

    def steps(self, w: F32) -> F32:
        found: F32 = np.abs(w).max(axis=1, initial=0) / np.float32(self.row.high) + _TINY
        return found


@WEIGHT_QUANTIZERS.option(
    "min_max_layer",
    "Largest weight of the layer",
    formula="s round(w / s), s = max|w| / high of the whole layer",
    group=GROUP,
)
class MinMaxLayer(MinMax):
    """One step for the layer."""

    def steps(self, w: F32) -> F32:
        return self.spread(np.abs(w).max(initial=0) / self.row.high, len(w))


@WEIGHT_QUANTIZERS.option(
    "power_of_two_step",
    "Power-of-two step",
    formula="s round(w / s), s = 2^ceil(log2(max|w| / high)) of the output",
    group=GROUP,
)
class PowerOfTwoStep(MinMax):
    """Steps that are shifts, rounded up so that nothing is clipped."""

    def steps(self, w: F32) -> F32:
        return np.exp2(np.ceil(np.log2(super().steps(w)))).astype(np.float32)


@WEIGHT_QUANTIZERS.option(
    "percentile",
    "99th percentile",
    formula="s round(w / s), s = (99th percentile of |w|) / high of the output",
    group=GROUP,
)
class Percentile(Uniform):
    """The largest hundredth of an output's weights is clipped."""

    def steps(self, w: F32) -> F32:
        found: F32 = np.percentile(np.abs(w), 99, axis=1).astype(np.float32) / np.float32(self.row.high)
        return found + _TINY


@WEIGHT_QUANTIZERS.option(
    "three_sigma",
    "Mean and three deviations",
    formula="s round(w / s), s = (|mean(w)| + 3 std(w)) / high of the output",
    group=GROUP,
)
class ThreeSigma(Uniform):
    """Clips what lies beyond three standard deviations."""

    def steps(self, w: F32) -> F32:
        reach = np.abs(w.mean(axis=1)) + np.float32(3) * w.std(axis=1)
        steps: F32 = reach / np.float32(self.row.high) + _TINY
        return steps


@WEIGHT_QUANTIZERS.option(
    "least_error",
    "Step of least squared error",
    formula="s round(w / s), s of least squared error of the output among 24 parts of max|w| / high",
    group=GROUP,
)
class LeastError(Uniform):
    """A search over steps from a quarter of the largest to the largest; slower than the others."""

    def steps(self, w: F32) -> F32:
        return mse_scale(w, self.row.low, self.row.high) + _TINY


@WEIGHT_QUANTIZERS.option(
    "entropy",
    "Threshold of least divergence",
    formula="s round(w / s), s = t / high; t of least KL divergence of the histogram of |w| from its levels",
    group=GROUP,
)
class Entropy(Uniform):
    """One step for the layer by the calibration of post-training toolkits (`ranges.kl_range`)."""

    def steps(self, w: F32) -> F32:
        return self.spread(kl_range(w, self.row.high) / self.row.high, len(w))


@WEIGHT_QUANTIZERS.option(
    "affine",
    "Smallest to largest, with offset",
    formula="b + s (level - low), s = (max(w) - min(w)) / (2^bits - 1), b = min(w), of the output",
    group=GROUP,
)
class Affine(WeightQuantizer):
    """All levels between the smallest and the largest weight of each output; nothing is clipped."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    offsets: ClassVar[bool] = True

    def quantize(self, w: F32) -> Quantized:
        low, high = w.min(axis=1), w.max(axis=1)
        steps = ((high - low) / np.float32(self.row.high - self.row.low) + _TINY).astype(np.float32)
        place = np.rint((w - low[:, None]) / steps[:, None]) + self.row.low
        levels = np.clip(place, self.row.low, self.row.high).astype(np.float32)
        return Quantized(levels, steps, (low - steps * np.float32(self.row.low)).astype(np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad


_SAWB = {"2": (3.12, 2.064), "3": (7.509, 6.892), "4": (12.68, 12.80), "8": (31.76, 35.04)}


@WEIGHT_QUANTIZERS.option(
    "sawb",
    "Statistics-aware binning (SAWB)",
    formula="levels evenly from -a to a, a = c1 sqrt(E w^2) - c2 E|w| over the layer; "
    "c = 3.12, 2.064 at 2 bits, 7.509, 6.892 at 3, 12.68, 12.80 at 4, 31.76, 35.04 at 8",
    citation="Choi et al. 2018, arXiv:1807.06964",
    group=GROUP,
)
class SAWB(WeightQuantizer):
    """The range of least error for common shapes of weights, from two moments; constants as in fms-mo of IBM.

    All 2^bits levels are taken, so none of them is 0.
    """

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    offsets: ClassVar[bool] = True

    def quantize(self, w: F32) -> Quantized:
        reach, count = self.reach(w), self.row.high - self.row.low
        step = np.float32(2 * reach / count)
        levels = np.clip(np.rint((w + np.float32(reach)) / step), 0, count) + self.row.low
        # The lowest level counts -a.
        offset = np.full(len(w), -reach - step * self.row.low, np.float32)
        return Quantized(levels.astype(np.float32), np.full(len(w), step, np.float32), offset)

    def gradient(self, w: F32, grad: F32) -> F32:
        return np.where(np.abs(w) <= self.reach(w), grad, np.float32(0))

    def reach(self, w: F32) -> float:
        """Return the range a of the layer; at least the mean size, where no common shape has such moments."""
        c1, c2 = _SAWB[self.row.key]
        size = float(np.abs(w).mean(dtype=np.float64))
        found = c1 * float(np.sqrt((w.astype(np.float64) ** 2).mean())) - c2 * size
        return max(found, size, 1e-12)
