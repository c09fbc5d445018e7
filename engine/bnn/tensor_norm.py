"""Tensor norm: one mean and one deviation for everything, as it stands before the scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import real
from ..fusion import PerElement
from ..node import Cost, Operator, Parameter, Predictor, Work, wired
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper

_EPSILON = np.float32(1e-4)


@dataclass(frozen=True)
class TensorNorm(ShapeKeeper):
    """y = gamma (x - mean) / sqrt(variance + 1e-4) + beta, with one mean, variance, gamma and beta for all.

    Of scores it changes no answer as long as gamma is positive: it gives the loss a scale to work at while
    every unit keeps integer sums. A shipped model uses running statistics, folded to one factor and one
    shift. It stands at the end of the binary networks of Brevitas (BNN-PYNQ).

    Attributes:
        momentum: share of the running statistics that is kept at each step.
    """

    kind: ClassVar[str] = "bnn.tensor_norm"
    title: ClassVar[str] = "Tensor norm"
    icon: ClassVar[str] = "ph.sliders"
    order: ClassVar[int] = 260
    summary: ClassVar[str] = (
        "One mean and one scale for all numbers, as before the scores of a binary network"
    )

    momentum: float = real(0.9, 0.0, 0.9999, "Share of the running statistics kept at each step")

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(64, (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        begin = {"gamma": 1.0, "beta": 0.0, "mean": 0.0, "variance": 1.0}
        return {name: np.full(1, value, np.float32) for name, value in begin.items()}

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        scale = (weights["gamma"] / np.sqrt(weights["variance"] + _EPSILON)).astype(np.float32)
        return {"scale": scale, "shift": (weights["beta"] - weights["mean"] * scale).astype(np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return PerElement(lambda x: x * packed["scale"] + packed["shift"])

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return TensorNormOperator(self, weights, batch, spec)


class TensorNormOperator(Operator):
    """Tensor norm in training."""

    def __init__(self, node: TensorNorm, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._keep = np.float32(node.momentum)
        self._normal = np.empty((batch, *spec.shape), np.float32)
        self._deviation = np.ones(1, np.float32)
        self._grads = {name: np.zeros(1, np.float32) for name in ("gamma", "beta")}

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(n, self.weights[n], g) for n, g in self._grads.items())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        if self.moment.learning:
            mean, variance = x.mean(dtype=np.float64), x.var(dtype=np.float64)
            self._remember("mean", mean)
            self._remember("variance", variance * x.size / max(1, x.size - 1))
        else:
            mean, variance = self.weights["mean"][0], self.weights["variance"][0]
        self._deviation[0] = np.sqrt(variance + _EPSILON)
        normal = np.subtract(x, np.float32(mean), out=self._normal[: len(x)])
        normal /= self._deviation
        return (normal * self.weights["gamma"] + self.weights["beta"],)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        normal = self._normal[: len(grad)]
        beta, gamma = self._grads["beta"], self._grads["gamma"]
        beta[0] = grad.sum(dtype=np.float64)
        gamma[0] = (grad * normal).sum(dtype=np.float64)
        count = np.float32(grad.size)
        inner: F32 = grad - beta / count - normal * (gamma / count)
        inner *= self.weights["gamma"] / self._deviation
        return (inner,)

    def slopes(self) -> F32 | None:
        return np.asarray(self.weights["gamma"] / self._deviation, np.float32)

    def _remember(self, name: str, now: float) -> None:
        self.weights[name] *= self._keep
        self.weights[name] += (1 - self._keep) * np.float32(now)
