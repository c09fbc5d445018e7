"""Repair by tables: which records break which part of the rules, and a decision diagram swept over them.

Records are rows; a diagram's nodes are taken for a block of records at a time, so that the inner loop runs
over records that lie side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .least import LANES, rise

Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Costs = npt.NDArray[np.int32] | npt.NDArray[np.int64]


class Checked(NamedTuple):
    """The constraints of all parts, part after part.

    Attributes:
        starts: int32 (parts + 1,), where the constraints of each part begin.
        offsets: int32 (constraints + 1,), where the literals of each constraint begin.
        literals: int32, +v or -v for variable v from 1.
        weights: int64, beside `literals`.
        bounds: int64 (constraints,), what the weights of the true literals must reach.
    """

    starts: I32
    offsets: I32
    literals: I32
    weights: I64
    bounds: I64


@kernel
def broken_parts(checked: Checked, values: Bools, columns: U64, planes: U64, out: Bools) -> None:
    """Write which parts each record breaks into `out`, bool (n, parts), for 64 records at a time.

    Args:
        checked: the constraints.
        values: bool (n, variables).
        columns: uint64 (variables,), room: a variable of 64 records.
        planes: uint64 (64,), room: the bits of 64 sums.
        out: bool (n, parts).
    """
    for first in range(0, values.shape[0], 64):
        count = min(values.shape[0] - first, 64)
        columns[:] = 0
        for b in range(count):
            place = np.uint64(b)
            for v in range(columns.size):
                columns[v] |= np.uint64(values[first + b, v]) << place
        for p in range(checked.starts.size - 1):
            held = ~np.uint64(0)
            for c in range(checked.starts[p], checked.starts[p + 1]):
                if checked.bounds[c] == 1:
                    held &= _any_of(checked, c, columns)
                else:
                    held &= _enough_of(checked, c, columns, planes)
            for b in range(count):
                out[first + b, p] = (held >> np.uint64(b)) & np.uint64(1) == 0


@kernel
def _true(x: int, columns: U64) -> Any:
    """Return in which of 64 records the literal `x` is true."""
    return columns[x - 1] if x > 0 else ~columns[-x - 1]


@kernel
def _any_of(checked: Checked, c: int, columns: U64) -> np.uint64:
    """Return in which of 64 records a clause holds."""
    found = np.uint64(0)
    for j in range(checked.offsets[c], checked.offsets[c + 1]):
        found |= _true(checked.literals[j], columns)
    return found


@kernel
def _enough_of(checked: Checked, c: int, columns: U64, planes: U64) -> np.uint64:
    """Return in which of 64 records a sum reaches its bound; bit i of the 64 sums is planes[i]."""
    used = 0
    for j in range(checked.offsets[c], checked.offsets[c + 1]):
        true = _true(checked.literals[j], columns)
        weight, at = checked.weights[j], 0
        while weight >> at:
            carry, up = true, at
            while (weight >> at) & 1 and carry:
                if up >= used:
                    planes[up] = 0
                    used = up + 1
                kept = planes[up]
                planes[up] = kept ^ carry
                carry &= kept
                up += 1
            at += 1
            while used <= at:
                planes[used] = 0
                used += 1
    above, equal = np.uint64(0), ~np.uint64(0)
    for up in range(62, -1, -1):
        plane = planes[up] if up < used else np.uint64(0)
        if (checked.bounds[c] >> up) & 1:
            equal &= plane
        else:
            above |= equal & plane
            equal &= ~plane
    return above | equal


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
            sides[i, 0, b] = against if stands else 0
            sides[i, 1, b] = 0 if stands else against


@kernel
def _rise(nodes: I32, far: int, sides: Costs, least: Costs) -> None:
    """Write the least cost from every node to the end `yes` into `least`, (nodes + 2, records)."""
    least[0, :] = far
    least[1, :] = 0
    if least.itemsize == 4:
        flat, costs, out = nodes.reshape(-1), sides.reshape(-1), least.reshape(-1)
        for i in range(nodes.shape[0]):
            rise(flat, i, costs, out)
        return
    limit = least[0, 0]
    for i in range(nodes.shape[0]):
        v, low, high = nodes[i, 0], least[nodes[i, 1]], least[nodes[i, 2]]
        no, yes, row = sides[v, 0], sides[v, 1], least[i + 2]
        for b in range(row.size):
            row[b] = min(low[b] + no[b], high[b] + yes[b], limit)


@kernel
def sweep(nodes: I32, root: int, batch: Rows, far: int, sides: Costs, least: Costs) -> None:
    """Set the variables of a part to their cheapest allowed values, exactly, row by row.

    Where two values cost the same, the one that stands is kept.

    Args:
        nodes: int32 (nodes, 3), a diagram's: variable, where to if false, where if true; 0 is `no`, 1 `yes`.
        root: where the diagram begins.
        batch: the rows and where the answers go.
        far: more than any assignment costs; twice as much still fits the dtype of `least`.
        sides: (k, 2, LANES), room, int32 or int64.
        least: (nodes + 2, LANES), room, the same; `far` is FAR of least.py where it is int32.
    """
    for start in range(0, batch.rows.size, LANES):
        here = batch.rows[start : start + LANES]
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
        no, yes = least[low] + sides[v, 0], least[high] + sides[v, 1]
        place = batch.variables[v]
        choice = yes < no or (yes == no and batch.values[r, place])
        batch.values[r, place] = choice
        at = np.int64(high if choice else low)
