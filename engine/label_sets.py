"""Several labels of one record, as one whole number: bit i is set where label i holds; -1 is unknown.

So whole answers are compared as one class is, and labels of both kinds travel alike. Where each label counts
by itself, `held` takes the number apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ports import F32, I64

MOST_LABELS = 62  # bits that leave the sign and a spare one alone
Bools = npt.NDArray[np.bool_]


def joined(holds: Bools) -> I64:
    """Return labels, int64 (n,), of which label holds where, bool (n, labels)."""
    return np.asarray(holds @ _bits(holds.shape[1]), np.int64)


def held(labels: I64, count: int) -> Bools:
    """Return which of `count` labels hold where, bool (n, count); none does where they are unknown."""
    return np.asarray(((labels[:, None] & _bits(count)) != 0) & (labels >= 0)[:, None])


def said(scores: F32, *, several: bool) -> I64:
    """Return what scores say, int64 (n,): the class of the largest (ties go to the first), or those above 0.

    Args:
        scores: float32 (n, classes).
        several: whether each is of a label of its own, which holds where it is above 0.
    """
    return joined(scores > 0) if several else np.asarray(scores.argmax(axis=1), np.int64)


def right_share(said: I64, labels: I64, count: int) -> float:
    """Return the share of all labels of all records that an answer has as they are, 0 to 1."""
    return float((held(said, count) == held(labels, count)).mean())


def name_of(label: int, classes: tuple[str, ...], *, several: bool) -> str:
    """Return a label in words: a class, or the labels that hold, with commas; "" where it is none."""
    if not several:
        return classes[label] if 0 <= label < len(classes) else ""
    names = [name for i, name in enumerate(classes) if label >> i & 1]
    return "" if label < 0 else ", ".join(names) or "no label"


def _bits(count: int) -> I64:
    return np.left_shift(np.int64(1), np.arange(count, dtype=np.int64))
