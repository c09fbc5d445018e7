"""Batch normalisation: a scale and a shift for each channel once training is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..fields import choice, flag, real
from ..fusion import Affine, PerElement
from ..kernels.channels import channel_products, channel_squares, channel_sums, normalise_back
from ..kernels.floats import scale_shift
from ..kernels.threads import share
from ..node import Cost, Family, Learning, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, F64, Array, Arrays, Port, Spec

_EPSILON = np.float32(1e-5)
_LEAST = 4096  # rows that are worth a thread
OVER = {"channel": "Each channel of a map", "element": "Each element of a map"}


@dataclass(frozen=True)
class BatchNorm(Node):
    """y = gamma (x - mean) / sqrt(variance + 1e-5) + beta, for each channel.

    A map has its channels on the last axis, and statistics go over records and places; a flat record has a
    channel for each element. In training mean and variance are the batch's; a shipped model uses running
    ones, folded with gamma and beta into one scale and one shift. Source: Ioffe & Szegedy 2015,
    arXiv:1502.03167.

    Attributes:
        momentum: weight of the running statistics that is kept at each step.
        affine: whether gamma and beta are trained.
        over: what of a map has statistics of its own.
    """

    kind: ClassVar[str] = "bnn.batch_norm"
    title: ClassVar[str] = "Batch norm"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.sliders"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = "Centres and scales each channel; keeps the signs of 1-bit layers balanced"
    citation: ClassVar[str] = "Ioffe & Szegedy 2015, arXiv:1502.03167"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Features"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "Normalised features"),)

    momentum: float = real(0.9, 0.0, 0.9999, "Share of the running statistics kept at each step")
    affine: bool = flag(True, "Train a scale and a shift for each channel")
    over: str = choice("channel", OVER, "What of a map has a mean and a variance of its own")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        # Files from before there were maps say everything but this; they had statistics for each element.
        old = {"momentum", "affine"} == set(values)
        return super().of({**values, "over": "element"} if old else values)

    def channels(self, spec: Spec) -> int:
        """Return how many means and variances there are."""
        return spec.shape[-1] if self.over == "channel" and len(spec.shape) > 1 else spec.elements

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", spec.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(64 * self.channels(spec), (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        k = self.channels(spec)
        zeros, ones = np.zeros(k, np.float32), np.ones(k, np.float32)
        return {"gamma": ones.copy(), "beta": zeros.copy(), "mean": zeros.copy(), "variance": ones.copy()}

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        scale = (weights["gamma"] / np.sqrt(weights["variance"] + _EPSILON)).astype(np.float32)
        return {"scale": scale, "shift": (weights["beta"] - weights["mean"] * scale).astype(np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return PerElement(Affine(packed["scale"], packed["shift"]))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return BatchNormOperator(self, weights, batch, spec)


class BatchNormOperator(Operator):
    """Batch normalisation in training."""

    def __init__(self, node: BatchNorm, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._node, channels = node, node.channels(spec)
        rows = batch * spec.elements // max(1, channels)
        self._out = np.empty((rows, channels), np.float32)
        self._grad_in = np.empty((rows, channels), np.float32)
        self._x: F32 = self._out[:0]
        self._mean, self._inverse = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self._part, self._parts = np.empty(channels, np.float32), np.empty((2, channels), np.float32)
        self._sums = np.empty((2, channels), np.float64)
        self._factors = np.empty((3, channels), np.float32)
        self._grads = {name: np.zeros(channels, np.float32) for name in ("gamma", "beta")}

    def parameters(self) -> tuple[Parameter, ...]:
        if not self._node.affine:
            return ()
        return tuple(Parameter(n, self.weights[n], g) for n, g in self._grads.items())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._x = np.ascontiguousarray(x).reshape(-1, len(self._mean))
        rows = len(self._x)
        variance = self._measure() if self.moment.learning else self._recall()
        self._inverse[:] = 1.0 / np.sqrt(variance + _EPSILON)
        scale = self.weights["gamma"] * self._inverse
        out = self._out[:rows]
        seen, shift = self._x, self.weights["beta"] - self._mean * scale
        share(lambda a, b: scale_shift(seen[a:b], scale, shift, out[a:b]), rows, least=_LEAST)
        return (out.reshape(x.shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        rows = len(self._x)
        flat = np.ascontiguousarray(grad).reshape(rows, -1)
        channel_products(flat, self._x, self._mean, self._parts, self._sums)
        inverse, scale = self._inverse.astype(np.float64), self.weights["gamma"] * self._inverse
        self._grads["beta"][:] = self._sums[0]
        self._grads["gamma"][:] = self._sums[1] * inverse
        # dL/dx = scale (g - mean g - normal x mean (g normal)), normal = (x - mean) / deviation
        self._factors[0] = scale
        self._factors[1] = -scale * self._sums[1] * inverse**2 / rows
        self._factors[2] = -scale * self._sums[0] / rows
        out = self._grad_in[:rows]
        seen, mean, factors = self._x, self._mean, self._factors

        def back(begin: int, end: int) -> None:
            normalise_back(flat[begin:end], seen[begin:end], mean, factors, out[begin:end])

        share(back, rows, least=_LEAST)
        return (out.reshape(grad.shape),)

    def hardware_profile(self) -> tuple[str, ...]:
        return ("Folded to one multiplication and one addition an element when shipped.",)

    def _measure(self) -> F64:
        """Find mean and variance of the batch; the running ones follow."""
        rows, sums = len(self._x), self._sums[0]
        channel_sums(self._x, self._part, sums)
        self._mean[:] = sums / max(1, rows)
        channel_squares(self._x, self._mean, self._part, sums)
        variance: F64 = sums / max(1, rows)
        self._remember(variance * (rows / max(1, rows - 1)))
        return variance

    def _recall(self) -> F64:
        self._mean[:] = self.weights["mean"]
        variance: F64 = self.weights["variance"].astype(np.float64)
        return variance

    def _remember(self, variance: F64) -> None:
        keep = np.float32(self._node.momentum)
        for name, now in (("mean", self._mean), ("variance", variance.astype(np.float32))):
            self.weights[name] *= keep
            self.weights[name] += (1 - keep) * now
