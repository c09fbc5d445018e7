"""Weights at every bit width: from latent floats to levels and scales, to packed planes, and back.

What a weight counts in a product is `scale of its output x level`:

    1 bit     level = sign(w), scale = mean |w| of the output      (XNOR-Net, arXiv:1603.05279)
    ternary   level = sign(w) where |w| > 0.7 mean |w|, else 0; scale = mean |w| over the kept weights
              (TWN, arXiv:1605.04711)
    2 to 8    level = clip(round(w / s), low, high), s = 2 mean |w| / sqrt(high)
              (the step that LSQ starts from, arXiv:1902.08153; here it follows the weights)
    16, 32    the float itself, rounded to IEEE half at 16; scale 1
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .kernels.bits import pack_signs, unpack_signs
from .kernels.latent import mean_sizes, sizes_and_signs
from .kernels.levels import pack_planes, unpack_planes
from .kernels.threads import share
from .ports import F32, I8, I16, I64, U64, Array, words_for
from .precision import PRECISIONS, Precision

_TINY = np.float32(1e-12)
_LEAST = 1 << 16  # weights that are worth a thread
TERNARY_SHARE = np.float32(0.7)
BLOCK = 32  # inputs that share a power of two


@dataclass(frozen=True)
class Quantized:
    """Weights as they count.

    Attributes:
        values: float32 (outputs, inputs), the levels as floats, or the floats themselves.
        scale: float32 (outputs,), what one level of an output counts.
        offset: float32 (outputs,), what is added to every weight of an output, or None for nothing.
        more: a further base that is added to this one (multi-base quantizers), or None.
        book: float32 (entries,), ascending, which `values` are of, where they are stored as places in it; up
            to 2^bits; None where they are levels of their width.
        blocks: int8 (outputs, blocks of BLOCK inputs): the powers of two that `values` are entries of `book`
            times, or None for 1.
        soft: whether `values` are still between the levels, as progressive quantizers have it in training.
        bits: how many of the width's bit planes hold the levels; 0 for all.
    """

    values: F32
    scale: F32
    offset: F32 | None = None
    more: Quantized | None = None
    book: F32 | None = None
    blocks: I8 | None = None
    soft: bool = False
    bits: int = 0


class PackedSigns(Quantized):
    """1-bit weights by their packed signs; the numbers are unpacked when somebody asks for them.

    Attributes:
        signs: uint64 (outputs, words).
        scale: float32 (outputs,).
    """

    def __init__(self, signs: U64, scale: F32, inputs: int) -> None:
        for name, value in (("signs", signs), ("scale", scale)):
            object.__setattr__(self, name, value)
        for name in ("offset", "more", "book", "blocks"):
            object.__setattr__(self, name, None)
        object.__setattr__(self, "_inputs", inputs)

    signs: U64
    _inputs: int

    @cached_property
    def values(self) -> F32:
        out = np.empty((len(self.signs), self._inputs), np.float32)
        unpack_signs(self.signs, out)
        return out


class BrainFloats(Quantized):
    """Weights whose values are bfloat16 numbers: the lower halves of their float32 are 0."""


def to_bfloat16(x: F32) -> F32:
    """Return finite float32 numbers rounded to bfloat16, halves to even, as float32 of x's shape."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    found: F32 = rounded.view(np.float32)
    return found


def quantize_weights(w: F32, precision: str) -> Quantized:
    """Return latent weights, float32 (outputs, inputs), as they count at a bit width."""
    row = PRECISIONS[precision]
    if row.store == "single":
        return Quantized(w, np.ones(len(w), np.float32))
    if row.store == "half":
        return Quantized(w.astype(np.float16).astype(np.float32), np.ones(len(w), np.float32))
    size = mean_size(w)
    if row.binary:
        return Quantized(np.where(w >= 0, np.float32(1), np.float32(-1)), size)
    if row.high == 1 and row.low == -1:
        return _ternary(w, size)
    step = (np.float32(2) * size / np.sqrt(np.float32(row.high))).astype(np.float32)
    levels = np.clip(np.rint(w / step[:, None]), row.low, row.high).astype(np.float32)
    return Quantized(levels, step)


def mean_size(w: F32) -> F32:
    """Return the mean of |w| of each output, float32 (outputs,), above 0.

    Args:
        w: float32 (outputs, inputs).
    """
    out = np.empty(len(w), np.float32)
    mean_sizes(np.ascontiguousarray(w), out)
    return out + _TINY


def pack_latent(w: F32, signs: U64) -> tuple[PackedSigns, bool]:
    """Return 1-bit weights as `quantize_weights` gives them, packed, and whether every |w| is within 1.

    Args:
        w: float32 (outputs, inputs), C-contiguous.
        signs: written, uint64 (outputs, words), and held.
    """
    size, beyond = np.empty(len(w), np.float32), list[int]()

    def part(begin: int, end: int) -> None:
        beyond.append(sizes_and_signs(w[begin:end], signs[begin:end], size[begin:end]))

    share(part, len(w), least=max(1, _LEAST // max(1, w.shape[1])))
    return PackedSigns(signs, size + _TINY, w.shape[1]), not any(beyond)


def latent_gradient(w: F32, grad: F32, precision: str) -> F32:
    """Return dL/d(latent) for `grad`, dL/d(scale x level): the clipped straight-through estimator.

    1 bit: grad where |w| <= 1 (Hubara et al. 2016, arXiv:1602.02830). Wider levels: grad where w lies in the
    range of the levels. Floats: grad.
    """
    row = PRECISIONS[precision]
    if row.is_float:
        return grad
    if row.binary:
        return np.where(np.abs(w) <= 1, grad, np.float32(0))
    step = quantize_weights(w, precision).scale[:, None]
    inside = (
        (w >= (row.low - 0.5) * step) & (w <= (row.high + 0.5) * step) if row.low < -1 else np.abs(w) <= 1
    )
    return np.where(inside, grad, np.float32(0))


def pack_weights(quantized: Quantized, precision: str) -> Array:
    """Return the stored form of quantized weights.

    1 bit: uint64 (outputs, words). Levels: uint64 (planes, outputs, words), without the planes that a learned
    width leaves, which would say the sign once more. 16: float16, 32: float32 (outputs, inputs).
    """
    row = PRECISIONS[precision]
    values = np.ascontiguousarray(quantized.values)
    if row.is_float:
        return values.astype(np.float16 if row.store == "half" else np.float32)
    if row.binary:
        signs = np.zeros((len(values), words_for(values.shape[1])), np.uint64)
        pack_signs(values, signs)
        return signs
    planes = planes_of(values.astype(np.int16), row)
    return planes[: quantized.bits].copy() if quantized.bits else planes


def whole_planes(planes: U64, precision: str) -> U64:
    """Return bit planes with those of their width that a learned width left out: its last, the sign."""
    missing = len(PRECISIONS[precision].coefficients) - len(planes)
    return np.concatenate([planes, np.repeat(planes[-1:], missing, axis=0)]) if missing > 0 else planes


def unpack_weights(packed: Array, precision: str, inputs: int) -> F32:
    """Return the values, float32 (outputs, inputs), of what `pack_weights` stored."""
    row = PRECISIONS[precision]
    if packed.dtype == np.uint16:  # bfloat16: the upper halves of float32
        return (packed.astype(np.uint32) << 16).view(np.float32)
    if row.is_float:
        return packed.astype(np.float32)
    if row.binary:
        out = np.empty((len(packed), inputs), np.float32)
        unpack_signs(packed, out)
        return out
    levels = np.empty((packed.shape[1], inputs), np.int16)
    unpack_planes(whole_planes(packed, precision), coefficients_of(row), levels)
    return levels.astype(np.float32)


def packed_shape(precision: str, outputs: int, inputs: int) -> tuple[int, ...]:
    """Return the shape of what `pack_weights` stores."""
    row = PRECISIONS[precision]
    if row.is_float:
        return (outputs, inputs)
    words = words_for(inputs)
    return (outputs, words) if row.binary else (len(row.coefficients), outputs, words)


def planes_of(levels: I16, row: Precision) -> U64:
    """Return the bit planes, uint64 (planes, n, words), of int16 (n, k) levels."""
    planes = np.zeros((len(row.coefficients), len(levels), words_for(levels.shape[1])), np.uint64)
    pack_planes(levels, row.coefficients == (1, -1), planes)
    return planes


def coefficients_of(row: Precision, *, unsigned: bool = False) -> I64:
    """Return what each plane counts; `unsigned` for activations whose lowest level is 0."""
    return np.abs(np.array(row.coefficients, np.int64)) if unsigned else np.array(row.coefficients, np.int64)


def _ternary(w: F32, size: F32) -> Quantized:
    kept = np.abs(w) > TERNARY_SHARE * size[:, None]
    count = np.maximum(kept.sum(axis=1), 1).astype(np.float32)
    scale = (np.where(kept, np.abs(w), np.float32(0)).sum(axis=1, dtype=np.float32) / count + _TINY).astype(
        np.float32
    )
    return Quantized((np.sign(w) * kept).astype(np.float32), scale)
