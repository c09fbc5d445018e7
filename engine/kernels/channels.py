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

BLOCK = 64  # rows that float32 adds up
_WIDTH = 128  # columns at a time, where there are fewer channels: several rows beside each other
_CHUNK = 1 << 15  # numbers whose sums stand apart, so that threads may find them


def chunk_rows(channels: int) -> int:
    """Return how many rows have sums of their own, for so many channels."""
    return max(BLOCK, _CHUNK // max(1, channels) // BLOCK * BLOCK)


@kernel
def channel_sums(x: F32, chunk: int, first: int, last: int, out: F64) -> None:
    """Write the sums of the columns of chunks of rows into `out`, float64 (chunks, channels).

    Args:
        x: float32 (rows, channels), C-contiguous.
        chunk: rows of a chunk.
        first: chunk to begin at.
        last: chunk to end before.
        out: written from `first` to `last`.
    """
    rows, channels = x.shape
    flat, part = x.reshape(-1), np.empty(max(1, _WIDTH // channels) * channels, np.float32)
    for k in range(first, last):
        out[k] = 0.0
        end = min(rows, chunk * (k + 1))
        for begin in range(chunk * k, end, BLOCK):
            part[:] = np.float32(0.0)
            stop = channels * min(end, begin + BLOCK)
            for at in range(channels * begin, stop, len(part)):
                row = flat[at : min(stop, at + len(part))]
                for c in range(len(row)):
                    part[c] += row[c]
            _add_columns(part, out[k])


@kernel
def channel_squares(x: F32, mean: F32, chunk: int, first: int, last: int, out: F64) -> None:
    """Write the sums of (x - mean)^2 likewise; `mean` is float32 (channels,)."""
    rows, channels = x.shape
    flat, part = x.reshape(-1), np.empty(max(1, _WIDTH // channels) * channels, np.float32)
    centre = _repeated(mean, len(part))
    for k in range(first, last):
        out[k] = 0.0
        end = min(rows, chunk * (k + 1))
        for begin in range(chunk * k, end, BLOCK):
            part[:] = np.float32(0.0)
            stop = channels * min(end, begin + BLOCK)
            for at in range(channels * begin, stop, len(part)):
                row = flat[at : min(stop, at + len(part))]
                for c in range(len(row)):
                    away = row[c] - centre[c]
                    part[c] += away * away
            _add_columns(part, out[k])


@kernel
def channel_products(grad: F32, x: F32, mean: F32, chunk: int, first: int, last: int, out: F64) -> None:
    """Write the sums of `grad` and of grad (x - mean) likewise into `out`, float64 (chunks, 2, channels)."""
    rows, channels = x.shape
    flat, of_grad = x.reshape(-1), grad.reshape(-1)
    sums = np.empty(max(1, _WIDTH // channels) * channels, np.float32)
    products, centre = np.empty_like(sums), _repeated(mean, len(sums))
    for k in range(first, last):
        out[k] = 0.0
        end = min(rows, chunk * (k + 1))
        for begin in range(chunk * k, end, BLOCK):
            sums[:] = np.float32(0.0)
            products[:] = np.float32(0.0)
            stop = channels * min(end, begin + BLOCK)
            for at in range(channels * begin, stop, len(sums)):
                row = flat[at : min(stop, at + len(sums))]
                g = of_grad[at : at + len(row)]
                for c in range(len(row)):
                    sums[c] += g[c]
                    products[c] += g[c] * (row[c] - centre[c])
            _add_columns(sums, out[k, 0])
            _add_columns(products, out[k, 1])


@kernel
def _add_columns(part: F32, out: F64) -> None:
    """Add rows that stand beside each other in `part` to the sums of the channels."""
    for begin in range(0, len(part), len(out)):
        row = part[begin : begin + len(out)]
        for c in range(len(row)):
            out[c] += np.float64(row[c])


@kernel
def _repeated(row: F32, count: int) -> F32:
    """Return `row` as often as it fits into `count` numbers."""
    out = np.empty(count, np.float32)
    for begin in range(0, count, len(row)):
        out[begin : begin + len(row)] = row
    return out


@kernel
def normalise_back(grad: F32, x: F32, mean: F32, factors: F32, out: F32) -> None:
    """Write a grad + b (x - mean) + c into `out`, float32 (rows, channels); `factors` holds a, b and c."""
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            away = x[r, c] - mean[c]
            out[r, c] = factors[0, c] * grad[r, c] + factors[1, c] * away + factors[2, c]


@kernel
def normalise_back_here(grad: F32, x: F32, mean: F32, factors: F32) -> None:
    """Do what `normalise_back` does, in the place of `grad`."""
    a, b, rest = factors[0], factors[1], factors[2]
    for r in range(x.shape[0]):
        row, seen = grad[r], x[r]
        for c in range(len(row)):
            row[c] = a[c] * row[c] + b[c] * (seen[c] - mean[c]) + rest[c]


@kernel
def mean_sizes(x: F32, out: F32) -> None:
    """Write the mean of |x| of each row of `x`, float32 (rows, channels), into `out`, channels in order."""
    rows, channels = x.shape
    for r in range(rows):
        total = np.float32(0.0)
        for c in range(channels):
            total += abs(x[r, c])
        out[r] = total / np.float32(channels)
