"""Readings of the cells of a puzzle: whether one can be completed, and the core of one that cannot."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import lean
from .repair_cover import NO, STEPS, YES, Cover, Partial, completed, left, spread, strike, take_back
from .repair_levels import CORES, ENTRIES, MOST_CORES, MOST_ENTRIES, Levels

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

_ONE = np.uint64(1)
_SHRINK = 3  # branchings of one check that would make a core smaller: what is found takes few, as a rule
# Places in Cells.now: the trail with nothing but facts on it, what any answer costs, what the cheapest so far
# costs beyond that, and how many steps are left: checks, and branchings of checks and of hitting sets.
BASE, PAID, LEAST, LIMIT = range(4)


class Cells(NamedTuple):
    """The cells of a puzzle and what is known of a record.

    Attributes:
        starts: int32 (cells + 1,), where the variables of each cell begin.
        members: int32, the variables of all cells.
        order: int32 (cells, width), the variables of each cell by rising cost.
        read: int32 (cells,), the levels of the reading.
        tries: int32 (cells,), the levels being tried.
        queue: int32 (cells,), cells by rising key, line: int32 (cells,), those of a core.
        keys: int64 (cells,), what it costs each to rise.
        best: int32 (cells,), the variable of each cell in the cheapest answer so far.
        now: int64 (4,), see BASE ... LIMIT.
    """

    starts: I32
    members: I32
    order: I32
    read: I32
    tries: I32
    queue: I32
    line: I32
    keys: I64
    best: I32
    now: I64


def cells_for(starts: I32, members: I32) -> Cells:
    """Return room for puzzles of these cells."""
    count, width = len(starts) - 1, int(np.diff(starts).max())
    one = [np.zeros(count, np.int32) for _ in range(5)]
    return Cells(
        starts=starts,
        members=members,
        order=np.zeros((count, width), np.int32),
        read=one[0],
        tries=one[1],
        queue=one[2],
        line=one[4],
        keys=np.zeros(count, np.int64),
        best=one[3],
        now=np.zeros(4, np.int64),
    )


@lean
def check(cover: Cover, part: Partial, cells: Cells, room: Levels, most: int) -> int:
    """Return whether the levels being tried can be completed: YES (which stays), NO or UNDECIDED.

    The cells that are dear to raise come first, so that where there are several cores a dear one is found.
    After NO the cells that have no part in the core are let go.
    """
    take_back(cover, part, cells.now[BASE])
    count, steps = _queue(cells, room), part.now[STEPS]
    for i in range(count - 1, -1, -1):
        _restrict(cover, part, cells, room, cells.queue[i])
        if not spread(cover, part):
            break
    found = completed(cover, part, most)
    cells.now[LIMIT] -= part.now[STEPS] - steps + 1
    if found == NO:
        core = part.why[part.why.shape[0] - 1]
        for c in range(cells.tries.size):
            if not (core[c >> 6] >> np.uint64(c & 63)) & _ONE:
                cells.tries[c] = room.sizes[c] - 1
    return found


@lean
def _queue(cells: Cells, room: Levels) -> int:
    """Queue the cells that are kept from some values, the cheapest to raise first; return how many."""
    count = 0
    for c in range(cells.tries.size):
        level = cells.tries[c]
        if level >= room.sizes[c] - 1:
            continue
        key = room.costs[c, level + 1] - room.costs[c, level]
        at = count
        while at > 0 and cells.keys[at - 1] > key:
            cells.keys[at], cells.queue[at] = cells.keys[at - 1], cells.queue[at - 1]
            at -= 1
        cells.keys[at], cells.queue[at] = key, c
        count += 1
    return count


@lean
def _restrict(cover: Cover, part: Partial, cells: Cells, room: Levels, c: int) -> None:
    """Strike out the values of cell `c` above the level being tried, with the mark of the cell."""
    mark = part.why.shape[0] - 1
    part.why[mark] = 0
    part.why[mark, c >> 6] = _ONE << np.uint64(c & 63)
    for at in range(cells.tries[c] + 1, room.sizes[c]):
        v = cells.order[c, at]
        if left(part, v):
            strike(cover, part, v, mark)


@lean
def add_core(cover: Cover, part: Partial, cells: Cells, room: Levels) -> Any:
    """Shrink the core that a check has left, store it, and let its cells go in the reading.

    Returns:
        how many cells it has: at 0 nothing can be completed; -1 where there is no room for it.
    """
    now = room.now
    _shrink(cover, part, cells, room)
    size, at = 0, now[ENTRIES]
    if now[CORES] >= MOST_CORES or at + cells.tries.size > MOST_ENTRIES:
        return -1
    for c in range(cells.tries.size):
        if cells.tries[c] < room.sizes[c] - 1:
            room.cells[at + size], room.tops[at + size] = c, cells.tries[c]
            cells.read[c] = room.sizes[c] - 1
            size += 1
    now[CORES] += 1
    now[ENTRIES] += size
    room.ends[now[CORES]] = now[ENTRIES]
    return size


@lean
def _shrink(cover: Cover, part: Partial, cells: Cells, room: Levels) -> None:
    """Let go of each cell of the core, or raise it as far, as it remains one, the cheapest to raise first."""
    count = _queue(cells, room)
    for i in range(count):
        cells.line[i] = cells.queue[i]
    for i in range(count):
        c = cells.line[i]
        level, top = cells.tries[c], room.sizes[c] - 1
        if level >= top:
            continue
        cells.tries[c] = top
        found = check(cover, part, cells, room, _SHRINK)
        if found == NO:
            continue
        needed = _level_of(part, cells, room, c) if found == YES else top + 1
        while True:
            cells.tries[c] = level
            following = room.above[c, level + 1] - 1
            if following >= min(needed, top):
                break
            cells.tries[c] = following
            if check(cover, part, cells, room, _SHRINK) != NO:
                cells.tries[c] = level
                break
            if cells.tries[c] == top:
                break
            level = following


@lean
def _level_of(part: Partial, cells: Cells, room: Levels, c: int) -> int:
    """Return at which level cell `c` is in what stands completed."""
    at = 0
    while not left(part, cells.order[c, at]):
        at += 1
    return at
