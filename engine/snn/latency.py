"""The latency encoder: the greater a number, the sooner its one spike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, real, whole
from ..kernels.spike import first_spikes
from ..node import Cost, Family, Learning, Node, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec
from .intensity import LIMITS, fitted_span, intensity, unit_span

SCHEMES = {"linear": "Linear", "log": "Logarithmic"}


@dataclass(frozen=True)
class LatencyEncoder(Node):
    """One spike at t = (steps - 1) (1 - x) / (1 - theta), or at t = tau ln(x / (x - theta)).

    x runs from 0 to 1 over the feature's range. The logarithmic form is the time at which a leaky neuron
    with time constant tau, fed the constant current x, reaches theta. Times are rounded to steps; what is
    not above theta, and what would come after the last step, gives no spike. A shipped model holds the
    lowest x for each step instead of the formula, so no machine's logarithm can move a spike.
    A spike time has no gradient here: what feeds this node learns nothing through it.

    Attributes:
        steps: time steps.
        scheme: linear or logarithmic time.
        threshold: theta, from 0 to below 1.
        tau: time constant of the logarithmic form, in steps.
        limits: the range that stands for 0 to 1.
    """

    kind: ClassVar[str] = "snn.latency"
    title: ClassVar[str] = "Latency encoder"
    family: ClassVar[Family] = "snn"
    icon: ClassVar[str] = "ph.timer"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = "Greater numbers spike sooner, once: time to first spike"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "The record, of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("spikes",), "One neuron for each number"),)

    steps: int = whole(16, 1, 1000, "Time steps", unit="steps")
    scheme: str = choice("linear", SCHEMES, "How time falls with the number")
    threshold: float = real(0.05, 0.0, 0.99, "Intensity, of 1, that gives no spike yet")
    tau: float = real(8.0, 0.01, 1000.0, "Time constant of the logarithmic scheme", unit="steps")
    limits: str = choice("feature", LIMITS, "The range that stands for latest to soonest")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("spikes", (self.steps, spec.elements)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        """Return one comparison for each number and step, counted as an addition."""
        (spec,) = wired(inputs)
        return Cost(64 * spec.elements + 32 * self.steps, (Work(self.steps * spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return {"span": unit_span(spec.elements), "edges": self.edges()}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        return {**weights, "span": fitted_span(inputs[0], self.limits, weights["span"])}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)

        def predict(x: Array) -> tuple[Array, ...]:
            out = np.empty((len(x), self.steps, spec.elements), np.uint8)
            first_spikes(intensity(x, packed["span"]), packed["edges"], out)
            return (out,)

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Steps", str(self.steps)), ("Time", SCHEMES[self.scheme]))

    def edges(self) -> F32:
        """Return the lowest intensity that has spiked by each step, float32 (steps,), falling."""
        latest = np.arange(self.steps) + 0.5  # a time below j + 1/2 is rounded to j or less
        if self.scheme == "log":
            lowest = self.threshold / -np.expm1(-latest / self.tau)
        else:
            last = self.steps - 1
            lowest = 1 - latest * (1 - self.threshold) / last if last else np.zeros(1)
        above = np.nextafter(np.float32(self.threshold), np.float32(1))
        return np.asarray(np.maximum(lowest, above), np.float32)
