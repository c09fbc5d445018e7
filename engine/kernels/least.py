"""The step that a sweep over a decision diagram is made of, for 16 records side by side.

Written out as vectors because the rows it reads and the row it writes lie in one array: a compiler that must
assume that they overlap takes the records one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types

from .lanes import INT, MEMORY, step

I32 = npt.NDArray[np.int32]

LANES = 16
FAR = 1 << 29  # more than any answer costs; twice as much still fits
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_ROW = ir.VectorType(_I32, LANES)
_BYTES = 4 * LANES


def _rise(builder: Any, nodes: Any, i: Any, sides: Any, least: Any) -> None:
    def whole(number: int) -> Any:
        return ir.Constant(_I64, number)

    def place(memory: Any, at: Any, kind: Any) -> Any:
        return builder.bitcast(builder.gep(memory, [at]), kind.as_pointer())

    def row(memory: Any, number: Any) -> Any:
        return builder.load(place(memory, builder.mul(number, whole(_BYTES)), _ROW), align=4)

    def field(k: int) -> Any:
        at = builder.add(builder.mul(i, whole(12)), whole(4 * k))
        return builder.sext(builder.load(place(nodes, at, _I32), align=4), _I64)

    v = builder.mul(field(0), whole(2))
    no = builder.add(row(least, field(1)), row(sides, v))
    yes = builder.add(row(least, field(2)), row(sides, builder.add(v, whole(1))))
    low = builder.select(builder.icmp_signed("<", no, yes), no, yes)
    far = ir.Constant(_ROW, [FAR] * LANES)
    low = builder.select(builder.icmp_signed("<", low, far), low, far)
    out = builder.mul(builder.add(i, whole(2)), whole(_BYTES))
    builder.store(low, place(least, out, _ROW), align=4)


def _rise_twin(nodes: I32, i: int, sides: I32, least: I32) -> None:
    v, low, high = nodes[3 * i : 3 * i + 3]
    costs, rows = sides.reshape(-1, 2, LANES)[v], least.reshape(-1, LANES)
    rows[i + 2] = np.minimum(np.minimum(rows[low] + costs[0], rows[high] + costs[1]), FAR)


# (nodes, i, sides, least): write the least cost from node i to the end `yes`, at most FAR, for 16 records.
# nodes: int32 (3 x nodes,); sides: int32 (2 x 16 x variables,), what each value of a variable costs; least:
# int32 (16 x (nodes + 2),), the first two rows those of the ends.
rise = step(types.void, (MEMORY, INT, MEMORY, MEMORY), _rise, _rise_twin)
