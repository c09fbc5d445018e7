"""Activations of 16 bits."""

from __future__ import annotations

from typing import ClassVar

from ...levels import to_bfloat16
from ...ports import F32, Array
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer


@ACTIVATION_QUANTIZERS.option(
    "bfloat16",
    "bfloat16",
    formula="x rounded to 8 bits of mantissa, halves to even; the exponents of float32; dL/dx = g",
    citation="Kalamkar et al. 2019, arXiv:1905.12322",
    group="Small floats",
)
class BFloat16(ActivationQuantizer):
    """Half the bits of a float with its whole range; multiplied as float32."""

    serves: ClassVar[tuple[str, ...]] = ("16",)
    per_element: ClassVar[bool] = True

    def quantize(self, x: F32, out: Array) -> Array:
        out[...] = to_bfloat16(x)
        return out

    def gradient(self, x: F32, grad: F32) -> F32:
        return grad
