"""exp, log and what is made of them, in one order of additions and products: the same bits on every machine.

The host's libraries may round exp and log differently; here they are polynomials in float64, good to about
1e-15, and only their result is rounded to float32.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .jit import kernel

F32 = npt.NDArray[np.float32]

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.6931471803691238  # ends in zeros, so that k times it is exact
_LN2_LOW = 1.9082149292705877e-10
_LN2 = 0.6931471805599453
_HALF_ROOT = 0.7071067811865476


@kernel
def exp(x: float) -> float:
    """Return e^x, float64; beyond -700 and 700 the value there."""
    v = min(max(x, -700.0), 700.0)
    k = math.floor(v * _LOG2_E + 0.5)
    r = v - k * _LN2_HIGH
    r = r - k * _LN2_LOW
    # Taylor to r^13, |r| <= ln 2 / 2: the rest is below 1e-17.
    p = 1.0
    for i in range(13, 0, -1):
        p = 1.0 + r * p / i
    return math.ldexp(p, int(k))


@kernel
def log(x: float) -> float:
    """Return ln x, float64, for positive x that is neither tiny nor infinite."""
    m, e = math.frexp(x)
    if m < _HALF_ROOT:
        m = m * 2.0
        e = e - 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = 0.0
    for i in range(23, 0, -2):  # ln m = 2 (s + s^3 / 3 + s^5 / 5 ...), |s| < 0.172
        p = 1.0 / i + q * p
    return e * _LN2 + 2.0 * s * p


@kernel
def sigmoid(x: F32, out: F32) -> None:
    """Write 1 / (1 + e^-x) into `out`; both float32 (n,)."""
    for i in range(x.size):
        out[i] = np.float32(1.0 / (1.0 + exp(-np.float64(x[i]))))


@kernel
def logarithm(x: F32, out: F32) -> None:
    """Write ln x into `out`; both float32 (n,), x positive or 0, which counts as 1e-30."""
    for i in range(x.size):
        out[i] = np.float32(log(max(np.float64(x[i]), 1e-30)))


@kernel
def softmax(x: F32, out: F32) -> None:
    """Write e^x over its sum of each row into `out`; both float32 (n, columns)."""
    for r in range(x.shape[0]):
        top = x[r, 0]
        for c in range(1, x.shape[1]):
            top = max(top, x[r, c])
        total = 0.0
        for c in range(x.shape[1]):
            total += exp(np.float64(x[r, c]) - np.float64(top))
        for c in range(x.shape[1]):
            out[r, c] = np.float32(exp(np.float64(x[r, c]) - np.float64(top)) / total)


@kernel
def channel_means(x: F32, out: F32) -> None:
    """Write the mean over places into `out`, float32 (n, channels), of `x`, float32 (n, places, channels)."""
    places = x.shape[1]
    share = np.float32(1.0) / np.float32(places)
    for r in range(x.shape[0]):
        for c in range(x.shape[2]):
            out[r, c] = np.float32(0.0)
        for p in range(places):
            for c in range(x.shape[2]):
                out[r, c] += x[r, p, c]
        for c in range(x.shape[2]):
            out[r, c] *= share
