"""Depthwise products: every channel of a map with windows of its own; float32 or whole numbers.

A map is flat, one row a record, with its padding around it; `origins` and `taps` say where windows and their
elements begin (bnn/conv_window.py). Output o of `each` x channels belongs to channel o // each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@kernel
def dot_depthwise(maps: Any, origins: I64, taps: I64, weights: Any, each: int, out: Any) -> None:
    """Write the products of each window into `out` (n * positions, outputs), taps added in order.

    Args:
        maps: float32 or int32 (n, elements).
        origins: int64 (positions,).
        taps: int64 (taps,).
        weights: (taps, outputs), of the dtype of `maps`.
        each: outputs of one channel.
        out: of the dtype of `maps`.
    """
    outputs = weights.shape[1]
    for r in range(maps.shape[0]):
        x = maps[r]
        for p in range(len(origins)):
            y = out[r * len(origins) + p]
            y[:] = 0
            for t in range(len(taps)):
                w = weights[t]
                begin = origins[p] + taps[t]
                seen = x[begin : begin + outputs // each]
                if each == 1:
                    for o in range(outputs):
                        y[o] += seen[o] * w[o]
                else:
                    for o in range(outputs):
                        y[o] += seen[o // each] * w[o]


@kernel
def fold_depthwise(grad: F32, origins: I64, taps: I64, weights: F32, each: int, maps: F32) -> None:
    """Add dL/dmaps of `dot_depthwise` to `maps`, float32 (n, elements), for `grad`, dL/dout."""
    outputs = weights.shape[1]
    for r in range(maps.shape[0]):
        x = maps[r]
        for p in range(len(origins)):
            g = grad[r * len(origins) + p]
            for t in range(len(taps)):
                w = weights[t]
                begin = origins[p] + taps[t]
                seen = x[begin : begin + outputs // each]
                if each == 1:
                    for o in range(outputs):
                        seen[o] += g[o] * w[o]
                else:
                    for o in range(outputs):
                        seen[o // each] += g[o] * w[o]


@kernel
def depthwise_gradients(
    maps: F32, origins: I64, taps: I64, grad: F32, each: int, part: F32, out: F32
) -> None:
    """Write dL/dweights of `dot_depthwise` into `out`, float32 (taps, outputs).

    Args:
        maps: float32 (n, elements).
        origins: int64 (positions,).
        taps: int64 (taps,).
        grad: float32 (n * positions, outputs).
        each: outputs of one channel.
        part: float32 (taps, outputs), scratch: the sum of one record, which keeps the whole exact enough.
        out: written.
    """
    outputs = out.shape[1]
    out[:] = np.float32(0.0)
    for r in range(maps.shape[0]):
        x = maps[r]
        part[:] = np.float32(0.0)
        for p in range(len(origins)):
            g = grad[r * len(origins) + p]
            for t in range(len(taps)):
                row = part[t]
                begin = origins[p] + taps[t]
                seen = x[begin : begin + outputs // each]
                if each == 1:
                    for o in range(outputs):
                        row[o] += seen[o] * g[o]
                else:
                    for o in range(outputs):
                        row[o] += seen[o // each] * g[o]
        for t in range(len(taps)):
            for o in range(outputs):
                out[t, o] += part[t, o]
