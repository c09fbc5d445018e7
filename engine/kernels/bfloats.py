"""Float products with both sides rounded to bfloat16, summed in float32: for gradients alone.

A bfloat16 is the upper half of a float32, rounded to the nearest, halves to even: 8 bits of precision. Hosts
with AVX512-BF16 multiply 32 of them an instruction (vdpbf16ps), two neighbours to a sum, and take numbers
below the least normal one for 0. Sums are not the same on every host, so no prediction may use this.

    rows     uint16 (n, 2 x pairs): the numbers of a row, 0 past the end
    columns  uint16 (chunks of CHUNK columns, pairs, CHUNK, 2): of two rows each, 0 past the ends
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types

from .cpu import features
from .jit import kernel
from .lanes import INT, MEMORY, U8, call_llvm, loader, step
from .signs import aligned
from .threads import share
from .vectors import Vector

F32 = npt.NDArray[np.float32]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]

NATIVE = "avx512bf16" in features()
CHUNK = 32  # columns: two vectors of sums
_ROWS, _LANES, _WIDTH = 4, 16, 64  # _WIDTH bytes of a vector
_LEAST = 1 << 22  # products that are worth a thread
_I32 = ir.IntType(32)
_BYTES, _SUMS = ir.VectorType(ir.IntType(8), _WIDTH), ir.VectorType(ir.FloatType(), _LANES)
_PAIRS = ir.VectorType(_I32, _LANES)
_WIDE = Vector(8, _WIDTH)


def _repeat(builder: Any, two: Any) -> Any:
    first = builder.insert_element(ir.Constant(_PAIRS, ir.Undefined), two, _I32(0))
    return builder.bitcast(builder.shuffle_vector(first, first, ir.Constant(_PAIRS, [0] * _LANES)), _BYTES)


def _store(builder: Any, memory: Any, at: Any, value: Any) -> None:
    place = builder.bitcast(builder.gep(memory, [at]), value.type.as_pointer())
    builder.store(value, place, align=1)


def _store_twin(memory: U8, at: int, value: U8) -> None:
    memory[at : at + len(value)] = value


def _dot(builder: Any, sums: Any, x: Any, y: Any) -> Any:
    total = builder.bitcast(sums, _SUMS)
    x, y = builder.bitcast(x, _PAIRS), builder.bitcast(y, _PAIRS)
    if NATIVE:  # llvmlite has no bfloat; LLVM still takes the older kind, of words that hold two
        kind = ir.FunctionType(_SUMS, [_SUMS, _PAIRS, _PAIRS])
        found = call_llvm(builder, kind, "llvm.x86.avx512bf16.dpbf16ps.512", [total, x, y])
        return builder.bitcast(found, _BYTES)
    half, upper = ir.Constant(_PAIRS, [16] * _LANES), ir.Constant(_PAIRS, [0xFFFF0000] * _LANES)
    for step_of, by in ((builder.and_, upper), (builder.shl, half)):
        parts = [builder.bitcast(step_of(v, by), _SUMS) for v in (x, y)]
        total = builder.fadd(total, builder.fmul(*parts))
    return builder.bitcast(total, _BYTES)


def _dot_twin(sums: U8, x: U8, y: U8) -> U8:
    total = sums.view(np.float32)
    for i in (1, 0):
        pair = [(v.view(np.uint16)[i::2].astype(np.uint32) << np.uint32(16)).view(np.float32) for v in (x, y)]
        total = total + pair[0] * pair[1]
    return total.view(np.uint8)


_load = loader(_WIDE, _BYTES, _WIDTH, np.copy)
_repeat_two = loader(_WIDE, _I32, 4, lambda data: np.tile(data, _LANES), _repeat)
_none = step(_WIDE, (), lambda builder: ir.Constant(_BYTES, [0] * _WIDTH), lambda: np.zeros(_WIDTH, np.uint8))
_put = step(types.void, (MEMORY, INT, _WIDE), _store, _store_twin)
# 16 sums in float32, and two products each of bfloat16.
add_pairs = step(_WIDE, (_WIDE, _WIDE, _WIDE), _dot, _dot_twin)


@kernel
def rounded(bits: np.uint32) -> np.uint16:
    """Return the bfloat16 nearest to a float32, halves to even, both as their bits."""
    if bits & np.uint32(0x7FFFFFFF) > np.uint32(0x7F800000):  # no number: rounding could make it infinite
        return np.uint16((bits >> np.uint32(16)) | np.uint32(64))
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return np.uint16((np.uint64(bits) + np.uint64(0x7FFF) + np.uint64(odd)) >> np.uint64(16))


@kernel
def lay_rows(bits: U32, out: U16) -> None:
    """Write float32 (n, k), as their bits, into `out`, zeroed uint16 (n, k or more)."""
    for r in range(bits.shape[0]):
        for c in range(bits.shape[1]):
            out[r, c] = rounded(bits[r, c])


@kernel
def lay_columns(bits: U32, out: U16) -> None:
    """Write float32 (k, m), as their bits, into `out`, zeroed uint16 as laid out above."""
    for r in range(bits.shape[0]):
        for c in range(bits.shape[1]):
            out[c // CHUNK, r >> 1, c % CHUNK, r & 1] = rounded(bits[r, c])


@kernel
def _tile(rows: U8, r: int, stride: int, columns: U8, out: U8) -> None:
    """Write the sums of four rows, of `stride` bytes, by one chunk; the last row stands for those past it."""
    last = len(rows) - stride
    at = r * stride
    at1, at2, at3 = min(at + stride, last), min(at + 2 * stride, last), min(at + 3 * stride, last)
    s00, s01, s10, s11 = _none(), _none(), _none(), _none()
    s20, s21, s30, s31 = _none(), _none(), _none(), _none()
    for p in range(stride >> 2):
        x, y = _load(columns, 2 * _WIDTH * p), _load(columns, 2 * _WIDTH * p + _WIDTH)
        two = _repeat_two(rows, at + 4 * p)
        s00, s01 = add_pairs(s00, x, two), add_pairs(s01, y, two)
        two = _repeat_two(rows, at1 + 4 * p)
        s10, s11 = add_pairs(s10, x, two), add_pairs(s11, y, two)
        two = _repeat_two(rows, at2 + 4 * p)
        s20, s21 = add_pairs(s20, x, two), add_pairs(s21, y, two)
        two = _repeat_two(rows, at3 + 4 * p)
        s30, s31 = add_pairs(s30, x, two), add_pairs(s31, y, two)
    _put(out, 0, s00)
    _put(out, _WIDTH, s01)
    _put(out, 2 * _WIDTH, s10)
    _put(out, 3 * _WIDTH, s11)
    _put(out, 4 * _WIDTH, s20)
    _put(out, 5 * _WIDTH, s21)
    _put(out, 6 * _WIDTH, s30)
    _put(out, 7 * _WIDTH, s31)


@kernel
def dot_laid(rows: U16, columns: U8, room: U8, out: F32) -> None:
    """Write the products of rows and columns into `out`, float32 (n, m).

    Args:
        rows: as laid out above.
        columns: as laid out above, flat bytes.
        room: bytes to work in, 512.
        out: float32 (n, m).
    """
    n, k = rows.shape
    m = out.shape[1]
    flat, sums = rows.reshape(n * k).view(np.uint8), room.view(np.float32)
    for chunk in range(-(-m // CHUNK)):
        at = CHUNK * chunk
        these = columns[2 * at * k : 2 * (at + CHUNK) * k]
        for r in range(0, n, _ROWS):
            _tile(flat, r, 2 * k, these, room)
            for i in range(min(_ROWS, n - r)):
                for j in range(min(CHUNK, m - at)):
                    out[r + i, at + j] = sums[CHUNK * i + j]


def matmul(a: F32, b: F32, out: F32) -> None:
    """Write a . b, float32 (n, k) and (k, m), into `out`, float32 (n, m); all of any strides."""
    (n, k), m = a.shape, b.shape[1]
    pairs = -(-k // 2)
    rows, columns = np.zeros((n, 2 * pairs), np.uint16), aligned(-(-m // CHUNK) * pairs * CHUNK * 4)
    columns[:] = 0
    lay_rows(np.ascontiguousarray(a).view(np.uint32), rows)
    lay_columns(np.ascontiguousarray(b).view(np.uint32), columns.view(np.uint16).reshape(-1, pairs, CHUNK, 2))
    into = out if out.flags.c_contiguous else np.empty((n, m), np.float32)

    def part(begin: int, end: int) -> None:
        dot_laid(rows[begin:end], columns, aligned(_ROWS * 2 * _WIDTH), into[begin:end])

    share(part, n, least=max(1, _LEAST // max(1, k * m)), grain=_ROWS)
    if into is not out:
        out[...] = into
