"""Levels whose rounding, up or down, is learned weight by weight once the weights have settled (AdaRound)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...levels import Quantized, quantize_weights
from ...node import Parameter
from ...ports import F32, Arrays
from ...precision import Precision
from .quantizer import WEIGHT_QUANTIZERS
from .rounding import GROUP
from .uniform import Uniform

_ZETA, _GAMMA = np.float32(1.1), np.float32(-0.1)  # how far the sigmoid is stretched past 0 and 1
_WEIGHT = np.float32(0.01)  # of the term that draws soft roundings to 0 and 1
_STATE = ("weight_floor", "weight_step", "weight_settled")


@WEIGHT_QUANTIZERS.option(
    "learned_rounding",
    "Learned rounding (AdaRound)",
    formula="s round(w / s) in the first half; then w stays, s (floor(w / s) + h(v)), "
    "h = clip(1.2 sigmoid(v) - 0.1, 0, 1), v learned with 0.01 (1 - |2 h - 1|^b) for each weight, "
    "b = 20 -> 2; shipped up where v >= 0",
    citation="Nagel et al. 2020, arXiv:2004.10568",
    group=GROUP,
)
class LearnedRounding(Uniform):
    """Trains weights with the step of the standard, then holds them and trains which way each is rounded.

    The paper learns the rounding of a finished network layer by layer, towards the outputs it had; here the
    task's own loss says which way, in the second half of the training.
    """

    trained: ClassVar[tuple[str, ...]] = ("weight_round",)

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        step, settled = np.ones(len(w), np.float32), np.zeros(1, np.float32)
        held = dict(zip(_STATE, (np.zeros_like(w), step, settled), strict=True))
        return {"weight_round": np.zeros_like(w), **held}

    def steps(self, w: F32) -> F32:
        return quantize_weights(w, self.row.key).scale

    def quantize(self, w: F32) -> Quantized:
        if self.moment.share < 0.5:
            return super().quantize(w)
        if not self._settled:
            self._settle(w)
        if self.moment.share >= 1:
            return self.shipped(w)
        levels = np.clip(self.arrays["weight_floor"] + self._soft(), self.row.low, self.row.high)
        return Quantized(levels, self.arrays["weight_step"].copy(), soft=True)

    def shipped(self, w: F32) -> Quantized:
        if not self._settled:
            return super().quantize(w)
        up = self.arrays["weight_floor"] + (self.arrays["weight_round"] >= 0)
        levels = np.clip(up, self.row.low, self.row.high).astype(np.float32)
        return Quantized(levels, self.arrays["weight_step"].copy())

    def gradient(self, w: F32, grad: F32) -> F32:
        found = self.grads["weight_round"]
        if not self._settled:
            found.fill(0)
            return super().gradient(w, grad)
        s = 1 / (1 + np.exp(-self.arrays["weight_round"]))
        h, level = self._soft(), self.arrays["weight_floor"]
        slope = np.where((h > 0) & (h < 1), (_ZETA - _GAMMA) * s * (1 - s), np.float32(0))
        inside = (level + h >= self.row.low) & (level + h <= self.row.high)
        power = np.float32(20 - 36 * (self.moment.share - 0.5))
        drawn = -_WEIGHT * power * np.abs(2 * h - 1) ** (power - 1) * np.sign(2 * h - 1) * 2
        found[...] = (np.where(inside, grad * self.arrays["weight_step"][:, None], 0) + drawn) * slope
        return np.zeros_like(grad)

    def parameters(self) -> tuple[Parameter, ...]:
        # A limit says that the size of these numbers means nothing, so that no decay pulls them to 0.
        rounding = self.arrays["weight_round"]
        return (Parameter("weight_round", rounding, self.grads["weight_round"], limit=10.0),)

    @property
    def _settled(self) -> bool:
        return bool(self.arrays["weight_settled"][0])

    def _settle(self, w: F32) -> None:
        """Hold the weights where they stand; the soft rounding starts from what each has left over."""
        steps = self.steps(w)
        scaled = w / steps[:, None]
        floor = np.floor(scaled)
        over = np.clip(scaled - floor, np.float32(0.01), np.float32(0.99))
        self.arrays["weight_round"][...] = -np.log((_ZETA - _GAMMA) / (over - _GAMMA) - 1)
        self.arrays["weight_floor"][...] = floor
        self.arrays["weight_step"][...] = steps
        self.arrays["weight_settled"][0] = 1

    def _soft(self) -> F32:
        s = 1 / (1 + np.exp(-self.arrays["weight_round"]))
        soft: F32 = np.clip(s * (_ZETA - _GAMMA) + _GAMMA, 0, 1)
        return soft
