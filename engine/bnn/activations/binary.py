"""Activations of 1 bit: which two values they take, where the threshold lies, and what is drawn by chance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...node import Parameter
from ...ports import F32, Array, Arrays, Spec
from ...precision import Precision
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

GROUP = "1 bit"
_LEAST = np.float32(1e-3)


@ACTIVATION_QUANTIZERS.option(
    "heaviside",
    "Step: 0 or 1",
    formula="1 where x > 0, else 0; dL/dx by the estimator",
    citation="",
    group=GROUP,
)
class Heaviside(ActivationQuantizer):
    """Bits that count 0 and 1: half a sign, raised by a half. `SteHeaviside` of the library Larq."""

    per_element: ClassVar[bool] = True

    @property
    def step(self) -> float:
        return 0.5

    @property
    def offset(self) -> float | None:
        return 0.5

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(np.where(x > 0, np.float32(1), np.float32(-1)), out)

    def gradient(self, x: F32, grad: F32) -> F32:
        return self.estimated(x, grad)


@ACTIVATION_QUANTIZERS.option(
    "stochastic_sign",
    "Stochastic sign",
    formula="+1 with probability clip((x + 1) / 2, 0, 1), else -1; shipped as sign(x)",
    citation="Hubara et al. 2016, arXiv:1602.02830",
    group=GROUP,
)
class StochasticSign(ActivationQuantizer):
    """Signs drawn in training; the clipped estimator is the slope of their mean."""

    per_element: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(np.float32(0.5) * (x + 1) - self.rng.random(x.shape, np.float32), out)

    def shipped(self, x: F32, out: Array) -> Array:
        return self.signs(x, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        return self.estimated(x, grad)


@ACTIVATION_QUANTIZERS.option(
    "bernoulli",
    "Bernoulli: 0 or 1",
    formula="1 with probability clip((x + 1) / 2, 0, 1), else 0; half a sign's gradient; shipped as [x >= 0]",
    group=GROUP,
)
class Bernoulli(StochasticSign):
    """The stochastic sign, halved and raised; `bernoulli` of the library QKeras."""

    @property
    def step(self) -> float:
        return 0.5

    @property
    def offset(self) -> float | None:
        return 0.5

    def gradient(self, x: F32, grad: F32) -> F32:
        return self.estimated(x, np.float32(0.5) * grad)


@ACTIVATION_QUANTIZERS.option(
    "gumbel",
    "Straight-through Gumbel, temperature 1",
    formula="sign(z), z = x + ln(u / (1 - u)), u uniform; dL/dx = g (1 - tanh^2(z / 2)) / 2; shipped sign(x)",
    citation="Jang et al. 2016, arXiv:1611.01144",
    group=GROUP,
)
class Gumbel(ActivationQuantizer):
    """A draw of +1 or -1 with logits x and 0; the gradient is that of the soft draw with the same noise.

    The softmax of two logits with Gumbel noise is the logistic function of their difference with logistic
    noise.
    """

    per_element: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    _drawn: F32 | None = None

    def quantize(self, x: F32, out: Array) -> Array:
        u = np.clip(self.rng.random(x.shape, np.float32), np.float32(1e-6), np.float32(1 - 1e-6))
        self._drawn = x + np.log(u) - np.log1p(-u)
        return self.signs(self._drawn, out)

    def shipped(self, x: F32, out: Array) -> Array:
        return self.signs(x, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        soft = np.tanh((x if self._drawn is None else self._drawn) / np.float32(2))
        back: F32 = grad * (1 - soft * soft) / np.float32(2)
        return back


@ACTIVATION_QUANTIZERS.option(
    "rsign",
    "Shifted sign (RSign)",
    formula="sign(x + b), b learned for each channel from 0; dL/db = sum of dL/dx",
    citation="Liu et al. 2020 (ReActNet), arXiv:2003.03488",
    group=GROUP,
)
class RSign(ActivationQuantizer):
    """A threshold for each channel, the last axis of what arrives."""

    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads["input_shift"] = np.zeros_like(arrays["input_shift"])

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"input_shift": np.zeros(spec.shape[-1], np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {"input_shift": arrays["input_shift"].copy()}

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(x + self.arrays["input_shift"], out)

    def gradient(self, x: F32, grad: F32) -> F32:
        back = self.estimated(x + self.arrays["input_shift"], grad)
        np.sum(back.reshape(-1, x.shape[-1]), axis=0, out=self.grads["input_shift"])
        return back


@ACTIVATION_QUANTIZERS.option(
    "adabin",
    "Adaptive binary set (AdaBin)",
    formula="a sign((x - b) / a) + b, a and b learned for the layer from 1 and 0",
    citation="Tu et al. 2022, arXiv:2208.08084",
    group=GROUP,
)
class AdaBin(ActivationQuantizer):
    """Two learned values, b - a and b + a, that say where the sign turns and how wide its gradient is."""

    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads.update({name: np.zeros(1, np.float32) for name in ("input_distance", "input_centre")})

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {"input_distance": np.ones(1, np.float32), "input_centre": np.zeros(1, np.float32)}

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        return {n: arrays[n].copy() for n in ("input_distance", "input_centre")}

    @property
    def step(self) -> float:
        return float(max(self.arrays["input_distance"][0], _LEAST))

    @property
    def offset(self) -> float | None:
        return float(self.arrays["input_centre"][0])

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(x - self.arrays["input_centre"], out)

    def gradient(self, x: F32, grad: F32) -> F32:
        scale = np.float32(self.step)
        v = (x - self.arrays["input_centre"]) / scale
        signs = np.where(v >= 0, np.float32(1), np.float32(-1))
        of_scale, of_centre = (grad * signs).sum(dtype=np.float64), grad.sum(dtype=np.float64)
        back = self.estimated(v, grad.copy())
        self.grads["input_distance"][0] = of_scale - (back * v).sum(dtype=np.float64)
        self.grads["input_centre"][0] = of_centre - back.sum(dtype=np.float64)
        return back

    def parameters(self) -> tuple[Parameter, ...]:
        floors = {"input_distance": float(_LEAST), "input_centre": None}
        return tuple(
            Parameter(n, self.arrays[n], g, floor=floors[n], relative=floors[n] is not None)
            for n, g in self.grads.items()
        )


@ACTIVATION_QUANTIZERS.option(
    "progressive",
    "Hard tanh that turns into a sign (bitorch)",
    formula="clip(x / T, -1, 1), T = 4^(-10 share), sign(x) in the end and shipped; dL/dx = g",
    group=GROUP,
)
class Progressive(ActivationQuantizer):
    """Floats that grow into signs over the training; `ProgressiveSign` of the library bitorch."""

    per_element: ClassVar[bool] = True

    @property
    def soft(self) -> bool:
        return self.moment.learning and self.moment.share < 1

    def relaxed(self, x: F32) -> F32:
        soft: F32 = np.clip(x / np.float32(4.0 ** (-10 * self.moment.share)), -1, 1)
        return soft

    def quantize(self, x: F32, out: Array) -> Array:
        return self.signs(x, out)

    def gradient(self, x: F32, grad: F32) -> F32:
        return grad
