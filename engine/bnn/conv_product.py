"""The product of a convolution in an exported model: patches times packed filters, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..fusion import Cut
from ..kernels.bits import unpack_signs
from ..kernels.floats import row_sums
from ..levels import unpack_weights
from ..ports import F32, I32, U64, Array
from ..precision import PRECISIONS
from .conv_patches import Patches
from .product import Activation, Product

_PIECE = 1 << 19  # bytes of sums, or of float patches, at a time: what a common second-level cache holds


class PatchProduct:
    """Packed filters ready to multiply with maps, for prediction: a `product.Product` over patches.

    Attributes:
        shape: (*positions, outputs), the sums of one record.
        rows: None, as no output meets a whole record.
    """

    rows: U64 | None = None

    def __init__(self, packed: Array, precision: str, activation: Activation, patches: Patches) -> None:
        self._patches, self._packed = patches, activation.row.binary
        self._groups = [
            Product(part, precision, activation, patches.inputs)
            for part in _by_group(packed, precision, patches.groups)
        ]
        values = unpack_weights(packed, precision, patches.inputs)
        self.shape = patches.window.out_shape(len(values))
        self._few = np.ascontiguousarray(values.T)
        small = self._packed or patches.few
        each = int(np.prod(self.shape)) if small else patches.window.places * patches.inputs
        self._at_a_time = max(1, _PIECE // (4 * each))
        corrected = self._packed and patches.pad == 0 and patches.window.pads
        self._missing = patches.missing(values) if corrected else None

    @property
    def how(self) -> str:
        """Return the kernel it takes."""
        return self._groups[0].how

    @property
    def why(self) -> str:
        """Return which kernel it takes and why."""
        return self._groups[0].why

    @property
    def takes_bytes(self) -> bool:
        """Whether levels, all from 0 to 255, may come as uint8."""
        return self._groups[0].takes_bytes

    @property
    def nbytes(self) -> int:
        """Return the bytes of the filters as they are multiplied."""
        return sum(product.nbytes for product in self._groups)

    @property
    def sums_range(self) -> range:
        """Return what a sum of whole numbers can be."""
        found = self._groups[0].sums_range
        return found if self._missing is None else range(found[0], found[-1] + 1)

    def sums(self, seen: Array) -> I32 | F32:
        """Return the sums, int32 or float32 (n, *shape), of quantized maps: levels times levels."""
        floats = self.how == "floats"
        out: Array = np.empty((len(seen), *self.shape), np.float32 if floats else np.int32)
        for piece in self._pieces(len(seen)):
            self._piece(seen[piece], out[piece].reshape(-1, self.shape[-1]))
        return out

    def into(self, seen: Array, out: I32) -> None:
        """Write the whole sums of quantized maps into `out`, int32 (n, *shape)."""
        for piece in self._pieces(len(seen)):
            self._piece(seen[piece], out[piece].reshape(-1, self.shape[-1]))

    @property
    def place_rows(self) -> U64 | None:
        """Return the packed signs of each output, uint64 (outputs, words), where packed patches meet them."""
        whole = self._missing is None and len(self._groups) == 1
        return self._groups[0].rows if whole else None

    def places(self, seen: U64) -> U64:
        """Return the packed patches of packed maps, uint64 (n * places, words)."""
        return self._patches.rows(self._patches.padded(seen, packed=True), 0)

    @property
    def cut(self) -> Cut:
        """Return where the patches lie, of one group."""
        return self._patches.cut

    @property
    def float_cut(self) -> Cut | None:
        """Return where patches lie that are taken straight from a map."""
        straight = self.how == "floats" and self._patches.few and not self._packed
        return self._patches.cut if straight else None

    @property
    def values_t(self) -> F32:
        """Return the filters, float32 (inputs, outputs)."""
        return self._few

    def input_sums(self, seen: Array) -> F32:
        """Return the sum of each patch, float32 (n, *shape), padding as it counts."""
        maps = self._patches.padded(seen, packed=self._packed)
        sums = []
        for group in range(self._patches.groups):
            rows = self._patches.rows(maps, group)
            floats = rows if rows.dtype != np.uint64 else self._signs(rows)
            sums.append(np.empty(len(floats), np.float32))
            row_sums(np.ascontiguousarray(floats), sums[-1])
        each = self.shape[-1] // len(sums)
        return np.repeat(np.stack(sums, axis=1), each, axis=1).reshape(len(seen), *self.shape)

    def _pieces(self, records: int) -> Iterator[slice]:
        for at in range(0, records, self._at_a_time):
            yield slice(at, min(records, at + self._at_a_time))

    def _piece(self, seen: Array, out: Array) -> None:
        maps = self._patches.padded(seen, packed=self._packed)
        each = out.shape[1] // len(self._groups)
        for group, product in enumerate(self._groups):
            if self.how == "floats" and self._patches.few and not self._packed:
                self._patches.dot(np.asarray(maps, np.float32), self._few, out)
                return
            rows = self._patches.rows(maps, group)
            if len(self._groups) == 1 and self.how != "floats":
                product.into(rows, out)
            else:
                out[:, group * each : (group + 1) * each] = product.sums(rows)
        if self._missing is not None:
            by_place = out.reshape(-1, *self._missing.shape)
            by_place += self._missing.astype(out.dtype)

    def _signs(self, rows: Array) -> F32:
        """Return packed patches as signs, 0 where padding counts 0."""
        patches = self._patches
        signs = np.empty((len(rows), patches.inputs), np.float32)
        unpack_signs(rows, signs)
        if self._missing is None:
            return signs
        taps = signs.reshape(-1, *patches.window.outside.shape, patches.inputs // patches.window.taps)
        zeroed: F32 = np.where(patches.window.outside[None, :, :, None], np.float32(0), taps)
        return zeroed.reshape(signs.shape)


def _by_group(weight: Array, precision: str, groups: int) -> list[Array]:
    row = PRECISIONS[precision]
    axis = 0 if row.is_float or row.binary else 1
    return [np.ascontiguousarray(part) for part in np.split(weight, groups, axis=axis)]
