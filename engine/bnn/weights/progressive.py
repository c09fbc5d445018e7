"""Weights that turn into signs or levels while the training goes on; shipped, they are hard.

Until then `quantize` gives values between the levels (`Quantized.soft`), which multiply as floats.
"""

from __future__ import annotations

import numpy as np

from ...levels import Quantized, latent_gradient, quantize_weights
from ...ports import F32
from ...precision import PRECISIONS
from .binary import signs
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Progressive"
_LEVELS = tuple(key for key, row in PRECISIONS.items() if not row.is_float)


class _Progressive(WeightQuantizer):
    """Base: soft values by `soften` until `temperature` is 0, then plain signs."""

    @property
    def temperature(self) -> float:
        """Return how soft the signs are at this moment; 0 for hard."""
        raise NotImplementedError

    def soften(self, w: F32) -> F32:
        """Return the values of this moment, between -1 and 1."""
        raise NotImplementedError

    def quantize(self, w: F32) -> Quantized:
        ones = np.ones(len(w), np.float32)
        return Quantized(self.soften(w), ones, soft=True) if self.temperature else Quantized(signs(w), ones)

    def shipped(self, w: F32) -> Quantized:
        return Quantized(signs(w), np.ones(len(w), np.float32))


@WEIGHT_QUANTIZERS.option(
    "temperature",
    "Clamp with falling temperature (BNext)",
    formula="clip(w / T, -1, 1), T = 10^(-14 share), sign(w) from T = 1e-7 on; dL/dw = g",
    citation="Guo et al. 2022, arXiv:2211.12933",
    group=GROUP,
)
class Temperature(_Progressive):
    """A clamp that grows into a sign; the gradient is the identity, the latent weights stay within 1.5.

    The authors lower T by a tenth in each of 512 epochs, and take signs below 1e-7; here T falls as evenly,
    in the first half of the training, whatever its length.
    """

    @property
    def temperature(self) -> float:
        t = 10.0 ** (-14 * self.moment.share)
        return t if t > 1e-7 else 0.0

    def soften(self, w: F32) -> F32:
        soft: F32 = np.clip(w / np.float32(self.temperature), -1, 1)
        return soft

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad

    def limit(self) -> float | None:
        return 1.5


@WEIGHT_QUANTIZERS.option(
    "progressive",
    "Hard tanh that turns into a sign (bitorch)",
    formula="clip(w / T, -1, 1), T = 4^(-10 share), sign(w) in the end; dL/dw = g",
    group=GROUP,
)
class ProgressiveSign(_Progressive):
    """The same clamp with the schedule of `ProgressiveSign` of bitorch: over the whole training."""

    @property
    def temperature(self) -> float:
        return 4.0 ** (-10 * self.moment.share) if self.moment.share < 1 else 0.0

    def soften(self, w: F32) -> F32:
        soft: F32 = np.clip(w / np.float32(self.temperature), -1, 1)
        return soft

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad


@WEIGHT_QUANTIZERS.option(
    "searched",
    "Searched weights (SLB)",
    formula="E over {-1, 1} of softmax(l / T): tanh(w / T) for w half the difference of their logits; "
    "T = 10^(-2 share)",
    citation="Yang et al. 2020, arXiv:2009.08695",
    group=GROUP,
)
class Searched(_Progressive):
    """A distribution over both signs that sharpens; shipped is the likelier one. The gradient is its own.

    With two values the paper's softmax is a tanh of the difference of their logits, so one number for each
    weight is enough. The state batch norm of the paper is left to the batch norm's own calibration.
    """

    @property
    def temperature(self) -> float:
        return 10.0 ** (-2 * self.moment.share) if self.moment.share < 1 else 0.0

    def soften(self, w: F32) -> F32:
        soft: F32 = np.tanh(w / np.float32(self.temperature))
        return soft

    def gradient(self, w: F32, grad: F32) -> F32:
        t = self.temperature
        if not t:
            return self.estimated(w, grad)
        passed: F32 = grad * (1 - self.soften(w) ** 2) / np.float32(t)
        return passed


class _Noise(WeightQuantizer):
    """Base: a blend of latent weights and those of the standard of the width, whose gradient it has."""

    serves = _LEVELS

    def _blend(self, w: F32, part: F32 | float) -> Quantized:
        hard = quantize_weights(w, self.row.key)
        values = w + np.float32(part) * (hard.values * hard.scale[:, None] - w)
        return Quantized(values.astype(np.float32), np.ones(len(w), np.float32), soft=True)

    def gradient(self, w: F32, grad: F32) -> F32:
        return self.estimated(w, grad) if self.row.binary else latent_gradient(w, grad, self.row.key)

    def shipped(self, w: F32) -> Quantized:
        return quantize_weights(w, self.row.key)


@WEIGHT_QUANTIZERS.option(
    "noise_ramp",
    "Quantization noise, rising",
    formula="w + p (Q(w) - w), p = min(1, 2 share), Q the standard of the width",
    group=GROUP,
)
class NoiseRamp(_Noise):
    """Latent weights that move to their levels in the first half; as `QNoiseScheduler` of QKeras has it."""

    def quantize(self, w: F32) -> Quantized:
        part = 2 * self.moment.share
        return self._blend(w, part) if part < 1 else quantize_weights(w, self.row.key)


@WEIGHT_QUANTIZERS.option(
    "quant_noise",
    "Quantization noise on half of the weights",
    formula="Q(w) for a random half of the weights at every step, else w; Q the standard of the width",
    citation="Fan et al. 2020, arXiv:2004.07320",
    group=GROUP,
)
class QuantNoise(_Noise):
    """A random mask of quantized weights at every step; the others pass unbiased gradients."""

    stochastic = True

    def quantize(self, w: F32) -> Quantized:
        hard = quantize_weights(w, self.row.key)
        mask = self.rng.random(w.shape, np.float32) < 0.5
        values = np.where(mask, hard.values * hard.scale[:, None], w)
        return Quantized(values.astype(np.float32), np.ones(len(w), np.float32), soft=True)
