"""Levels of 2 to 8 bits with another map before them, another rounding, or another spacing."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized, quantize_weights
from ...ports import F32
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer
from .uniform import Uniform

GROUP = "Other maps and roundings"
_TINY = np.float32(1e-12)


@WEIGHT_QUANTIZERS.option(
    "dorefa",
    "DoReFa",
    formula="2 Q(z) - 1, z = tanh(w) / (2 max|tanh w|) + 1/2, Q(z) = round(n z) / n, n = 2^bits - 1",
    citation="Zhou et al. 2016, arXiv:1606.06160",
    group=GROUP,
)
class DoReFa(WeightQuantizer):
    """All 2^bits levels between -1 and 1, which leave out 0.

    The gradient passes the tanh; the maximum that divides it counts as a constant.
    """

    serves: ClassVar[tuple[str, ...]] = ("2", "3", "4", "8")
    offsets: ClassVar[bool] = True

    def quantize(self, w: F32) -> Quantized:
        ones = np.ones(len(w), np.float32)
        soft = np.tanh(w)
        count = np.float32(self.row.high - self.row.low)
        place = np.rint((soft / (2 * self._largest(soft)) + np.float32(0.5)) * count)
        # 2 place / n - 1 with place = level - low
        offset = np.float32(-2 * self.row.low) / count - 1
        return Quantized((place + self.row.low).astype(np.float32), ones * (2 / count), ones * offset)

    def gradient(self, w: F32, grad: F32) -> F32:
        soft = np.tanh(w)
        back: F32 = grad * (1 - soft * soft) / self._largest(soft)
        return back

    @staticmethod
    def _largest(soft: F32) -> np.float32:
        return np.float32(np.abs(soft).max(initial=0)) + _TINY


@WEIGHT_QUANTIZERS.option(
    "stochastic_rounding",
    "Stochastic rounding",
    formula="s floor(w / s + u), u uniform from 0 to 1, s the step of the standard; shipped round(w / s)",
    group=GROUP,
)
class StochasticRounding(Uniform):
    """Rounds up with the probability of what is left over, so that the mean of a weight is the weight."""

    stochastic = True

    def steps(self, w: F32) -> F32:
        return quantize_weights(w, self.row.key).scale

    def quantize(self, w: F32) -> Quantized:
        steps = self.steps(w)
        raised = np.floor(w / steps[:, None] + self.rng.random(w.shape, np.float32))
        return Quantized(np.clip(raised, self.row.low, self.row.high).astype(np.float32), steps)

    def shipped(self, w: F32) -> Quantized:
        return Uniform.quantize(self, w)


@WEIGHT_QUANTIZERS.option(
    "powers_of_two",
    "Powers of two",
    formula="s sign(w) 2^round(log2(|w| / s)), exponents from 0 while 2^e <= high, 0 below s / 2; "
    "s = max|w| / the largest power, of the output",
    group=GROUP,
)
class PowersOfTwo(Uniform):
    """Levels that multiply by shifting: finer near 0 than far from it. Nothing is clipped."""

    serves: ClassVar[tuple[str, ...]] = ("3", "4", "8")

    def steps(self, w: F32) -> F32:
        found: F32 = np.abs(w).max(axis=1, initial=0) / np.float32(2.0**self._top) + _TINY
        return found

    def quantize(self, w: F32) -> Quantized:
        steps = self.steps(w)
        size = np.abs(w) / steps[:, None]
        exponent = np.clip(np.rint(np.log2(np.maximum(size, np.float32(0.5)))), 0, self._top)
        levels = np.where(size < 0.5, np.float32(0), np.sign(w) * np.exp2(exponent))
        return Quantized(levels.astype(np.float32), steps)

    @property
    def _top(self) -> int:
        """Return the largest exponent whose power is a level."""
        return self.row.high.bit_length() - 1


class _Directed(Uniform):
    """Base: the step of the standard, and a rounding in one direction; the gradient of all levels."""

    direction: ClassVar[np.ufunc]

    def steps(self, w: F32) -> F32:
        return quantize_weights(w, self.row.key).scale

    def quantize(self, w: F32) -> Quantized:
        steps = self._taken = self.steps(w)
        levels = np.clip(self.direction(w / steps[:, None]), self.row.low, self.row.high)
        return Quantized(levels.astype(np.float32), steps)


def _enter(key: str, title: str, direction: np.ufunc) -> None:
    @WEIGHT_QUANTIZERS.option(
        f"rounded_{key}",
        title,
        formula=f"s {direction.__name__}(w / s) within the levels, s the step of the standard",
        group=GROUP,
    )
    class _Entered(_Directed):
        pass

    _Entered.direction = direction


for _key, _title, _direction in (
    ("down", "Rounded down", np.floor),
    ("up", "Rounded up", np.ceil),
    ("to_zero", "Rounded to zero", np.trunc),
):
    _enter(_key, _title, _direction)
