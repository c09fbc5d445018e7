"""Repair by tables: which records break which part of the rules, and a decision diagram swept over them.

Records are rows; a diagram's nodes are taken for a block of records at a time, so that the inner loop runs
over records that lie side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import kernel

Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Costs = npt.NDArray[np.int32] | npt.NDArray[np.int64]


@kernel
def broken_parts(
    starts: I32, offsets: I32, literals: I32, weights: I64, bounds: I64, values: Bools, out: Bools
) -> None:
    """Write which parts each record breaks into `out`, bool (n, parts).

    Args:
        starts: int32 (parts + 1,), where the constraints of each part begin.
        offsets: int32 (constraints + 1,), where the literals of each constraint begin.
        literals: int32, +v or -v for variable v from 1.
        weights: int64, beside `literals`.
        bounds: int64 (constraints,), what the weights of the true literals must reach.
        values: bool (n, variables).
        out: bool (n, parts).
    """
    for r in range(values.shape[0]):
        row = values[r]
        for p in range(starts.size - 1):
            broken = False
            for c in range(starts[p], starts[p + 1]):
                reached = np.int64(0)
                for j in range(offsets[c], offsets[c + 1]):
                    x = literals[j]
                    if row[abs(x) - 1] == (x > 0):
                        reached += weights[j]
                if reached < bounds[c]:
                    broken = True
                    break
            out[r, p] = broken


class Rows(NamedTuple):
    """What a kernel repairs: one part of the rules in some rows of a batch.

    Attributes:
        variables: int32 (k,), the part's variables among those of a record, facts first.
        given: how many of them are facts, which stay.
        costs: int64 (n, all variables), what it costs to change a value.
        rows: int64 (records,), which records.
        values: bool (n, all variables), changed in place where an allowed assignment is found.
        reached: int64 (records,), out: what it costs, or -1 where none is found.
    """

    variables: I32
    given: int
    costs: I64
    rows: I64
    values: Bools
    reached: I64


@kernel
def _load(batch: Rows, here: I64, far: int, sides: Costs) -> None:
    """Write what it costs the records `here` to set each variable false, and true, into `sides`."""
    for i in range(batch.variables.size):
        v = batch.variables[i]
        for b in range(here.size):
            against = np.int64(far) if i < batch.given else batch.costs[here[b], v]
            stands = batch.values[here[b], v]
            sides[0, i, b] = against if stands else 0
            sides[1, i, b] = 0 if stands else against


@kernel
def _rise(nodes: I32, far: int, sides: Costs, least: Costs) -> None:
    """Write the least cost from every node to the end `yes` into `least`, (nodes + 2, records)."""
    least[0, :] = far
    least[1, :] = 0
    limit = least[0, 0]
    for i in range(nodes.shape[0]):
        v, low, high = nodes[i, 0], least[nodes[i, 1]], least[nodes[i, 2]]
        no, yes, out = sides[0, v], sides[1, v], least[i + 2]
        for b in range(out.size):
            out[b] = min(low[b] + no[b], high[b] + yes[b], limit)


@kernel
def sweep(nodes: I32, root: int, batch: Rows, far: int, sides: Costs, least: Costs) -> None:
    """Set the variables of a part to their cheapest allowed values, exactly, row by row.

    Where two values cost the same, the one that stands is kept.

    Args:
        nodes: int32 (nodes, 3), a diagram's: variable, where to if false, where if true; 0 is `no`, 1 `yes`.
        root: where the diagram begins.
        batch: the rows and where the answers go.
        far: more than any assignment costs; twice as much still fits the dtype of `least`.
        sides: (2, k, block), room.
        least: (nodes + 2, block), room.
    """
    block = least.shape[1]
    for start in range(0, batch.rows.size, block):
        here = batch.rows[start : start + block]
        _load(batch, here, far, sides)
        _rise(nodes, far, sides, least)
        for b in range(here.size):
            cost = np.int64(least[root, b])
            batch.reached[start + b] = cost if cost < far else -1
            if cost < far:
                _descend(nodes, root, batch, here[b], sides[:, :, b], least[:, b])


@kernel
def _descend(nodes: I32, root: int, batch: Rows, r: int, sides: Costs, least: Costs) -> None:
    """Follow the cheapest path of one record from the root, setting its values."""
    at = np.int64(root)
    while at > 1:
        v, low, high = nodes[at - 2, 0], nodes[at - 2, 1], nodes[at - 2, 2]
        no, yes = least[low] + sides[0, v], least[high] + sides[1, v]
        place = batch.variables[v]
        choice = yes < no or (yes == no and batch.values[r, place])
        batch.values[r, place] = choice
        at = np.int64(high if choice else low)
