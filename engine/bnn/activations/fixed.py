"""Activations of 2 to 8 bits and ternary whose range is fixed from the start."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...ports import F32, Array
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

GROUP = "Fixed ranges"
WIDTHS = ("2", "3", "4", "8")


@ACTIVATION_QUANTIZERS.option(
    "ste_tern",
    "Fixed threshold 0.05 (Larq)",
    formula="sign(x) where |x| > 0.05, else 0; dL/dx = g where |x| <= 1",
    group=GROUP,
)
class FixedThreshold(ActivationQuantizer):
    """Ternary activations; `SteTern` of the library Larq with its default threshold."""

    serves: ClassVar[tuple[str, ...]] = ("ternary",)
    per_element: ClassVar[bool] = True

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x, 0.1, out)  # rounds to 0 up to half of it

    def gradient(self, x: F32, grad: F32) -> F32:
        return np.where(np.abs(x) <= 1, grad, np.float32(0))


@ACTIVATION_QUANTIZERS.option(
    "dorefa",
    "0 to 1 (DoReFa)",
    formula="round(n clip(x, 0, 1)) / n, n = 2^bits - 1; dL/dx = g where 0 <= x <= 1",
    citation="Zhou et al. 2016, arXiv:1606.06160",
    group=GROUP,
)
class DoReFa(ActivationQuantizer):
    """Unsigned levels from 0 to 1."""

    serves: ClassVar[tuple[str, ...]] = WIDTHS
    unsigned: ClassVar[bool] = True
    per_element: ClassVar[bool] = True

    @property
    def step(self) -> float:
        return 1.0 / self.high

    def quantize(self, x: F32, out: Array) -> Array:
        return self.levels(x, self.step, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        return np.where((x >= 0) & (x <= np.float32(self.high * self.step)), grad, np.float32(0))


_HALF_WAVE = {"2": 0.538, "3": 0.3217, "4": 0.185, "8": 0.019}


@ACTIVATION_QUANTIZERS.option(
    "hwgq",
    "Half-wave Gaussian (HWGQ)",
    formula="s round(clip(x, 0, s n) / s), n = 2^bits - 1, s = 0.538, 0.3217, 0.185, 0.019 at 2, 3, 4, 8 "
    "bits; dL/dx = g where 0 <= x <= s n",
    citation="Cai et al. 2017, arXiv:1702.00953",
    group=GROUP,
)
class HWGQ(DoReFa):
    """The steps of least error for the positive half of a normal distribution: wants a batch norm before it.

    Steps as in the code of EdMIPS.
    """

    @property
    def step(self) -> float:
        return _HALF_WAVE[self.row.key]
