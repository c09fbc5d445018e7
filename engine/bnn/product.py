"""How a layer multiplies: which kernel serves a pair of bit widths, and the operands it wants.

    xnor     both 1 bit                  products of packed signs
    signs    weights of few bit planes   sums of whole numbers under the signs of each plane
    levels   weights of more             products of 8-bit or 16-bit numbers
    floats   either is a float           float32 in fixed order (BLAS while training)

The first three are exact whole numbers; the last is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..hardware import choose, whole_family, whole_weights
from ..kernels.bits import unpack_signs
from ..kernels.byte_shuffle import ByteWeights
from ..kernels.float_products import row_products
from ..kernels.floats import row_sums
from ..kernels.vectors import AVX2
from ..kernels.whole import MOST_PLANES, SHUFFLES, SIGNS, TERNARY, Levels
from ..levels import unpack_weights
from ..ports import F32, I32, U64, Array, Spec
from ..precision import PRECISIONS, Precision

Way = Literal["xnor", "signs", "levels", "floats"]
_BATCH = 128  # rows that stand for many

WHY: dict[Way, str] = {
    "xnor": "XNOR and popcount on packed signs: weights and activations are 1 bit",
    "signs": "whole numbers summed under the signs of each bit plane: weights have few planes",
    "levels": "whole-number products with 32-bit sums: weights have many bit planes",
    "floats": "float32 products: one side is a float",
}


@dataclass(frozen=True)
class Activation:
    """The activations of a product.

    Attributes:
        row: their bit width.
        unsigned: whether levels start at 0.
        given: whether they arrive quantized on a `bits` wire; otherwise a real input is quantized here.
        step: what one level counts, for given levels.
    """

    row: Precision
    unsigned: bool = False
    given: bool = False
    step: float = 1.0

    @classmethod
    def of(cls, spec: Spec, precision: str, *, unsigned: bool = False) -> Activation:
        """Return the activations of a layer whose input carries `spec`; a bits wire keeps its own width."""
        if spec.type == "bits":
            return cls(PRECISIONS[spec.precision], spec.low == 0, given=True, step=spec.step)
        row = PRECISIONS[precision]
        return cls(row, unsigned and row.store == "planes")


def way(weight: Precision, activation: Activation) -> Way:
    """Return which kernel multiplies a pair of widths."""
    if weight.is_float or activation.row.is_float:
        return "floats"
    if weight.binary and activation.row.binary:
        return "xnor"
    few = len(weight.coefficients) <= MOST_PLANES or activation.row.binary
    return "signs" if few else "levels"


def reason(weight: Precision, activation: Activation) -> str:
    """Return which kernel multiplies a pair of widths on this host, and why, in words."""
    how = way(weight, activation)
    if how != "xnor":
        return WHY[how]
    return f"{WHY[how]}; for many rows here {choose('signs', _BATCH).why}"


def as_floats(x: Array, activation: Activation, inputs: int, out: F32 | None = None) -> F32:
    """Return a quantized input as float32 (n, inputs): signs, levels without their step, or floats."""
    if activation.row.binary:
        signs: F32 = np.empty((len(x), inputs), np.float32) if out is None else out
        unpack_signs(x, signs)
        return signs
    if x.dtype == np.float32:
        return x
    levels: F32 = np.empty(x.shape, np.float32) if out is None else out
    levels[...] = x
    return levels


class Product:
    """Packed weights ready to multiply, for prediction.

    Attributes:
        how: the kernel it takes.
        shape: (outputs,), the sums of one record.
        rows: the packed signs of each output, uint64 (outputs, words), where both sides are 1 bit.
    """

    def __init__(self, packed: Array, precision: str, activation: Activation, inputs: int) -> None:
        self._row, self._activation, self._inputs = PRECISIONS[precision], activation, inputs
        self.how = way(self._row, activation)
        self.shape = (packed.shape[0 if self._row.is_float or self._row.binary else 1],)
        self.rows: U64 | None = None
        self._lowest = 0 if activation.unsigned else activation.row.low
        if self.how == "floats":
            self._weights: Array = np.ascontiguousarray(unpack_weights(packed, precision, inputs).T)
            return
        self._weights = packed
        self._seen = _levels(activation.row, unsigned=activation.unsigned)
        self.rows = packed if self.how == "xnor" else None
        planes = packed[None] if self._row.binary else packed
        self._whole = whole_weights(planes, _levels(self._row, unsigned=False), inputs)

    def sums(self, x: Array) -> I32 | F32:
        """Return the sums, int32 or float32 (n, outputs), of a quantized input: levels times levels."""
        if self.how == "floats":
            floats = np.ascontiguousarray(as_floats(x, self._activation, self._inputs))
            out = np.empty((len(x), *self.shape), np.float32)
            row_products(floats, self._weights, out)
            return out
        whole = np.empty((len(x), *self.shape), np.int32)
        self.into(x, whole)
        return whole

    def input_sums(self, seen: Array) -> F32:
        """Return the sum of each row, float32 (n, 1): what an offset of the weights is multiplied with."""
        floats = as_floats(seen, self._activation, self._inputs)
        sums = np.empty(len(floats), np.float32)
        row_sums(np.ascontiguousarray(floats), sums)
        return sums[:, None]

    def into(self, seen: Array, out: I32) -> None:
        """Write the whole sums of a quantized input into `out`, int32 (n, outputs)."""
        if self._activation.row.binary:
            self._whole.dot_signs(seen, out)
        else:
            whole = seen if seen.dtype == np.uint8 else seen.astype(np.int16, copy=False)
            self._whole.dot(whole.reshape(len(seen), -1), self._seen, out)

    @property
    def sign_values_t(self) -> F32 | None:
        """Return the weights, float32 (inputs, outputs), where packed signs meet floats."""
        return self._weights if self.how == "floats" and self._activation.row.binary else None

    @property
    def why(self) -> str:
        """Return which kernel it takes and why."""
        said = reason(self._row, self._activation)
        if self.how in ("xnor", "floats") or self._activation.row.binary:
            return said
        choice = choose(whole_family(len(self._row.coefficients) or 1), _BATCH)
        return f"{said}; for many rows here {choice.why}"

    @property
    def nbytes(self) -> int:
        """Return the bytes of the weights as they are multiplied."""
        return self._weights.nbytes

    @property
    def sums_range(self) -> range:
        """Return what a sum of whole numbers can be."""
        if self.how == "xnor":
            return range(-self._inputs, self._inputs + 1, 2)
        row, seen = self._row, self._activation.row
        levels = (0, seen.high - seen.low) if self._activation.unsigned else (seen.low, seen.high)
        ends = [self._inputs * a * b for a in (row.low, row.high) for b in levels]
        return range(min(ends), max(ends) + 1)

    @property
    def byte_weights(self) -> ByteWeights | None:
        """Return 1-bit weights ready for rows of bytes by byte shuffles, where those serve them."""
        if not self.takes_bytes or not self._whole.can(SHUFFLES, self._seen):
            return None
        return self._whole.byte_weights(self._seen)

    @property
    def takes_bytes(self) -> bool:
        """Whether levels, all from 0 to 255, may come as uint8."""
        whole = self.how in ("signs", "levels") and not self._activation.row.binary
        return AVX2 and whole and self._lowest == 0


def _levels(row: Precision, *, unsigned: bool) -> Levels:
    """Return how the levels of a width are made of bit planes; `unsigned` where the lowest is 0."""
    if row.binary:
        return SIGNS
    if row.coefficients == TERNARY.coefficients:
        return Levels((1, 2)) if unsigned else TERNARY
    return Levels(tuple(abs(c) for c in row.coefficients) if unsigned else row.coefficients)
