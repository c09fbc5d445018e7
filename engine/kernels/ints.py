"""Steps of vectors of 32 bytes that hold 16 whole numbers of 16 bits or 8 of 32 (see lanes.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from .cpu import features
from .lanes import INT, MEMORY, U8, VECTOR, WORD, call_llvm, loader, step

_I32 = ir.IntType(32)
_BYTES, _SHORTS = ir.VectorType(ir.IntType(8), 32), ir.VectorType(ir.IntType(16), 16)
_INTS = ir.VectorType(_I32, 8)
SIDE = 8  # rows and columns that are turned at once


def _order(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(places)), places)


def _add(builder: Any, x: Any, y: Any) -> Any:
    found = builder.add(builder.bitcast(x, _INTS), builder.bitcast(y, _INTS))
    return builder.bitcast(found, _BYTES)


def _half(first: int) -> Any:
    """Return the step that makes 32 bits of half of the 16-bit numbers, from the first on."""

    def emit(builder: Any, x: Any) -> Any:
        shorts = builder.bitcast(x, _SHORTS)
        half = builder.shuffle_vector(shorts, shorts, _order(list(range(first, first + SIDE))))
        return builder.bitcast(builder.sext(half, _INTS), _BYTES)

    return step(
        VECTOR,
        (VECTOR,),
        emit,
        lambda x: x.view(np.int16)[first : first + SIDE].astype(np.int32).view(np.uint8),
    )


def _multiply(builder: Any, x: Any, y: Any) -> Any:
    x, y = builder.bitcast(x, _SHORTS), builder.bitcast(y, _SHORTS)
    if "avx2" in features():
        kind = ir.FunctionType(_INTS, [_SHORTS, _SHORTS])
        return builder.bitcast(call_llvm(builder, kind, "llvm.x86.avx2.pmadd.wd", [x, y]), _BYTES)
    parts = []
    for odd in range(2):
        picked = [builder.shuffle_vector(v, v, _order(list(range(odd, 16, 2)))) for v in (x, y)]
        parts.append(builder.mul(*(builder.sext(v, _INTS) for v in picked)))
    return builder.bitcast(builder.add(*parts), _BYTES)


def _multiply_twin(x: U8, y: U8) -> U8:
    products = x.view(np.int16).astype(np.int32) * y.view(np.int16)
    return (products[::2] + products[1::2]).view(np.uint8)


def _signs(builder: Any, word: Any) -> Any:
    mask = builder.bitcast(builder.trunc(word, ir.IntType(16)), ir.VectorType(ir.IntType(1), 16))
    plus, minus = (ir.Constant(_SHORTS, [v] * 16) for v in (1, -1))
    return builder.bitcast(builder.select(mask, plus, minus), _BYTES)


def _signs_twin(word: np.uint64) -> U8:
    return np.array([2 * (int(word) >> i & 1) - 1 for i in range(16)], np.int16).view(np.uint8)


def _total(builder: Any, x: Any) -> Any:
    lanes = builder.bitcast(x, _INTS)
    while lanes.type.count > 1:
        half = lanes.type.count // 2
        parts = [builder.shuffle_vector(lanes, lanes, _order(list(range(at, at + half)))) for at in (0, half)]
        lanes = builder.add(*parts)
    return builder.sext(builder.extract_element(lanes, _I32(0)), ir.IntType(64))


def _pair(builder: Any, two: Any) -> Any:
    first = builder.insert_element(ir.Constant(_INTS, ir.Undefined), two, _I32(0))
    return builder.bitcast(builder.shuffle_vector(first, first, _order([0] * 8)), _BYTES)


def _turn(builder: Any, memory: Any, at: Any, out: Any, to: Any, stride: Any) -> None:
    def place(where: Any, begin: Any, step_by: Any, i: int) -> Any:
        byte = builder.add(begin, builder.mul(step_by, ir.Constant(step_by.type, i)))
        return builder.bitcast(builder.gep(where, [byte]), _INTS.as_pointer())

    apart = ir.Constant(at.type, 2 * 4 * SIDE)
    r = [builder.load(place(memory, at, apart, i), align=1) for i in range(SIDE)]
    # Three rounds: pairs of numbers, pairs of pairs, halves.
    for low, high, far in (
        ([0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15], 1),
        ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15], 2),
        ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15], 4),
    ):
        r = _round(builder, r, low, high, far)
    for i in range(SIDE):
        builder.store(r[_PLACES[i]], place(out, to, stride, i), align=1)


def _round(builder: Any, rows: list[Any], low: list[int], high: list[int], far: int) -> list[Any]:
    """Return the rows, each joined with the one `far` on: low parts in its place, high in the other's."""
    found = list(rows)
    for i in range(SIDE):
        if not i & far:
            found[i] = builder.shuffle_vector(rows[i], rows[i + far], _order(low))
            found[i + far] = builder.shuffle_vector(rows[i], rows[i + far], _order(high))
    return found


_PLACES = (0, 2, 1, 3, 4, 6, 5, 7)  # where the rounds leave each column


def _turn_twin(memory: U8, at: int, out: U8, to: int, stride: int) -> None:
    rows = np.stack([memory[at + 64 * i : at + 64 * i + 32].view(np.int32) for i in range(SIDE)])
    for i in range(SIDE):
        out[to + stride * i : to + stride * i + 32] = np.ascontiguousarray(rows[:, i]).view(np.uint8)


add32 = step(
    VECTOR, (VECTOR, VECTOR), _add, lambda x, y: (x.view(np.int32) + y.view(np.int32)).view(np.uint8)
)
low_ints, high_ints = _half(0), _half(SIDE)
# x[2 i] y[2 i] + x[2 i + 1] y[2 i + 1] of 16-bit numbers, as 32 bits.
multiply_add = step(VECTOR, (VECTOR, VECTOR), _multiply, _multiply_twin)
# The lowest 16 bits of a word as 16-bit numbers: 1, and -1 for 0.
short_signs = step(VECTOR, (WORD,), _signs, _signs_twin)
# The sum of 8 numbers of 32 bits.
total32 = step(INT, (VECTOR,), _total, lambda x: int(x.view(np.int32).sum()))
# Two 16-bit numbers, repeated.
load_pair = loader(VECTOR, _I32, 4, lambda data: np.tile(data, 8), _pair)
# (memory, at, out, to, stride): 8 rows of 8 int32, 64 bytes apart, to columns: rows `stride` bytes apart.
turn = step(types.void, (MEMORY, INT, MEMORY, INT, INT), _turn, _turn_twin)
