"""The cheapest levels of some cells that satisfy every core: a hitting set, by depth-first branch and bound.

Each cell has a level, an index into its costs in rising order. A core names a level of some cells; it is
satisfied where one of them stands higher. The bound is that of repair_bound.py: every core that is not
satisfied pays what its cheapest way out costs after those before it have taken their share.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import lean

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

FAR = np.int64(1) << np.int64(62)
MOST_CORES = 4_000  # of one record
MOST_ENTRIES = 60_000  # of all its cores
# Places in Levels.now.
CORES, ENTRIES, TRAIL, DEPTH, COST, BEST, NODES = range(7)
_NONE, _CONFLICT = -1, -2


class Levels(NamedTuple):
    """Cells with their levels, and cores; all of it is room that one record after the other uses.

    Attributes:
        costs: int64 (cells, width), what each level of a cell costs, rising from 0.
        above: int32 (cells, width), the next level that costs more; the number of levels where none does.
        sizes: int32 (cells,), how many levels each has.
        low: int32 (cells,), the levels now.
        cap: int32 (cells,), the highest level each may take.
        ends: int32 (MOST_CORES + 1,), where the entries of each core begin.
        cells: int32 (MOST_ENTRIES,), the cell of each entry.
        tops: int32 (MOST_ENTRIES,), the level it must stand above.
        trail: int32 (room, 3), cells with their low and cap before each change.
        starts: int32 (room,), where in the trail each branching begins.
        branch: int32 (room, 2), the cell of each branching, and the level it is capped at the second time.
        paid: int64 (cells,), what each cell has paid in the bound being made.
        best: int32 (cells,), the cheapest levels so far.
        now: int64 (7,), counters: see CORES ... NODES.
    """

    costs: I64
    above: I32
    sizes: I32
    low: I32
    cap: I32
    ends: I32
    cells: I32
    tops: I32
    trail: I32
    starts: I32
    branch: I32
    paid: I64
    best: I32
    now: I64


def levels_for(cells: int, width: int) -> Levels:
    """Return room for so many cells of up to `width` levels."""
    room = 2 * cells * (width + 1) + 1
    narrow, wide = np.zeros((cells, width), np.int32), np.zeros((cells, width), np.int64)
    one = [np.zeros(cells, np.int32) for _ in range(4)]
    return Levels(
        costs=wide,
        above=narrow,
        sizes=one[0],
        low=one[1],
        cap=one[2],
        ends=np.zeros(MOST_CORES + 1, np.int32),
        cells=np.zeros(MOST_ENTRIES, np.int32),
        tops=np.zeros(MOST_ENTRIES, np.int32),
        trail=np.zeros((room, 3), np.int32),
        starts=np.zeros(room, np.int32),
        branch=np.zeros((room, 2), np.int32),
        paid=np.zeros(cells, np.int64),
        best=one[3],
        now=np.zeros(7, np.int64),
    )


@lean
def copy_into(to: I32, values: I32) -> None:
    """Write `values` to `to`; a slice that is assigned would be copied first, in case they overlap."""
    for i in range(to.size):
        to[i] = values[i]


@lean
def cheapest_levels(room: Levels, floor: np.int64, most: int) -> bool:
    """Write the cheapest levels that satisfy all cores into `best`; return whether they are sure to be so.

    Args:
        room: cells and cores; now[BEST] is FAR afterwards where nothing satisfies them.
        floor: no levels that satisfy all cores cost less.
        most: branchings.
    """
    now = room.now
    now[TRAIL], now[DEPTH], now[COST], now[BEST], now[NODES] = 0, 0, 0, FAR, 0
    for c in range(room.sizes.size):
        room.low[c] = room.above[c, 0] - 1
        room.cap[c] = room.sizes[c] - 1
    while True:
        worst = _CONFLICT
        if _propagate(room):
            worst = _bounded(room)
        if worst == _NONE:
            now[BEST] = now[COST]
            copy_into(room.best, room.low)
            if now[BEST] <= floor:
                return True
        if worst >= 0:
            if now[NODES] >= most:
                return False
            now[NODES] += 1
            _branch(room, worst)
        elif not _back(room):
            return True


@lean
def _set(room: Levels, c: int, low: int, cap: int) -> None:
    now = room.now
    at = now[TRAIL]
    room.trail[at, 0], room.trail[at, 1], room.trail[at, 2] = c, room.low[c], room.cap[c]
    now[TRAIL] += 1
    now[COST] += room.costs[c, low] - room.costs[c, room.low[c]]
    room.low[c], room.cap[c] = low, cap


@lean
def _back(room: Levels) -> bool:
    """Go back to the last branching with a way left and take it; return whether there was one."""
    now = room.now
    while now[DEPTH] > 0:
        now[DEPTH] -= 1
        d = now[DEPTH]
        while now[TRAIL] > room.starts[d]:
            now[TRAIL] -= 1
            at = now[TRAIL]
            c = room.trail[at, 0]
            now[COST] += room.costs[c, room.trail[at, 1]] - room.costs[c, room.low[c]]
            room.low[c], room.cap[c] = room.trail[at, 1], room.trail[at, 2]
        if room.branch[d, 1] >= 0:
            c = room.branch[d, 0]
            now[DEPTH] += 1
            _set(room, c, int(room.low[c]), int(room.branch[d, 1]))
            room.branch[d, 1] = -1
            return True
    return False


@lean
def _propagate(room: Levels) -> bool:
    """Raise every cell that a core cannot do without; return whether anything better can still follow."""
    now, again = room.now, True
    while again:
        again = False
        if now[COST] >= now[BEST]:
            return False
        for i in range(now[CORES]):
            way = _only_way(room, i)
            if way == _CONFLICT:
                return False
            if way >= 0:
                c = room.cells[way]
                _set(room, int(c), int(room.above[c, room.above[c, room.tops[way]]] - 1), int(room.cap[c]))
                again = True
    return True


@lean
def _only_way(room: Levels, core: int) -> int:
    """Return the entry of the one way out of a core, _CONFLICT where there is none, _NONE where more."""
    found = _CONFLICT
    for e in range(room.ends[core], room.ends[core + 1]):
        c = room.cells[e]
        if room.low[c] > room.tops[e]:
            return _NONE
        if room.cap[c] > room.tops[e]:
            if found >= 0:
                # Two ways: still look whether it is satisfied, which changes nothing.
                return _NONE
            found = e
    return found


@lean
def _bounded(room: Levels) -> int:
    """Return the open core that pays most for its size, _NONE of none, _CONFLICT beyond the best."""
    now = room.now
    room.paid[:] = 0
    total, worst, highest = now[COST], _NONE, -1.0
    for i in range(now[CORES]):
        price, ways = _price(room, i)
        if ways == 0:
            continue
        for e in range(room.ends[i], room.ends[i + 1]):
            if room.cap[room.cells[e]] > room.tops[e]:
                room.paid[room.cells[e]] += price
        total += price
        if total >= now[BEST]:
            return _CONFLICT
        score = float(price + 1) / ways
        if score > highest:
            worst, highest = i, score
    return worst


@lean
def _rise(room: Levels, e: int) -> Any:
    """Return what it costs the cell of entry `e` to satisfy its core from where it stands."""
    c = room.cells[e]
    return room.costs[c, room.above[c, room.tops[e]]] - room.costs[c, room.low[c]]


@lean
def _price(room: Levels, core: int) -> tuple[Any, int]:
    """Return what an open core still has to pay, and how many ways out it has: 0 where it is satisfied."""
    price, ways = FAR, 0
    for e in range(room.ends[core], room.ends[core + 1]):
        c = room.cells[e]
        if room.low[c] > room.tops[e]:
            return 0, 0
        if room.cap[c] > room.tops[e]:
            price = min(price, _rise(room, e) - room.paid[c])
            ways += 1
    return max(price, 0), ways


@lean
def _branch(room: Levels, core: int) -> None:
    """Raise the cell of a core that is cheapest to raise; on the way back it is kept from that."""
    now, found, least = room.now, -1, FAR
    for e in range(room.ends[core], room.ends[core + 1]):
        if room.cap[room.cells[e]] > room.tops[e]:
            rise = _rise(room, e)
            if rise < least:
                found, least = e, rise
    c, d = room.cells[found], now[DEPTH]
    room.starts[d] = now[TRAIL]
    room.branch[d, 0], room.branch[d, 1] = c, room.tops[found]
    now[DEPTH] += 1
    _set(room, int(c), int(room.above[c, room.above[c, room.tops[found]]] - 1), int(room.cap[c]))
