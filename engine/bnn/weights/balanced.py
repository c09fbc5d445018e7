"""Signs of weights that are centred or standardised first, so that both signs are used alike.

Every one of them serves 1 bit, and the scale of the latent weights means nothing, so nothing clips them.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .binary import mean_size, signs
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Balanced signs"
_TINY = np.float32(1e-12)


def _centred(w: F32) -> F32:
    moved: F32 = w - w.mean(axis=1, keepdims=True)
    return moved


def deviation_of(w: F32, divisor: int) -> F32:
    """Return the standard deviation of each output, float32 (outputs, 1), for a divisor of the squares."""
    squares = (_centred(w) ** 2).sum(axis=1, keepdims=True)
    found: F32 = np.sqrt(squares / np.float32(max(1, divisor))) + _TINY
    return found


def standardised(w: F32) -> tuple[F32, F32]:
    """Return (w - mean) / deviation of each output, and the deviations, float32 (outputs, 1)."""
    deviation = deviation_of(w, w.shape[1] - 1)
    return _centred(w) / deviation, deviation


def through_standardising(v: F32, deviation: F32, divisor: int, grad: F32) -> F32:
    """Return dL/dw for v = (w - mean) / deviation, given dL/dv."""
    along = (grad * v).sum(axis=1, keepdims=True) / np.float32(max(1, divisor))
    back: F32 = (grad - grad.mean(axis=1, keepdims=True) - v * along) / deviation
    return back


class _Balanced(WeightQuantizer):
    """Base: no clipping of the latent weights."""

    def limit(self) -> float | None:
        return None


@WEIGHT_QUANTIZERS.option(
    "centred",
    "Centred weights",
    formula="a sign(v), v = w - mean(w), a = mean|v| of the output, a constant backward",
    group=GROUP,
)
class Centred(_Balanced):
    """Signs of weights without their mean; the gradient loses its mean in turn."""

    def quantize(self, w: F32) -> Quantized:
        v = _centred(w)
        return Quantized(signs(v), mean_size(v))

    def gradient(self, w: F32, grad: F32) -> F32:
        return _centred(self.estimated(_centred(w), grad))


@WEIGHT_QUANTIZERS.option(
    "standardised",
    "Standardised weights",
    formula="a sign(v), v = (w - mean(w)) / std(w), a = mean|v| of the output, a constant backward",
    group=GROUP,
)
class Standardised(_Balanced):
    """Signs of weights without their mean and of deviation 1; the gradient passes both."""

    def quantize(self, w: F32) -> Quantized:
        v = _centred(w) / deviation_of(w, w.shape[1])
        return Quantized(signs(v), mean_size(v))

    def gradient(self, w: F32, grad: F32) -> F32:
        n = w.shape[1]
        deviation = deviation_of(w, n)
        v = _centred(w) / deviation
        return through_standardising(v, deviation, n, self.estimated(v, grad * mean_size(v)[:, None]))


@WEIGHT_QUANTIZERS.option(
    "libra",
    "Libra parameter binarization (IR-Net)",
    formula="2^s sign(v), v = (w - mean(w)) / std(w), s = round(log2 mean|v|), a constant backward",
    citation="Qin et al. 2020, arXiv:1909.10788",
    group=GROUP,
)
class Libra(_Balanced):
    """Standardised signs with a scale that is a shift; the paper pairs it with the estimator EDE.

    As in the authors' code the deviation divides by n - 1 and the gradient passes the standardising.
    """

    def quantize(self, w: F32) -> Quantized:
        v = _centred(w) / deviation_of(w, w.shape[1] - 1)
        return Quantized(signs(v), self._scale(v))

    def gradient(self, w: F32, grad: F32) -> F32:
        n = w.shape[1] - 1
        deviation = deviation_of(w, n)
        v = _centred(w) / deviation
        return through_standardising(v, deviation, n, self.estimated(v, grad * self._scale(v)[:, None]))

    @staticmethod
    def _scale(v: F32) -> F32:
        return np.exp2(np.rint(np.log2(mean_size(v)))).astype(np.float32)


@WEIGHT_QUANTIZERS.option(
    "recu",
    "Rectified clamp (ReCU)",
    formula="c sign(v), v = 2 sqrt(2) (w - mean) / std clamped to +-Q, Q = -mean|v| ln(2 - 2 t), "
    "the mean over the layer, c learned; dL/dw passes where |v| <= Q; t = 0.85 -> 0.99",
    citation="Xu et al. 2021, arXiv:2103.12369",
    group=GROUP,
)
class ReCU(_Balanced):
    """Signs of standardised weights; weights beyond a quantile get no gradient, so they revive.

    t = 0.85 + 0.14 (e^share - 1) / (e - 1), as in BiBench; the scale starts from mean|w|. The gradient of the
    sign is the identity.
    """

    trained: ClassVar[tuple[str, ...]] = ("weight_scale",)
    relative: ClassVar[tuple[str, ...]] = trained

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_scale": mean_size(w)}

    def quantize(self, w: F32) -> Quantized:
        return Quantized(signs(_centred(w)), self.arrays["weight_scale"].copy())

    def gradient(self, w: F32, grad: F32) -> F32:
        n = w.shape[1] - 1
        deviation = deviation_of(w, n) / np.float32(2 * math.sqrt(2))
        v = _centred(w) / deviation
        np.einsum("oi,oi->o", grad, signs(v), out=self.grads["weight_scale"])
        passed = np.where(np.abs(v) <= self.bound(v), grad * self.arrays["weight_scale"][:, None], 0)
        # v is 2 sqrt(2) times the standardised weight, so its square sums to 8 (n - 1).
        along = (passed * v).sum(axis=1, keepdims=True) / np.float32(8 * max(1, n))
        back: F32 = (passed - passed.mean(axis=1, keepdims=True) - v * along) / deviation
        return back.astype(np.float32)

    def bound(self, v: F32) -> float:
        """Return the quantile Q that standardised weights `v` are clamped to at this moment."""
        t = 0.85 + 0.14 * (math.exp(self.moment.share) - 1) / (math.e - 1)
        return -float(np.abs(v).mean()) * math.log(2 - 2 * t)


@WEIGHT_QUANTIZERS.option(
    "adabin",
    "Adaptive binary set (AdaBin)",
    formula="a sign((w - b) / a) + b, b = mean(w), a = std(w) of the output",
    citation="Tu et al. 2022, arXiv:2208.08084",
    group=GROUP,
)
class AdaBin(_Balanced):
    """Two free values for each output, b - a and b + a; the gradient passes mean and deviation.

    The authors' estimator is EDE's tanh, k = 10 and t = 0.1; here it is the one chosen.
    """

    offsets = True

    def quantize(self, w: F32) -> Quantized:
        scale = deviation_of(w, w.shape[1])[:, 0]
        return Quantized(signs(_centred(w)), scale, w.mean(axis=1, dtype=np.float32))

    def gradient(self, w: F32, grad: F32) -> F32:
        n = np.float32(w.shape[1])
        scale = deviation_of(w, w.shape[1])
        v = _centred(w) / scale
        of_scale = (grad * signs(v)).sum(axis=1, keepdims=True)
        of_mean = grad.sum(axis=1, keepdims=True)
        passed = self.estimated(v, grad * scale)
        of_mean -= passed.sum(axis=1, keepdims=True) / scale
        of_scale -= (passed * v).sum(axis=1, keepdims=True) / scale
        back: F32 = passed / scale + (of_mean + of_scale * v) / n
        return back
