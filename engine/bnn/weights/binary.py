"""Signs with a scale: what each paper makes of the scale, forward and backward.

Every one of them serves 1 bit. `sign` is two-valued: sign(0) = +1.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Signs"
_TINY = np.float32(1e-12)


def signs(w: F32) -> F32:
    """Return sign(w) as float32, +1 for 0."""
    found: F32 = np.where(w >= 0, np.float32(1), np.float32(-1))
    return found


def mean_size(w: F32) -> F32:
    """Return mean |w| of each output, float32 (outputs,), above 0."""
    size: F32 = np.abs(w).mean(axis=1, dtype=np.float32) + _TINY
    return size


@WEIGHT_QUANTIZERS.option(
    "sign",
    "Sign without a scale",
    formula="sign(w); the estimator's gradient",
    citation="Hubara et al. 2016, arXiv:1602.02830",
    group=GROUP,
)
class Sign(WeightQuantizer):
    """Plain signs: a batch norm after the layer has to bring its outputs to size."""

    def quantize(self, w: F32) -> Quantized:
        return Quantized(signs(w), np.ones(len(w), np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        return self.estimated(w, grad)


@WEIGHT_QUANTIZERS.option(
    "stochastic_sign",
    "Stochastic sign (BinaryConnect)",
    formula="+1 with probability clip((w + 1) / 2, 0, 1), else -1; shipped as sign(w)",
    citation="Courbariaux et al. 2015, arXiv:1511.00363",
    group=GROUP,
)
class StochasticSign(Sign):
    """Signs drawn anew at every training step; their mean is the clipped weight."""

    stochastic = True

    def quantize(self, w: F32) -> Quantized:
        drawn = self.rng.random(w.shape, np.float32)
        return Quantized(signs(np.float32(0.5) * (w + 1) - drawn), np.ones(len(w), np.float32))

    def shipped(self, w: F32) -> Quantized:
        return Sign.quantize(self, w)


@WEIGHT_QUANTIZERS.option(
    "xnor",
    "Mean as scale, with its gradient (XNOR-Net)",
    formula="a sign(w), a = mean|w| of the output; dL/dw = a STE(g) + sign(w) mean(g sign(w))",
    citation="Rastegari et al. 2016, arXiv:1603.05279",
    group=GROUP,
)
class XnorScale(WeightQuantizer):
    """The standard of 1 bit with the whole gradient: of the sign and of the mean that scales it."""

    def quantize(self, w: F32) -> Quantized:
        return Quantized(signs(w), mean_size(w))

    def gradient(self, w: F32, grad: F32) -> F32:
        q = signs(w)
        of_scale = (grad * q).mean(axis=1, keepdims=True)
        passed = self.estimated(w, grad * mean_size(w)[:, None])
        passed += q * of_scale
        return passed


@WEIGHT_QUANTIZERS.option(
    "magnitude_aware",
    "Magnitude-aware sign (Bi-Real Net)",
    formula="a sign(w), a = mean|w| of the output, a constant backward; dL/dw = a STE(g)",
    citation="Liu et al. 2018, arXiv:1808.00278",
    group=GROUP,
)
class MagnitudeAware(XnorScale):
    """Signs whose gradient is scaled as they are, but does not see the scale."""

    def gradient(self, w: F32, grad: F32) -> F32:
        return self.estimated(w, grad * mean_size(w)[:, None])


@WEIGHT_QUANTIZERS.option(
    "dorefa_sign",
    "Mean of the layer as scale (DoReFa)",
    formula="E|w| sign(w), the mean over the layer; dL/dw = g",
    citation="Zhou et al. 2016, arXiv:1606.06160",
    group=GROUP,
)
class DoReFaSign(WeightQuantizer):
    """Signs with one scale for the layer, and the identity as gradient."""

    def quantize(self, w: F32) -> Quantized:
        size = np.float32(np.abs(w).mean(dtype=np.float64)) + _TINY
        return Quantized(signs(w), np.full(len(w), size, np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad


@WEIGHT_QUANTIZERS.option(
    "power_of_two_scale",
    "Mean rounded to a power of two",
    formula="2^round(log2 mean|w|) sign(w), the mean over the output",
    group=GROUP,
)
class PowerOfTwoScale(WeightQuantizer):
    """Signs whose scale is a shift; the scale that `binary(alpha="auto_po2")` of QKeras takes."""

    def quantize(self, w: F32) -> Quantized:
        return Quantized(signs(w), np.exp2(np.rint(np.log2(mean_size(w)))).astype(np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        return self.estimated(w, grad)


@WEIGHT_QUANTIZERS.option(
    "learned_scale",
    "Learned scale (XNOR-Net++)",
    formula="c sign(w), c learned for each output from 1; dL/dc = sum g sign(w); dL/dw = c STE(g)",
    citation="Bulat & Tzimiropoulos 2019, arXiv:1909.13863",
    group=GROUP,
)
class LearnedScale(WeightQuantizer):
    """Signs with a scale that is trained like any weight: the paper's case of one factor for each output."""

    trained: ClassVar[tuple[str, ...]] = ("weight_scale",)
    relative: ClassVar[tuple[str, ...]] = trained

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_scale": np.ones(len(w), np.float32)}

    def quantize(self, w: F32) -> Quantized:
        return Quantized(signs(w), self.arrays["weight_scale"].copy())

    def gradient(self, w: F32, grad: F32) -> F32:
        np.einsum("oi,oi->o", grad, signs(w), out=self.grads["weight_scale"])
        return self.estimated(w, grad * self.arrays["weight_scale"][:, None])
