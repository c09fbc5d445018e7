"""The kernels of a convolution as tiles: a filter beside the other, an input channel below the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod, sqrt

import numpy as np

from engine.look import WeightMap
from engine.ports import Array

GAP = -128  # level of what lies between two tiles; weights are drawn from -127 on
_WIDE = 4.0  # tiles across for one down, where the filters of one channel fill a field


@dataclass(frozen=True)
class Tiles:
    """A picture of kernels.

    Attributes:
        levels: int8 (pixels down, pixels across), GAP between the tiles.
        down, across: tiles.
        folded: whether the filters of one channel fill the rows one after another.
    """

    levels: Array
    down: int
    across: int
    folded: bool


def tiles(shown: WeightMap) -> Tiles:
    """Return the tiles of a map whose rows are kernels; taps before the last axis stand on one another."""
    *taps, channels = shown.kernel
    high, wide = (prod(taps[:-1]), taps[-1]) if taps else (1, 1)
    kernels = _levels(shown).reshape(shown.rows, high, wide, channels)
    framed = np.full((shown.rows, channels, high + 1, wide + 1), GAP, np.int8)
    framed[:, :, :high, :wide] = kernels.transpose(0, 3, 1, 2)
    if channels > 1:
        picture = framed.transpose(1, 2, 0, 3)
        down, across = channels, shown.rows
    else:
        across = min(shown.rows, ceil(sqrt(_WIDE * shown.rows)))
        down = -(-shown.rows // across)
        field = np.full((down * across, high + 1, wide + 1), GAP, np.int8)
        field[: shown.rows] = framed[:, 0]
        picture = field.reshape(down, across, high + 1, wide + 1).transpose(0, 2, 1, 3)
    levels = np.ascontiguousarray(picture).reshape(down * (high + 1), across * (wide + 1))
    return Tiles(levels, down, across, channels == 1)


def _levels(shown: WeightMap) -> Array:
    """Return the levels of a map one by one, int8 (rows, columns)."""
    if shown.packed:
        bits = np.unpackbits(shown.levels, axis=1, count=shown.columns)
        return bits.astype(np.int8) * np.int8(2) - np.int8(1)
    return np.maximum(shown.levels, np.int8(GAP + 1))
