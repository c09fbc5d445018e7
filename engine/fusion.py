"""What a predictor may state of itself, so that a compiled program can join it to its neighbours.

Any function can be a predictor. One that is a `PerElement` or a `WholeSums` says more of itself, in
the node's own file. engine/runtime finds from that the whole-number thresholds that give the same bits as the
floats between two layers, and asks no node its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from .kernels.byte_shuffle import ByteWeights
from .kernels.floats import over_largest, scale_shift
from .ports import F32, I32, I64, U64, Array


@dataclass(frozen=True)
class PerElement:
    """A predictor of one input and one output that treats every element on its own.

    Element i of the output (of packed words: bit i) depends on element i of the input alone, both counted in
    one row. Unless it turns, it never falls as that one grows, or never rises; elements may differ in that.

    Attributes:
        function: the input array to the output array.
        turns: whether it may rise here and fall there.
    """

    function: Callable[[Array], Array]
    turns: bool = False

    def __call__(self, x: Array) -> tuple[Array, ...]:
        """Run it as a predictor."""
        return (self.function(x),)


@dataclass(frozen=True)
class Affine:
    """What a `PerElement` may do: x * scale + shift, rounded twice, for each place of the last axis.

    Attributes:
        scale, shift: float32 (places,).
    """

    scale: F32
    shift: F32

    def __call__(self, x: Array) -> Array:
        """Return it of `x`, float32 (n, *shape)."""
        flat = np.ascontiguousarray(x).reshape(-1, len(self.scale))
        out = np.empty(flat.shape, np.float32)
        scale_shift(flat, self.scale, self.shift, out)
        return out.reshape(x.shape)


@dataclass(frozen=True)
class OverLargest:
    """A predictor of one input and one output: each record over its largest size, or 0."""

    def __call__(self, x: Array) -> tuple[Array, ...]:
        """Run it as a predictor."""
        out = np.empty(x.shape, np.float32)
        over_largest(np.ascontiguousarray(x).reshape(len(x), -1), out.reshape(len(x), -1))
        return (out,)


@dataclass(frozen=True)
class LargestOf:
    """A predictor of one input and one output: each element is the largest of a window of the input's.

    Attributes:
        function: the input array to the output array.
        members: int64 (outputs, inputs of each): the elements of a window, counted in one row; None where
            windows share elements or reach past the edge.
        signs: packed signs, uint64 (n, words), to the OR of each window, whatever type the wire has.
    """

    function: Callable[[Array], Array]
    members: I64 | None
    signs: Callable[[U64], U64]

    def __call__(self, x: Array) -> tuple[Array, ...]:
        """Run it as a predictor."""
        return (self.function(x),)


@dataclass(frozen=True)
class Cut:
    """Where the patches of a map lie.

    Attributes:
        rows: int64, where each row of the map begins in the padded one.
        length: elements of a row.
        elements: of the padded map.
        pad: what padding counts.
        origins: int64 (places,), where each patch begins in the padded map.
        starts: int64 (runs,), where each run of a patch begins, from its origin on.
        run: elements of a run.
    """

    rows: I64
    length: int
    elements: int
    pad: int
    origins: I64
    starts: I64
    run: int

    @property
    def steps(self) -> I64:
        """Return where each element of a patch lies from its origin on, int64 (inputs,)."""
        return np.add.outer(self.starts, np.arange(self.run, dtype=np.int64)).ravel()


@runtime_checkable
class PatchFloats(Protocol):
    """A product that takes float patches straight from a map, in the order of kernels/floats.py."""

    @property
    def float_cut(self) -> Cut | None:
        """Return where they lie; None where the product is taken in another way."""

    @property
    def values_t(self) -> F32:
        """Return the weights, float32 (inputs, outputs)."""


@dataclass(frozen=True)
class FloatSums:
    """The predictor of a layer whose outputs are fixed-order float sums of patches, times scale, plus shift.

    Attributes:
        function: the input array to the outputs, float32 (n, *shape).
        cut: the patches.
        values_t: float32 (inputs, outputs).
        scale, shift: float32 (outputs,), each step rounded.
    """

    function: Callable[[Array], Array]
    cut: Cut
    values_t: F32
    scale: F32
    shift: F32

    def __call__(self, x: Array) -> tuple[Array, ...]:
        """Run it as a predictor."""
        return (self.function(x),)


@runtime_checkable
class RowSigns(Protocol):
    """A product of packed rows and float weights, in the order of kernels/floats.py."""

    @property
    def sign_values_t(self) -> F32 | None:
        """Return the weights, float32 (inputs, outputs); None where the product is another."""


@runtime_checkable
class RowBytes(Protocol):
    """A product of rows of bytes and 1-bit weights."""

    @property
    def byte_weights(self) -> ByteWeights | None:
        """Return the weights as byte shuffles take them; None where the product is another."""


@dataclass(frozen=True)
class SignSums:
    """The predictor of a layer whose outputs are sums of floats under packed signs, times scale, plus shift.

    Attributes:
        function: packed signs, uint64 (n, words), to the outputs, float32 (n, outputs).
        values_t: float32 (inputs, outputs).
        after: scale and shift.
    """

    function: Callable[[Array], Array]
    values_t: F32
    after: Affine

    def __call__(self, x: Array) -> tuple[Array, ...]:
        """Run it as a predictor."""
        return (self.function(x),)


@runtime_checkable
class PlaceProduct(Protocol):
    """A product that meets packed patches of a record, place after place, with the same packed weights."""

    @property
    def place_rows(self) -> U64 | None:
        """Return the packed signs of each output, uint64 (outputs, words); None where that is not all."""

    @property
    def cut(self) -> Cut:
        """Return where they lie."""

    def places(self, seen: U64) -> U64:
        """Return the packed patches of packed records, uint64 (n * places, words)."""


class WholeProduct(Protocol):
    """Packed weights ready to multiply, with whole-number sums."""

    @property
    def how(self) -> str:
        """Return the key of the kernel it takes."""

    @property
    def why(self) -> str:
        """Return which kernel it takes and why, for the user."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one record's sums."""

    @property
    def sums_range(self) -> range:
        """Return what a sum can be: first, last and the step between neighbours."""

    @property
    def rows(self) -> U64 | None:
        """Return the packed signs of each output, uint64 (outputs, words), if a whole record meets them."""

    @property
    def takes_bytes(self) -> bool:
        """Whether levels, all from 0 to 255, may come as uint8, in any shape of a record."""

    @property
    def nbytes(self) -> int:
        """Return the bytes that the weights take while they are run."""

    def into(self, seen: Array, out: I32) -> None:
        """Write the sums of quantized records into `out`, int32 (n, *shape)."""


@dataclass(frozen=True)
class WholeSums:
    """The predictor of a layer with whole-number sums, in three parts: finish(sums of take(x)).

    Attributes:
        product: the sums.
        finish: int32 (n, *shape) sums to float32 (n, *shape) outputs, as a `PerElement` function does.
        take: what makes packed signs or levels of the input; None where they arrive on the wire.
    """

    product: WholeProduct
    finish: Callable[[I32], F32]
    take: Callable[[Array], tuple[Array, ...]] | None = None

    def sums(self, seen: Array) -> I32:
        """Return the sums, int32 (n, *shape), of quantized records."""
        out = np.empty((len(seen), *self.product.shape), np.int32)
        self.product.into(seen, out)
        return out

    def __call__(self, x: Array) -> tuple[Array, ...]:
        """Run it as a predictor."""
        return (self.finish(self.sums(self.take(x)[0] if self.take else x)),)
