"""What the gradient stage makes small. A new loss is one decorated function.

A loss takes scores, float32 (n, classes), labels, int64 (n,), and how much the labels are smoothed, and gives
the loss of each record, (n,), and dL/dscores of their mean. Those of SEVERAL take labels too that are bool
(n, classes): which hold of each record. `distillation` and `attention_transfer` pull towards a teacher.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .label_sets import Bools
from .options import Family
from .ports import F32, I64

Loss = Callable[..., tuple[F32, F32]]  # (scores, labels, smoothing = 0)

LOSSES: Family[Loss] = Family("train.loss", "Losses")
SEVERAL = ("binary_cross_entropy", "squared_hinge")  # losses for several labels a record
_TINY = np.float32(1e-12)


@LOSSES.option("cross_entropy", "Cross-entropy", formula="L = -log softmax(scores)[label]")
def cross_entropy(scores: F32, labels: I64, smoothing: float = 0.0) -> tuple[F32, F32]:
    """Return the cross-entropy of softmax(scores), and the gradient of the mean, (softmax - target) / n.

    The target is 1 for the label; smoothed by s it is 1 - s + s / classes there and s / classes elsewhere
    (Szegedy et al. 2016, arXiv:1512.00567).
    """
    rows = np.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    logs = np.log(total[:, 0])
    of_label = logs - shifted[rows, labels]
    p /= total
    if smoothing:
        of_label = (1 - smoothing) * of_label + smoothing * (logs - shifted.mean(axis=1))
        p -= np.float32(smoothing / scores.shape[1])
    p[rows, labels] -= np.float32(1 - smoothing)
    p /= np.float32(len(labels))
    return of_label, p.astype(np.float32, copy=False)


@LOSSES.option(
    "binary_cross_entropy",
    "Binary cross-entropy",
    formula="L = mean over classes of -log sigmoid(s) where the label holds, else -log sigmoid(-s)",
)
def binary_cross_entropy(scores: F32, labels: I64 | Bools, smoothing: float = 0.0) -> tuple[F32, F32]:
    """Return the binary cross-entropy, each label for itself, and the gradient of the mean.

    The gradient is (sigmoid - target) / (n classes). The target is 1 or 0; smoothed by s, 1 - s / 2 or s / 2.
    """
    target = _held(scores, labels).astype(np.float32)
    target = target * np.float32(1 - smoothing) + np.float32(smoothing / 2)
    small = np.exp(-np.abs(scores))
    loss = np.maximum(scores, 0) - scores * target + np.log1p(small)
    p = np.where(scores >= 0, 1 / (1 + small), small / (1 + small))
    return loss.mean(axis=1), ((p - target) / np.float32(scores.size)).astype(np.float32)


@LOSSES.option(
    "squared_hinge",
    "Squared hinge",
    formula="L = mean over classes of max(0, 1 - t s)^2, t = +1 for the label, else -1",
    citation="Hubara et al. 2016, arXiv:1602.02830",
)
def squared_hinge(scores: F32, labels: I64 | Bools, smoothing: float = 0.0) -> tuple[F32, F32]:
    """Return the squared hinge loss, one class against the rest, and the gradient of the mean.

    Its targets are sides, not shares: smoothing does not change them.
    """
    target = np.where(_held(scores, labels), np.float32(1), np.float32(-1))
    slack = np.maximum(0, 1 - target * scores)
    return (slack**2).mean(axis=1), (-2 * target * slack / scores.size).astype(np.float32)


def distillation(scores: F32, teacher: F32, temperature: float) -> tuple[F32, F32]:
    """Return T^2 KL(softmax(teacher / T) || softmax(scores / T)) of each record, and the mean's gradient.

    The gradient is T (softmax(scores / T) - softmax(teacher / T)) / n (Hinton et al. 2015, arXiv:1503.02531).

    Args:
        scores: float32 (n, classes), the student's.
        teacher: float32 (n, classes).
        temperature: T; both distributions are softer the higher it is.
    """
    t = np.float32(temperature)
    logs, target_logs = (_log_softmax(s / t) for s in (scores, teacher))
    target = np.exp(target_logs)
    loss = (target * (target_logs - logs)).sum(axis=1) * t**2
    return loss, ((np.exp(logs) - target) * (t / np.float32(len(scores)))).astype(np.float32)


def attention_transfer(values: F32, teacher: F32) -> tuple[F32, F32]:
    """Return the mean squared difference of each record's attention maps, and the mean's gradient.

    The map of a record is the mean of the squares over the channels at each place, divided by its length
    over all places (Zagoruyko & Komodakis 2017, arXiv:1612.03928, activation-based, p = 2).

    Args:
        values: float32 (n, places, channels), the student's.
        teacher: float32 (n, places, channels of its own).
    """
    maps, lengths = _attention(values)
    wanted, _ = _attention(teacher)
    off = maps - wanted
    d_map = (2 / off.size) * off
    # Through the division by the length: what points along the map itself is lost.
    along = (d_map * maps).sum(axis=1, keepdims=True)
    d_mean = (d_map - along * maps) / lengths
    grad = d_mean[:, :, None] * values * np.float32(2 / values.shape[2])
    return (off * off).mean(axis=1), grad.astype(np.float32)


def _held(scores: F32, labels: I64 | Bools) -> Bools:
    """Return which classes hold where, bool (n, classes)."""
    held = labels if labels.ndim == 2 else np.arange(scores.shape[1]) == labels[:, None]
    return np.asarray(held, np.bool_)


def _attention(values: F32) -> tuple[F32, F32]:
    """Return attention maps, (n, places), and the length each was divided by, (n, 1)."""
    means = np.square(values).mean(axis=2)
    lengths = np.sqrt(np.square(means).sum(axis=1, keepdims=True)) + _TINY
    return means / lengths, lengths


def _log_softmax(scores: F32) -> F32:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
