"""Squeeze and excitation: a map that weighs its own channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..node import Cost, Operator, Parameter, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, Array, Arrays, Spec
from .gating import CURVES, Gate, ShippedGate, gate_arrays, gate_bits, hidden_of, places
from .maps import ShapeKeeper, channels_of


@dataclass(frozen=True)
class SqueezeExcite(ShapeKeeper):
    """y = x * f(W2 relu(W1 m + b1) + b2), m the mean of each channel over the map, f a share of 0 to 1.

    W1 leaves channels / ratio numbers; both layers are float32. Source: Hu et al. 2018, arXiv:1709.01507.

    Attributes:
        ratio: channels over numbers between the two layers.
        curve: f.
    """

    kind: ClassVar[str] = "bnn.squeeze_excite"
    title: ClassVar[str] = "Squeeze and excitation"
    icon: ClassVar[str] = "ph.faders"
    order: ClassVar[int] = 320
    summary: ClassVar[str] = "Scales each channel by what the whole map holds"
    citation: ClassVar[str] = "Hu et al. 2018, arXiv:1709.01507"

    ratio: int = whole(8, 1, 1024, "Channels for each number between the two layers")
    curve: str = choice("sigmoid", CURVES, "What makes a share of 0 to 1")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        need_channels(spec, "in")
        return super().specs(spec)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        c, h = channels_of(spec), self._hidden(spec)
        return Cost(gate_bits(c, c, h), (Work(2 * spec.elements + 2 * c * h),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return gate_arrays(rng, channels_of(spec), channels_of(spec), self._hidden(spec))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        gate = ShippedGate(packed, self.curve)

        def predict(x: Array) -> tuple[Array, ...]:
            maps = places(x, spec)
            return ((maps * gate(maps)).reshape(x.shape),)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return SqueezeExciteOperator(self, weights, spec)

    def _hidden(self, spec: Spec) -> int:
        return hidden_of(channels_of(spec), self.ratio)


class SqueezeExciteOperator(Operator):
    """Squeeze and excitation in training: the gradient goes through the map and through its gate."""

    def __init__(self, node: SqueezeExcite, weights: Arrays, spec: Spec) -> None:
        super().__init__(weights)
        self._spec = spec
        self._gate = Gate(weights, node.curve, bias=True)
        self._x: F32 = np.empty((0, 1, channels_of(spec)), np.float32)
        self._shares = self._x

    def parameters(self) -> tuple[Parameter, ...]:
        return self._gate.parameters()

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        self._x = places(inputs[0], self._spec)
        self._shares = self._gate.forward(self._x)
        return ((self._x * self._shares).reshape(inputs[0].shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            self._gate.stop()
            return (None,)
        dy = places(grad, self._spec)
        back = dy * self._shares
        back += self._gate.backward(np.einsum("npc,npc->nc", dy, self._x))
        return (back.reshape(grad.shape),)

    def metrics(self) -> dict[str, float]:
        return self._gate.metrics()


def need_channels(spec: Spec, port: str) -> None:
    """Raise where records have no axis of channels beside their places."""
    if len(spec.shape) < 2:
        words = f"It takes maps with their channels last; these are {spec.words()}."
        raise ShapeError(words, do="Wire it before any Flatten.", port=port)
