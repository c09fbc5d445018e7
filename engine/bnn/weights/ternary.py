"""Ternary weights: where the threshold lies, and what the two signs count."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import TERNARY_SHARE, Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .binary import mean_size
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Ternary"
_TINY = np.float32(1e-12)


class _Ternary(WeightQuantizer):
    """Base: a sign(w) where |w| is above a threshold, else 0; gradient clipped at 1."""

    serves: ClassVar[tuple[str, ...]] = ("ternary",)

    def threshold(self, w: F32) -> F32:
        """Return the threshold, float32 that spreads over (outputs, inputs)."""
        raise NotImplementedError

    def quantize(self, w: F32) -> Quantized:
        return self.kept(w, self.threshold(w))

    def gradient(self, w: F32, grad: F32) -> F32:
        return np.where(np.abs(w) <= 1, grad, np.float32(0))

    @staticmethod
    def kept(w: F32, threshold: F32) -> Quantized:
        """Return the ternary weights, scaled by the mean of what is above `threshold`."""
        size = np.abs(w)
        kept = size > threshold
        count = np.maximum(kept.sum(axis=1), 1).astype(np.float32)
        scale = np.where(kept, size, np.float32(0)).sum(axis=1, dtype=np.float32) / count + _TINY
        return Quantized((np.sign(w) * kept).astype(np.float32), scale.astype(np.float32))


@WEIGHT_QUANTIZERS.option(
    "ste_tern",
    "Fixed threshold 0.05 (Larq)",
    formula="sign(w) where |w| > 0.05, else 0; no scale; dL/dw = g where |w| <= 1",
    group=GROUP,
)
class FixedThreshold(_Ternary):
    """`SteTern` of the library Larq with its default threshold; a batch norm brings outputs to size."""

    def quantize(self, w: F32) -> Quantized:
        levels = np.sign(w) * (np.abs(w) > np.float32(0.05))
        return Quantized(levels.astype(np.float32), np.ones(len(w), np.float32))


@WEIGHT_QUANTIZERS.option(
    "ternary_auto",
    "Threshold of least error",
    formula="a sign(w) where |w| > a / 2, a = mean of |w| above: five rounds from a = 4/3 mean|w|",
    group=GROUP,
)
class AutoThreshold(_Ternary):
    """Alternates the best threshold for a scale and the best scale for a threshold, for each output.

    The rounds of `ternary(alpha="auto")` of the library QKeras; each lowers the squared error.
    """

    def threshold(self, w: F32) -> F32:
        threshold: F32 = np.float32(2 / 3) * mean_size(w)[:, None]
        for _ in range(4):
            threshold = self.kept(w, threshold).scale[:, None] / np.float32(2)
        return threshold


@WEIGHT_QUANTIZERS.option(
    "ternary_stochastic",
    "Stochastic threshold",
    formula="a sign(w) where |w| > 2 u D, D = 0.7 mean|w|, u uniform from 0 to 1; shipped with u = 1/2: TWN",
    group=GROUP,
)
class StochasticThreshold(_Ternary):
    """Keeps a weight with a probability that grows with its size: 1/2 at the threshold of TWN."""

    stochastic = True

    def threshold(self, w: F32) -> F32:
        drawn = self.rng.random(w.shape, np.float32)
        found: F32 = 2 * drawn * TERNARY_SHARE * mean_size(w)[:, None]
        return found

    def shipped(self, w: F32) -> Quantized:
        return self.kept(w, TERNARY_SHARE * mean_size(w)[:, None])


@WEIGHT_QUANTIZERS.option(
    "ternary_sparse",
    "Sparse: 70 % zeros in the end",
    formula="a sign(w) where |w| is above its z-quantile, a the mean of those; z = 0.7 (1 - (1 - share)^3)",
    group=GROUP,
)
class Sparse(_Ternary):
    """Zeroes a growing share of every output's weights, the smallest; the gradient still reaches them."""

    def threshold(self, w: F32) -> F32:
        zeros = 0.7 * (1 - (1 - self.moment.share) ** 3)
        return np.quantile(np.abs(w), zeros, axis=1, keepdims=True).astype(np.float32)


@WEIGHT_QUANTIZERS.option(
    "ttq",
    "Trained ternary (TTQ)",
    formula="Wp where w > D, -Wn where w < -D, else 0; D = 0.05 max|w|; Wp and Wn learned; dL/dw = g times "
    "Wp, Wn or 1",
    citation="Zhu et al. 2016, arXiv:1612.01064",
    group=GROUP,
)
class TrainedTernary(WeightQuantizer):
    """Both signs have a size of their own, one for the layer, trained; they start from mean|w|.

    Stored and multiplied as two bases, one of each sign.
    """

    serves: ClassVar[tuple[str, ...]] = ("ternary",)
    bases: ClassVar[int] = 2
    trained: ClassVar[tuple[str, ...]] = ("weight_positive", "weight_negative")
    relative: ClassVar[tuple[str, ...]] = trained

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        size = np.array([np.abs(w).mean()], np.float32)
        return {"weight_positive": size, "weight_negative": size.copy()}

    def quantize(self, w: F32) -> Quantized:
        up, down = self._sides(w)
        positive, negative = self._sizes(len(w))
        return Quantized(up.astype(np.float32), positive, more=Quantized(-down.astype(np.float32), negative))

    def gradient(self, w: F32, grad: F32) -> F32:
        up, down = self._sides(w)
        self.grads["weight_positive"][0] = grad[up].sum(dtype=np.float64)
        self.grads["weight_negative"][0] = -grad[down].sum(dtype=np.float64)
        positive, negative = (self.arrays[f"weight_{name}"][0] for name in ("positive", "negative"))
        return grad * np.where(up, positive, np.where(down, negative, np.float32(1)))

    @staticmethod
    def _sides(w: F32) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], ...]:
        bound = np.float32(0.05) * np.abs(w).max(initial=0)
        return w > bound, w < -bound

    def _sizes(self, outputs: int) -> tuple[F32, F32]:
        positive, negative = self.arrays["weight_positive"], self.arrays["weight_negative"]
        return np.repeat(positive, outputs), np.repeat(negative, outputs)


@WEIGHT_QUANTIZERS.option(
    "absmean",
    "Rounded to the mean (BitNet b1.58)",
    formula="a clip(round(w / a), -1, 1), a = mean|w| of the layer; dL/dw = g",
    citation="Ma et al. 2024, arXiv:2402.17764",
    group=GROUP,
)
class AbsMean(WeightQuantizer):
    """One scale for the layer; zero is what lies within half of it."""

    serves: ClassVar[tuple[str, ...]] = ("ternary",)

    def quantize(self, w: F32) -> Quantized:
        scale = np.float32(np.abs(w).mean(dtype=np.float64)) + _TINY
        return Quantized(
            np.clip(np.rint(w / scale), -1, 1).astype(np.float32), np.full(len(w), scale, np.float32)
        )

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad
