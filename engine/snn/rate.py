"""The rate encoder: the greater a number, the more often it spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..kernels.spike import draw_spikes, hash_table, spikes_below
from ..node import Cost, Family, Learning, Node, Operator, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec
from .intensity import LIMITS, fitted_span, intensity, intensity_gradient, unit_span


@dataclass(frozen=True)
class RateEncoder(Node):
    """S[t] = 1 with probability x, at every step anew; x from 0 to 1 over the feature's range.

    Training draws fresh spikes for every batch. Prediction compares x with a fixed table of thresholds, a
    hash of seed, step and element, so that a record always gives the same spikes. The gradient goes straight
    through the expected value: dL/dx = sum over t of dL/dS[t], 0 where the range clips x.

    Attributes:
        steps: time steps.
        limits: the range that stands for 0 to 1.
        seed: where the table of thresholds starts.
    """

    kind: ClassVar[str] = "snn.rate"
    title: ClassVar[str] = "Rate encoder"
    family: ClassVar[Family] = "snn"
    icon: ClassVar[str] = "ph.activity"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = "Greater numbers spike more often: a Bernoulli draw at every step"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "The record, of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("spikes",), "One neuron for each number"),)

    steps: int = whole(16, 1, 1000, "Time steps", unit="steps")
    limits: str = choice("feature", LIMITS, "The range that stands for never to always")
    seed: int = whole(0, 0, 2**31 - 1, "Where the thresholds of prediction start")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("spikes", (self.steps, spec.elements)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        """Return one comparison for each number and step, counted as an addition."""
        (spec,) = wired(inputs)
        return Cost(64 * spec.elements, (Work(self.steps * spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return {"span": unit_span(spec.elements)}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        return {"span": fitted_span(inputs[0], self.limits, weights["span"])}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        table = np.empty((self.steps, spec.elements), np.float32)
        hash_table(np.uint64(self.seed), table)

        def predict(x: Array) -> tuple[Array, ...]:
            out = np.empty((len(x), *table.shape), np.uint8)
            spikes_below(intensity(x, packed["span"]), table, out)
            return (out,)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return RateOperator(weights, batch, spec.shape, self.steps)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Steps", str(self.steps)), ("Range", LIMITS[self.limits].split(",")[0]))


class RateOperator(Operator):
    """The rate encoder in training: fresh draws for every batch."""

    def __init__(self, weights: Arrays, batch: int, shape: tuple[int, ...], steps: int) -> None:
        super().__init__(weights)
        self._shape = shape
        self._spikes = np.empty((batch, steps, weights["span"].shape[1]), np.uint8)
        self._seen: Array = np.empty((0, *shape), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._seen,) = inputs
        out = self._spikes[: len(self._seen)]
        key = self.rng.integers(2**64, dtype=np.uint64, endpoint=False)
        draw_spikes(intensity(self._seen, self.weights["span"]), key, out)
        return (out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        back = intensity_gradient(self._seen, self.weights["span"], grad.sum(axis=1))
        return (back.reshape(len(grad), *self._shape),)

    def metrics(self) -> dict[str, float]:
        return {"spike rate": float(self._spikes[: len(self._seen)].mean())} if len(self._seen) else {}
