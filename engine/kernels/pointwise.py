"""Steps on one number at a time, with parameters by channel: rows are pixels, columns are channels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@kernel
def prelu(x: F32, shift: F32, slope: F32, lift: F32, out: F32) -> None:
    """Write p(x - shift) + lift into `out`, p(v) = v where v > 0, else slope v.

    Args:
        x: float32 (rows, channels).
        shift: float32 (channels,), where the bend is.
        slope: float32 (channels,), the slope below the bend.
        lift: float32 (channels,), added at the end.
        out: float32 (rows, channels).
    """
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            v = x[r, c] - shift[c]
            low = v * slope[c]
            out[r, c] = (v if v > np.float32(0.0) else low) + lift[c]


@kernel
def prelu_back(x: F32, grad: F32, shift: F32, slope: F32, out: F32, sums: F64) -> None:
    """Write dL/dx of `prelu` into `out` for `grad`, dL/dy; add the parameters' gradients into `sums`.

    Args:
        x: float32 (rows, channels), what `prelu` saw.
        grad: float32 (rows, channels).
        shift: float32 (channels,), as in `prelu`.
        slope: float32 (channels,), as in `prelu`.
        out: float32 (rows, channels).
        sums: float64 (3, channels): dL/dshift, dL/dslope, dL/dlift.
    """
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            v = x[r, c] - shift[c]
            g = grad[r, c]
            above = v > np.float32(0.0)
            d = g if above else g * slope[c]
            out[r, c] = d
            sums[0, c] -= d
            sums[1, c] += np.float32(0.0) if above else g * v
            sums[2, c] += g
