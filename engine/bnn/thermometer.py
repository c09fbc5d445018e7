"""Thermometer codes: a number as how many thresholds it reaches, one bit each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, flag, whole
from ..kernels.encode import pack_thresholds
from ..node import Cost, Family, Learning, Node, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec, words_for
from .maps import AXES, encoded

METHODS = {
    "uniform": "At even steps between the smallest and the largest training value",
    "quantile": "So that as many training values fall between any two",
}


@dataclass(frozen=True)
class Thermometer(Node):
    """q_i = +1 where x >= t_i, else -1, for `levels` rising thresholds t_i: the unary code of a number.

    The thresholds are found on the training records: even steps t_i = low + (high - low) i / (levels + 1), or
    the quantiles i / (levels + 1). With one even step it is the sign of x less the middle of its range. No
    gradient passes: it stands before what learns. Source: Buckman et al. 2018, Thermometer Encoding (ICLR).

    Attributes:
        levels: thresholds of each number.
        method: where they stand.
        by_feature: whether every feature has thresholds of its own.
        axis: whether the bits stand in a new last axis or widen the last one.
    """

    kind: ClassVar[str] = "bnn.thermometer"
    title: ClassVar[str] = "Thermometer code"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.thermometer"
    order: ClassVar[int] = 400
    summary: ClassVar[str] = "Numbers to several bits each: which thresholds they reach"
    citation: ClassVar[str] = "Buckman et al. 2018, Thermometer Encoding (ICLR)"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Records of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("bits",), "Several bits for each number"),)

    levels: int = whole(8, 1, 255, "Thresholds, and so bits, of each number", unit="bits")
    method: str = choice("uniform", METHODS, "Where the thresholds stand")
    by_feature: bool = flag(False, "Thresholds of its own for every feature")
    axis: str = choice("new", AXES, "Where the bits of a number stand")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (encoded(spec, self.levels, self.axis),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(32 * self._rows(spec) * self.levels, (Work(spec.elements * self.levels),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        steps = (np.arange(1, self.levels + 1) / (self.levels + 1)).astype(np.float32)
        return {"thresholds": np.tile(steps, (self._rows(spec), 1))}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        (x,) = inputs
        flat = x.reshape(len(x), -1) if self.by_feature else x.reshape(-1, 1)
        shares = np.arange(1, self.levels + 1) / (self.levels + 1)
        if self.method == "quantile":
            found = np.quantile(flat, shares, axis=0).T
        else:
            low, high = flat.min(0).astype(np.float64), flat.max(0).astype(np.float64)
            found = low[:, None] + (high - low)[:, None] * shares
        return {"thresholds": np.ascontiguousarray(found, np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        thresholds: F32 = np.ascontiguousarray(packed["thresholds"])

        def predict(x: Array) -> tuple[Array, ...]:
            flat = np.ascontiguousarray(x).reshape(len(x), -1)
            words = np.empty((len(x), words_for(flat.shape[1] * self.levels)), np.uint64)
            pack_thresholds(flat, thresholds, words)
            return (words,)

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Bits", f"{self.levels} a number"),)

    def _rows(self, spec: Spec) -> int:
        return spec.elements if self.by_feature else 1
