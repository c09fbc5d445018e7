"""Latent weights in training: their size and their signs in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .bits import pack_signs
from .jit import kernel

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

_LANES = 32  # columns that are added up beside each other
_ROWS = 16  # at a time: read from memory once, for their size and their signs


@kernel
def mean_sizes(w: F32, out: F32) -> int:
    """Write the mean of |w| of each row of `w`, float32 (m, k), into `out`; return how many are beyond 1.

    Sums run in an order of their own, but in one: what is shipped has the scale that was trained with.
    """
    k, beyond = w.shape[1], 0
    whole = k // _LANES * _LANES
    sums, more = np.empty(_LANES, np.float32), np.empty(_LANES, np.float32)
    for r in range(w.shape[0]):
        sums[:] = np.float32(0.0)
        more[:] = np.float32(0.0)
        for at in range(0, whole, _LANES):
            row = w[r, at : at + _LANES]
            for c in range(_LANES):
                size = abs(row[c])
                sums[c] += size
                more[c] += np.float32(1.0) if size > np.float32(1.0) else np.float32(0.0)
        rest = w[r, whole:]
        for c in range(len(rest)):
            sums[c] += abs(rest[c])
            more[c] += np.float32(1.0) if abs(rest[c]) > np.float32(1.0) else np.float32(0.0)
        total, many = np.float32(0.0), np.float32(0.0)
        for c in range(_LANES):
            total += sums[c]
            many += more[c]
        out[r] = total / np.float32(max(1, k))
        beyond += int(many)
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
