"""Weights as sums of several binary bases, each with its own scale: 1-bit products, as many as bases."""

from __future__ import annotations

from functools import reduce
from typing import ClassVar

import numpy as np

from ...levels import Quantized
from ...ports import F32
from .binary import signs
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
