"""Signs whose gradient is averaged over steps before any of it is cut off."""

from __future__ import annotations

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .binary import GROUP, mean_size, signs
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

_KEPT = np.float32(0.9)


@WEIGHT_QUANTIZERS.option(
    "momentum_sign",
    "Momentum before the mask",
    formula="a sign(w), a = mean|w| of the output; m <- 0.9 m + 0.1 a g at every step, dL/dw = STE(m)",
    group=GROUP,
)
class MomentumSign(WeightQuantizer):
    """What a weight out of the estimator's reach is told goes on counting when it comes back into it.

    "Momentum-preserved STE" of the project's whitepaper; no paper of that name was found, so this defines it.
    The optimiser's own momentum follows after the mask and forgets what the mask took.
    """

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        return {"weight_momentum": np.zeros_like(w)}

    def quantize(self, w: F32) -> Quantized:
        return Quantized(signs(w), mean_size(w))

    def gradient(self, w: F32, grad: F32) -> F32:
        kept = self.arrays["weight_momentum"]
        kept *= _KEPT
        kept += (1 - _KEPT) * grad * mean_size(w)[:, None]
        return self.estimated(w, kept)
