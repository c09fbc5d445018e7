"""Steps of lanes.py for counts that become signs: lists of places, counts against one limit for all lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from .lanes import INT, MEMORY, U8, VECTOR, WORD, loader, step

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_BYTES, _WORDS16 = ir.VectorType(_I8, 32), ir.VectorType(_I16, 16)


def _everywhere(builder: Any, value: Any, lanes: Any) -> Any:
    first = builder.insert_element(
        ir.Constant(lanes, ir.Undefined), builder.trunc(value, lanes.element), _I32(0)
    )
    order = ir.Constant(ir.VectorType(_I32, lanes.count), [0] * lanes.count)
    return builder.shuffle_vector(first, first, order)


def _put_places(builder: Any, memory: Any, at: Any, table: Any, place: Any, first: Any, times: Any) -> None:
    lanes = ir.VectorType(_I32, 8)
    read = builder.load(_at(builder, table, place, ir.VectorType(_I8, 8)), align=1)
    found = builder.add(builder.zext(read, lanes), _everywhere(builder, first, lanes))
    made = builder.mul(found, _everywhere(builder, times, lanes))
    builder.store(made, _at(builder, memory, at, lanes), align=1)


def _put_places_twin(memory: U8, at: int, table: U8, place: int, first: int, times: int) -> None:
    found = (table[place : place + 8].astype(np.int64) + first) * times
    memory[at : at + 32] = found.astype(np.int32).view(np.uint8)


def _below_one(builder: Any, even: Any, odd: Any, limit: Any) -> Any:
    everywhere = _everywhere(builder, limit, _WORDS16)

    def masks(counts: Any) -> Any:
        less = builder.icmp_signed("<", builder.bitcast(counts, _WORDS16), everywhere)
        return builder.bitcast(builder.sext(less, _WORDS16), _BYTES)

    low = ir.Constant(_BYTES, [255, 0] * 16)
    return builder.or_(builder.and_(masks(even), low), builder.and_(masks(odd), builder.not_(low)))


def _below_one_twin(even: U8, odd: U8, limit: int) -> U8:
    less = np.stack([half.view(np.int16) < limit for half in (even, odd)], axis=1).ravel()
    return np.where(less, 255, 0).astype(np.uint8)


def _sign_bits(builder: Any, x: Any) -> Any:
    bits = builder.icmp_signed("<", x, ir.Constant(_BYTES, [0] * 32))
    return builder.zext(builder.bitcast(bits, _I32), _I64)


def _sign_bits_twin(x: U8) -> np.uint64:
    return np.uint64(np.packbits(x >> 7, bitorder="little").view(np.uint32)[0])


def _at(builder: Any, memory: Any, at: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(memory, [at]), kind.as_pointer())


load_int = loader(
    INT, _I32, 4, lambda data: int(data.copy().view(np.int32)[0]), lambda builder, v: builder.sext(v, _I64)
)
# Writes 8 int32, (byte of a table + first) x times, given where to, the table and its place.
put_places = step(types.void, (MEMORY, INT, MEMORY, INT, INT, INT), _put_places, _put_places_twin)
# 255 in each byte whose signed count in 16-bit lanes, even ones and odd ones apart, is below a limit; else 0.
below_one = step(VECTOR, (VECTOR, VECTOR, INT), _below_one, _below_one_twin)
# The highest bit of every byte, 32 bits.
sign_bits = step(WORD, (VECTOR,), _sign_bits, _sign_bits_twin)
