"""Batch normalisation: a scale and a shift for each channel once training is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import flag, real
from ..fusion import PerElement
from ..kernels.floats import scale_shift
from ..node import Cost, Family, Learning, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec

_EPSILON = np.float32(1e-5)


@dataclass(frozen=True)
class BatchNorm(Node):
    """y = gamma (x - mean) / sqrt(variance + 1e-5) + beta, for each feature.

    In training mean and variance are the batch's; a shipped model uses running ones, folded with gamma and
    beta into one scale and one shift. Source: Ioffe & Szegedy 2015, arXiv:1502.03167.

    Attributes:
        momentum: weight of the running statistics that is kept at each step.
        affine: whether gamma and beta are trained.
    """

    kind: ClassVar[str] = "bnn.batch_norm"
    title: ClassVar[str] = "Batch norm"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.sliders"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = "Centres and scales each feature; keeps the signs of 1-bit layers balanced"
    citation: ClassVar[str] = "Ioffe & Szegedy 2015, arXiv:1502.03167"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Features"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "Normalised features"),)

    momentum: float = real(0.9, 0.0, 0.9999, "Share of the running statistics kept at each step")
    affine: bool = flag(True, "Train a scale and a shift for each feature")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", spec.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(64 * spec.elements, (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        k = spec.elements
        zeros, ones = np.zeros(k, np.float32), np.ones(k, np.float32)
        return {"gamma": ones.copy(), "beta": zeros.copy(), "mean": zeros.copy(), "variance": ones.copy()}

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        scale = (weights["gamma"] / np.sqrt(weights["variance"] + _EPSILON)).astype(np.float32)
        return {"scale": scale, "shift": (weights["beta"] - weights["mean"] * scale).astype(np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        def normalised(x: Array) -> Array:
            flat = np.ascontiguousarray(x).reshape(len(x), -1)
            out = np.empty(flat.shape, np.float32)
            scale_shift(flat, packed["scale"], packed["shift"], out)
            return out.reshape(x.shape)

        return PerElement(normalised)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return BatchNormOperator(self, weights, batch, spec.elements)


class BatchNormOperator(Operator):
    """Batch normalisation in training."""

    def __init__(self, node: BatchNorm, weights: Arrays, batch: int, features: int) -> None:
        super().__init__(weights)
        self._node = node
        self._normal = np.empty((batch, features), np.float32)
        self._out = np.empty((batch, features), np.float32)
        self._grad_in = np.empty((batch, features), np.float32)
        self._deviation = np.ones(features, np.float32)
        self._grads = {name: np.zeros(features, np.float32) for name in ("gamma", "beta")}

    def parameters(self) -> tuple[Parameter, ...]:
        if not self._node.affine:
            return ()
        return tuple(Parameter(n, self.weights[n], g) for n, g in self._grads.items())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        n = len(x)
        flat = x.reshape(n, -1)
        if self.moment.learning:
            mean, variance = flat.mean(axis=0), flat.var(axis=0)
            self._remember(mean, variance * np.float32(n / max(1, n - 1)))
        else:
            mean, variance = self.weights["mean"], self.weights["variance"]
        np.sqrt(variance + _EPSILON, out=self._deviation)
        normal = np.subtract(flat, mean, out=self._normal[:n])
        normal /= self._deviation
        out = np.multiply(normal, self.weights["gamma"], out=self._out[:n])
        out += self.weights["beta"]
        return (out.reshape(x.shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        n = len(grad)
        flat, normal = grad.reshape(n, -1), self._normal[:n]
        np.sum(flat, axis=0, out=self._grads["beta"])
        np.einsum("ij,ij->j", flat, normal, out=self._grads["gamma"])
        scale = self.weights["gamma"] / self._deviation
        out = np.multiply(normal, -self._grads["gamma"] / n, out=self._grad_in[:n])
        out += flat
        out -= self._grads["beta"] / n
        out *= scale
        return (out.reshape(grad.shape),)

    def hardware_profile(self) -> tuple[str, ...]:
        return ("Folded to one multiplication and one addition a feature when shipped.",)

    def _remember(self, mean: F32, variance: F32) -> None:
        keep = np.float32(self._node.momentum)
        for name, now in (("mean", mean), ("variance", variance)):
            self.weights[name] *= keep
            self.weights[name] += (1 - keep) * now
