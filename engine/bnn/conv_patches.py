"""The patches of a batch of maps as rows of a matrix, a bounded piece at a time, and the way back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..fusion import Cut
from ..kernels.bits import unpack_signs
from ..kernels.conv import fold_patches, gather_bits, gather_patches, pad_bits
from ..kernels.float_products import patch_gradients, patch_products
from ..ports import F32, U64, Array, words_for
from .conv_window import Window

_FEW = 32  # inputs of a patch up to which laying it out as a row costs more than it saves
_PIECE = 1 << 21  # bytes of float patches at a time, about what the caches of one core hold


class Patches:
    """Cuts maps into patches, group by group, and folds the gradients of patches back into maps.

    Attributes:
        window: where they lie.
        groups: parts of the channels that are cut apart.
        pad: what padding counts.
        inputs: elements of a patch of one group.
        few: whether patches are so small that products are taken straight from the map (`dot`).
        piece: records at a time.

    Padding counts `pad`: at 1 bit -1 or +1, or 0, which packed rows cannot say: there a 0 stands as -1, and
    the caller adds what that takes off (`missing`).
    """

    def __init__(self, window: Window, groups: int = 1, pad: int = 0) -> None:
        self.window, self.groups, self.pad = window, groups, pad
        self.inputs = window.taps * (window.channels // groups)
        self.few = groups == 1 and self.inputs <= _FEW
        self.piece = max(1, _PIECE // max(1, 4 * window.places * self.inputs))
        self._origins, self._run = window.origins, window.run(groups)
        self._starts = [window.starts(g, groups) for g in range(groups)]
        self._length = window.size[2] * window.channels
        self._places = np.add.outer(self._starts[0], np.arange(self._run, dtype=np.int64)).ravel()
        self._unit = unit_of([*self._origins, *np.ravel(self._starts), self._run])

    @property
    def cut(self) -> Cut:
        """Return where the patches lie, of one group."""
        window = self.window
        where = self._origins, self._starts[0], self._run
        return Cut(window.rows, self._length, window.elements, self.pad, *where)

    def pieces(self, records: int) -> Iterator[slice]:
        """Yield the records of one piece after another, as even as they can be."""
        each = -(-records // max(1, -(-records // self.piece)))
        for at in range(0, records, max(1, each)):
            yield slice(at, min(records, at + each))

    def floats(self, records: int) -> F32:
        """Return padded maps to fill, float32 (records, elements), their border `pad`."""
        return np.full((records, self.window.elements), self.pad, np.float32)

    def put(self, maps: Array, out: F32, *, packed: bool) -> F32:
        """Write maps, packed signs or numbers, as numbers into the middle of `out`, float32 (n, elements)."""
        if not packed:
            self.window.pad(maps, out)
            return out
        flat = out if not self.window.pads else np.empty((len(maps), self.window.length), np.float32)
        unpack_signs(maps, flat)
        if self.window.pads:
            self.window.pad(flat, out)
        return out

    def padded(self, maps: Array, *, packed: bool) -> Array:
        """Return maps with their padding: packed signs (n, words), or numbers (n, elements)."""
        if not self.window.pads:
            return np.ascontiguousarray(maps).reshape(len(maps), -1)
        if packed:
            out = self.window.border(len(maps), ones=self.pad > 0)
            pad_bits(maps, self.window.rows, self._length, out)
            return out
        empty = np.zeros((len(maps), self.window.elements), maps.dtype)
        return self.window.pad(maps, empty)

    def empty_rows(self) -> F32:
        """Return a buffer for the patches of one piece, float32 (piece * places, inputs)."""
        return np.empty((self.piece * self.window.places, self.inputs), np.float32)

    def empty_bits(self) -> U64:
        """Return a buffer for the packed patches of one piece, uint64 (piece * places, words)."""
        return np.empty((self.piece * self.window.places, words_for(self.inputs)), np.uint64)

    def rows(self, maps: Array, group: int, out: Array | None = None) -> Array:
        """Return the patches of padded maps as rows: (n * places, inputs), or (n * places, words) packed."""
        packed = maps.dtype == np.uint64
        count = len(maps) * self.window.places
        if out is None:
            columns = words_for(self.inputs) if packed else self.inputs
            out = np.empty((count, columns), maps.dtype)
        rows, starts = out[:count], self._starts[group]
        if packed and self._unit:
            rows[:, -1] = 0
            parts, target = maps.view(self._unit), rows.view(self._unit)
            bits = 8 * self._unit.itemsize
            gather_patches(parts, self._origins // bits, starts // bits, self._run // bits, target)
        elif packed:
            gather_bits(maps, self._origins, starts, self._run, rows)
        else:
            gather_patches(maps, self._origins, starts, self._run, rows)
        return rows

    def fold(self, rows: F32, group: int, maps: F32) -> None:
        """Add the gradients of rows to padded maps, float32 (n, elements)."""
        fold_patches(rows, self._origins, self._starts[group], self._run, maps)

    def dot(self, maps: F32, values_t: F32, out: F32) -> None:
        """Write the products of the patches of padded maps, where they are few, into `out`.

        Args:
            maps: float32 (n, elements).
            values_t: float32 (inputs, outputs).
            out: float32 (n * places, outputs).
        """
        patch_products(maps, self._origins, self._places, values_t, out)

    def dot_gradient(self, maps: F32, grad: F32) -> F32:
        """Return the gradient of the filters in `dot`, float32 (outputs, inputs)."""
        out = np.empty((self.inputs, grad.shape[1]), np.float32)
        patch_gradients(maps, self._origins, self._places, grad, out)
        return out.T

    def missing(self, values: F32) -> F32:
        """Return what packed rows lose at the border where padding counts 0, float32 (places, outputs).

        Args:
            values: float32 (outputs, inputs), the levels of the weights.
        """
        taps = values.reshape(len(values), self.window.taps, -1).sum(axis=2, dtype=np.float64)
        lost: F32 = (self.window.outside @ taps.T).astype(np.float32)
        return lost


def unit_of(offsets: list[int]) -> np.dtype[Any] | None:
    """Return the largest number whose bits divide all offsets, so that packed runs are copied whole."""
    if sys.byteorder == "little":
        for kind in (np.uint64, np.uint32, np.uint16, np.uint8):
            found: np.dtype[Any] = np.dtype(kind)
            if not any(offset % (8 * found.itemsize) for offset in offsets):
                return found
    return None
