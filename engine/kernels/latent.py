"""Latent weights in training: their size and their signs in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import loose_kernel

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]


@loose_kernel
def mean_sizes(w: F32, out: F32) -> float:
    """Write the mean of |w| of each row into `out`, float32 (m,), for `w` (m, k); return the largest |w|."""
    largest = np.float32(0.0)
    for r in range(w.shape[0]):
        total, high = np.float32(0.0), np.float32(0.0)
        for c in range(w.shape[1]):
            total += abs(w[r, c])
        for c in range(w.shape[1]):
            high = max(high, abs(w[r, c]))
        out[r] = total / np.float32(max(1, w.shape[1]))
        largest = max(largest, high)
    return float(largest)
