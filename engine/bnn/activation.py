"""Activations without parameters of their own: ReLU, hard tanh and their like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..fields import choice, real
from ..fusion import PerElement
from ..node import Operator, Predictor, wired
from ..options import F64, Curve, Family
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper

Floats = npt.NDArray[Any]
# x and the leak -> y and dy/dx. Only additions, products and comparisons: the same bits on every machine.
Function = Callable[[Floats, float], tuple[Floats, Floats]]
_DRAWN_LEAK = 0.2
TURNING = {"hard_swish"}  # functions that fall somewhere and rise elsewhere


def _curve_of(function: Function) -> Curve:
    def curve(xs: F64) -> tuple[F64, F64]:
        y, slope = function(xs, _DRAWN_LEAK)
        return y, slope

    return curve


FUNCTIONS: Family[Function] = Family("bnn.activation_function", "Activations", curve_of=_curve_of)


@FUNCTIONS.option("relu", "ReLU", formula="max(x, 0)")
def relu(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return max(x, 0) and its slope."""
    return np.maximum(x, 0), (x > 0).astype(x.dtype)


@FUNCTIONS.option("leaky_relu", "Leaky ReLU", formula="x where x > 0, else leak x")
def leaky_relu(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return x where it is positive, else leak x, and the slope."""
    slope = np.where(x > 0, x.dtype.type(1), x.dtype.type(leak))
    return x * slope, slope


@FUNCTIONS.option("relu6", "ReLU6", formula="min(max(x, 0), 6)")
def relu6(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return x clipped to 0 to 6 and its slope."""
    return np.clip(x, 0, 6), ((x > 0) & (x < 6)).astype(x.dtype)


@FUNCTIONS.option(
    "hard_tanh", "Hard tanh", formula="clip(x, -1, 1)", citation="Hubara et al. 2016, arXiv:1602.02830"
)
def hard_tanh(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return x clipped to -1 to 1 and its slope: what the clipped estimator makes of a sign."""
    return np.clip(x, -1, 1), (np.abs(x) <= 1).astype(x.dtype)


@FUNCTIONS.option("leaky_tanh", "Leaky tanh", formula="clip(x, -1, 1) + leak (x - clip(x, -1, 1))")
def leaky_tanh(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return the hard tanh that goes on beyond -1 and 1 with the slope `leak`, and its slope."""
    inside, factor = np.clip(x, -1, 1), x.dtype.type(leak)
    return inside + (x - inside) * factor, np.where(np.abs(x) <= 1, x.dtype.type(1), factor)


@FUNCTIONS.option("hard_sigmoid", "Hard sigmoid", formula="clip((x + 3) / 6, 0, 1)")
def hard_sigmoid(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return clip((x + 3) / 6, 0, 1) and its slope."""
    sixth = x.dtype.type(1 / 6)
    return np.clip((x + 3) * sixth, 0, 1), np.where(np.abs(x) < 3, sixth, x.dtype.type(0))


@FUNCTIONS.option(
    "hard_swish",
    "Hard swish",
    formula="x clip((x + 3) / 6, 0, 1)",
    citation="Howard et al. 2019, arXiv:1905.02244",
)
def hard_swish(x: Floats, leak: float) -> tuple[Floats, Floats]:
    """Return x times its hard sigmoid, and the slope."""
    gate, slope = hard_sigmoid(x, leak)
    return x * gate, gate + x * slope


@dataclass(frozen=True)
class Activation(ShapeKeeper):
    """y = f(x), number by number, for a chosen f without parameters to learn.

    Attributes:
        function: f.
        leak: slope of the leaky ones outside their straight part.
    """

    kind: ClassVar[str] = "bnn.activation"
    title: ClassVar[str] = "Activation"
    icon: ClassVar[str] = "ph.line-segments"
    order: ClassVar[int] = 200
    summary: ClassVar[str] = "ReLU, hard tanh, leaky tanh and their like"

    function: str = choice("relu", FUNCTIONS, "What each number becomes")
    leak: float = real(_DRAWN_LEAK, 0.0, 1.0, "Slope of the leaky ones outside their straight part")

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        function = FUNCTIONS.make(self.function)

        def bent(x: Array) -> Array:
            return np.asarray(function(x, self.leak)[0], np.float32)

        return PerElement(bent, turns=self.function in TURNING)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return ActivationOperator(self, weights, spec)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Function", FUNCTIONS[self.function]),)


class ActivationOperator(Operator):
    """The activation in training: the slope is found on the way forward."""

    def __init__(self, node: Activation, weights: Arrays, spec: Spec) -> None:
        super().__init__(weights)
        self._function, self._leak = FUNCTIONS.make(node.function), node.leak
        self._slope: F32 = np.empty((0, *spec.shape), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        out, self._slope = self._function(inputs[0], self._leak)
        return (out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        return (None,) if grad is None else (grad * self._slope,)

    def metrics(self) -> dict[str, float]:
        """Return the share of numbers on a flat part: they pass no gradient."""
        return {"flat": float((self._slope == 0).mean())} if self._slope.size else {}
