"""How much a similarity is worth: the scale that turns whole-number products into logits."""

from __future__ import annotations

import math

import numpy as np

from ..ports import F64, I32, I64

_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 24  # narrows a range of e^14 to 0.01 %
_MOST = 20_000  # records that are looked at


def fitted_scale(dots: I32, labels: I64) -> np.float32:
    """Return the scale s for which softmax(s dots) is likeliest to give the labels.

    The negative log-likelihood is convex in s, so a golden-section search over log s finds it. So that a
    memory that knows all its training records is not trusted without end, of n records the true class counts
    (n + 1) / (n + classes) and every other 1 / (n + classes).

    Args:
        dots: int32 (n, classes), products of records and prototypes.
        labels: int64 (n,).
    """
    every = -(-len(labels) // _MOST)
    x, y = dots[::every].astype(np.float64), labels[::every]
    size = float(np.abs(x).max())
    if size == 0:
        return np.float32(0)
    low, high = math.log(1e-3 / size), math.log(1e3 / size)
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_a, at_b = _loss(x, y, math.exp(a)), _loss(x, y, math.exp(b))
    for _ in range(_STEPS):
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - _GOLDEN * (high - low)
            at_a = _loss(x, y, math.exp(a))
        else:
            low, a, at_a = a, b, at_b
            b = low + _GOLDEN * (high - low)
            at_b = _loss(x, y, math.exp(b))
    return np.float32(math.exp((low + high) / 2))


def _loss(x: F64, labels: I64, scale: float) -> float:
    logits = x * scale
    logits -= logits.max(axis=1, keepdims=True)
    n = len(labels)
    classes: int = logits.shape[1]
    log_p: F64 = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    true = float(log_p[np.arange(n), labels].sum())
    every = float(log_p.sum())
    return -(n * true + every) / (n * (n + classes))
