"""The standard of each width: the sign, levels with a learned step, half floats, or the floats themselves."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...node import Parameter
from ...ports import F32, Array, Arrays, Spec
from ...precision import PRECISIONS, Precision
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

_LEAST_STEP = np.float32(1e-6)


@ACTIVATION_QUANTIZERS.option(
    "standard",
    "Standard of the width",
    formula="1: sign(x); T to 8: s clip(round(x / s), low, high), s learned; 16: IEEE half; 32: x",
    citation="Hubara et al. 2016, arXiv:1602.02830; Esser et al. 2020, arXiv:1902.08153",
)
class Standard(ActivationQuantizer):
    """Sign at 1 bit, learned step size (LSQ) at ternary to 8 bits, floats above.

    Source of the step's gradient and of its start 2 mean|x| / sqrt(high): Esser et al. 2020.
    """

    serves: ClassVar[tuple[str, ...]] = tuple(PRECISIONS)
    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        if row.store == "planes":
            self.grads["step"] = np.zeros(1, np.float32)

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        # The step is 0 until the first batch says what it should be.
        return {"step": np.zeros(1, np.float32)} if row.store == "planes" else {}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"step": np.maximum(arrays["step"], _LEAST_STEP)} if row.store == "planes" else {}

    @property
    def step(self) -> float:
        return float(max(self.arrays["step"][0], _LEAST_STEP)) if self.row.store == "planes" else 1.0

    def observe(self, x: F32) -> None:
        if self.row.store == "planes" and self.arrays["step"][0] <= 0:
            start = 2 * float(np.abs(x).mean()) / np.sqrt(self.high)
            self.arrays["step"][0] = max(start, _LEAST_STEP)

    def quantize(self, x: F32, out: Array) -> Array:
        if self.row.store == "single":
            return x
        if self.row.store == "half":
            out[...] = x.astype(np.float16)
            return out
        return self.signs(x, out) if self.row.binary else self.levels(x, self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        if self.row.is_float:
            return grad
        if self.row.binary:
            return self.estimated(x, grad)
        v = x / np.float32(self.step)
        low, high = v <= self.low, v >= self.high
        slope = np.where(low, self.low, np.where(high, self.high, np.rint(v) - v)).astype(np.float32)
        scale = 1.0 / np.sqrt(x[0].size * self.high) if len(x) else 0.0
        self.grads["step"][0] = np.float32((grad * slope).sum(dtype=np.float64) * scale)
        return np.where(low | high, np.float32(0), grad)

    def parameters(self) -> tuple[Parameter, ...]:
        least = float(_LEAST_STEP)
        return tuple(
            Parameter(n, self.arrays[n], g, floor=least, relative=True) for n, g in self.grads.items()
        )
