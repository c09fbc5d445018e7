"""BNext's Info-Recoupling: a 1-bit convolution's map weighed by a mix of itself and of what went into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, real, whole
from ..node import (
    Cost,
    Family,
    Learning,
    Node,
    Operator,
    Parameter,
    Predictor,
    ShapeError,
    Specs,
    Work,
    wired,
)
from ..ports import F32, Array, Arrays, Port, Spec
from .gating import CURVES, Gate, ShippedGate, gate_arrays, gate_bits, hidden_of, places
from .maps import by_channel, channels_of
from .squeeze_excite import need_channels


@dataclass(frozen=True)
class InfoRecoupling(Node):
    """y = x * f(W2 relu(W1 m + b1) + b2), m the mean over the map of s * before + (1 - s) * x.

    s is learned for each channel, within 0 to 1; x is what a 1-bit convolution gives after its norm and
    PReLU, `before` what went into it, pooled where the convolution halves the map. Source: Guo et al. 2022
    (BNext), arXiv:2211.12933, and its code (src/bnext.py), where s begins at 0.5 and ratio is 8.

    Attributes:
        ratio: channels over numbers between the two layers.
        curve: f.
        start_mix: s before training.
    """

    kind: ClassVar[str] = "bnn.info_recoupling"
    title: ClassVar[str] = "Info-recoupling"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.intersect"
    order: ClassVar[int] = 340
    summary: ClassVar[str] = "Scales channels by a learned mix of what came out and what went in (BNext)"
    citation: ClassVar[str] = "Guo et al. 2022, arXiv:2211.12933"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real",), "What the convolution gives"),
        Port("before", ("real",), "What went into it, of the same shape"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "The first, scaled by channel"),)

    ratio: int = whole(8, 1, 1024, "Channels for each number between the two layers")
    curve: str = choice("sigmoid", CURVES, "What makes a share of 0 to 1")
    start_mix: float = real(0.5, 0.0, 1.0, "Share of what went in, before training")

    def specs(self, *inputs: Spec | None) -> Specs:
        x, before = wired(inputs)
        need_channels(x, "in")
        if x.shape != before.shape:
            words = f"Both maps must have one shape; in is {x.words()}, before is {before.words()}."
            raise ShapeError(words, do="Pool the second, or duplicate its channels.", port="before")
        return (Spec("real", x.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        x, _ = wired(inputs)
        c, h = channels_of(x), self._hidden(x)
        return Cost(gate_bits(c, c, h) + 32 * c, (Work(4 * x.elements + 2 * c * h),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        x, _ = wired(inputs)
        c = channels_of(x)
        return {**gate_arrays(rng, c, c, self._hidden(x)), "mix": np.full(c, self.start_mix, np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        spec, _ = wired(inputs)
        gate, mix = ShippedGate(packed, self.curve), packed["mix"]
        rest = (1 - mix).astype(np.float32)

        def predict(x: Array, before: Array) -> tuple[Array, ...]:
            maps = places(x, spec)
            return ((maps * gate(places(before, spec) * mix + maps * rest)).reshape(x.shape),)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        spec, _ = wired(inputs)
        return InfoRecouplingOperator(self, weights, spec)

    def _hidden(self, x: Spec) -> int:
        return hidden_of(channels_of(x), self.ratio)


class InfoRecouplingOperator(Operator):
    """Info-recoupling in training."""

    def __init__(self, node: InfoRecoupling, weights: Arrays, spec: Spec) -> None:
        super().__init__(weights)
        self._spec = spec
        self._gate = Gate(weights, node.curve, bias=True)
        self._grad = np.zeros_like(weights["mix"])
        self._x: F32 = np.empty((0, 1, channels_of(spec)), np.float32)
        self._before = self._shares = self._x

    def parameters(self) -> tuple[Parameter, ...]:
        mix = Parameter("mix", self.weights["mix"], self._grad, limit=1.0, floor=0.0)
        return (*self._gate.parameters(), mix)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        self._x, self._before = (places(a, self._spec) for a in inputs)
        mix = self.weights["mix"]
        self._shares = self._gate.forward(self._before * mix + self._x * (1 - mix))
        return ((self._x * self._shares).reshape(inputs[0].shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            self._gate.stop()
            self._grad.fill(0)
            return (None, None)
        dy, mix = places(grad, self._spec), self.weights["mix"]
        d_mixed = self._gate.backward(np.einsum("npc,npc->nc", dy, self._x))
        difference = self._before.sum(axis=1) - self._x.sum(axis=1)
        np.einsum("nc,nc->c", d_mixed[:, 0], difference, out=self._grad)
        d_x = dy * self._shares
        d_x += d_mixed * (1 - mix)
        d_before = np.broadcast_to(d_mixed * mix, dy.shape)
        return (d_x.reshape(grad.shape), by_channel(d_before, len(mix)).reshape(grad.shape))

    def metrics(self) -> dict[str, float]:
        """Return the mean share and the mean mix."""
        return {**self._gate.metrics(), "mix": float(self.weights["mix"].mean())}
