"""Activations of uneven levels: sums of powers of two, and binary bases of what is left over."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...kernels.floats import row_sums
from ...kernels.jit import plain
from ...node import Parameter
from ...options import F64
from ...ports import F32, Array, Arrays
from ...precision import PRECISIONS, Precision
from ..uneven import nearest, sums_of_powers
from .learned import Clipped
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

GROUP = "Uneven levels"
_LEAST = np.float32(1e-3)


@ACTIVATION_QUANTIZERS.option(
    "apot",
    "Sums of powers of two (APoT)",
    formula="a p(clip(x / a, 0, 1)), a learned from mean and three deviations of the first batch; p: the "
    "nearest of {0, 1, 2, 4} / 4 at 2 bits, {0, 1, 2, 3, 4, 6, 8, 10} / 10 at 3, sums of {0, 2, 8, 32} and "
    "{0, 1, 4, 16} over 48 at 4; da = p(v) - v inside, 1 above",
    citation="Li et al. 2019, arXiv:1909.13144",
    group=GROUP,
)
class APoT(Clipped):
    """Unsigned levels that add at most two shifts; multiplied as whole numbers of 8 bits."""

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4")
    multiplied_as: ClassVar[str] = "8"
    least: ClassVar[np.float32] = _LEAST

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self._sizes = sums_of_powers(row.bits)

    @property
    def step(self) -> float:
        return float(self._clip / self._sizes[-1])

    def observe(self, x: F32) -> None:
        if self.arrays["input_clip"][0] <= 0 and x.size:
            reach = float(x.mean(dtype=np.float64)) + 3 * float(x.std(dtype=np.float64))
            self.arrays["input_clip"][0] = max(reach, float(_LEAST))

    def quantize(self, x: F32, out: Array) -> Array:
        out[...] = nearest(x / np.float32(self.step), self._sizes)
        return out

    def gradient(self, x: F32, grad: F32) -> F32:
        v, largest = x / self._clip, self._sizes[-1]
        inside = (v > 0) & (v < 1)
        slope = np.where(inside, nearest(v * largest, self._sizes) / largest - v, v >= 1)
        self.grads["input_clip"][0] = (grad * slope).sum(dtype=np.float64)
        return np.where(inside, grad, np.float32(0))

    def parameters(self) -> tuple[Parameter, ...]:
        clip = self.arrays["input_clip"]
        return (Parameter("input_clip", clip, self.grads["input_clip"], floor=float(_LEAST), relative=True),)

    @property
    def _clip(self) -> np.float32:
        return max(self.arrays["input_clip"][0], _LEAST)


def _as_one_record(xs: F64) -> tuple[F64, F64]:
    """Return what two bases make of the xs as the numbers of one record, and the gradient there."""
    quantizer, x = Residual(PRECISIONS["2"], {}, "clipped"), xs.astype(np.float32)[None]
    quantizer.without_compiler()
    forward, gradient = quantizer.quantize(x, np.empty_like(x)), quantizer.gradient(x, np.ones_like(x))
    return forward[0].astype(np.float64), gradient[0].astype(np.float64)


@ACTIVATION_QUANTIZERS.option(
    "residual_2",
    "2 bases of residuals (HORQ)",
    formula="b1 sign(x) + b2 sign(x - b1 sign(x)), b1 = mean|x| and b2 = mean|x - b1 sign(x)| of the record; "
    "dL/dx = STE(g); multiplied as floats",
    citation="Li et al. 2017, arXiv:1708.08687",
    group=GROUP,
    curve=_as_one_record,
)
class Residual(ActivationQuantizer):
    """Two bits a number, with scales that each record sets: what they count is no whole number of anything.

    The paper takes the scales of each window of a convolution; here they are those of the record.
    """

    serves: ClassVar[tuple[str, ...]] = ("2",)
    multiplied_as: ClassVar[str] = "32"

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self._sums = row_sums

    def quantize(self, x: F32, out: Array) -> Array:
        rest = np.ascontiguousarray(x, np.float32).reshape(len(x), -1)
        total = np.zeros_like(rest)
        for _ in range(2):
            size = np.empty(len(rest), np.float32)
            self._sums(np.abs(rest), size)
            base = np.where(rest >= 0, np.float32(1), np.float32(-1)) * (
                size * np.float32(1 / max(1, rest.shape[1]))
            ).reshape(-1, 1)
            total, rest = total + base, rest - base
        out[...] = total.reshape(x.shape)
        return out

    def gradient(self, x: F32, grad: F32) -> F32:
        return self.estimated(x, grad)

    def without_compiler(self) -> None:
        super().without_compiler()
        self._sums = plain(row_sums)
