"""Weights as sums of several binary bases, each with its own scale: 1-bit products, as many as bases."""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32, Arrays
from ...precision import Precision
from .binary import mean_size, signs
from .quantizer import WEIGHT_QUANTIZERS, WeightQuantizer

GROUP = "Several bases"


def chained(parts: list[tuple[F32, F32]]) -> Quantized:
    """Return the sum of (values (outputs, inputs), scale (outputs,)), float32, the first first."""
    first: Quantized | None = None
    for values, scale in reversed(parts):
        first = Quantized(values, scale, more=first)
    if first is None:
        raise ValueError("no bases")
    return first


class _AbcNet(WeightQuantizer):
    """Base: w = sum of a_i sign(w - mean + u_i std), u_i evenly from -1 to 1, a by least squares.

    As the paper has it backward, the gradient passes each sign by the estimator, weighted by its scale.
    Mean, deviation and scales are those of each output.
    """

    def quantize(self, w: F32) -> Quantized:
        bases = [signs(shifted) for shifted in self._shifted(w)]
        return chained(list(zip(bases, self.scales(w, bases), strict=True)))

    def gradient(self, w: F32, grad: F32) -> F32:
        shifted = self._shifted(w)
        scales = self.scales(w, [signs(s) for s in shifted])
        parts = [self.estimated(s, grad * a[:, None]) for s, a in zip(shifted, scales, strict=True)]
        return reduce(np.add, parts)

    @staticmethod
    def scales(w: F32, bases: list[F32]) -> list[F32]:
        """Return the scales, float32 (outputs,) each, of least squared error between w and their sum."""
        stacked = np.stack(bases, axis=1).astype(np.float64)  # (outputs, bases, inputs)
        gram = stacked @ stacked.swapaxes(1, 2)
        # Two bases may be the same in a short output; a touch on the diagonal keeps the solution finite.
        gram += 1e-6 * w.shape[1] * np.eye(len(bases))
        right = stacked @ w.astype(np.float64)[:, :, None]
        found = np.linalg.solve(gram, right)[:, :, 0].astype(np.float32)
        return [np.ascontiguousarray(column) for column in found.T]

    def _shifted(self, w: F32) -> list[F32]:
        middle, spread = w.mean(axis=1, keepdims=True), w.std(axis=1, keepdims=True)
        return [w - middle + np.float32(u) * spread for u in np.linspace(-1, 1, self.bases)]


def _enter(count: int) -> None:
    @WEIGHT_QUANTIZERS.option(
        f"abc_net_{count}",
        f"{count} binary bases (ABC-Net)",
        formula=f"sum_i a_i sign(w - mean + u_i std), i = 1..{count}, u from -1 to 1, a by least squares",
        citation="Lin et al. 2017, arXiv:1711.11294",
        group=GROUP,
    )
    class _Counted(_AbcNet):
        bases: ClassVar[int] = count


for _count in (2, 3, 5):
    _enter(_count)


class _Residual(WeightQuantizer):
    """Base: w = sum of a_i sign(r_i), each of what those before it leave over; gradient by the estimator."""

    def quantize(self, w: F32) -> Quantized:
        rest, parts = w, []
        for _ in range(self.bases):
            base, scale = signs(rest), mean_size(rest)
            parts.append((base, scale))
            rest = rest - scale[:, None] * base
        return chained(parts)

    def gradient(self, w: F32, grad: F32) -> F32:
        return self.estimated(w, grad)


def _enter_residual(count: int) -> None:
    @WEIGHT_QUANTIZERS.option(
        f"residual_{count}",
        f"{count} bases of residuals",
        formula=f"sum_i a_i sign(r_i), a_i = mean|r_i| of the output, r_1 = w, r_i+1 = r_i - a_i sign(r_i), "
        f"i = 1..{count}; dL/dw = STE(g)",
        group=GROUP,
    )
    class _Counted(_Residual):
        bases: ClassVar[int] = count


for _count in (2, 3):
    _enter_residual(_count)


class _LqNets(WeightQuantizer):
    """Base: w is the nearest of the 2^bases sums of +-v_i; v of each output follows the weights.

    At every training step the signs of the nearest sums give, by least squares, a new v, and v moves a tenth
    of the way (QEM); the weights then count with the moved v. The gradient is the identity.
    """

    @classmethod
    def start(cls, row: Precision, w: F32) -> Arrays:
        # Three quarters of a normal distribution's weights lie below 0.6745 deviations.
        first = 0.6745 * (w.std(axis=1) + 1e-6) / 2 ** (cls.bases - 1)
        return {"weight_basis": np.stack([first * 2**i for i in range(cls.bases)]).astype(np.float32)}

    def quantize(self, w: F32) -> Quantized:
        basis = self.arrays["weight_basis"]
        bits = self._nearest(w)
        stacked = np.stack(bits, axis=1).astype(np.float64)
        small = 1e-4 * np.eye(self.bases)  # as in the authors' code: keeps v where signs do not tell
        right = stacked @ w.astype(np.float64)[:, :, None] + 1e-4 * basis.T[:, :, None]
        found = np.linalg.solve(stacked @ stacked.swapaxes(1, 2) + small, right)[:, :, 0]
        basis += np.float32(0.1) * (found.T.astype(np.float32) - basis)
        return self.shipped(w)

    def shipped(self, w: F32) -> Quantized:
        scales = [row.copy() for row in self.arrays["weight_basis"]]
        return chained(list(zip(self._nearest(w), scales, strict=True)))

    def gradient(self, w: F32, grad: F32) -> F32:
        return grad

    def limit(self) -> float | None:
        return None

    def _nearest(self, w: F32) -> list[F32]:
        """Return the signs, float32 (outputs, inputs) each, of the sum nearest each weight."""
        codes = np.array(list(product((-1, 1), repeat=self.bases)), np.float32)
        sums = codes @ self.arrays["weight_basis"]
        place = np.zeros(w.shape, np.intp)
        least = np.abs(w - sums[0][:, None])
        for i in range(1, len(codes)):
            distance = np.abs(w - sums[i][:, None])
            nearer = distance < least
            place[nearer], least[nearer] = i, distance[nearer]
        return [np.ascontiguousarray(codes[:, i][place]) for i in range(self.bases)]


def _enter_learned(count: int) -> None:
    @WEIGHT_QUANTIZERS.option(
        f"lq_nets_{count}",
        f"Learned basis of {count} (LQ-Nets)",
        formula=f"the nearest sum of +-v_i, i = 1..{count}; v <- 0.9 v + 0.1 (B B')^-1 B w, B the signs "
        "taken, for each output; dL/dw = g",
        citation="Zhang et al. 2018, arXiv:1807.10029",
        group=GROUP,
    )
    class _Counted(_LqNets):
        bases: ClassVar[int] = count


for _count in (2, 3):
    _enter_learned(_count)
