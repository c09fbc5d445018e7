"""Signs of weights that are turned towards the corners of the cube first (RBNN)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .balanced import standardised, through_standardising
from .binary import mean_size, signs
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Balanced signs"
_TURNS = 50  # how often the rotations are found anew over a training
_LARGEST = 1024


@WEIGHT_QUANTIZERS.option(
    "rotated",
    "Rotated weights (RBNN)",
    formula="c sign(v + |sin t| (R1' V R2 - v)), v standardised w, V v as a matrix, R1 and R2 rotations that "
    "bring V near its signs; c and t learned for each output",
    citation="Lin et al. 2020, arXiv:2009.13055",
    group=GROUP,
)
class Rotated(WeightQuantizer):
    """Two small rotations, shared by all outputs, lower the angle between weights and their signs.

    They are found anew at 50 moments of the training, each by three rounds of signs and singular vectors;
    the gradient takes what they add as a constant. V is as square as the count of inputs allows; a side of
    more than 1,024 is not turned. What is shipped are signs, so neither rotation is in a model.
    """

    trained: ClassVar[tuple[str, ...]] = ("weight_scale", "weight_angle")
    relative: ClassVar[tuple[str, ...]] = ("weight_scale",)

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        a, b = sides(w.shape[1])
        rng = np.random.default_rng(0)
        sizes = (a, b if b <= _LARGEST else 0)
        turns = [np.linalg.qr(rng.standard_normal((n, n)))[0].astype(np.float32) for n in sizes]
        return {
            "weight_scale": mean_size(w),
            "weight_angle": (rng.random(len(w)) * math.pi / 2).astype(np.float32),
            "weight_turn_1": turns[0],
            "weight_turn_2": turns[1],
            "weight_turned": np.full(1, -1, np.float32),
        }

    def quantize(self, w: F32) -> Quantized:
        v = standardised(w)[0]
        now = float(int(self.moment.share * _TURNS))
        if now > self.arrays["weight_turned"][0]:
            self.arrays["weight_turned"][0] = now
            self._turn(v)
        return Quantized(signs(self._turned(v)), self.arrays["weight_scale"].copy())

    def shipped(self, w: F32) -> Quantized:
        turned = self._turned(standardised(w)[0])
        return Quantized(signs(turned), self.arrays["weight_scale"].copy())

    def gradient(self, w: F32, grad: F32) -> F32:
        v, deviation = standardised(w)
        turned, angle = self._turned(v), self.arrays["weight_angle"]
        np.einsum("oi,oi->o", grad, signs(turned), out=self.grads["weight_scale"])
        passed = self.estimated(turned, grad * self.arrays["weight_scale"][:, None])
        along = (passed * (self._rotated(v) - v)).sum(axis=1)
        self.grads["weight_angle"][...] = along * np.cos(angle) * np.sign(np.sin(angle))
        return through_standardising(v, deviation, w.shape[1] - 1, passed)

    def limit(self) -> float | None:
        return None

    def _rotated(self, v: F32) -> F32:
        """Return R1' V R2 of every output, as rows."""
        first, second = self.arrays["weight_turn_1"], self.arrays["weight_turn_2"]
        turned: F32 = first.T @ v.reshape(len(v), len(first), -1)
        return (turned @ second if len(second) else turned).reshape(v.shape)

    def _turned(self, v: F32) -> F32:
        part = np.abs(np.sin(self.arrays["weight_angle"]))[:, None]
        turned: F32 = v + part * (self._rotated(v) - v)
        return turned

    def _turn(self, v: F32) -> None:
        """Find the rotations anew: three rounds of signs, then the best first, then the best second."""
        first, second = self.arrays["weight_turn_1"], self.arrays["weight_turn_2"]
        matrices = v.reshape(len(v), len(first), -1)
        for _ in range(3):
            corners = signs(self._rotated(v)).reshape(matrices.shape)
            back = corners @ second.T if len(second) else corners
            u, _, vt = np.linalg.svd(np.einsum("oab,odb->ad", back, matrices, optimize=True))
            first[...] = vt.T @ u.T
            if len(second):
                ahead = first.T @ matrices
                u, _, vt = np.linalg.svd(np.einsum("oba,obd->ad", ahead, corners, optimize=True))
                second[...] = u @ vt


def sides(count: int) -> tuple[int, int]:
    """Return the two factors of `count` that are nearest each other, the smaller first."""
    small = next(i for i in range(math.isqrt(count), 0, -1) if count % i == 0)
    return small, count // small
