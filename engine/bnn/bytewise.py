"""Exact products of levels by 1-bit weights in training, as bytes."""

from __future__ import annotations

import numpy as np

from ..kernels.byte_products import panel_rows, panel_signs_of_rows, panels_a, panels_b, products
from ..kernels.levels import plane_sums
from ..ports import F32, I16, U64
from ..precision import Precision
from .product import Activation

_HIGHEST = 127  # of a signed byte


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
        middle = 128 if activation.unsigned and row.high - row.low > _HIGHEST else 0
        panel_signs_of_rows(signs, self._inputs, self._weights)
        a, sums = np.empty(panels_a(len(levels), self._inputs), np.int8), np.empty(len(levels), np.int32)
        panel_rows((levels - middle).astype(np.int8), a, sums)
        first = -sums.astype(np.float32) - np.float32(middle * self._inputs)
        products(a, self._weights, first, out)
        if middle:
            ones = np.empty(self._outputs, np.int64)
            plane_sums(signs[None], np.array([2 * middle]), ones)
            out += ones.astype(np.float32)
