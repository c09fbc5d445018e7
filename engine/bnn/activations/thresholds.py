"""Levels that are evenly spaced while the thresholds between them are learned one by one (N2UQ)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...node import Parameter
from ...ports import F32, F64, Array, Arrays, Spec
from ...precision import Precision
from .fixed import WIDTHS
from .learned import GROUP
from .quantizer import ACTIVATION_QUANTIZERS, ActivationQuantizer

_LEAST = np.float32(1e-3)


@ACTIVATION_QUANTIZERS.option(
    "n2uq",
    "Learned thresholds (N2UQ)",
    formula="s times how many thresholds x is above, s, b and intervals a_i learned, i = 1..2^bits - 1; "
    "thresholds: the middles of the intervals, end to end from b; backward a line of slope s / a_i in each",
    citation="Liu et al. 2021, arXiv:2111.14826",
    group=GROUP,
)
class N2UQ(ActivationQuantizer):
    """Uneven thresholds, even levels: what it learns costs the product nothing.

    The gradient is that of the lines, for inputs, start, intervals and step (generalised straight-through).
    They begin even, from 0 to mean and three deviations of the first batch. The paper's scale before the
    thresholds is in the intervals here.
    """

    serves: ClassVar[tuple[str, ...]] = WIDTHS[:3]
    unsigned: ClassVar[bool] = True
    per_element: ClassVar[bool] = True

    def __init__(self, row: Precision, arrays: Arrays, estimator: str) -> None:
        super().__init__(row, arrays, estimator)
        self.grads.update({name: np.zeros_like(a) for name, a in self.start(row, Spec("real", (1,))).items()})

    @classmethod
    def start(cls, row: Precision, spec: Spec) -> Arrays:
        return {
            "step": np.zeros(1, np.float32),
            "input_start": np.zeros(1, np.float32),
            "input_intervals": np.zeros(row.high - row.low, np.float32),
        }

    @classmethod
    def pack(cls, row: Precision, arrays: Arrays) -> Arrays:
        kept = {name: np.maximum(arrays[name], _LEAST) for name in ("step", "input_intervals")}
        return {**kept, "input_start": arrays["input_start"].copy()}

    @property
    def step(self) -> float:
        return float(max(self.arrays["step"][0], _LEAST))

    def observe(self, x: F32) -> None:
        if self.arrays["step"][0] <= 0 and x.size:
            reach = float(x.mean(dtype=np.float64)) + 3 * float(x.std(dtype=np.float64))
            even = max(reach / self.high, float(_LEAST))
            self.arrays["step"][0] = even
            self.arrays["input_intervals"][:] = even

    def quantize(self, x: F32, out: Array) -> Array:
        out[...] = self._levels(x)
        return out

    def gradient(self, x: F32, grad: F32) -> F32:
        edges, intervals = self._edges, self._intervals
        cell = np.searchsorted(edges, x, side="right") - 1
        inside = (cell >= 0) & (cell < self.high)
        cell = np.clip(cell, 0, self.high - 1)
        passed = np.where(inside, grad * np.float32(self.step) / intervals[cell], 0).astype(np.float32)
        self.grads["step"][0] = (grad * self._levels(x)).sum(dtype=np.float64)
        self.grads["input_start"][0] = -passed.sum(dtype=np.float64)
        self._interval_gradient(cell, passed, (x - edges[cell]) / intervals[cell])
        return passed

    def parameters(self) -> tuple[Parameter, ...]:
        floors = {"step": float(_LEAST), "input_start": None, "input_intervals": float(_LEAST)}
        return tuple(
            Parameter(n, self.arrays[n], g, floor=floors[n], relative=floors[n] is not None)
            for n, g in self.grads.items()
        )

    @property
    def _intervals(self) -> F64:
        return np.maximum(self.arrays["input_intervals"], _LEAST).astype(np.float64)

    @property
    def _edges(self) -> F64:
        """Return where the intervals begin and the last one ends, float64 (levels,)."""
        start = float(self.arrays["input_start"][0])
        return start + np.concatenate([np.zeros(1), self._intervals.cumsum()])

    def _levels(self, x: F32) -> Array:
        edges = self._edges
        return np.searchsorted(((edges[1:] + edges[:-1]) / 2).astype(np.float32), x, side="left")

    def _interval_gradient(self, cell: Array, passed: F32, place: Array) -> None:
        """Longer intervals push what lies above them down, and flatten what lies in them."""
        own = np.bincount(cell.ravel(), (passed * place).ravel(), self.high)
        each = np.bincount(cell.ravel(), passed.ravel(), self.high)
        above = each[::-1].cumsum()[::-1] - each
        self.grads["input_intervals"][:] = -(own + above)
