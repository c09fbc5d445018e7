"""What is stored of a layer's weights, and what of it is multiplied.

    levels, signs, floats   as they are (levels.pack_weights); a learned width has as many planes as it says
    entries of a book       `weight`: their places in it, as bit planes; `book`: float32, what each counts;
                            `blocks`: int8, a power of two for every BLOCK inputs, where there are blocks
    bfloat16                `weight`: uint16, the upper halves of float32

Levels, and entries that are all whole numbers that fit in bytes, are multiplied as levels of the least width
that holds them, exactly; other entries as float32 in fixed order: such a layer is small in its file, and
stays float.
"""

from __future__ import annotations

import numpy as np

from ..kernels.levels import unpack_planes
from ..levels import BLOCK, BrainFloats, Quantized, pack_weights, planes_of, unpack_weights, whole_planes
from ..ports import F32, I16, Array, Arrays
from ..precision import PRECISIONS, Precision
from .weights import WEIGHT_QUANTIZERS

_WIDTHS = tuple(row for row in PRECISIONS.values() if row.store == "planes" and row.low < -1)


def multiplied_width(precision: str, quantizer: str) -> str:
    """Return the width (a key of PRECISIONS) that the weights of a layer are multiplied at."""
    return WEIGHT_QUANTIZERS.make(quantizer).multiplied_as or precision


def stored(part: Quantized, precision: str) -> Arrays:
    """Return what is stored of one base of quantized weights, by name."""
    row = PRECISIONS[precision]
    if isinstance(part, BrainFloats):
        arrays: Arrays = {"weight": (part.values.view(np.uint32) >> 16).astype(np.uint16)}
    elif part.book is None:
        arrays = {"weight": pack_weights(part, precision)}
    else:
        arrays = {"weight": planes_of(_places(part, part.book), row), "book": part.book.copy()}
        if part.blocks is not None:
            arrays["blocks"] = part.blocks.copy()
    if not row.is_float:
        arrays["scale"] = part.scale.copy()
    if part.offset is not None:
        arrays["offset"] = part.offset.copy()
    return arrays


def multiplied(packed: Arrays, suffix: str, precision: str, inputs: int) -> tuple[Array, str]:
    """Return the packed weights of one base as they are multiplied, and their width.

    Args:
        packed: what is stored of a layer.
        suffix: of the names of this base.
        precision: the width of the layer.
        inputs: columns of the weights.
    """
    weight = packed["weight" + suffix]
    if weight.dtype == np.uint16:
        return unpack_weights(weight, precision, inputs), "32"
    values = _values(packed, suffix, inputs)
    if values is None:
        return _narrow(weight, precision)
    row = _least(values)
    return (planes_of(values.astype(np.int16), row), row.key) if row else (values, "32")


def numbers(packed: Arrays, suffix: str, precision: str, inputs: int = 0) -> F32:
    """Return one base as numbers, float32 (outputs, inputs): levels, entries of the book or floats.

    Without `inputs`, padding of the last word may follow.
    """
    weight = packed["weight" + suffix]
    columns = inputs or weight.shape[-1] * (1 if PRECISIONS[precision].is_float else 64)
    values = _values(packed, suffix, columns)
    return unpack_weights(weight, precision, columns) if values is None else values


def _values(packed: Arrays, suffix: str, inputs: int) -> F32 | None:
    """Return the entries of the book that are stored, float32 (outputs, inputs); None where there is none."""
    book, weight = packed.get("book" + suffix), packed["weight" + suffix]
    if book is None:
        return None
    places = np.empty((weight.shape[1], inputs), np.int16)
    unpack_planes(weight, 1 << np.arange(len(weight), dtype=np.int64), places)
    values: F32 = book[np.minimum(places, len(book) - 1)]
    blocks = packed.get("blocks" + suffix)
    if blocks is not None:
        values = values * _spread(np.exp2(blocks.astype(np.float32)), inputs)
    return np.ascontiguousarray(values, np.float32)


def _places(part: Quantized, book: F32) -> I16:
    """Return where each value stands in the book, int16 (outputs, inputs)."""
    values = part.values
    if part.blocks is not None:
        values = values * _spread(np.exp2(-part.blocks.astype(np.float32)), values.shape[1])
    places: I16 = np.minimum(np.searchsorted(book, values), len(book) - 1).astype(np.int16)
    return places


def _spread(blocks: F32, inputs: int) -> F32:
    """Return what blocks count for each of their inputs, float32 (outputs, inputs); 1 past the last block."""
    spread = np.repeat(blocks, BLOCK, axis=1)[:, :inputs]
    return np.pad(spread, ((0, 0), (0, inputs - spread.shape[1])), constant_values=1)


def _narrow(weight: Array, precision: str) -> tuple[Array, str]:
    """Return levels with the planes of the narrowest width that holds them: others say the sign again."""
    if PRECISIONS[precision] not in _WIDTHS:
        return weight, precision
    needed = len(weight)
    while needed > 2 and (weight[needed - 1] == weight[needed - 2]).all():
        needed -= 1
    row = next(row for row in _WIDTHS if len(row.coefficients) >= needed)
    weight = whole_planes(weight, row.key)
    return np.ascontiguousarray(weight[: len(row.coefficients)]), row.key


def _least(values: F32) -> Precision | None:
    """Return the narrowest width that holds `values` as levels, or None."""
    if not (values == np.rint(values)).all():
        return None
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    return next((row for row in _WIDTHS if row.low <= low and high <= row.high), None)
