"""The class of one record from sums under packed signs, by whole numbers where those leave no doubt.

The scores are fixed-order float sums (sign_sums.py): each addition waits for the one before, which for
thousands of inputs takes longer than the layers before. Which score is the largest is mostly plain from sums
of weights rounded to 16 bits. Such a sum is off by no more than what was rounded away; the float sum is off
by no more than its roundings, each 2^-24 of the largest that the sum so far can be. Where no other score can
reach the best one within those bounds, its place is the answer that the scores would give; elsewhere they
are summed in full.

    ints    int16 (groups of 5 outputs, blocks of 16 inputs, 5, 16), flat bytes; 0 past the ends
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ints import add32, multiply_add, short_signs, total32
from .jit import kernel
from .lanes import U8, load, zeros

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

SIDE = 5  # outputs that are summed at once
BLOCK = 16  # inputs of a vector
MOST = 65_000  # inputs, whose sums fit 32 bits
_LARGEST = 32_767
_UNIT = 6.0e-8  # a little more than 2^-24, by which a float32 step may be off, of its result
_LEAST = 2.0**-149


def lay_ints(values_t: F32) -> tuple[U8, F64]:
    """Return `ints` of weights, float32 (k, m), and float64 (2, m): what 1 counts, how far sums are off."""
    weights = values_t.astype(np.float64)
    k, m = weights.shape
    steps = np.maximum(np.abs(weights).max(0), _LEAST) / _LARGEST
    ints = np.rint(weights / steps)
    rounded = np.abs(weights - ints * steps).sum(0)
    added = _UNIT * np.abs(weights).cumsum(0).sum(0)
    laid = np.zeros((-(-m // SIDE) * SIDE, -(-k // BLOCK) * BLOCK), np.int16)
    laid[:m, :k] = ints.T
    laid = laid.reshape(-1, SIDE, laid.shape[1] // BLOCK, BLOCK).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(laid).reshape(-1).view(np.uint8), np.stack([steps, 1.01 * (rounded + added)])


@kernel
def _sum_group(x: U64, blocks: int, ints: U8, at: int, sums: F64, first: int) -> None:
    """Write the sums of five outputs, whose weights begin at byte `at`."""
    a, b, c, d, e = zeros(), zeros(), zeros(), zeros(), zeros()
    for block in range(blocks):
        signs = short_signs(x[block >> 2] >> np.uint64(16 * (block & 3)))
        a = add32(a, multiply_add(load(ints, at), signs))
        b = add32(b, multiply_add(load(ints, at + 32), signs))
        c = add32(c, multiply_add(load(ints, at + 64), signs))
        d = add32(d, multiply_add(load(ints, at + 96), signs))
        e = add32(e, multiply_add(load(ints, at + 128), signs))
        at += 32 * SIDE
    sums[first] = total32(a)
    sums[first + 1] = total32(b)
    sums[first + 2] = total32(c)
    sums[first + 3] = total32(d)
    sums[first + 4] = total32(e)


@kernel
def _bounds(sums: F64, scale: F64, affine: F32, ends: F64) -> None:
    """Write the least and the most that each score can be into `ends`, float64 (2, m)."""
    for j in range(ends.shape[1]):
        v, off = sums[j] * scale[0, j], scale[1, j]
        for i in range(affine.shape[0]):
            factor = np.float64(affine[i, 0, j])
            v, off = v * factor, off * abs(factor)
            off += _UNIT * (abs(v) + off) + _LEAST
            v += np.float64(affine[i, 1, j])
            off += _UNIT * (abs(v) + off)
        ends[0, j], ends[1, j] = v - off, v + off


@kernel
def sure_label(x: U64, inputs: int, ints: U8, scale: F64, affine: F32, room: F64, out: I64) -> bool:
    """Write the place of the largest score into `out`, int64 (1,), if it is beyond doubt; return whether.

    Args:
        x: uint64 (words,), a packed row.
        inputs: of it.
        ints: as above.
        scale: float64 (2, m), as `lay_ints` gives.
        affine: float32 (times, 2, m), scales and shifts, one after another; no score overflows.
        room: float64 (3, outputs rounded up to 5), scratch.
        out: int64 (1,).
    """
    blocks, m = (inputs + BLOCK - 1) // BLOCK, scale.shape[1]
    for group in range((m + SIDE - 1) // SIDE):
        _sum_group(x, blocks, ints, 32 * SIDE * blocks * group, room[0], SIDE * group)
    ends = room[1:, :m]
    _bounds(room[0], scale, affine, ends)
    best = 0
    for j in range(1, m):
        if ends[0, j] > ends[0, best]:
            best = j
    rivals = 0
    for j in range(m):
        rivals += int(not ends[1, j] < ends[0, best])
    out[0] = best
    return rivals == 1  # itself
