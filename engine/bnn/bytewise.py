"""Products of bytes in training: levels forward, exactly; 8-bit gradients backward.

Training settings choose the backward ones (`gradient_bits`); elsewhere the host's BLAS multiplies float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kernels.gradients import (
    HIGHEST,
    HIGHEST_BESIDE_BYTES,
    largest_of_columns,
    largest_of_rows,
    panel_columns,
    panel_levels,
    panel_rows,
    panel_signs,
    panel_signs_of_rows,
    panels_a,
    panels_b,
    products,
    round_gradients,
    rows_of,
)
from ..kernels.levels import plane_sums
from ..ports import F32, I8, I16, I32, U64, Array
from ..precision import Precision
from .product import Activation

_PIECE = 2048  # rows whose gradients are rounded and multiplied at a time, so that they stay in the cache


class ByteForward:
    """The whole-number products of one layer's levels with its 1-bit weights, where both fit in bytes."""

    def __init__(self, outputs: int, inputs: int) -> None:
        self._outputs, self._inputs = outputs, inputs
        self._weights = np.empty(panels_b(outputs, inputs), np.uint8)

    @staticmethod
    def meets(weight: Precision, activation: Activation) -> bool:
        """Return whether it multiplies a pair of widths."""
        return weight.binary and activation.row.store == "planes"

    def sums(self, levels: I16, signs: U64, activation: Activation, out: F32) -> None:
        """Write levels . signs into `out`, float32 (n, outputs); exact below 2^24.

        Args:
            levels: int16 (n, inputs), of the activation's width.
            signs: packed signs of the weights, uint64 (outputs, words).
            activation: the width of the levels.
            out: written.
        """
        row = activation.row
        # A byte with a sign holds 0 to 255 less 128; what that leaves out is added for each output.
        middle = 128 if activation.unsigned and row.high - row.low > HIGHEST else 0
        panel_signs_of_rows(signs, self._inputs, self._weights)
        a, sums = np.empty(panels_a(len(levels), self._inputs), np.int8), np.empty(len(levels), np.int32)
        panel_rows((levels - middle).astype(np.int8), a, sums)
        first = -sums.astype(np.float32) - np.float32(middle * self._inputs)
        products(a, self._weights, np.stack([first, np.full_like(first, 2)]), out, highest=1)
        if middle:
            ones = np.empty(self._outputs, np.int64)
            plane_sums(signs[None], np.array([2 * middle]), ones)
            out += ones.astype(np.float32)


class ByteGradients:
    """Backward products of one layer with gradients rounded to 8 bits, by chance (arXiv:1606.06160).

    Each product has a scale of its own for each row of its result: the largest gradient is 127 levels, or 63
    where it meets levels of 8 bits.

    Attributes:
        rng: where the chance of the rounding starts; the layer hands over its own.
    """

    def __init__(self, outputs: int, inputs: int) -> None:
        self.rng = np.random.default_rng(0)
        self._outputs, self._inputs = outputs, inputs
        self._ones = np.ones(outputs, np.float32)

    @staticmethod
    def meets(row: Precision) -> bool:
        """Return whether numbers of a bit width can stand on the other side of a product."""
        return not row.is_float

    def weights(self, grad: F32, seen: Array, activation: Activation, step: float, out: F32) -> None:
        """Write grad^T . (step x level) into `out`, float32 (outputs, inputs).

        Args:
            grad: float32 (n, outputs).
            seen: the quantized rows, packed signs or int16 levels.
            activation: their width.
            step: what one level counts.
            out: written.
        """
        other = _Other.of(activation.row, step, unsigned=activation.unsigned)
        for at in range(0, len(grad), _PIECE):
            part, rows = grad[at : at + _PIECE], seen[at : at + _PIECE]
            peak = np.empty(self._outputs, np.float32)
            largest_of_columns(part, self._ones, peak)
            a = np.empty(panels_a(self._outputs, len(part)), np.int8)
            sums = np.empty(self._outputs, np.int32)
            panel_columns(self._rounded(part, self._ones, peak, other.high, by_row=False), a, sums)
            b = np.empty(panels_b(self._inputs, len(part)), np.uint8)
            if activation.row.binary:
                panel_signs(rows, self._inputs, b)
            else:
                panel_levels(rows, other.low, b)
            products(a, b, other.counts(sums, peak), out, highest=other.high, more=at > 0)

    def rows(self, grad: F32, scale: F32, levels: Array, row: Precision, out: F32) -> None:
        """Write (grad * scale) . (levels of the weights) into `out`, float32 (n, inputs).

        Args:
            grad: float32 (n, outputs).
            scale: float32 (outputs,), what one level of an output counts.
            levels: packed signs, uint64 (outputs, words), at 1 bit; else numbers (outputs, inputs).
            row: the width of the weights.
            out: written.
        """
        other = _Other.of(row, 1.0)
        b = np.empty(panels_b(self._inputs, self._outputs), np.uint8)
        if row.binary:
            panel_signs(levels, self._inputs, b)
        else:
            panel_levels(levels, other.low, b)
        for at in range(0, len(grad), _PIECE):
            part = grad[at : at + _PIECE]
            peak = np.empty(len(part), np.float32)
            largest_of_rows(part, scale, peak)
            a = np.empty(panels_a(len(part), self._outputs), np.int8)
            sums = np.empty(len(part), np.int32)
            panel_rows(self._rounded(part, scale, peak, other.high, by_row=True), a, sums)
            products(a, b, other.counts(sums, peak), out[at : at + _PIECE], highest=other.high)

    def _rounded(self, grad: F32, factor: F32, peak: F32, high: int, *, by_row: bool) -> I8:
        top = _top(high)
        inverse = np.divide(np.float32(top), peak, out=np.zeros_like(peak), where=peak > 0)
        out = np.empty(grad.shape, np.int8)
        seed = np.uint32(self.rng.integers(1 << 32))
        round_gradients(np.ascontiguousarray(grad), factor, by_row, inverse, top, seed, out)
        return out


def _top(high: int) -> int:
    return HIGHEST if high < HIGHEST else HIGHEST_BESIDE_BYTES


@dataclass(frozen=True)
class _Other:
    """What gradients meet: the largest byte, the number of byte 0, and what a unit and byte 0 count."""

    high: int
    low: int
    unit: float
    base: float

    @classmethod
    def of(cls, row: Precision, step: float, *, unsigned: bool = False) -> _Other:
        if row.binary:
            return cls(1, -1, 2 * step, -step)
        low = 0 if unsigned else row.low
        return cls(row.high - row.low, low, step, low * step)

    def counts(self, sums: I32, peak: F32) -> F32:
        scale = (peak / np.float32(_top(self.high))).astype(np.float32)
        return rows_of(sums, scale, self.unit, self.base)
