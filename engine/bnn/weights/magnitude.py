"""Signs that say which weights are large, not on which side of 0 they stand (SiMaN)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .balanced import GROUP, standardised, through_standardising
from .binary import mean_size
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer


@WEIGHT_QUANTIZERS.option(
    "siman",
    "Sign to magnitude (SiMaN)",
    formula="+c for the larger half of |v| of the output, -c for the rest, v = (w - mean) / std, c learned "
    "from mean|w|; dL/d|v| = c g",
    citation="Lin et al. 2021, arXiv:2102.07981",
    group=GROUP,
)
class SiMaN(WeightQuantizer):
    """The binary weights at the least angle to the sizes of the real ones, as half of both as can be.

    The paper codes large as 1 and small as 0; its code multiplies by +1 and -1, as here. The gradient of the
    sizes is the identity and passes the standardising. No weight decay, as the paper wants it, is the
    standard of latent 1-bit weights here.
    """

    trained: ClassVar[tuple[str, ...]] = ("weight_scale",)
    relative: ClassVar[tuple[str, ...]] = trained

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_scale": mean_size(w)}

    def quantize(self, w: F32) -> Quantized:
        return Quantized(self._halves(standardised(w)[0]), self.arrays["weight_scale"].copy())

    def gradient(self, w: F32, grad: F32) -> F32:
        v, deviation = standardised(w)
        np.einsum("oi,oi->o", grad, self._halves(v), out=self.grads["weight_scale"])
        passed = grad * self.arrays["weight_scale"][:, None] * np.sign(v)
        return through_standardising(v, deviation, w.shape[1] - 1, passed)

    def limit(self) -> float | None:
        return None

    @staticmethod
    def _halves(v: F32) -> F32:
        """Return +1 for the larger half of each row, the earlier first where sizes are alike, else -1."""
        order = np.argsort(-np.abs(v), axis=1, kind="stable")
        halves = np.full(v.shape, -1, np.float32)
        np.put_along_axis(halves, order[:, : v.shape[1] // 2], np.float32(1), axis=1)
        return halves
