"""The Real-to-Binary gate: what a 1-bit convolution gives, scaled by what it was given before the sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, flag, whole
from ..node import Cost, Family, Learning, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec
from .gating import CURVES, Gate, ShippedGate, gate_arrays, gate_bits, hidden_of, places
from .maps import channels_of
from .squeeze_excite import need_channels


@dataclass(frozen=True)
class ChannelGate(Node):
    """y = x * f(W2 relu(W1 m)), m the mean over the map of each channel of `before`, f a share of 0 to 1.

    `before` is the real map that a convolution takes, before its sign; x is what the convolution gives. W1
    leaves channels / ratio numbers; both layers are float32. Source: Martinez et al. 2020 (Real-to-Binary),
    arXiv:2003.11535, where ratio is 8 and there are no biases.

    Attributes:
        ratio: channels of `before` over numbers between the two layers.
        curve: f.
        bias: whether both layers also add a trained number.
    """

    kind: ClassVar[str] = "bnn.gate"
    title: ClassVar[str] = "Real-to-binary gate"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.faders-horizontal"
    order: ClassVar[int] = 330
    summary: ClassVar[str] = "Scales the channels of a 1-bit layer by the real numbers that went into it"
    citation: ClassVar[str] = "Martinez et al. 2020, arXiv:2003.11535"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real",), "What the convolution gives"),
        Port("before", ("real",), "What went into it, before the sign"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "The first, scaled by channel"),)

    ratio: int = whole(8, 1, 1024, "Channels for each number between the two layers")
    curve: str = choice("sigmoid", CURVES, "What makes a share of 0 to 1")
    bias: bool = flag(False, "Both layers also add a trained number")

    def specs(self, *inputs: Spec | None) -> Specs:
        x, before = wired(inputs)
        need_channels(x, "in")
        need_channels(before, "before")
        return (Spec("real", x.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        x, before = wired(inputs)
        seen, gated, h = channels_of(before), channels_of(x), self._hidden(before)
        work = Work(before.elements + x.elements + h * (seen + gated))
        return Cost(gate_bits(seen, gated, h), (work,))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        x, before = wired(inputs)
        return gate_arrays(rng, channels_of(before), channels_of(x), self._hidden(before))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        x_spec, before_spec = wired(inputs)
        gate = ShippedGate(packed, self.curve)

        def predict(x: Array, before: Array) -> tuple[Array, ...]:
            return ((places(x, x_spec) * gate(places(before, before_spec))).reshape(x.shape),)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        x, before = wired(inputs)
        return ChannelGateOperator(self, weights, x, before)

    def _hidden(self, before: Spec) -> int:
        return hidden_of(channels_of(before), self.ratio)


class ChannelGateOperator(Operator):
    """The gate in training: what is gated and what gates both get their gradient."""

    def __init__(self, node: ChannelGate, weights: Arrays, x: Spec, before: Spec) -> None:
        super().__init__(weights)
        self._x_spec, self._before_spec = x, before
        self._gate = Gate(weights, node.curve, bias=node.bias)
        self._x: F32 = np.empty((0, 1, channels_of(x)), np.float32)
        self._shares = self._x

    def parameters(self) -> tuple[Parameter, ...]:
        return self._gate.parameters()

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        x, before = inputs
        self._x = places(x, self._x_spec)
        self._shares = self._gate.forward(places(before, self._before_spec))
        return ((self._x * self._shares).reshape(x.shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            self._gate.stop()
            return (None, None)
        dy = places(grad, self._x_spec)
        d_before = self._gate.backward(np.einsum("npc,npc->nc", dy, self._x))
        n, shape = len(grad), self._before_spec.shape
        spread = np.broadcast_to(d_before, (n, self._before_spec.elements // shape[-1], shape[-1]))
        return ((dy * self._shares).reshape(grad.shape), np.ascontiguousarray(spread).reshape(n, *shape))

    def metrics(self) -> dict[str, float]:
        return self._gate.metrics()
