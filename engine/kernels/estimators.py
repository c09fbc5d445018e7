"""Straight-through estimators: what replaces the derivative of a step, which is 0 almost everywhere.

Each is `(x, grad, share, out)`, float32 arrays of one length and the share of the training that is done, from
0 to 1: it writes dL/dx into `out`, which may be `grad` itself, for `grad`, dL/d(sign x). Plain arithmetic is
a kernel; what needs tanh, cosine or a power is NumPy, whose vectors are faster. A new estimator is one
decorated function here. Curves are drawn at half of the training.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..options import F64, Curve, Family
from .jit import kernel, plain

F32 = npt.NDArray[np.float32]
Estimator = Callable[[F32, F32, float, F32], None]

_CLIPPED = "Straight lines"
_SOFT = "Soft steps"
_ANNEALED = "Sharper as the training goes on"
_OTHER = "Of the gradient or the batch"


def _curve_of(estimator: Estimator) -> Curve:
    """Return sign x, and what an estimator passes of a gradient of 1; Python throughout, so at once."""
    estimate = plain(estimator)

    def curve(xs: F64) -> tuple[F64, F64]:
        x = xs.astype(np.float32)
        out = np.empty_like(x)
        estimate(x, np.ones_like(x), 0.5, out)
        return np.where(xs >= 0, 1.0, -1.0), out.astype(np.float64)

    return curve


WHOLE = {"dynamic_clip"}  # those that look at all of x before they pass any of the gradient
ESTIMATORS: Family[Estimator] = Family("bnn.estimator", "Straight-through estimators", curve_of=_curve_of)


@ESTIMATORS.option(
    "clipped",
    "Clipped straight-through",
    formula="dL/dx = g where |x| <= 1, else 0",
    citation="Hubara et al. 2016, arXiv:1602.02830",
    group=_CLIPPED,
)
@kernel
def clipped(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad where |x| <= 1, else 0."""
    for i in range(x.size):
        g = grad[i]  # read in any case: a choice of two numbers, and no branch
        out[i] = g if abs(x[i]) <= np.float32(1.0) else np.float32(0.0)


@ESTIMATORS.option(
    "clipped_1_25",
    "Clipped at 1.25 (ResNetE, QuickNet)",
    formula="dL/dx = g where |x| <= 1.25, else 0",
    citation="Bethge et al. 2019, arXiv:1906.08637",
    group=_CLIPPED,
)
@kernel
def clipped_1_25(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad where |x| <= 1.25, else 0."""
    for i in range(x.size):
        g = grad[i]  # read in any case: a choice of two numbers, and no branch
        out[i] = g if abs(x[i]) <= np.float32(1.25) else np.float32(0.0)


@ESTIMATORS.option(
    "clipped_1_3",
    "Clipped at 1.3 (BinaryDenseNet, MeliusNet)",
    formula="dL/dx = g where |x| <= 1.3, else 0",
    citation="Bethge et al. 2020 (MeliusNet), arXiv:2001.05936",
    group=_CLIPPED,
)
@kernel
def clipped_1_3(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad where |x| <= 1.3, else 0."""
    for i in range(x.size):
        g = grad[i]  # read in any case: a choice of two numbers, and no branch
        out[i] = g if abs(x[i]) <= np.float32(1.3) else np.float32(0.0)


@ESTIMATORS.option(
    "clipped_1_5",
    "Clipped at 1.5 (BNext)",
    formula="dL/dx = g where |x| <= 1.5, else 0",
    citation="Guo et al. 2022 (BNext), arXiv:2211.12933",
    group=_CLIPPED,
)
@kernel
def clipped_1_5(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad where |x| <= 1.5, else 0."""
    for i in range(x.size):
        g = grad[i]  # read in any case: a choice of two numbers, and no branch
        out[i] = g if abs(x[i]) <= np.float32(1.5) else np.float32(0.0)


@ESTIMATORS.option(
    "identity",
    "Identity straight-through",
    formula="dL/dx = g",
    citation="Bengio et al. 2013, arXiv:1308.3432",
    group=_CLIPPED,
)
@kernel
def identity(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad."""
    for i in range(x.size):
        out[i] = grad[i]


@ESTIMATORS.option(
    "approx_sign",
    "ApproxSign",
    formula="dL/dx = g max(0, 2 - 2 |x|)",
    citation="Liu et al. 2018 (Bi-Real Net), arXiv:1808.00278",
    group=_SOFT,
)
@kernel
def approx_sign(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of a piecewise quadratic sign."""
    for i in range(x.size):
        out[i] = grad[i] * max(np.float32(0.0), np.float32(2.0) - np.float32(2.0) * abs(x[i]))


@ESTIMATORS.option(
    "swish_sign",
    "SwishSign, beta 5",
    formula="dL/dx = g b (2 - b x tanh(b x / 2)) / (1 + cosh(b x)), b = 5",
    citation="Darabi et al. 2018 (BNN+), arXiv:1812.11800",
    group=_SOFT,
)
def swish_sign(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of 2 sigmoid(bx) (1 + bx (1 - sigmoid(bx))) - 1 with b = 5."""
    z = np.minimum(np.float32(5) * np.abs(x), np.float32(60))
    slope = np.float32(5) * (2 - z * np.tanh(z / 2)) / (1 + np.cosh(z))
    np.multiply(grad, slope, out=out)


@ESTIMATORS.option(
    "dsq",
    "DSQ, alpha 0.4",
    formula="dL/dx = g s k/2 (1 - tanh^2(k x / 2)) where |x| <= 1, s = 1/(1-a), k = ln((s+1)/(s-1)), a = 0.4",
    citation="Gong et al. 2019, arXiv:1908.05033",
    group=_SOFT,
)
def dsq(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of the soft step between -1 and 1; alpha as in MQBench."""
    scale = 1 / (1 - 0.4)
    sharpness = math.log((scale + 1) / (scale - 1))
    slope = _tanh_slope(x, sharpness / 2) * np.float32(scale)
    np.multiply(grad, np.where(np.abs(x) <= 1, slope, np.float32(0)), out=out)


@ESTIMATORS.option("tanh", "Tanh surrogate", formula="dL/dx = g (1 - tanh^2 x)", group=_SOFT)
def tanh(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of tanh x."""
    np.multiply(grad, _tanh_slope(x, 1.0), out=out)


@ESTIMATORS.option(
    "sigmoid",
    "Sigmoid surrogate, slope 4",
    formula="dL/dx = 2 g b s (1 - s), s = 1 / (1 + exp(-b x)), b = 4",
    group=_SOFT,
)
def sigmoid(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of twice the logistic function of 4 x, that of tanh 2 x."""
    np.multiply(grad, _tanh_slope(x, 2.0), out=out)


@ESTIMATORS.option("arctan", "Arctan surrogate", formula="dL/dx = g / (1 + (pi x / 2)^2)", group=_SOFT)
@kernel
def arctan(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of the arctan of pi x / 2, scaled to end at -1 and 1."""
    for i in range(x.size):
        z = np.float32(math.pi / 2) * x[i]
        out[i] = grad[i] / (np.float32(1.0) + z * z)


@ESTIMATORS.option(
    "ede",
    "Error decay (EDE)",
    formula="dL/dx = g k t (1 - tanh^2(t x)), t = 10^(4 share - 3), k = max(1/t, 1)",
    citation="Qin et al. 2020 (IR-Net), arXiv:1909.10788",
    group=_ANNEALED,
)
def ede(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of k tanh(t x): the identity at first, a sharp step in the end."""
    t = 10.0 ** (4 * share - 3)
    np.multiply(grad, _tanh_slope(x, t) * np.float32(max(1 / t, 1.0)), out=out)


@ESTIMATORS.option(
    "fda",
    "Fourier series (FDA)",
    formula="dL/dx = g (4 w / pi) sum_i=0..n cos((2i+1) w x) where |x| <= 1, w = 0.1, n = 9 + floor(9 share)",
    citation="Xu et al. 2021 (FDA-BNN), arXiv:2103.00841",
    group=_ANNEALED,
)
def fda(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of the Fourier series of a square wave, cut after n + 1 terms."""
    count = 10 + int(9 * share)
    half = np.float32(0.1) * np.clip(x, -1, 1)
    # The sum of the cosines is sin(2 (n + 1) w x) / (2 sin(w x)), and n + 1 at 0.
    half = np.where(np.abs(half) < 1e-4, np.float32(1e-4), half)
    series = np.sin(2 * count * half) / (2 * np.sin(half))
    slope = np.where(np.abs(x) <= 1, np.float32(0.4 / math.pi) * series, np.float32(0))
    np.multiply(grad, slope, out=out)


@ESTIMATORS.option(
    "reste",
    "Rectified (ReSTE)",
    formula="dL/dx = g |x|^(1/o - 1) / o where 0.1 < |x| <= 1.5, g 0.1^(1/o) / 0.1 below, 0 above; "
    "o = 1 + 2 (1 - cos(pi share / 2))",
    citation="Wu et al. 2023, arXiv:2308.06689",
    group=_ANNEALED,
)
def reste(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of sign(x) |x|^(1/o), a secant near 0; o grows from 1 to 3."""
    o = 3 - 2 * math.cos(math.pi / 2 * share)
    size = np.abs(x)
    power = np.maximum(size, np.float32(0.1)) ** np.float32(1 / o - 1) * np.float32(1 / o)
    slope = np.where(size > np.float32(0.1), power, np.float32(0.1 ** (1 / o - 1)))
    np.multiply(grad, np.where(size <= np.float32(1.5), slope, np.float32(0)), out=out)


@ESTIMATORS.option(
    "training_aware",
    "Training-aware (RBNN)",
    formula="dL/dx = g k max(0, sqrt(2) t - t^2 |x|), t = 10^(3 share - 2), k = max(1/t, 1)",
    citation="Lin et al. 2020, arXiv:2009.13055",
    group=_ANNEALED,
)
def training_aware(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of two parabolas that join in 0 and grow into a step."""
    t = 10.0 ** (3 * share - 2)
    slope = np.maximum(np.float32(math.sqrt(2) * t) - np.float32(t * t) * np.abs(x), np.float32(0))
    np.multiply(grad, slope * np.float32(max(1 / t, 1.0)), out=out)


@ESTIMATORS.option(
    "annealed_tanh",
    "Tanh with falling temperature",
    formula="dL/dx = g b (1 - tanh^2(b x)), b = 10^share",
    group=_ANNEALED,
)
def annealed_tanh(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times the derivative of tanh(b x), whose temperature 1/b falls from 1 to 0.1."""
    np.multiply(grad, _tanh_slope(x, 10.0**share), out=out)


@ESTIMATORS.option(
    "ewgs",
    "Element-wise scaling (EWGS), delta 0.001",
    formula="dL/dx = g (1 + d sign(g) (u - q)) where |x| <= 1, u = (x + 1) / 2, q = [x >= 0], d = 0.001",
    citation="Lee et al. 2021, arXiv:2104.00903",
    group=_OTHER,
)
@kernel
def ewgs(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad, larger where it leads away from the value that x was rounded to; delta as in their code."""
    for i in range(x.size):
        g = grad[i]
        level = np.float32(1.0) if x[i] >= np.float32(0.0) else np.float32(0.0)
        error = np.float32(0.5) * (x[i] + np.float32(1.0)) - level
        scaled = g + np.float32(1e-3) * abs(g) * error
        out[i] = scaled if abs(x[i]) <= np.float32(1.0) else np.float32(0.0)


@ESTIMATORS.option(
    "dynamic_clip",
    "Clipped at twice the spread",
    formula="dL/dx = g where |x| <= 2 sqrt(mean x^2), else 0; mean over the batch or the layer's weights",
    group=_OTHER,
)
@kernel
def dynamic_clip(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad where |x| is at most twice the root mean square of x, else 0."""
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i]) * np.float64(x[i])
    bound = np.float32(2.0 * math.sqrt(total / max(1, x.size)))
    for i in range(x.size):
        g = grad[i]  # read in any case: a choice of two numbers, and no branch
        out[i] = g if abs(x[i]) <= bound else np.float32(0.0)


@ESTIMATORS.option(
    "adaste",
    "Adaptive tanh (after AdaSTE)",
    formula="dL/dx = g tanh(x) / x where g leads x to 0, g (1 - tanh^2 x) where it leads away",
    citation="Le et al. 2021, arXiv:2112.02880",
    group=_OTHER,
)
def adaste(x: F32, grad: F32, share: float, out: F32) -> None:
    """Write grad times a difference quotient of tanh over as long a step as would change the sign.

    The paper chooses, weight by weight, how far the quotient reaches; what vanishes far from 0 then leaks
    where the gradient would flip the sign, and only there. Here it reaches to 0; the paper's inner cost,
    whose minimiser may stand in tanh's place, is left out.
    """
    size = np.maximum(np.abs(x), np.float32(1e-6))
    soft = np.tanh(size)
    leads = (x > 0) == (grad > 0)  # descent goes against the gradient
    np.multiply(grad, np.where(leads, soft / size, 1 - soft * soft), out=out)


def _tanh_slope(x: F32, sharpness: float) -> F32:
    """Return the derivative of tanh(sharpness x)."""
    soft = np.tanh(x * np.float32(sharpness))
    soft *= soft
    slope: F32 = np.float32(sharpness) * (np.float32(1) - soft)
    return slope
