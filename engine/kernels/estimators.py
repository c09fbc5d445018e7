"""Straight-through estimators: what replaces the derivative of a step, which is 0 almost everywhere.

Each is a kernel `(x, grad, out)` on float32 arrays of one length: it writes dL/dx into `out` for `grad`,
dL/d(sign x). A new estimator is one decorated function here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..options import F64, Curve, Family
from .jit import kernel, plain

F32 = npt.NDArray[np.float32]
Estimator = Callable[[F32, F32, F32], None]


def _curve_of(estimator: Estimator) -> Curve:
    """Return sign x, and what an estimator passes of a gradient of 1; Python throughout, so at once."""
    estimate = plain(estimator)

    def curve(xs: F64) -> tuple[F64, F64]:
        x = xs.astype(np.float32)
        out = np.empty_like(x)
        estimate(x, np.ones_like(x), out)
        return np.where(xs >= 0, 1.0, -1.0), out.astype(np.float64)

    return curve


ESTIMATORS: Family[Estimator] = Family("bnn.estimator", "Straight-through estimators", curve_of=_curve_of)


@ESTIMATORS.option(
    "clipped",
    "Clipped straight-through",
    formula="dL/dx = g where |x| <= 1, else 0",
    citation="Hubara et al. 2016, arXiv:1602.02830",
)
@kernel
def clipped(x: F32, grad: F32, out: F32) -> None:
    """Write grad where |x| <= 1, else 0."""
    for i in range(x.size):
        out[i] = grad[i] if abs(x[i]) <= np.float32(1.0) else np.float32(0.0)


@ESTIMATORS.option(
    "identity",
    "Identity straight-through",
    formula="dL/dx = g",
    citation="Bengio et al. 2013, arXiv:1308.3432",
)
@kernel
def identity(x: F32, grad: F32, out: F32) -> None:
    """Write grad."""
    for i in range(x.size):
        out[i] = grad[i]


@ESTIMATORS.option(
    "approx_sign",
    "ApproxSign",
    formula="dL/dx = g max(0, 2 - 2 |x|)",
    citation="Liu et al. 2018 (Bi-Real Net), arXiv:1808.00278",
)
@kernel
def approx_sign(x: F32, grad: F32, out: F32) -> None:
    """Write grad times the derivative of a piecewise quadratic sign."""
    for i in range(x.size):
        out[i] = grad[i] * max(np.float32(0.0), np.float32(2.0) - np.float32(2.0) * abs(x[i]))


@ESTIMATORS.option(
    "swish_sign",
    "SwishSign, beta 5",
    formula="dL/dx = g b (2 - b x tanh(b x / 2)) / (1 + cosh(b x)), b = 5",
    citation="Darabi et al. 2018 (BNN+), arXiv:1812.11800",
)
@kernel
def swish_sign(x: F32, grad: F32, out: F32) -> None:
    """Write grad times the derivative of 2 sigmoid(bx) (1 + bx (1 - sigmoid(bx))) - 1 with b = 5."""
    for i in range(x.size):
        z = min(abs(np.float64(x[i]) * 5.0), 60.0)
        out[i] = np.float32(grad[i] * (5.0 * (2.0 - z * math.tanh(z / 2.0)) / (1.0 + math.cosh(z))))
