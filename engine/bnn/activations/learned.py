"""Activations of 2 to 8 bits whose clip, step, offset or interval is trained with the weights."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...node import Parameter
from ...ports import F32, Array, Arrays, Spec
from ...precision import Precision
from .fixed import WIDTHS
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer
from .standard import Standard

GROUP = "Learned ranges and steps"
_LEAST = np.float32(1e-6)
_UNSET = -100.0  # a logarithm that no threshold has: the first batch sets it


class Clipped(ActivationQuantizer):
    """Unsigned levels up to a clip, 0 until the first batch sets it."""

    unsigned: ClassVar[bool] = True
    per_element: ClassVar[bool] = True
    least: ClassVar[np.float32] = _LEAST  # a clip that ships is no smaller

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads["input_clip"] = np.zeros(1, np.float32)

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"input_clip": np.zeros(1, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"input_clip": np.maximum(arrays["input_clip"], cls.least)}


@ACTIVATION_QUANTIZERS.option(
    "pact",
    "Learned clip (PACT)",
    formula="clip(x, 0, a) in 2^bits - 1 steps, a learned from the largest of the first batch; "
    "dL/da = sum of g where x >= a, dL/dx = g where 0 <= x < a",
    citation="Choi et al. 2018, arXiv:1805.06085",
    group=GROUP,
)
class PACT(Clipped):
    """Unsigned levels up to a learned clip."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS

    @property
    def step(self) -> float:
        return float(max(self.arrays["input_clip"][0], _LEAST)) / self.high

    def observe(self, x: F32) -> None:
        if self.arrays["input_clip"][0] <= 0:
            self.arrays["input_clip"][0] = max(float(x.max(initial=0)), 1e-3)

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x, self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        clip = max(self.arrays["input_clip"][0], _LEAST)
        self.grads["input_clip"][0] = grad[x >= clip].sum(dtype=np.float64)
        return np.where((x >= 0) & (x < clip), grad, np.float32(0))

    def parameters(self) -> tuple[Parameter, ...]:
        clip = self.arrays["input_clip"]
        return (Parameter("input_clip", clip, self.grads["input_clip"], floor=1e-3, relative=True),)


@ACTIVATION_QUANTIZERS.option(
    "lsq_unsigned",
    "Learned step, from 0 up (LSQ)",
    formula="s clip(round(x / s), 0, 2^bits - 1), s learned; dq/ds as in the standard",
    citation="Esser et al. 2020, arXiv:1902.08153",
    group=GROUP,
)
class LSQUnsigned(Standard):
    """The learned step for activations that are never below 0, as behind a ReLU."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    unsigned: ClassVar[bool] = True


@ACTIVATION_QUANTIZERS.option(
    "lsq_plus",
    "Learned step and offset (LSQ+)",
    formula="s clip(round((x - b) / s), 0, n) + b, n = 2^bits - 1, from s = (max - min) / n, b = min; "
    "dq/ds as LSQ, dq/db = 1 where clipped, both times 1 / sqrt(N n)",
    citation="Bhalgat et al. 2020, arXiv:2004.09576",
    group=GROUP,
)
class LSQPlus(ActivationQuantizer):
    """Unsigned levels above a learned lowest value."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    unsigned: ClassVar[bool] = True
    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads.update({name: np.zeros(1, np.float32) for name in ("step", "input_offset")})

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"step": np.zeros(1, np.float32), "input_offset": np.zeros(1, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"step": np.maximum(arrays["step"], _LEAST), "input_offset": arrays["input_offset"].copy()}

    @property
    def step(self) -> float:
        return float(max(self.arrays["step"][0], _LEAST))

    @property
    def offset(self) -> float | None:
        return float(self.arrays["input_offset"][0])

    def observe(self, x: F32) -> None:
        if self.arrays["step"][0] <= 0 and x.size:
            low, high = float(x.min()), float(x.max())
            self.arrays["step"][0] = max((high - low) / self.high, float(_LEAST))
            self.arrays["input_offset"][0] = low

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x - self.arrays["input_offset"], self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        v = (x - self.arrays["input_offset"]) / np.float32(self.step)
        low, high = v <= 0, v >= self.high
        outside = low | high
        slope = np.where(low, np.float32(0), np.where(high, np.float32(self.high), np.rint(v) - v))
        scale = 1.0 / math.sqrt(x[0].size * self.high) if len(x) else 0.0
        self.grads["step"][0] = (grad * slope).sum(dtype=np.float64) * scale
        self.grads["input_offset"][0] = grad[outside].sum(dtype=np.float64) * scale
        return np.where(outside, np.float32(0), grad)

    def parameters(self) -> tuple[Parameter, ...]:
        floors = {"step": float(_LEAST), "input_offset": None}
        return tuple(
            Parameter(n, self.arrays[n], g, floor=floors[n], relative=n == "step")
            for n, g in self.grads.items()
        )


@ACTIVATION_QUANTIZERS.option(
    "qil",
    "Learned interval (QIL)",
    formula="round(n clip((x - c + d) / (2 d), 0, 1)) / n, n = 2^bits - 1; c and d learned from half the "
    "largest of the first batch; the gradient passes inside",
    citation="Jung et al. 2018, arXiv:1808.05779",
    group=GROUP,
)
class QIL(ActivationQuantizer):
    """Unsigned levels spread over the interval from c - d to c + d; they count from 0 to 1 whatever it is."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    unsigned: ClassVar[bool] = True
    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads.update({name: np.zeros(1, np.float32) for name in ("input_middle", "input_reach")})

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"input_middle": np.zeros(1, np.float32), "input_reach": np.zeros(1, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        middle, reach = arrays["input_middle"], np.maximum(arrays["input_reach"], _LEAST)
        return {"input_middle": middle.copy(), "input_reach": reach}

    @property
    def step(self) -> float:
        return 1.0 / self.high

    def observe(self, x: F32) -> None:
        if self.arrays["input_reach"][0] <= 0:
            half = max(float(x.max(initial=0)) / 2, 1e-3)
            self.arrays["input_middle"][0] = self.arrays["input_reach"][0] = half

    def quantize(self, x: F32, out: Array) -> Array:
        middle, reach = self._interval
        return self.levels(x - (middle - reach), 2.0 * float(reach) / self.high, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        middle, reach = self._interval
        inside = (x > middle - reach) & (x < middle + reach)
        passed: F32 = np.where(inside, grad, np.float32(0))
        passed /= np.float32(2) * reach
        self.grads["input_middle"][0] = -passed.sum(dtype=np.float64)
        self.grads["input_reach"][0] = (passed * (middle - x)).sum(dtype=np.float64) / reach
        return passed

    def parameters(self) -> tuple[Parameter, ...]:
        floors = {"input_middle": None, "input_reach": 1e-3}
        return tuple(Parameter(n, self.arrays[n], g, floor=floors[n]) for n, g in self.grads.items())

    @property
    def _interval(self) -> tuple[np.float32, np.float32]:
        return self.arrays["input_middle"][0], max(self.arrays["input_reach"][0], _LEAST)


@ACTIVATION_QUANTIZERS.option(
    "tqt",
    "Learned threshold, power-of-two step (TQT)",
    formula="s = 2^ceil(log2 t) / 2^(bits - 1), log2 t learned from the largest |x| of the first batch; "
    "dq/d(log2 t) = s ln2 times round(x / s) - x / s inside, low or high outside",
    citation="Jain et al. 2019, arXiv:1903.08066",
    group=GROUP,
)
class TQT(ActivationQuantizer):
    """Signed levels with steps that stay powers of two."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads["input_log_threshold"] = np.zeros(1, np.float32)

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"input_log_threshold": np.full(1, _UNSET, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"input_log_threshold": arrays["input_log_threshold"].copy()}

    @property
    def step(self) -> float:
        return 2.0 ** math.ceil(float(self.arrays["input_log_threshold"][0])) / -self.row.low

    def observe(self, x: F32) -> None:
        if self.arrays["input_log_threshold"][0] <= _UNSET:
            self.arrays["input_log_threshold"][0] = math.log2(max(float(np.abs(x).max(initial=0)), 1e-6))

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x, self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        v = x / np.float32(self.step)
        rounded = np.rint(v)
        low, high = rounded < self.low, rounded > self.high
        slope = np.where(low, np.float32(self.low), np.where(high, np.float32(self.high), rounded - v))
        total = (grad * slope).sum(dtype=np.float64) * self.step * math.log(2)
        self.grads["input_log_threshold"][0] = total
        return np.where(low | high, np.float32(0), grad)
