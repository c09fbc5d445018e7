"""Levels with learned thresholds: a table says where each step is taken (LLT)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...node import Parameter
from ...ports import F32, F64, Arrays
from ...precision import Precision
from .learned import GROUP
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

_FINE = 9  # places of a step in the table, as in the authors' code
_LEAST = np.float32(1e-6)


@WEIGHT_QUANTIZERS.option(
    "llt",
    "Learned lookup table (LLT)",
    formula="s sign(w) t[round(9 high |w| / s)] / high, |w| up to s, s learned from 3 std(w); t: sums of "
    "softmax(l / T) of 9 places a step, l learned, T = 10^(-2 share); in the end one place a step; "
    "dL/dw = g where |w| <= s",
    citation="Wang et al. 2022, CVPR",
    group=GROUP,
)
class LLT(WeightQuantizer):
    """Levels that are evenly spaced while the ranges that are rounded to each are learned.

    The gradient of a table place is divided by the root of how many weights fall on it, as in the authors'
    code; their term that draws the softmax to one place is left to the falling temperature.
    """

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4")
    trained: ClassVar[tuple[str, ...]] = ("weight_reach", "weight_table")

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        reach = max(3 * float(w.std(dtype=np.float64)), float(_LEAST))
        return {
            "weight_reach": np.full(1, reach, np.float32),
            "weight_table": np.zeros((row.high, _FINE), np.float32),
        }

    def quantize(self, w: F32) -> Quantized:
        if self.moment.share >= 1:
            return self.shipped(w)
        values = self._looked_up(w, np.concatenate([np.zeros(1), self._chances().cumsum()]))
        return Quantized(values, self._scale(len(w)), soft=True)

    def shipped(self, w: F32) -> Quantized:
        taken = np.zeros_like(self.arrays["weight_table"])
        np.put_along_axis(taken, self.arrays["weight_table"].argmax(axis=1)[:, None], np.float32(1), axis=1)
        return Quantized(
            self._looked_up(w, np.concatenate([np.zeros(1), taken.cumsum()])), self._scale(len(w))
        )

    def gradient(self, w: F32, grad: F32) -> F32:
        reach, values = self._reach, self.quantize(w).values / np.float32(self.row.high)
        inside = np.abs(w) <= reach
        passed: F32 = np.where(inside, grad, np.float32(0))
        slope = np.where(inside, values - w / reach, values)
        self.grads["weight_reach"][0] = (grad * slope).sum(dtype=np.float64)
        self._table_gradient(w, grad)
        return passed

    def parameters(self) -> tuple[Parameter, ...]:
        # A limit says that the size of the table means nothing, so that no decay pulls it to 0.
        return (
            Parameter(
                "weight_reach",
                self.arrays["weight_reach"],
                self.grads["weight_reach"],
                floor=float(_LEAST),
                relative=True,
            ),
            Parameter("weight_table", self.arrays["weight_table"], self.grads["weight_table"], limit=20.0),
        )

    @property
    def _reach(self) -> np.float32:
        return max(self.arrays["weight_reach"][0], _LEAST)

    @property
    def _temperature(self) -> float:
        return float(10.0 ** (-2 * self.moment.share))

    def _scale(self, outputs: int) -> F32:
        return np.full(outputs, self._reach / np.float32(self.row.high), np.float32)

    def _chances(self) -> F32:
        """Return how likely each place of a step is the one that takes it, float32 (high, places)."""
        logits = self.arrays["weight_table"] / np.float32(self._temperature)
        soft = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: F32 = soft / soft.sum(axis=1, keepdims=True)
        return chances

    def _places(self, w: F32) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
        share = np.minimum(np.abs(w) / self._reach, np.float32(1))
        return np.rint(share * np.float32(_FINE * self.row.high)).astype(np.intp)

    def _looked_up(self, w: F32, table: F32) -> F32:
        found: F32 = np.sign(w) * table.astype(np.float32)[self._places(w)]
        return found

    def _table_gradient(self, w: F32, grad: F32) -> None:
        places, count = self._places(w).ravel(), _FINE * self.row.high + 1
        weights = (grad * np.sign(w)).ravel().astype(np.float64)
        pulls: F64 = np.asarray(np.bincount(places, weights, count), np.float64)
        often = np.bincount(places, minlength=count)
        pulls = pulls * (float(self._reach) / self.row.high * w.size / (count * (np.sqrt(often) + 1e-5)))
        # Entry k adds up the chances of the places before it.
        of_chance = pulls[::-1].cumsum()[::-1][1:].reshape(self.row.high, _FINE)
        chances = self._chances()
        mean = (of_chance * chances).sum(axis=1, keepdims=True)
        self.grads["weight_table"][...] = chances * (of_chance - mean) / self._temperature
