"""16 costs side by side, one of each of 16 sequences: the vectors that viterbi.py is made of.

Written out because the rows it reads and the row it writes lie in one array: a compiler that must assume that
they overlap takes the sequences one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types

from .lanes import INT, MEMORY, step
from .vectors import Vector

I32 = npt.NDArray[np.int32]

LANES = 16
FAR = 1 << 29  # more than any sequence costs; twice as much still fits
_INTS = ir.VectorType(ir.IntType(32), LANES)
INTS = Vector(32, LANES)


def _place(builder: Any, memory: Any, row: Any) -> Any:
    byte = builder.mul(row, ir.Constant(ir.IntType(64), 4 * LANES))
    return builder.bitcast(builder.gep(memory, [byte]), _INTS.as_pointer())


def _least(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, y), x, y)


def _take(builder: Any, least: Any, memory: Any, row: Any, others: Any, other: Any) -> Any:
    pair = [builder.load(_place(builder, *at), align=4) for at in ((memory, row), (others, other))]
    return _least(builder, least, builder.add(*pair))


def _take_twin(least: I32, memory: I32, row: int, others: I32, other: int) -> I32:
    found: I32 = np.minimum(least, memory.reshape(-1, LANES)[row] + others.reshape(-1, LANES)[other])
    return found


def _put(builder: Any, memory: Any, row: Any, value: Any) -> None:
    builder.store(value, _place(builder, memory, row), align=4)


def _put_twin(memory: I32, row: int, value: I32) -> None:
    memory.reshape(-1, LANES)[row] = value


# Arrays are flat int32; a row is 16 of its numbers.
far = step(INTS, (), lambda builder: ir.Constant(_INTS, [FAR] * LANES), lambda: np.full(LANES, FAR, np.int32))
# (least, memory, row, others, other): the lesser of `least` and the sum of two rows, lane by lane.
take = step(INTS, (INTS, MEMORY, INT, MEMORY, INT), _take, _take_twin)
# (memory, row, value): write a row.
put = step(types.void, (MEMORY, INT, INTS), _put, _put_twin)
