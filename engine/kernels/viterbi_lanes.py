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
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_INTS = ir.VectorType(_I32, LANES)
INTS = Vector(32, LANES)


def _place(builder: Any, memory: Any, row: Any) -> Any:
    byte = builder.mul(row, _I64(4 * LANES))
    return builder.bitcast(builder.gep(memory, [byte]), _INTS.as_pointer())


def _least(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, y), x, y)


def _arrive(builder: Any, arrows: Any, k: Any, end: Any, least: Any, row: Any, costs: Any, other: Any) -> Any:
    """Emit a loop over arrows: what numba makes of one guards every index."""
    before = builder.block
    loop, done = (builder.append_basic_block(name) for name in ("arrive", "arrived"))
    far_now = ir.Constant(_INTS, [FAR] * LANES)
    builder.cbranch(builder.icmp_signed("<", k, end), loop, done)
    builder.position_at_end(loop)
    at, value = builder.phi(_I64), builder.phi(_INTS)
    pair = builder.bitcast(builder.gep(arrows, [builder.shl(at, _I64(3))]), _I32.as_pointer())
    source, letter = (
        builder.sext(builder.load(builder.gep(pair, [_I64(i)]), align=4), _I64) for i in range(2)
    )
    found = builder.add(
        builder.load(_place(builder, least, builder.add(row, source)), align=4),
        builder.load(_place(builder, costs, builder.add(other, letter)), align=4),
    )
    lesser, following = _least(builder, value, found), builder.add(at, _I64(1))
    builder.cbranch(builder.icmp_signed("<", following, end), loop, done)
    for phi, first, later in ((at, k, following), (value, far_now, lesser)):
        phi.add_incoming(first, before)
        phi.add_incoming(later, loop)
    builder.position_at_end(done)
    result = builder.phi(_INTS)
    result.add_incoming(far_now, before)
    result.add_incoming(lesser, loop)
    return result


def _arrive_twin(arrows: I32, k: int, end: int, least: I32, row: int, costs: I32, other: int) -> I32:
    found = np.full(LANES, FAR, np.int32)
    for source, letter in arrows.reshape(-1, 2)[k:end]:
        found = np.minimum(found, _row(least, row + source) + _row(costs, other + letter))
    return found


def _row(memory: I32, number: int) -> I32:
    row: I32 = memory.reshape(-1, LANES)[number]
    return row


def _least_of(builder: Any, least: Any, memory: Any, row: Any) -> Any:
    return _least(builder, least, builder.load(_place(builder, memory, row), align=4))


def _least_of_twin(least: I32, memory: I32, row: int) -> I32:
    found: I32 = np.minimum(least, _row(memory, row))
    return found


def _put(builder: Any, memory: Any, row: Any, value: Any) -> None:
    builder.store(value, _place(builder, memory, row), align=4)


def _put_twin(memory: I32, row: int, value: I32) -> None:
    _row(memory, row)[:] = value


# Arrays are flat int32; a row is 16 of its numbers.
far = step(INTS, (), lambda builder: ir.Constant(_INTS, [FAR] * LANES), lambda: np.full(LANES, FAR, np.int32))
# (arrows, k, end, least, row, costs, other): the least, at most FAR, of what the arrows k to end - 1 lead to.
# An arrow is two int32, source and letter: it leads to least[row + source] + costs[other + letter].
arrive = step(INTS, (MEMORY, INT, INT, MEMORY, INT, MEMORY, INT), _arrive, _arrive_twin)
# (least, memory, row): the lesser of `least` and a row, lane by lane.
least_of = step(INTS, (INTS, MEMORY, INT), _least_of, _least_of_twin)
# (memory, row, value): write a row.
put = step(types.void, (MEMORY, INT, INTS), _put, _put_twin)
