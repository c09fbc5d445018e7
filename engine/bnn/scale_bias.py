"""A learned scale and a learned shift, of each channel or of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, flag, real
from ..fusion import PerElement
from ..kernels.floats import scale_shift
from ..node import Cost, Operator, Parameter, Predictor, Work, wired
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper, by_channel, channels_of

SCOPES = {"channel": "Each channel by its own", "all": "All alike"}


@dataclass(frozen=True)
class ScaleBias(ShapeKeeper):
    """y = a x + b, with a and b learned for each channel or for all.

    Attributes:
        scope: what has an a and a b of its own.
        scale: whether a is learned; 1 otherwise.
        bias: whether b is learned; 0 otherwise.
        start_scale: a before training.
    """

    kind: ClassVar[str] = "bnn.scale_bias"
    title: ClassVar[str] = "Scale and bias"
    icon: ClassVar[str] = "ph.arrows-out-line-vertical"
    order: ClassVar[int] = 250
    summary: ClassVar[str] = "A learned factor and a learned shift, for each channel or for all"

    scope: str = choice("channel", SCOPES, "What has a scale and a bias of its own")
    scale: bool = flag(True, "Learn the factor")
    bias: bool = flag(True, "Learn the shift")
    start_scale: float = real(1.0, -1000.0, 1000.0, "The factor before training")

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(64 * self._count(spec), (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        count = self._count(spec)
        return {"scale": np.full(count, self.start_scale, np.float32), "bias": np.zeros(count, np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        channels = channels_of(spec)
        scale, bias = (np.broadcast_to(packed[k], channels).copy() for k in ("scale", "bias"))

        def scaled(x: Array) -> Array:
            rows = by_channel(x, channels)
            out = np.empty(rows.shape, np.float32)
            scale_shift(rows, scale, bias, out)
            return out.reshape(x.shape)

        return PerElement(scaled)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return ScaleBiasOperator(self, weights, batch, spec)

    def _count(self, spec: Spec) -> int:
        return 1 if self.scope == "all" else channels_of(spec)


class ScaleBiasOperator(Operator):
    """y = a x + b in training."""

    def __init__(self, node: ScaleBias, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._channels = channels_of(spec)
        self._learned = [n for n, on in (("scale", node.scale), ("bias", node.bias)) if on]
        self._grads = {n: np.zeros_like(weights[n]) for n in ("scale", "bias")}
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)
        self._x: F32 = np.empty((0, *spec.shape), np.float32)

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(n, self.weights[n], self._grads[n]) for n in self._learned)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._x,) = inputs
        out = np.multiply(self._x, self.weights["scale"], out=self._out[: len(self._x)])
        out += self.weights["bias"]
        return (out,)

    def slopes(self) -> F32 | None:
        return self.weights["scale"]

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        rows, x = by_channel(grad, self._channels), by_channel(self._x, self._channels)
        sums = {"scale": np.einsum("ij,ij->j", rows, x), "bias": rows.sum(axis=0)}
        for name, g in self._grads.items():
            g[...] = sums[name] if len(g) == self._channels else sums[name].sum()
        return (np.multiply(grad, self.weights["scale"], out=self._back[: len(grad)]),)
