"""Surrogate gradients: what stands in for the derivative of a spike, which is 0 almost everywhere.

Forward, a neuron fires where x = U - threshold >= 0. Backward, dS/dx is one of these bell curves. Each is a
kernel `(x, k, out)` on float32 arrays of one length; k > 0 sharpens it. All have area 1, but the fast sigmoid
has height 1 and the straight line is 1 throughout. A new one is one decorated function here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..kernels.jit import kernel, plain
from ..options import F64, Curve, Family
from ..ports import F32

Surrogate = Callable[[F32, np.float32, F32], None]

_SHOWN_AT = np.float32(2.0)  # the sharpness that the curves are drawn at


def _curve_of(surrogate: Surrogate) -> Curve:
    """Return the spike and what stands in for its derivative at k = 2; Python throughout, so at once."""
    write = plain(surrogate)

    def curve(xs: F64) -> tuple[F64, F64]:
        out = np.empty(xs.shape, np.float32)
        write(xs.astype(np.float32), _SHOWN_AT, out)
        return np.where(xs >= 0, 1.0, 0.0), out.astype(np.float64)

    return curve


SURROGATES: Family[Surrogate] = Family("snn.surrogate", "Surrogate gradients", curve_of=_curve_of)

_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_HALF_PI = np.float32(math.pi / 2)
_ROOT_PI = np.float32(math.sqrt(math.pi))


@SURROGATES.option("arctan", "Arctan", formula="k / (2 (1 + (pi k x / 2)^2))")
@kernel
def arctan(x: F32, k: np.float32, out: F32) -> None:
    """Write the slope of 1/2 plus the arctan of pi k x / 2, over pi."""
    for i in range(x.size):
        z = _HALF_PI * k * x[i]
        out[i] = _HALF * k / (_ONE + z * z)


@SURROGATES.option("fast_sigmoid", "Fast sigmoid (SuperSpike)", formula="1 / (1 + k |x|)^2")
@kernel
def fast_sigmoid(x: F32, k: np.float32, out: F32) -> None:
    """Write the derivative of x / (1 + k |x|)."""
    for i in range(x.size):
        z = _ONE + k * abs(x[i])
        out[i] = _ONE / (z * z)


@SURROGATES.option("sigmoid", "Sigmoid", formula="k s(kx) (1 - s(kx)), s the logistic function")
@kernel
def sigmoid(x: F32, k: np.float32, out: F32) -> None:
    """Write the derivative of the logistic function of kx."""
    for i in range(x.size):
        e = np.exp(-abs(k * x[i]))
        out[i] = k * e / ((_ONE + e) * (_ONE + e))


@SURROGATES.option("triangular", "Triangular", formula="max(0, k - k^2 |x|)")
@kernel
def triangular(x: F32, k: np.float32, out: F32) -> None:
    """Write a triangle of height k and area 1."""
    for i in range(x.size):
        out[i] = max(_ZERO, k - k * k * abs(x[i]))


@SURROGATES.option("boxcar", "Boxcar", formula="k where |x| < 1 / (2k), else 0")
@kernel
def boxcar(x: F32, k: np.float32, out: F32) -> None:
    """Write a box of height k and area 1."""
    for i in range(x.size):
        out[i] = k if abs(x[i]) * k < _HALF else _ZERO


@SURROGATES.option("exponential", "Piecewise exponential", formula="(k / 2) exp(-k |x|)")
@kernel
def exponential(x: F32, k: np.float32, out: F32) -> None:
    """Write a two-sided exponential of area 1."""
    for i in range(x.size):
        out[i] = _HALF * k * np.exp(-k * abs(x[i]))


@SURROGATES.option("soft_sign", "Soft sign", formula="k / (2 (1 + k |x|)^2)")
@kernel
def soft_sign(x: F32, k: np.float32, out: F32) -> None:
    """Write the derivative of kx / (2 (1 + k |x|)) + 1/2."""
    for i in range(x.size):
        z = _ONE + k * abs(x[i])
        out[i] = _HALF * k / (z * z)


@SURROGATES.option("gaussian", "Gaussian (erf)", formula="k exp(-k^2 x^2) / sqrt(pi)")
@kernel
def gaussian(x: F32, k: np.float32, out: F32) -> None:
    """Write the derivative of erf(kx) / 2 + 1/2."""
    for i in range(x.size):
        z = k * x[i]
        out[i] = k * np.exp(-z * z) / _ROOT_PI


@SURROGATES.option("straight", "Straight through", formula="1")
@kernel
def straight(x: F32, k: np.float32, out: F32) -> None:
    """Write 1 everywhere, whatever k is."""
    for i in range(x.size):
        out[i] = _ONE
