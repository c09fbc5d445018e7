"""Signs drawn by chance that learn from nothing but how well each record went."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...ports import F32, Array
from .binary import GROUP
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer


@ACTIVATION_QUANTIZERS.option(
    "reinforce",
    "REINFORCE: drawn signs, learned from the loss alone",
    formula="+1 with probability p = 1 / (1 + e^-x), else -1; dL/dx = (L - b) ([+1 drawn] - p) / n, "
    "L the record's loss, b the mean of those of the other n - 1 records of the batch; shipped sign(x)",
    citation="Williams 1992, doi:10.1007/BF00992696; Kool et al. 2019, ICLR workshop",
    group=GROUP,
)
class Reinforce(ActivationQuantizer):
    """The score-function estimator: no slope is put in the place of the sign's, so the gradient has no bias.

    A unit hears the loss of its record less a baseline, times d log p(draw) / dx = [+1 was drawn] - p, of one
    draw a step (the Bernoulli-logistic unit of Williams 1992). Any baseline that does not depend on the draw
    leaves the mean as it is. That of Kool et al. 2019 is the mean loss of the other draws of the same record;
    there being one draw here, it is the mean of the batch's other records, whose draws are independent of
    this one's. Where batch statistics tie the losses of records together, what a draw does to the others' is
    left out. In a vote whose members learn apart, the loss is that of the vote. The price is variance.
    """

    per_element: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True

    def quantize(self, x: F32, out: Array) -> Array:
        self._drawn = self.rng.random(x.shape, np.float32) < probability(x)
        return self.signs(np.where(self._drawn, np.float32(1), np.float32(-1)), out)

    def shipped(self, x: F32, out: Array) -> Array:
        return self.signs(x, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        p, losses = probability(x), self.moment.losses
        if losses is None:
            # Nobody has a loss, as where a curve is drawn: the mean, for a loss that is linear in the signs.
            return grad * (2 * p * (1 - p))
        worse = advantage(losses) / np.float32(len(losses))
        back: F32 = worse.reshape(-1, *[1] * (x.ndim - 1)) * (self._drawn.astype(np.float32) - p)
        return back


def probability(x: F32) -> F32:
    """Return the logistic function of x, float32 of its shape; without overflow anywhere."""
    half = np.float32(0.5)
    p: F32 = half + half * np.tanh(half * x)
    return p


def advantage(losses: F32) -> F32:
    """Return each loss less the mean of all others, float32 (n,); a single one as it is."""
    n = len(losses)
    if n < 2:
        return losses
    less: F32 = (losses - losses.mean()) * np.float32(n / (n - 1))
    return less
