"""Batch normalisation: a scale and a shift for each channel once training is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from ..fields import choice, flag, real
from ..fusion import Affine, PerElement
from ..kernels.channels import (
    channel_products,
    channel_squares,
    channel_sums,
    chunk_rows,
    normalise_back,
    normalise_back_here,
)
from ..kernels.floats import scale_shift
from ..kernels.threads import share
from ..node import Cost, Family, Learning, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, F64, Array, Arrays, Port, Spec

_EPSILON = np.float32(1e-5)
_LEAST = 1 << 17  # numbers that are worth a thread
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

    back_spare: ClassVar[Literal["own", "arrives", ""]] = "own"

    def __init__(self, node: BatchNorm, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._node, channels = node, node.channels(spec)
        rows = batch * spec.elements // max(1, channels)
        self._out = np.empty((rows, channels), np.float32)
        self._grad_in = np.empty((rows, channels), np.float32)  # untouched where gradients are taken in place
        self._x: F32 = self._out[:0]
        self._mean, self._inverse = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self._least = max(1, _LEAST // max(1, channels))
        self._chunk = chunk_rows(channels)
        self._parts = np.empty((-(-rows // self._chunk), 2, channels), np.float64)
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
        share(lambda a, b: scale_shift(seen[a:b], scale, shift, out[a:b]), rows, least=self._least)
        return (out.reshape(x.shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        rows = len(self._x)
        flat = np.ascontiguousarray(grad).reshape(rows, -1)
        sums, products = self._sums(
            self._parts, lambda a, b, out: channel_products(flat, self._x, self._mean, self._chunk, a, b, out)
        )
        inverse, scale = self._inverse.astype(np.float64), self.weights["gamma"] * self._inverse
        self._grads["beta"][:] = sums
        self._grads["gamma"][:] = products * inverse
        # dL/dx = scale (g - mean g - normal x mean (g normal)), normal = (x - mean) / deviation
        self._factors[0] = scale
        self._factors[1] = -scale * products * inverse**2 / rows
        self._factors[2] = -scale * sums / rows
        out = flat if self.grad_spare else self._grad_in[:rows]
        seen, mean, factors = self._x, self._mean, self._factors

        def back(begin: int, end: int) -> None:
            if self.grad_spare:
                normalise_back_here(flat[begin:end], seen[begin:end], mean, factors)
            else:
                normalise_back(flat[begin:end], seen[begin:end], mean, factors, out[begin:end])

        share(back, rows, least=self._least)
        return (out.reshape(grad.shape),)

    def slopes(self) -> F32 | None:
        scale: F32 = self.weights["gamma"] * self._inverse
        return scale

    def hardware_profile(self) -> tuple[str, ...]:
        return ("Folded to one multiplication and one addition an element when shipped.",)

    def _sums(self, parts: F64, work: Callable[[int, int, F64], object]) -> F64:
        """Return what `work` finds of chunks of rows, added up; the same for any number of threads."""
        count = -(-len(self._x) // self._chunk)
        least = -(-self._least // self._chunk)
        share(lambda a, b: work(a, b, parts), count, least=least)
        found: F64 = parts[:count].sum(axis=0)
        return found

    def _measure(self) -> F64:
        """Find mean and variance of the batch; the running ones follow."""
        x, mean, rows = self._x, self._mean, max(1, len(self._x))
        parts = np.ascontiguousarray(self._parts[:, 0])
        mean[:] = self._sums(parts, lambda a, b, out: channel_sums(x, self._chunk, a, b, out)) / rows
        squares = self._sums(parts, lambda a, b, out: channel_squares(x, mean, self._chunk, a, b, out))
        variance: F64 = squares / rows
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
