"""Pooling: the largest, or the mean, of each window of a map, channel by channel; and the way back.

A map is flat, one row a record, with its padding around it; `origins` and `taps` say where windows and their
elements begin (bnn/conv_window.py). The channels of one place lie side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .conv import read_bits, write_bits
from .jit import kernel

F32 = npt.NDArray[np.float32]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@kernel
def max_pool(maps: F32 | I16, origins: I64, taps: I64, channels: int, out: F32 | I16) -> None:
    """Write the largest of each window of `maps` (n, elements) into `out` (n, places * channels).

    Args:
        maps: float32 or int16; padding holds what is never the largest.
        origins: int64 (places,).
        taps: int64 (taps,).
        channels: elements side by side.
        out: of the dtype of `maps`.
    """
    for r in range(maps.shape[0]):
        # Slices, so that no place is asked whether it counts from the end: that would cost the vectors.
        x = maps[r]
        for p in range(len(origins)):
            at, y = origins[p], out[r, p * channels : (p + 1) * channels]
            first = x[at + taps[0] : at + taps[0] + channels]
            t = 1
            if len(taps) >= 4:
                b1, b2, b3 = at + taps[1], at + taps[2], at + taps[3]
                x1, x2, x3 = x[b1 : b1 + channels], x[b2 : b2 + channels], x[b3 : b3 + channels]
                for c in range(channels):
                    v = first[c] if first[c] > x1[c] else x1[c]
                    w = x2[c] if x2[c] > x3[c] else x3[c]
                    y[c] = v if v > w else w
                t = 4
            else:
                for c in range(channels):
                    y[c] = first[c]
            while t < len(taps):
                seen = x[at + taps[t] : at + taps[t] + channels]
                for c in range(channels):
                    y[c] = y[c] if y[c] > seen[c] else seen[c]
                t += 1


@kernel
def max_pool_back(grad: F32, maps: F32, pooled: F32, origins: I64, taps: I64, out: F32) -> None:
    """Add each number of `grad` to the first element of its window that is the largest.

    Args:
        grad: float32 (n, places, channels), changed: what was handed on is 0 afterwards.
        maps: float32 (n, elements), what was pooled.
        pooled: float32 (n, places, channels), what came out.
        origins: int64 (places,).
        taps: int64 (taps,).
        out: float32 (n, elements).
    """
    n, places, channels = grad.shape
    zero = np.float32(0.0)
    for r in range(n):
        x, back = maps[r], out[r]
        for p in range(places):
            y, left = pooled[r, p], grad[r, p]
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                here, there = x[begin : begin + channels], back[begin : begin + channels]
                for c in range(channels):
                    given = left[c] if here[c] == y[c] else zero
                    left[c] -= given
                    there[c] += given


@kernel
def max_pool_swap(grad: F32, maps: F32, pooled: F32, origins: I64, taps: I64) -> None:
    """Put in the place of `maps`, whose windows share no element, the gradient of their elements.

    Args:
        grad: float32 (n, places, channels).
        maps: float32 (n, elements), what was pooled, covered by the windows; changed.
        pooled: float32 (n, places, channels), what came out.
        origins: int64 (places,).
        taps: int64 (taps,).
    """
    n, places, channels = grad.shape
    left, zero = np.empty(channels, np.float32), np.float32(0.0)
    for r in range(n):
        x = maps[r]
        for p in range(places):
            y, g = pooled[r, p], grad[r, p]
            for c in range(channels):
                left[c] = g[c]
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                here = x[begin : begin + channels]
                for c in range(channels):
                    most = left[c]
                    given = most if here[c] == y[c] else zero
                    here[c] = given
                    left[c] = most - given


@kernel
def mean_pool(maps: F32, origins: I64, taps: I64, count: F32, out: F32) -> None:
    """Write the sum of each window over count[place] into `out`, float32 (n, places, channels).

    Taps are added in order, so that the sum is the same on every machine; padding holds 0.
    """
    n, places, channels = out.shape
    for r in range(n):
        x = maps[r]
        for p in range(places):
            y = out[r, p]
            for c in range(channels):
                y[c] = np.float32(0.0)
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                for c in range(channels):
                    y[c] += x[begin + c]
            for c in range(channels):
                y[c] /= count[p]


@kernel
def mean_pool_back(grad: F32, origins: I64, taps: I64, count: F32, out: F32) -> None:
    """Add `grad` / count[place], float32 (n, places, channels), to every element of the window."""
    n, places, channels = grad.shape
    for r in range(n):
        back = out[r]
        for p in range(places):
            g = grad[r, p]
            for t in range(len(taps)):
                begin = origins[p] + taps[t]
                for c in range(channels):
                    back[begin + c] += g[c] / count[p]


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


@kernel
def or_units(maps: Any, origins: I64, taps: I64, length: int, out: Any) -> None:
    """Write the OR of each window of packed `maps` into `out`, both of one kind of whole number a row.

    As `or_pool`, where every window, tap and channel vector begins on such a number.

    Args:
        maps: (n, numbers).
        origins: int64 (places,), in numbers.
        taps: int64 (taps,), in numbers.
        length: numbers of a channel vector.
        out: (n, numbers), at least places x length of them.
    """
    for r in range(maps.shape[0]):
        for p in range(len(origins)):
            for i in range(length):
                at = origins[p] + i
                bits = maps[r, at + taps[0]]
                for t in range(1, len(taps)):
                    bits |= maps[r, at + taps[t]]
                out[r, p * length + i] = bits
