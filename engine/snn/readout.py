"""The spike counter: spikes over time as one number for each neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice
from ..node import Cost, Family, Node, Operator, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec

DECODERS = {"count": "Spikes", "rate": "Spikes a step", "first": "How soon the first spike came"}


@dataclass(frozen=True)
class SpikeCounter(Node):
    """y = sum over t of S[t]; or that divided by the steps; or the largest of S[t] (steps - t) / steps.

    The last is 1 for a spike at the first step, falls with its time, and is 0 for a neuron that stays
    silent. Gradients are those of the formulas; for the first spike the one of the maximum: it reaches the
    step of the first spike, or the first step of a silent neuron.

    Attributes:
        decode: what is read from the spikes.
    """

    kind: ClassVar[str] = "snn.readout"
    title: ClassVar[str] = "Spike counter"
    family: ClassVar[Family] = "snn"
    icon: ClassVar[str] = "ph.hash"
    order: ClassVar[int] = 40
    summary: ClassVar[str] = "Reads spikes as numbers: their count, their rate, or how soon the first came"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("spikes",), "Spikes over time"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "One number for each neuron"),)

    decode: str = choice("count", DECODERS, "What is read from the spikes")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", (spec.shape[1],)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        """Return one addition for each neuron and step."""
        (spec,) = wired(inputs)
        return Cost(0, (Work(spec.elements, "32", "1"),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        def predict(x: Array) -> tuple[Array, ...]:
            return (self.read(x),)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return SpikeCounterOperator(self, weights, batch, spec.shape)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Reads", DECODERS[self.decode]),)

    def read(self, spikes: Array) -> F32:
        """Return the numbers, float32 (n, neurons), of spikes, uint8 (n, steps, neurons)."""
        steps = spikes.shape[1]
        if self.decode == "first":
            soon = (steps - spikes.argmax(axis=1)) * spikes.any(axis=1)
            return np.asarray(soon / steps, np.float32)
        count: F32 = spikes.sum(axis=1, dtype=np.int32).astype(np.float32)
        if self.decode == "rate":
            count /= np.float32(steps)
        return count


class SpikeCounterOperator(Operator):
    """The spike counter in training."""

    def __init__(self, node: SpikeCounter, weights: Arrays, batch: int, shape: tuple[int, ...]) -> None:
        super().__init__(weights)
        self._node = node
        self._grad_in = np.empty((batch, *shape), np.float32)
        self._seen: Array = np.empty((0, *shape), np.uint8)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._seen,) = inputs
        return (self._node.read(self._seen),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        out = self._grad_in[: len(grad)]
        steps = np.float32(out.shape[1])
        if self._node.decode == "first":
            when = self._seen.argmax(axis=1)
            out.fill(0)
            np.put_along_axis(out, when[:, None], (grad * (steps - when) / steps)[:, None], axis=1)
        else:
            out[...] = (grad / steps if self._node.decode == "rate" else grad)[:, None]
        return (out,)
