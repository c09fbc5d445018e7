"""Exact products of levels by 1-bit weights in training, as bytes."""

from __future__ import annotations

from ..hardware import bytes_are_right
from ..kernels.quads import SignQuads
from ..kernels.threads import share
from ..ports import I16, I32, U64
from ..precision import Precision
from .product import Activation

_LEAST = 16  # rows that are worth a thread


class ByteForward:
    """The whole-number products of one layer's levels with its 1-bit weights, where both fit in bytes."""

    def __init__(self, outputs: int, inputs: int) -> None:
        self._weights = SignQuads(outputs, inputs)

    @staticmethod
    def meets(weight: Precision, activation: Activation) -> bool:
        """Return whether it multiplies a pair of widths."""
        return weight.binary and activation.row.store == "planes" and bytes_are_right()

    def sums(self, levels: I16, signs: U64, activation: Activation, out: I32) -> None:
        """Write levels . signs into `out`, int32 (n, outputs).

        Args:
            levels: int16 (n, inputs), of the activation's width.
            signs: packed signs of the weights, uint64 (outputs, words).
            activation: the width of the levels.
            out: written.
        """
        row, weights = activation.row, self._weights
        low, high = (0, row.high - row.low) if activation.unsigned else (row.low, row.high)
        weights.lay(signs)

        def part(begin: int, end: int) -> None:
            weights.dot(levels[begin:end], low, high, out[begin:end])

        share(part, len(levels), least=_LEAST, grain=4)
