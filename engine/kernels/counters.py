"""Class counters that learn from packed hypervectors, one record after another.

A counter row is float32 (dimension,); a vector adds +1 or -1 times a rate to each place. Vectors are packed
as in bits.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .bits import dot_signs
from .jit import kernel

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_LANES = 32  # partial sums of a product, added up in order at the end


@kernel
def _signs_of(row: U64, signs: F32) -> None:
    """Write the signs in `row`, uint64 (words,), into `signs`, float32 (dimension,)."""
    for w in range(row.size):
        at = 64 * w
        word = row[w]
        for j in range(min(64, signs.size - at)):
            signs[at + j] = np.float32(2.0) * np.float32((word >> np.uint64(j)) & np.uint64(1)) - np.float32(
                1.0
            )


@kernel
def _dot(a: F32, b: F32, lanes: F32) -> float:
    """Return a . b in a fixed order: `lanes` sums side by side, then their sum."""
    lanes[:] = np.float32(0.0)
    whole = a.size - a.size % _LANES
    for at in range(0, whole, _LANES):
        for j in range(_LANES):
            lanes[j] += a[at + j] * b[at + j]
    total = np.float64(0.0)
    for at in range(whole, a.size):
        total += a[at] * b[at]
    for j in range(_LANES):
        total += lanes[j]
    return total


@kernel
def _add(counters: F32, signs: F32, rate: float) -> None:
    """Add `rate` x `signs` to a counter row."""
    step = np.float32(rate)
    for j in range(signs.size):
        counters[j] += step * signs[j]


@kernel
def bundle_classes(vectors: U64, labels: I64, counters: F32) -> None:
    """Add every vector, uint64 (n, words), to the counter row of its label, float32 (classes, dimension)."""
    signs = np.empty(counters.shape[1], np.float32)
    for r in range(vectors.shape[0]):
        _signs_of(vectors[r], signs)
        _add(counters[labels[r]], signs, 1.0)


@kernel
def retrain(vectors: U64, labels: I64, order: I64, counters: F32, rate: float, graded: bool) -> int:
    """Correct the counters once for each record that they get wrong, in `order`; return how many were right.

    The answer is the class whose counters are nearest by cosine, s. On a wrong answer the true class gains
    the vector and the answered one loses it, by `rate`; where `graded`, by rate (1 - s) of either class.
    """
    classes, dimension = counters.shape
    signs = np.empty(dimension, np.float32)
    lanes = np.empty(_LANES, np.float32)
    lengths = np.empty(classes, np.float64)
    near = np.empty(classes, np.float64)
    root = np.sqrt(np.float64(dimension))
    for c in range(classes):
        lengths[c] = np.sqrt(_dot(counters[c], counters[c], lanes))
    right = 0
    for r in order:
        _signs_of(vectors[r], signs)
        for c in range(classes):
            near[c] = _dot(counters[c], signs, lanes) / max(lengths[c] * root, 1e-12)
        said, true = np.argmax(near), labels[r]
        if said == true:
            right += 1
        else:
            _add(counters[true], signs, rate * (1.0 - near[true]) if graded else rate)
            _add(counters[said], signs, -rate * (1.0 - near[said]) if graded else -rate)
            lengths[said] = np.sqrt(_dot(counters[said], counters[said], lanes))
            lengths[true] = np.sqrt(_dot(counters[true], counters[true], lanes))
    return right


@kernel
def retrain_quantized(vectors: U64, labels: I64, order: I64, packed: U64, counters: F32, rate: float) -> int:
    """Correct the counters for each record that their signs, `packed`, get wrong; return how many were right.

    `packed`, uint64 (classes, words), stays as it is; the caller takes the signs anew.
    """
    classes, dimension = counters.shape
    signs = np.empty(dimension, np.float32)
    near = np.empty((1, classes), np.int32)
    right = 0
    for r in order:
        dot_signs(vectors[r : r + 1], packed, dimension, near)
        said, true = np.argmax(near[0]), labels[r]
        if said == true:
            right += 1
        else:
            _signs_of(vectors[r], signs)
            _add(counters[true], signs, rate)
            _add(counters[said], signs, -rate)
    return right
