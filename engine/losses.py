"""What the gradient stage makes small, and how its learning rate falls. A new one is one decorated function.

A loss takes scores, float32 (n, classes), and labels, int64 (n,), and gives the mean loss and dL/dscores. A
schedule takes the share of the steps taken, 0 to 1, and gives the factor of the learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .options import Family
from .ports import F32, I64

Loss = Callable[[F32, I64], tuple[float, F32]]
Schedule = Callable[[float], float]

LOSSES: Family[Loss] = Family("train.loss", "Losses")
SCHEDULES: Family[Schedule] = Family("train.schedule", "Learning-rate schedules")


@LOSSES.option("cross_entropy", "Cross-entropy", formula="L = -log softmax(scores)[label]")
def cross_entropy(scores: F32, labels: I64) -> tuple[float, F32]:
    """Return the mean cross-entropy of softmax(scores), and its gradient (softmax - one-hot) / n."""
    rows = np.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    loss = float((np.log(total[:, 0]) - shifted[rows, labels]).mean())
    p /= total
    p[rows, labels] -= 1
    p /= np.float32(len(labels))
    return loss, p.astype(np.float32, copy=False)


@LOSSES.option(
    "squared_hinge",
    "Squared hinge",
    formula="L = mean over classes of max(0, 1 - t s)^2, t = +1 for the label, else -1",
    citation="Hubara et al. 2016, arXiv:1602.02830",
)
def squared_hinge(scores: F32, labels: I64) -> tuple[float, F32]:
    """Return the mean squared hinge loss, one class against the rest, and its gradient."""
    target = np.full(scores.shape, -1, np.float32)
    target[np.arange(len(labels)), labels] = 1
    slack = np.maximum(0, 1 - target * scores)
    return float((slack**2).mean()), (-2 * target * slack / scores.size).astype(np.float32)


@SCHEDULES.option(
    "cosine",
    "Cosine",
    formula="(1 + cos(pi s)) / 2",
    citation="Loshchilov & Hutter 2017, arXiv:1608.03983",
)
def cosine(share: float) -> float:
    """Return the half cosine from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


@SCHEDULES.option("constant", "Constant", formula="1")
def constant(share: float) -> float:
    """Return 1."""
    return 1.0
