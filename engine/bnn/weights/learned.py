"""Weights with a step that is trained with them: LSQ and its relatives, and A2Q with a learned norm."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...node import Parameter
from ...ports import F32, Arrays
from ...precision import Precision
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Learned steps"
_LEAST = np.float32(1e-6)
_LN2 = np.float32(math.log(2))


@WEIGHT_QUANTIZERS.option(
    "lsq",
    "Learned step (LSQ)",
    formula="s clip(round(w / s), low, high), s learned for the layer from 2 mean|w| / sqrt(high); "
    "dq/ds = round(w / s) - w / s inside, low or high outside, times 1 / sqrt(N high)",
    citation="Esser et al. 2020, arXiv:1902.08153",
    group=GROUP,
)
class LSQ(WeightQuantizer):
    """One learned step for the layer."""

    serves: ClassVar[tuple[str, ...]] = ("ternary", "2", "3", "4", "8")
    trained: ClassVar[tuple[str, ...]] = ("weight_step",)

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_step": np.array([max(cls.first(row, w), _LEAST)], np.float32)}

    @classmethod
    def first(cls, row: Precision, w: F32) -> float:
        """Return the step to start from, for latent weights."""
        return 2 * float(np.abs(w).mean(dtype=np.float64)) / math.sqrt(row.high)

    @property
    def steps(self) -> F32:
        """Return the steps, float32 (1,) or (outputs,)."""
        found: F32 = np.maximum(self.arrays["weight_step"], _LEAST)
        return found

    def quantize(self, w: F32) -> Quantized:
        steps = self.steps
        levels = np.clip(np.rint(w / steps[:, None]), self.row.low, self.row.high)
        return Quantized(levels.astype(np.float32), np.broadcast_to(steps, len(w)).copy())

    def gradient(self, w: F32, grad: F32) -> F32:
        row, v = self.row, w / self.steps[:, None]
        low, high = v <= row.low, v >= row.high
        slope = grad * np.where(low, row.low, np.where(high, row.high, np.rint(v) - v))
        found = self.grads["weight_step"]
        together = w.size // len(found)
        found[...] = slope.reshape(len(found), -1).sum(axis=1) / math.sqrt(together * row.high)
        return np.where(low | high, np.float32(0), grad)

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(n, self.arrays[n], g, floor=float(_LEAST)) for n, g in self.grads.items())


@WEIGHT_QUANTIZERS.option(
    "lsq_output",
    "Learned step for each output",
    formula="as LSQ, with a step for each output",
    citation="Esser et al. 2020, arXiv:1902.08153",
    group=GROUP,
)
class LSQOutput(LSQ):
    """A learned step for each output: the same rule, N the weights of one output."""

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        first = 2 * np.abs(w).mean(axis=1) / math.sqrt(row.high)
        return {"weight_step": np.maximum(first, _LEAST).astype(np.float32)}


@WEIGHT_QUANTIZERS.option(
    "lsq_plus",
    "Learned step from three deviations (LSQ+)",
    formula="as LSQ, the step from max(|m - 3 d|, |m + 3 d|) / 2^(bits - 1), m and d mean and deviation of w",
    citation="Bhalgat et al. 2020, arXiv:2004.09576",
    group=GROUP,
)
class LSQPlus(LSQ):
    """LSQ with another start; the learned offset of the paper is for activations."""

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4", "8")

    @classmethod
    def first(cls, row: Precision, w: F32) -> float:
        mean, deviation = float(w.mean(dtype=np.float64)), float(w.std(dtype=np.float64))
        return max(abs(mean - 3 * deviation), abs(mean + 3 * deviation)) / -row.low


@WEIGHT_QUANTIZERS.option(
    "tqt",
    "Learned threshold, power-of-two step (TQT)",
    formula="s = 2^ceil(log2 t) / 2^(bits - 1), log2 t learned from max|w|; dq/d(log2 t) = s ln2 times "
    "round(w / s) - w / s inside, low or high outside",
    citation="Jain et al. 2019, arXiv:1903.08066",
    group=GROUP,
)
class TQT(WeightQuantizer):
    """Steps that stay powers of two while their logarithm is trained."""

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4", "8")
    trained: ClassVar[tuple[str, ...]] = ("weight_log_threshold",)

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_log_threshold": np.array([math.log2(float(np.abs(w).max(initial=1e-6)))], np.float32)}

    @property
    def step(self) -> np.float32:
        """Return the step of the layer."""
        return np.float32(2.0 ** math.ceil(float(self.arrays["weight_log_threshold"][0])) / -self.row.low)

    def quantize(self, w: F32) -> Quantized:
        levels = np.clip(np.rint(w / self.step), self.row.low, self.row.high)
        return Quantized(levels.astype(np.float32), np.full(len(w), self.step, np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        row, v = self.row, w / self.step
        rounded = np.rint(v)
        low, high = rounded < row.low, rounded > row.high
        slope = np.where(low, row.low, np.where(high, row.high, rounded - v))
        total = (grad * slope).sum(dtype=np.float64) * float(self.step) * float(_LN2)
        self.grads["weight_log_threshold"][0] = total
        return np.where(low | high, np.float32(0), grad)


@WEIGHT_QUANTIZERS.option(
    "qil",
    "Learned interval (QIL)",
    formula="sign(w) round(n t) / n, t = clip((|w| - c + d) / (2 d), 0, 1), n = high; c and d learned for "
    "the layer from max|w| / 2; the gradient passes t inside",
    citation="Jung et al. 2018, arXiv:1808.05779",
    group=GROUP,
)
class QIL(WeightQuantizer):
    """Prunes what lies below the interval from c - d to c + d, clips what lies above; exponent 1."""

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4", "8")
    trained: ClassVar[tuple[str, ...]] = ("weight_middle", "weight_reach")

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        half = np.array([max(float(np.abs(w).max(initial=0)) / 2, 1e-3)], np.float32)
        return {"weight_middle": half, "weight_reach": half.copy()}

    def quantize(self, w: F32) -> Quantized:
        levels = np.sign(w) * np.rint(np.clip(self._place(w), 0, 1) * np.float32(self.row.high))
        return Quantized(levels.astype(np.float32), np.full(len(w), 1 / self.row.high, np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        middle, reach = self._interval
        place = self._place(w)
        inside = (place > 0) & (place < 1)
        passed: F32 = np.where(inside, grad, np.float32(0)) / np.float32(2 * reach)
        outward = passed * np.sign(w)
        self.grads["weight_middle"][0] = -outward.sum(dtype=np.float64)
        self.grads["weight_reach"][0] = (outward * (middle - np.abs(w))).sum(dtype=np.float64) / reach
        return passed

    def parameters(self) -> tuple[Parameter, ...]:
        floors = {"weight_middle": None, "weight_reach": 1e-3}
        return tuple(Parameter(n, self.arrays[n], g, floor=floors[n]) for n, g in self.grads.items())

    @property
    def _interval(self) -> tuple[np.float32, np.float32]:
        return self.arrays["weight_middle"][0], self.arrays["weight_reach"][0]

    def _place(self, w: F32) -> F32:
        """Return where |w| lies in the interval: 0 at its lower end, 1 at its upper."""
        middle, reach = self._interval
        place: F32 = (np.abs(w) - middle + reach) / (2 * reach)
        return place


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
