"""Latent weights in training: their size and their signs in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .bits import pack_signs
from .jit import kernel, loose_kernel

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

_ROWS = 16  # at a time: read from memory once, for their size and their signs


@loose_kernel
def mean_sizes(w: F32, out: F32) -> int:
    """Write the mean of |w| of each row of `w`, float32 (m, k), into `out`; return how many are beyond 1."""
    beyond = 0
    for r in range(w.shape[0]):
        row, total, more = w[r], np.float32(0.0), np.float32(0.0)
        for c in range(len(row)):
            total += abs(row[c])
        for c in range(len(row)):
            more += np.float32(1.0) if abs(row[c]) > np.float32(1.0) else np.float32(0.0)
        out[r] = total / np.float32(max(1, w.shape[1]))
        beyond += int(more)
    return beyond


@kernel
def sizes_and_signs(w: F32, signs: U64, out: F32) -> int:
    """Do what `mean_sizes` does, and what `pack_signs` does with `signs`, uint64 (m, words)."""
    beyond = 0
    for begin in range(0, w.shape[0], _ROWS):
        end = min(begin + _ROWS, w.shape[0])
        beyond += mean_sizes(w[begin:end], out[begin:end])
        pack_signs(w[begin:end], signs[begin:end])
    return beyond
