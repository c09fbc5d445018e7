"""Signs drawn by chance that learn from what turning each of them would do to the loss."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...ports import F32, Array
from .binary import GROUP
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer
from .reinforce import probability


@ACTIVATION_QUANTIZERS.option(
    "psa",
    "Path sample-analytic (PSA)",
    formula="+1 with probability F(x) = 1 / (1 + e^-x), else -1; dL/dx = 2 F'(x) g, g = (loss at +1 - loss "
    "at -1) / 2, told through later units as sum of g (F(a at +1) - F(a at -1)); shipped sign(x)",
    citation="Shekhovtsov et al. 2020, arXiv:2006.03143",
    group=GROUP,
)
class PathSampleAnalytic(ActivationQuantizer):
    """One draw of every sign, and what turning each would do, without drawing again.

    g, of the dense layer or convolution that reads the signs, is found so where its sums lead, through norms
    and flattening only, to units of this kind, or of a dense layer to the scores (bnn/flips.py). Elsewhere,
    as where sums are pooled, added to others or read twice, g is the derivative: the straight-through
    estimator with the slope of tanh(x / 2), which the paper derives as the linear form of PSA. So goes back
    what else reaches the loss: through the statistics of a batch, from a teacher, from rules.
    """

    per_element: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    by_flips: ClassVar[bool] = True

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(probability(x) - self.rng.random(x.shape, np.float32), out)

    def shipped(self, x: F32, out: Array) -> Array:
        return self.signs(x, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        self.difference = grad
        return mean_slopes(x) * grad


def mean_slopes(x: F32) -> F32:
    """Return the slope of the mean sign, 2 F'(x), float32 of x's shape."""
    p = probability(x)
    slopes: F32 = 2 * p * (1 - p)
    return slopes
