"""Weights with a step, a threshold or an interval that is trained with them: LSQ and its relatives."""

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
        least = float(_LEAST)
        return tuple(
            Parameter(n, self.arrays[n], g, floor=least, relative=True) for n, g in self.grads.items()
        )


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
        passed: F32 = np.where(inside, grad, np.float32(0))
        passed /= np.float32(2) * reach
        outward = passed * np.sign(w)
        self.grads["weight_middle"][0] = -outward.sum(dtype=np.float64)
        self.grads["weight_reach"][0] = (outward * (middle - np.abs(w))).sum(dtype=np.float64) / reach
        return passed

    def parameters(self) -> tuple[Parameter, ...]:
        floors = {"weight_middle": None, "weight_reach": 1e-3}
        return tuple(
            Parameter(n, self.arrays[n], g, floor=floors[n], relative=True) for n, g in self.grads.items()
        )

    @property
    def _interval(self) -> tuple[np.float32, np.float32]:
        return self.arrays["weight_middle"][0], self.arrays["weight_reach"][0]

    def _place(self, w: F32) -> F32:
        """Return where |w| lies in the interval: 0 at its lower end, 1 at its upper."""
        middle, reach = self._interval
        place: F32 = (np.abs(w) - middle + reach) / (2 * reach)
        return place
