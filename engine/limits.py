"""How far latent weights of 1-bit layers may go. A new limit is one decorated function.

It takes a sample of the latent weights of one layer, float32 (n,), which it may reorder, and a number, and
gives the limit that these weights speak for; the trainer follows it slowly and clips what lies beyond. A
layer's own limit (1 at 1 bit) holds as well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .options import Family
from .ports import F32

Limit = Callable[[F32, float], float]

LIMITS: Family[Limit] = Family("train.limit", "Limits of latent weights")
FOLLOW = 0.01  # share of the way that a limit goes towards what the weights speak for, at each step
SAMPLE = 1024  # latent weights that are looked at


@LIMITS.option("fixed", "Fixed at 1", formula="t = 1", citation="Courbariaux et al. 2015, arXiv:1511.00363")
def fixed(sample: F32, amount: float) -> float:
    """Return no limit but the layer's own."""
    return float("inf")


@LIMITS.option("deviation", "Deviations", formula="t = a sqrt(mean w^2)")
def deviation(sample: F32, amount: float) -> float:
    """Return `amount` times the root of the mean square."""
    return amount * float(np.sqrt(np.square(sample, dtype=np.float64).mean()))


@LIMITS.option("quantile", "Quantile", formula="t = the quantile a of |w|")
def quantile(sample: F32, amount: float) -> float:
    """Return the quantile `amount`, 0 to 1 (at most the largest), of the sizes."""
    np.abs(sample, out=sample)
    place = min(len(sample) - 1, int(amount * len(sample)))
    sample.partition(place)
    return float(sample[place])
