"""Pooling: the largest, or the mean, of each window of a map, channel by channel; and the way back.

A map is flat, one row a record, with its padding around it; `origins` and `taps` say where windows and their
elements begin (bnn/conv_window.py). The channels of one place lie side by side.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .conv import read_bits, write_bits
from .jit import kernel

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
U16 = npt.NDArray[np.uint16]
U64 = npt.NDArray[np.uint64]


@kernel
def max_pool(maps: F32 | I16, origins: I64, taps: I64, out: F32 | I16, best: U16) -> None:
    """Write the largest of each window of `maps` (n, elements) into `out` (n, places, channels).

    Args:
        maps: float32 or int16; padding holds what is never the largest.
        origins: int64 (places,).
        taps: int64 (taps,).
        out: of the dtype of `maps`.
        best: uint16 (n, places, channels), the tap that was the largest, the first of equals; or of no
            records, where nobody asks.
    """
    n, places, channels = out.shape
    kept = best.shape[0] > 0
    for r in range(n):
        for p in range(places):
            begin = origins[p] + taps[0]
            for c in range(channels):
                out[r, p, c] = maps[r, begin + c]
            if kept:
                for c in range(channels):
                    best[r, p, c] = 0
            for t in range(1, len(taps)):
                begin = origins[p] + taps[t]
                if kept:
                    for c in range(channels):
                        best[r, p, c] = t if maps[r, begin + c] > out[r, p, c] else best[r, p, c]
                for c in range(channels):
                    out[r, p, c] = max(out[r, p, c], maps[r, begin + c])


@kernel
def max_pool_back(grad: F32, best: U16, origins: I64, taps: I64, maps: F32) -> None:
    """Add `grad`, float32 (n, places, channels), to the element of `maps` (n, elements) that was largest."""
    n, places, channels = grad.shape
    for r in range(n):
        for p in range(places):
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                for c in range(channels):
                    given = grad[r, p, c] if best[r, p, c] == t else np.float32(0.0)
                    maps[r, begin + c] += given


@kernel
def mean_pool(maps: F32, origins: I64, taps: I64, count: F32, out: F32) -> None:
    """Write the sum of each window over count[place] into `out`, float32 (n, places, channels).

    Taps are added in order, so that the sum is the same on every machine; padding holds 0.
    """
    n, places, channels = out.shape
    for r in range(n):
        for p in range(places):
            for c in range(channels):
                out[r, p, c] = np.float32(0.0)
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                for c in range(channels):
                    out[r, p, c] += maps[r, begin + c]
            for c in range(channels):
                out[r, p, c] /= count[p]


@kernel
def mean_pool_back(grad: F32, origins: I64, taps: I64, count: F32, maps: F32) -> None:
    """Add `grad` / count[place], float32 (n, places, channels), to every element of the window."""
    n, places, channels = grad.shape
    for r in range(n):
        for p in range(places):
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                for c in range(channels):
                    maps[r, begin + c] += grad[r, p, c] / count[p]


@kernel
def or_pool(maps: U64, origins: I64, taps: I64, channels: int, out: U64) -> None:
    """Write the OR of each window of packed `maps` (n, words) tightly into `out`, uint64 (n, words).

    The largest of signs is +1 where any is. Padding holds 0 bits. The tail of the last word of `out` is 0.
    """
    for r in range(maps.shape[0]):
        out[r, out.shape[1] - 1] = np.uint64(0)
        for p in range(len(origins)):
            done = 0
            while done < channels:
                taken = min(64, channels - done)
                bits = np.uint64(0)
                for t in range(len(taps)):
                    bits |= read_bits(maps[r], origins[p] + taps[t] + done, taken)
                write_bits(out[r], p * channels + done, taken, bits)
                done += taken
