"""Passes over maps by channel: sums, and the two steps of batch normalisation.

A map is a matrix (rows, channels) here. Sums run over blocks of rows in float32 and over the blocks in
float64, which keeps them exact enough for a million rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

BLOCK = 64


@kernel
def channel_sums(x: F32, part: F32, out: F64) -> None:
    """Write the sum of each column of `x`, float32 (rows, channels), into `out`, float64 (channels,).

    `part`, float32 (channels,), is scratch.
    """
    rows, channels = x.shape
    out[:] = 0.0
    for begin in range(0, rows, BLOCK):
        part[:] = np.float32(0.0)
        for r in range(begin, min(rows, begin + BLOCK)):
            for c in range(channels):
                part[c] += x[r, c]
        for c in range(channels):
            out[c] += np.float64(part[c])


@kernel
def channel_squares(x: F32, mean: F32, part: F32, out: F64) -> None:
    """Write the sum of (x - mean)^2 of each column of `x`, float32 (rows, channels), into `out`, float64."""
    rows, channels = x.shape
    out[:] = 0.0
    for begin in range(0, rows, BLOCK):
        part[:] = np.float32(0.0)
        for r in range(begin, min(rows, begin + BLOCK)):
            for c in range(channels):
                away = x[r, c] - mean[c]
                part[c] += away * away
        for c in range(channels):
            out[c] += np.float64(part[c])


@kernel
def channel_products(grad: F32, x: F32, mean: F32, parts: F32, out: F64) -> None:
    """Write the sums of `grad` and of grad (x - mean) of each column into `out`, float64 (2, channels).

    Args:
        grad: float32 (rows, channels).
        x: float32 (rows, channels).
        mean: float32 (channels,).
        parts: float32 (2, channels), scratch.
        out: float64 (2, channels).
    """
    rows, channels = x.shape
    out[:] = 0.0
    for begin in range(0, rows, BLOCK):
        parts[:] = np.float32(0.0)
        for r in range(begin, min(rows, begin + BLOCK)):
            for c in range(channels):
                parts[0, c] += grad[r, c]
                parts[1, c] += grad[r, c] * (x[r, c] - mean[c])
        for c in range(channels):
            out[0, c] += np.float64(parts[0, c])
            out[1, c] += np.float64(parts[1, c])


@kernel
def normalise_back(grad: F32, x: F32, mean: F32, factors: F32, out: F32) -> None:
    """Write a grad + b (x - mean) + c into `out`, float32 (rows, channels); `factors` holds a, b and c."""
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            away = x[r, c] - mean[c]
            out[r, c] = factors[0, c] * grad[r, c] + factors[1, c] * away + factors[2, c]


@kernel
def mean_sizes(x: F32, out: F32) -> None:
    """Write the mean of |x| of each row of `x`, float32 (rows, channels), into `out`, channels in order."""
    rows, channels = x.shape
    for r in range(rows):
        total = np.float32(0.0)
        for c in range(channels):
            total += abs(x[r, c])
        out[r] = total / np.float32(channels)
