"""Steps of lanes.py for counts: averages that sum bytes without a carry, and products out of counts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from .cpu import features
from .lanes import INT, MEMORY, U8, VECTOR, call_llvm, step

MOST_COLUMNS = 32_767  # inputs whose products stay in 16 bits
_I16, _I32, _I64 = (ir.IntType(bits) for bits in (16, 32, 64))
_BYTES, _SHORTS = ir.VectorType(ir.IntType(8), 32), ir.VectorType(_I16, 16)
_INTS = ir.VectorType(_I32, 32)


def _average(builder: Any, x: Any, y: Any) -> Any:
    if "avx2" in features():
        return call_llvm(builder, ir.FunctionType(_BYTES, [_BYTES, _BYTES]), "llvm.x86.avx2.pavg.b", [x, y])
    wide = ir.VectorType(_I16, 32)
    one = ir.Constant(wide, [1] * 32)
    total = builder.add(builder.add(builder.zext(x, wide), builder.zext(y, wide)), one)
    return builder.trunc(builder.lshr(total, one), _BYTES)


def _average_twin(x: U8, y: U8) -> U8:
    return ((x.astype(np.uint16) + y + 1) >> 1).astype(np.uint8)


def _order(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(places)), places)


def _put_counts(builder: Any, memory: Any, at: Any, even: Any, odd: Any, columns: Any) -> None:
    first = builder.insert_element(ir.Constant(_SHORTS, ir.Undefined), builder.trunc(columns, _I16), _I32(0))
    everywhere = builder.shuffle_vector(first, first, _order([0] * 16))
    counts = [builder.bitcast(v, _SHORTS) for v in (even, odd)]
    pair = [builder.sub(everywhere, builder.add(v, v)) for v in counts]
    joined = builder.shuffle_vector(*pair, _order([j // 2 + 16 * (j & 1) for j in range(32)]))
    products = builder.sext(joined, _INTS)
    # Where rows lie 16 bytes off, as large arrays of NumPy do, every second store would cross a cache line.
    place = builder.ptrtoint(builder.gep(memory, [at]), _I64)
    off = builder.icmp_unsigned("==", builder.and_(place, ir.Constant(_I64, 31)), ir.Constant(_I64, 16))
    with builder.if_else(off) as (then, otherwise):
        for case, cuts in ((then, (0, 4, 12, 20, 28, 32)), (otherwise, (0, 8, 16, 24, 32))):
            with case:
                for begin, end in pairwise(cuts):
                    part = builder.shuffle_vector(products, products, _order(list(range(begin, end))))
                    to = builder.gep(memory, [builder.add(at, ir.Constant(_I64, 4 * begin))])
                    builder.store(part, builder.bitcast(to, part.type.as_pointer()), align=1)


def _put_counts_twin(memory: U8, at: int, even: U8, odd: U8, columns: int) -> None:
    counts = np.stack([even.view(np.uint16), odd.view(np.uint16)], axis=1).ravel()
    memory[at : at + 128] = (columns - 2 * counts.astype(np.int32)).astype(np.int32).view(np.uint8)


# The averages of two vectors of bytes, rounded up.
average = step(VECTOR, (VECTOR, VECTOR), _average, _average_twin)
# Writes 32 int32, `columns` - 2 x count, for counts in 16-bit lanes: even outputs first, then odd; all in 16
# bits, so for at most MOST_COLUMNS.
put_counts = step(types.void, (MEMORY, INT, VECTOR, VECTOR, INT), _put_counts, _put_counts_twin)
