"""The standard of each width: what levels.py states, the gradient passing straight through."""

from __future__ import annotations

from typing import ClassVar

from ...levels import PackedSigns, Quantized, latent_gradient, pack_latent, quantize_weights
from ...ports import F32, U64, Arrays
from ...precision import PRECISIONS, Precision
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

_PASSING = ("clipped", "identity")  # estimators that change nothing within -1 to 1


@WEIGHT_QUANTIZERS.option(
    "standard",
    "Standard of the width",
    formula="1: mean|w| sign(w); T: a sign(w) where |w| > 0.7 mean|w|; 2 to 8: s round(w / s)",
    citation="Rastegari et al. 2016, arXiv:1603.05279; Li et al. 2016, arXiv:1605.04711",
)
class Standard(WeightQuantizer):
    """Sign with the mean as scale, ternary with a threshold, or levels with a step that follows the mean.

    At 1 bit the chosen estimator passes the gradient; wider levels pass it within their range.
    """

    serves: ClassVar[tuple[str, ...]] = tuple(PRECISIONS)

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self._passes = estimator in _PASSING
        self._inside = False  # whether every latent weight was within -1 to 1 when it was packed

    def quantize(self, w: F32) -> Quantized:
        return quantize_weights(w, self.row.key)

    def pack(self, w: F32, signs: U64) -> PackedSigns | None:
        packed, self._inside = pack_latent(w, signs)
        return packed

    def gradient(self, w: F32, grad: F32) -> F32:
        if self._inside and self._passes:
            return grad
        if self.row.binary:
            return self.estimated(w, grad)
        return latent_gradient(w, grad, self.row.key)
