"""Steps of vectors of bytes that four neighbours of one sum share: WIDTH / 4 sums of 32 bits (see lanes.py).

A vector has WIDTH bytes: 64 where the host multiplies bytes in 512 bits (AVX-512 VNNI), else 32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types

from .cpu import features
from .lanes import INT, MEMORY, U8, VECTOR, call_llvm, loader, step
from .vectors import Vector

VNNI = bool({"avx512vnni", "avxvnni"} & features())
WIDTH = 64 if "avx512vnni" in features() else 32

I32 = npt.NDArray[np.int32]

_I32 = ir.IntType(32)
_BYTES, _SUMS = ir.VectorType(ir.IntType(8), WIDTH), ir.VectorType(_I32, WIDTH // 4)
_NARROW, _SHORTS, _INTS = (ir.VectorType(ir.IntType(256 // n), n) for n in (32, 16, 8))
WIDE = Vector(8, WIDTH)


def _repeat(builder: Any, four: Any) -> Any:
    first = builder.insert_element(ir.Constant(_SUMS, ir.Undefined), four, _I32(0))
    places = ir.Constant(ir.VectorType(_I32, WIDTH // 4), [0] * (WIDTH // 4))
    return builder.bitcast(builder.shuffle_vector(first, first, places), _BYTES)


def _store(builder: Any, memory: Any, at: Any, value: Any) -> None:
    place = builder.bitcast(builder.gep(memory, [at]), value.type.as_pointer())
    builder.store(value, place, align=1)


def _store_twin(memory: U8, at: int, value: U8) -> None:
    memory[at : at + len(value)] = value


def _add(builder: Any, x: Any, y: Any) -> Any:
    return builder.bitcast(builder.add(builder.bitcast(x, _SUMS), builder.bitcast(y, _SUMS)), _BYTES)


def _dot(builder: Any, sums: Any, unsigned: Any, signed: Any) -> Any:
    total, u, s = (builder.bitcast(v, _SUMS) for v in (sums, unsigned, signed))
    if VNNI:
        kind = ir.FunctionType(_SUMS, [_SUMS] * 3)
        total = call_llvm(builder, kind, f"llvm.x86.avx512.vpdpbusd.{8 * WIDTH}", [total, u, s])
        return builder.bitcast(total, _BYTES)

    def same(number: int) -> Any:
        return ir.Constant(_SUMS, [number] * (WIDTH // 4))

    for i in range(4):  # what every host can do, for hosts whose own way is being checked
        byte = builder.and_(builder.lshr(u, same(8 * i)), same(255))
        other = builder.ashr(builder.shl(s, same(24 - 8 * i)), same(24))
        total = builder.add(total, builder.mul(byte, other))
    return builder.bitcast(total, _BYTES)


def _dot_twin(sums: U8, unsigned: U8, signed: U8) -> U8:
    products = unsigned.astype(np.int32) * signed.view(np.int8)
    found: I32 = sums.view(np.int32) + products.reshape(-1, 4).sum(axis=1, dtype=np.int32)
    return found.view(np.uint8)


def _pairs(builder: Any, unsigned: Any, signed: Any) -> Any:
    kind = ir.FunctionType(_SHORTS, [_NARROW, _NARROW])
    found = call_llvm(builder, kind, "llvm.x86.avx2.pmadd.ub.sw", [unsigned, signed])
    return builder.bitcast(found, _NARROW)


def _pairs_twin(unsigned: U8, signed: U8) -> U8:
    products = unsigned.astype(np.int32) * signed.view(np.int8)
    pairs: U8 = np.clip(products[::2] + products[1::2], -32768, 32767).astype(np.int16).view(np.uint8)
    return pairs


def _widen(builder: Any, sums: Any, shorts: Any) -> Any:
    kind, ones = ir.FunctionType(_INTS, [_SHORTS, _SHORTS]), ir.Constant(_SHORTS, [1] * 16)
    found = call_llvm(builder, kind, "llvm.x86.avx2.pmadd.wd", [builder.bitcast(shorts, _SHORTS), ones])
    return builder.bitcast(builder.add(found, builder.bitcast(sums, _INTS)), _NARROW)


def _widen_twin(sums: U8, shorts: U8) -> U8:
    pairs: I32 = shorts.view(np.int16).reshape(-1, 2).sum(axis=1, dtype=np.int32)
    return (sums.view(np.int32) + pairs).view(np.uint8)


load_wide = loader(WIDE, _BYTES, WIDTH, np.copy)
store_wide = step(types.void, (MEMORY, INT, WIDE), _store, _store_twin)
# Four bytes, repeated.
repeat_wide = loader(WIDE, _I32, 4, lambda data: np.tile(data, WIDTH // 4), _repeat)
no_wide = step(WIDE, (), lambda builder: ir.Constant(_BYTES, [0] * WIDTH), lambda: np.zeros(WIDTH, np.uint8))
# Sums of 32 bits of each.
add_wide = step(WIDE, (WIDE, WIDE), _add, lambda x, y: (x.view(np.int32) + y.view(np.int32)).view(np.uint8))
# Sums of 32 bits, and four products each of a byte without and a byte with a sign; wrapping.
add_quads = step(WIDE, (WIDE, WIDE, WIDE), _dot, _dot_twin)
# The same products, neighbours added in 16 bits, where a sum past their ends saturates. Needs AVX2.
byte_pairs = step(VECTOR, (VECTOR, VECTOR), _pairs, _pairs_twin)
# 8 sums of 32 bits, and 16 of 16 bits, neighbours added. Needs AVX2.
add_shorts = step(VECTOR, (VECTOR, VECTOR), _widen, _widen_twin)
