"""Bringing features to one scale before they are learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice
from ..fusion import OverLargest, PerElement
from ..kernels.floats import over_largest
from ..node import Cost, Learning, Node, Operator, Predictor, Specs, Work, wired
from ..ports import F32, F64, Array, Arrays, Port, Spec

_COLUMNS = 16  # of which floats are held at a time while they are fitted
METHODS = {
    "zscore": "Mean 0, deviation 1, each feature",
    "range": "0 to 1, each feature",
    "range_all": "0 to 1, all features alike",
    "record": "Each record by its own largest value",
}


@dataclass(frozen=True)
class Standardise(Node):
    """y = (x - mean) * scale, with mean and scale found on the training records.

    Mean 0, deviation 1: mean = E[x], scale = 1 / sqrt(Var[x]) of each feature. 0 to 1: mean = min x,
    scale = 1 / (max x - min x), of each feature or of all at once. A feature that never varies gives 0.
    Each record by its own largest value: y = x / max |x| of the record, 0 where it is 0; nothing is found.

    Attributes:
        method: what is made alike.
    """

    kind: ClassVar[str] = "flow.standardise"
    title: ClassVar[str] = "Standardise"
    icon: ClassVar[str] = "ph.sliders-horizontal"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = "Brings features to one scale, found on the training records"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Records of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "The same, to scale"),)

    method: str = choice("zscore", METHODS, "What is made alike: every feature, all together, or each record")

    def specs(self, *inputs: Spec | None) -> Specs:
        (x,) = wired(inputs)
        return (Spec("real", x.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (x,) = wired(inputs)
        return Cost(2 * 32 * self._features(x), (Work(x.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (x,) = wired(inputs)
        features = self._features(x)
        if not features:
            return {}
        return {"mean": np.zeros(features, np.float32), "scale": np.ones(features, np.float32)}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        if self.method == "record":
            return {}
        (x,) = inputs
        rows = x.reshape(len(x), -1)
        low, high = rows.min(0).astype(np.float64), rows.max(0).astype(np.float64)
        if self.method == "range_all":
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        mean, spread = _moments(rows) if self.method == "zscore" else (low, high - low)
        varies = low < high  # a rounded deviation of equal numbers need not be 0
        scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=varies & (spread > 0))
        return {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        if self.method == "record":
            return OverLargest()
        mean, scale = packed["mean"], packed["scale"]
        return PerElement(lambda x: _scaled(x, mean, scale, np.empty(x.shape, np.float32)))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (x,) = wired(inputs)
        return (RecordOperator if self.method == "record" else ScaleOperator)(weights, batch, x)

    def rows(self) -> tuple[tuple[str, str], ...]:
        short = {
            "zscore": "mean 0, deviation 1",
            "range": "0 to 1",
            "range_all": "0 to 1, all",
            "record": "by record",
        }
        return (("Scale", short[self.method]),)

    def _features(self, x: Spec) -> int:
        return {"record": 0, "range_all": 1}.get(self.method, x.elements)


class ScaleOperator(Operator):
    """y = (x - mean) * scale in training: dL/dx = dL/dy * scale."""

    def __init__(self, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        return (_scaled(x, self.weights["mean"], self.weights["scale"], self._out[: len(x)]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        back = self._back[: len(grad)]
        np.multiply(grad.reshape(len(grad), -1), self.weights["scale"], out=back.reshape(len(grad), -1))
        return (back,)


class RecordOperator(Operator):
    """y = x / m, m = max |x| = |x_j|, in training, with the gradient through m.

    dL/dx_i = dL/dy_i / m, and for i = j less sign(x_j) sum_k(dL/dy_k y_k) / m: the true derivative wherever
    one element alone is the largest (the first of equals is taken).
    """

    def __init__(self, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)
        self._largest = np.zeros(batch, np.float32)
        self._place = np.zeros(batch, np.int64)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        n = len(x)
        rows = x.reshape(n, -1)
        if self.input_wanted:
            self._place[:n] = np.abs(rows).argmax(1)
            self._largest[:n] = np.take_along_axis(rows, self._place[:n, None], 1)[:, 0]
        return (_by_record(x, self._out[:n]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        n = len(grad)
        dy, y, back = (a.reshape(n, -1) for a in (grad, self._out[:n], self._back[:n]))
        largest = self._largest[:n, None]  # with its sign
        per = np.divide(1.0, np.abs(largest), out=np.zeros((n, 1), np.float32), where=largest != 0)
        np.multiply(dy, per, out=back)
        through = (dy.astype(np.float64) * y).sum(1) * per[:, 0] * np.sign(largest[:, 0])
        back[np.arange(n), self._place[:n]] -= through.astype(np.float32)
        return (self._back[:n],)


def _moments(rows: Array) -> tuple[F64, F64]:
    """Return mean and deviation of every column, float64; a few columns at a time, for floats take room."""
    count = rows.shape[1]
    mean, deviation = np.empty(count), np.empty(count)
    for part in np.array_split(np.arange(count), max(1, count // _COLUMNS)):
        block = rows[:, part].astype(np.float64)
        mean[part], deviation[part] = block.mean(0), block.std(0)
    return mean, deviation


def _scaled(x: Array, mean: F32, scale: F32, out: F32) -> F32:
    """Write (x - mean) * scale into `out`, one rounding a step; `out` has the shape of `x`."""
    flat = out.reshape(len(x), -1)
    np.subtract(x.reshape(len(x), -1), mean, out=flat)
    np.multiply(flat, scale, out=flat)
    return out


def _by_record(x: Array, out: F32) -> F32:
    """Write x / max |x| of each record into `out`, 0 where the record is 0."""
    over_largest(np.ascontiguousarray(x).reshape(len(x), -1), out.reshape(len(x), -1))
    return out
