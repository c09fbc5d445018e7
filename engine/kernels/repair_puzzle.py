"""Repair of one-hot puzzles by implicit hitting sets: cheapest reading, check, core, until one is completed.

Every cell takes one of its values. A reading lets each cell take its cheaper values, up to a level. The cells
are read as cheaply as all cores so far allow (repair_levels.py); where such a reading cannot be completed
(repair_cover.py) it is shrunk to a core (repair_cores.py): cells of which one at least must rise above a
level. The first reading that can be completed costs least.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import lean
from .repair import Rows
from .repair_cores import BASE, LEAST, LIMIT, PAID, Cells, add_core, check
from .repair_cover import DEAD, NO, TRAIL, YES, Cover, Partial, begin, choose, completed, left, strike
from .repair_levels import BEST, CORES, ENTRIES, FAR, NODES, Levels, cheapest_levels, copy_into

Bools = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]


@lean
def solve_rows(
    cover: Cover, part: Partial, cells: Cells, room: Levels, batch: Rows, most: int, proven: Bools
) -> None:
    """Set the variables of a part to the cheapest allowed values found, row by row.

    Args:
        cover: needs and clashes of the part's variables.
        part: from partial_for.
        cells: from cells_for.
        room: from levels_for.
        batch: the rows and where the answers go.
        most: steps for one record: checks, and branchings of checks and of hitting sets.
        proven: bool (records,), out: whether the cost is the least, or there are no allowed values.
    """
    variables = batch.variables
    for i in range(batch.rows.size):
        r = batch.rows[i]
        cells.now[LEAST], cells.now[LIMIT] = FAR, most
        if _facts(cover, part, batch, r) and _load(cells, part, room, batch, r):
            proven[i] = _solve(cover, part, cells, room)
        else:
            proven[i] = True
        found = cells.now[LEAST] < FAR
        batch.reached[i] = cells.now[PAID] + cells.now[LEAST] if found else -1
        if found:
            for v in range(batch.given, variables.size):
                batch.values[r, variables[v]] = False
            for c in range(cells.best.size):
                batch.values[r, variables[cells.best[c]]] = True


@lean
def complete_rows(
    cover: Cover, part: Partial, allowed: Bools, most: int, wanted: int, values: Bools, found: I64
) -> None:
    """Look for any answer within what is allowed, row by row.

    Args:
        cover: needs and clashes of the variables.
        part: from partial_for.
        allowed: bool (n, k), which variables may be true.
        most: branchings for one row.
        wanted: how many answers there must be.
        values: bool (n, k), out: an answer, where there is one.
        found: int64 (n,), out: YES, NO or UNDECIDED of repair_cover.py.
    """
    for i in range(found.size):
        begin(cover, part)
        for v in range(allowed.shape[1]):
            if not allowed[i, v]:
                strike(cover, part, v, part.why.shape[0] - 1)
        found[i] = completed(cover, part, most, wanted)
        if found[i] == YES:
            for v in range(allowed.shape[1]):
                values[i, v] = left(part, v)


@lean
def _facts(cover: Cover, part: Partial, batch: Rows, r: int) -> bool:
    """Begin with the facts of record `r`; return whether they can stand together."""
    begin(cover, part)
    for v in range(batch.given):
        if not batch.values[r, batch.variables[v]]:
            strike(cover, part, v, part.why.shape[0] - 1)
    for v in range(batch.given):
        if batch.values[r, batch.variables[v]]:
            if not left(part, v):
                return False
            choose(cover, part, v)
    return bool(part.now[DEAD] == 0)


@lean
def _load(cells: Cells, part: Partial, room: Levels, batch: Rows, r: int) -> bool:
    """Order the values of every cell by what they cost record `r`; return whether every cell has one."""
    cells.now[BASE], cells.now[PAID] = part.now[TRAIL], 0
    room.now[CORES], room.now[ENTRIES] = 0, 0
    for c in range(room.sizes.size):
        size = 0
        for q in range(cells.starts[c], cells.starts[c + 1]):
            v = cells.members[q]
            place = batch.variables[v]
            cost = batch.costs[r, place]
            if batch.values[r, place]:
                cells.now[PAID] += cost
                cost = -cost
            if left(part, v):
                at = size
                while at > 0 and room.costs[c, at - 1] > cost:
                    room.costs[c, at], cells.order[c, at] = room.costs[c, at - 1], cells.order[c, at - 1]
                    at -= 1
                room.costs[c, at], cells.order[c, at] = cost, v
                size += 1
        if size == 0:
            return False
        room.sizes[c] = size
        _level(cells, room, c)
    return True


@lean
def _level(cells: Cells, room: Levels, c: int) -> None:
    """Count the costs of cell `c` from its least, and write where each next level begins."""
    least, following = room.costs[c, 0], room.sizes[c]
    cells.now[PAID] += least
    for at in range(room.sizes[c] - 1, -1, -1):
        room.costs[c, at] -= least
        if at + 1 < room.sizes[c] and room.costs[c, at + 1] > room.costs[c, at]:
            following = np.int32(at + 1)
        room.above[c, at] = following


@lean
def _solve(cover: Cover, part: Partial, cells: Cells, room: Levels) -> bool:
    """Find the cheapest answer; return whether it, or that there is none, is sure."""
    now, floor = cells.now, np.int64(0)
    while now[LIMIT] > 0:
        sure = cheapest_levels(room, floor, now[LIMIT])
        now[LIMIT] -= room.now[NODES] + 1
        if not sure:
            return False
        floor = room.now[BEST]
        if floor >= now[LEAST]:
            return True
        copy_into(cells.read, room.best)
        copy_into(cells.tries, cells.read)
        found = check(cover, part, cells, room, now[LIMIT])
        proven = found == YES
        while found == NO:
            size = add_core(cover, part, cells, room)
            if size <= 0:
                return bool(size == 0)
            copy_into(cells.tries, cells.read)
            found = check(cover, part, cells, room, now[LIMIT])
        if found == YES:
            _keep(part, cells, room)
        if proven:
            return True
    return False


@lean
def _keep(part: Partial, cells: Cells, room: Levels) -> None:
    """Keep the answer that stands completed, if none so far is cheaper."""
    total = np.int64(0)
    for c in range(cells.best.size):
        for at in range(room.sizes[c]):
            if left(part, cells.order[c, at]):
                total += room.costs[c, at]
    if total < cells.now[LEAST]:
        cells.now[LEAST] = total
        for c in range(cells.best.size):
            for at in range(room.sizes[c]):
                if left(part, cells.order[c, at]):
                    cells.best[c] = cells.order[c, at]
