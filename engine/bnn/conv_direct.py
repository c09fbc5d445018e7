"""Layers of maps whose products are taken straight from the map: depthwise, transposed, locally connected.

A kind of product is one `Direct`: what it makes of maps and weights, and the two ways back. `DirectFilters`
trains it, `DirectProduct` serves it.
"""

from __future__ import annotations

from functools import reduce
from typing import ClassVar, Protocol

import numpy as np

from ..kernels.floats import scale_shift
from ..levels import unpack_weights
from ..ports import F32, I32, U64, Array, Arrays
from ..precision import PRECISIONS
from .conv_filters import bases
from .conv_layer import Kind
from .latent_weights import LatentWeights
from .linear import offset_shift
from .product import WHY, Activation, as_floats, way


class Direct(Protocol):
    """A product of maps and weights, (outputs, inputs), and its gradients. Arrays of maps are flat records.

    Attributes:
        length: elements of a map.
        shape: of one record's products.
        outputs, inputs: rows and columns of the weights.
        terms: the most products that one sum adds.
    """

    length: int
    shape: tuple[int, ...]
    outputs: int
    inputs: int
    terms: int

    def products(self, maps: Array, values: Array, *, ordered: bool) -> Array:
        """Return the products, (n, *shape), of maps and weights of one dtype, float32 or int32.

        Args:
            maps: (n, length).
            values: (outputs, inputs).
            ordered: whether float sums must run in one fixed order, as in an exported model.
        """

    def weight_gradient(self, maps: F32, grad: F32, *, bfloat16: bool) -> F32:
        """Return dL/dvalues, float32 (outputs, inputs), for `grad`, float32 (n, *shape).

        `bfloat16` says, here and below, whether products may be rounded to it where that is faster.
        """

    def map_gradient(self, grad: F32, values: F32, *, bfloat16: bool) -> F32:
        """Return dL/dmaps, float32 (n, length)."""


class DirectFilters(LatentWeights):
    """The weights of such a layer in training."""

    packs: ClassVar[bool] = False

    def __init__(self, arrays: Arrays, kind: Kind, direct: Direct) -> None:
        super().__init__(arrays, kind.precision, kind.quantizer, kind.estimator)
        self._direct = direct
        self._maps: F32 = np.empty((0, direct.length), np.float32)

    def forward(self, seen: Array, activation: Activation, step: float, offset: float | None) -> F32:
        """Return the products, float32 (rows, outputs), of quantized maps.

        Args:
            seen: float32 or int16 (n, ...), or packed signs (n, words).
            activation: the width of the maps.
            step: what one level counts.
            offset: what level 0 counts, or None for nothing.
        """
        self._step, self._offset = step, offset
        quantized = self._effective = self._quantized()
        self._maps = as_floats(seen, activation, self._direct.length).reshape(len(seen), -1)
        total: F32 | None = None
        for part in bases(quantized):
            scale = (part.scale * np.float32(step)).astype(np.float32)
            out = self._direct.products(self._maps, part.values, ordered=False).reshape(
                -1, self._direct.outputs
            )
            scale_shift(out, scale, np.zeros_like(scale), out)
            if part.offset is not None:
                sums = self._direct.products(self._maps, np.ones_like(part.values), ordered=False)
                out += sums.reshape(out.shape) * (part.offset * np.float32(step))
            total = out if total is None else total + out
        if total is None:
            raise RuntimeError("a layer without weights")
        if offset is not None:
            total += offset_shift(quantized, offset)
        return total

    def backward(self, grad: F32, *, maps_wanted: bool) -> F32 | None:
        """Return dL/d(step x level + offset), float32 (n, length), or None where not wanted.

        Fills the gradient of the weights for `grad`, dL/d(products), float32 (rows, outputs).
        """
        quantized, direct = self._effective, self._direct
        if quantized is None:
            raise RuntimeError("backward before forward")
        shape = (len(self._maps), *direct.shape)
        narrow = self.moment.bfloat16
        self._grad[...] = direct.weight_gradient(self._maps, grad.reshape(shape), bfloat16=narrow)
        self._grad *= np.float32(self._step)
        if self._offset:
            self._grad += np.float32(self._offset) * grad.sum(axis=0)[:, None]
        self._to_latent()
        if not maps_wanted:
            return None
        total: F32 | None = None
        for part in bases(quantized):
            pairs = [(part.scale, part.values)]
            if part.offset is not None:
                pairs.append((part.offset, np.ones_like(part.values)))
            back = reduce(
                np.add,
                (direct.map_gradient((grad * s).reshape(shape), v, bfloat16=narrow) for s, v in pairs),
            )
            total = back if total is None else total + back
        return total


class DirectProduct:
    """Packed weights of such a layer ready to multiply, for prediction (shipped.Multiplied).

    Attributes:
        how: `levels` where both sides are whole numbers, else `floats`.
        shape: the sums of one record.
        rows: None, as no output meets a whole record.
    """

    rows: U64 | None = None
    takes_bytes = False

    def __init__(self, packed: Array, precision: str, activation: Activation, direct: Direct) -> None:
        row = PRECISIONS[precision]
        self._direct, self._activation, self._row = direct, activation, row
        self.how = "floats" if way(row, activation) == "floats" else "levels"
        self.shape = direct.shape
        self._values = self._held(unpack_weights(packed, precision, direct.inputs))

    @property
    def why(self) -> str:
        """Return which kernel it takes and why."""
        if self.how == "floats":
            return WHY["floats"]
        return "Sums of whole numbers straight from the map: each output sees too little to be packed"

    @property
    def nbytes(self) -> int:
        """Return the bytes of the weights as they are multiplied."""
        return self._values.nbytes

    @property
    def sums_range(self) -> range:
        """Return what a sum of whole numbers can be."""
        row, seen, terms = self._row, self._activation.row, self._direct.terms
        levels = (0, seen.high - seen.low) if self._activation.unsigned else (seen.low, seen.high)
        ends = [terms * a * b for a in (row.low, row.high) for b in levels]
        return range(min(ends), max(ends) + 1)

    def sums(self, seen: Array) -> I32 | F32:
        """Return the sums, int32 or float32 (n, *shape), of quantized maps."""
        return self._direct.products(self._maps(seen), self._values, ordered=True)

    def into(self, seen: Array, out: I32) -> None:
        """Write the whole sums of quantized maps into `out`, int32 (n, *shape)."""
        out[...] = self.sums(seen)

    def input_sums(self, seen: Array) -> F32:
        """Return the sum of what each output sees, float32 (n, *shape)."""
        found = self._direct.products(self._maps(seen), np.ones_like(self._values), ordered=True)
        return found.astype(np.float32)

    def _maps(self, seen: Array) -> Array:
        floats = as_floats(seen, self._activation, self._direct.length).reshape(len(seen), -1)
        return floats if self.how == "floats" else floats.astype(np.int32)

    def _held(self, values: F32) -> Array:
        held = values if self.how == "floats" else values.astype(np.int32)
        return np.ascontiguousarray(held)
