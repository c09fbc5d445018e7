"""Repair by depth-first branch and bound over weighted sums that must reach a bound.

The search starts from the values that stand and looks only at the constraints these break: it flips one of
the literals that could help, or forbids that flip. A flip that a constraint cannot do without is forced. The
bound shares the cost of each possible flip out among the broken constraints: each pays what its cheapest way
out costs after those before it have taken their share (a Lagrangean bound), which never exceeds what is left
to pay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import lean
from .repair import Rows
from .repair_bound import bound
from .repair_state import (
    BEST,
    BROKEN,
    COST,
    CUT,
    DEPTH,
    FAR,
    FOUND,
    LANES,
    LIMIT,
    NODES,
    TOTAL,
    TRAIL,
    Search,
    Sums,
)

Bools = npt.NDArray[np.bool_]

_NONE, _CONFLICT = -1, -2


@lean
def search_rows(sums: Sums, room: Search, batch: Rows, most: int, proven: Bools) -> None:
    """Set the variables of a part to the cheapest allowed values found, row by row.

    Args:
        sums: the part's constraints.
        room: from room_for.
        batch: the rows and where the answers go.
        most: branchings for one record.
        proven: bool (records,), out: whether the search came to its end: the cost is the least, or there are
            no allowed values.
    """
    variables, values = batch.variables, batch.values
    for i in range(batch.rows.size):
        r = batch.rows[i]
        if i % LANES == 0:
            _reach(sums, room, batch, i)
        for j in range(variables.size):
            room.values[j] = values[r, variables[j]]
            room.costs[j] = batch.costs[r, variables[j]]
            room.fixed[j] = j < batch.given
        _begin(sums, room, batch.given, i % LANES)
        proven[i] = _search(sums, room, most)
        found = room.now[FOUND] != 0
        batch.reached[i] = room.now[BEST] if found else -1
        if found:
            for j in range(variables.size):
                values[r, variables[j]] = room.best[j] != 0


@lean
def _reach(sums: Sums, room: Search, batch: Rows, first: int) -> None:
    """Write what each constraint reaches in LANES records from the row `first` on, side by side."""
    count = min(batch.rows.size - first, LANES)
    for j in range(batch.variables.size):
        for b in range(count):
            room.true[j, b] = -np.int64(batch.values[batch.rows[first + b], batch.variables[j]])
    for c in range(sums.bounds.size):
        for b in range(LANES):
            room.sides[c, b] = sums.unset[c]
        for j in range(sums.offsets[c], sums.offsets[c + 1]):
            x, w = sums.literals[j], sums.weights[j]
            v, more = abs(x) - 1, w if x > 0 else -w
            for b in range(LANES):
                room.sides[c, b] += more & room.true[v, b]


@lean
def _search(sums: Sums, room: Search, most: int) -> bool:
    """Search from where _begin left off; return whether it came to its end within `most` branchings.

    At first only for what costs little more than the bound, then for more and more: what is dear is rarely
    needed, and to follow where it leads takes long.
    """
    now = room.now
    while True:
        stuck = not _propagate(sums, room)
        if not stuck and now[BROKEN] == 0:
            now[BEST], now[FOUND] = now[COST], 1
            for j in range(room.best.size):
                room.best[j] = room.values[j]
            stuck = True
        worst = -1
        if not stuck:
            worst = bound(sums, room)
            stuck = bool(worst < 0)
            if now[LIMIT] == 0:
                now[LIMIT] = now[TOTAL] + now[TOTAL] // 4 + 1
                now[BEST] = now[LIMIT]
        if not stuck:
            now[NODES] += 1
            if now[NODES] > most:
                return False
            v = _branch_on(sums, room, worst)
            room.starts[now[DEPTH]] = now[TRAIL]
            room.second[now[DEPTH]] = 0
            now[DEPTH] += 1
            _decide(sums, room, v, True)
        elif not _back(sums, room):
            if now[FOUND] or not now[CUT]:
                return True
            now[LIMIT] += now[LIMIT] // 2 + 1
            now[BEST], now[CUT] = now[LIMIT], 0


@lean
def _begin(sums: Sums, room: Search, given: int, lane: int) -> None:
    """Take the record that stands in `lane` of what _reach wrote; its first `given` variables are facts."""
    now = room.now
    now[:] = 0
    now[BEST] = FAR
    room.seen[:] = 0
    room.place[:] = -1
    for c in range(sums.bounds.size):
        reached = room.sides[c, lane]
        room.reached[c] = reached
        room.spare[c] = sums.totals[c] - reached
        if reached < sums.bounds[c]:
            _mark(sums, room, c)
    for v in range(given):
        for q in range(sums.var_offsets[v], sums.var_offsets[v + 1]):
            w = sums.var_weights[q]
            if (room.values[v] != 0) != (w > 0):
                room.spare[sums.var_sums[q]] -= abs(w)


@lean
def _mark(sums: Sums, room: Search, c: int) -> None:
    """Enter constraint `c` among the broken ones, or strike it out, as it now is."""
    now, place = room.now, room.place[c]
    if room.reached[c] < sums.bounds[c]:
        if place < 0:
            room.place[c] = now[BROKEN]
            room.broken[now[BROKEN]] = c
            now[BROKEN] += 1
    elif place >= 0:
        now[BROKEN] -= 1
        last = room.broken[now[BROKEN]]
        room.broken[place] = last
        room.place[last] = place
        room.place[c] = -1


@lean
def _decide(sums: Sums, room: Search, v: int, flip: bool) -> None:
    """Decide variable `v`: flip it, or let it stand."""
    now = room.now
    room.fixed[v] = 1
    room.flipped[v] = flip
    room.trail[now[TRAIL]] = v
    now[TRAIL] += 1
    if flip:
        now[COST] += room.costs[v]
        room.values[v] ^= 1
    for q in range(sums.var_offsets[v], sums.var_offsets[v + 1]):
        c, w = sums.var_sums[q], sums.var_weights[q]
        true = (room.values[v] != 0) == (w > 0)
        if flip:
            room.reached[c] += abs(w) if true else -abs(w)
            if true:
                room.spare[c] -= abs(w)
            _mark(sums, room, c)
        elif not true:
            room.spare[c] -= abs(w)


@lean
def _undo(sums: Sums, room: Search) -> int:
    """Take back the last decision; return its variable."""
    now = room.now
    now[TRAIL] -= 1
    v = int(room.trail[now[TRAIL]])
    flip = room.flipped[v] != 0
    for q in range(sums.var_offsets[v], sums.var_offsets[v + 1]):
        c, w = sums.var_sums[q], sums.var_weights[q]
        true = (room.values[v] != 0) == (w > 0)
        if flip:
            room.reached[c] -= abs(w) if true else -abs(w)
            if true:
                room.spare[c] += abs(w)
            _mark(sums, room, c)
        elif not true:
            room.spare[c] += abs(w)
    if flip:
        now[COST] -= room.costs[v]
        room.values[v] ^= 1
    room.fixed[v] = 0
    return v


@lean
def _back(sums: Sums, room: Search) -> bool:
    """Go back to the last branching with a way left and take it; return whether there was one."""
    now = room.now
    while now[DEPTH] > 0:
        now[DEPTH] -= 1
        v = 0
        while now[TRAIL] > room.starts[now[DEPTH]]:
            v = _undo(sums, room)
        if room.second[now[DEPTH]] == 0:
            room.second[now[DEPTH]] = 1
            now[DEPTH] += 1
            _decide(sums, room, v, False)
            return True
    return False


@lean
def _propagate(sums: Sums, room: Search) -> bool:
    """Make every flip that is forced; return whether anything better than the best can still follow."""
    while room.now[COST] < room.now[BEST]:
        v = _forced(sums, room)
        if v == _NONE:
            return True
        if v == _CONFLICT:
            return False
        _decide(sums, room, v, True)
    room.now[CUT] = 1
    return False


@lean
def _forced(sums: Sums, room: Search) -> int:
    """Return a variable whose flip a broken constraint cannot do without, _NONE, or _CONFLICT."""
    found = _NONE
    for i in range(room.now[BROKEN]):
        c = room.broken[i]
        idle = room.spare[c] - (sums.bounds[c] - room.reached[c])  # what may be left unflipped
        if idle < 0:
            return _CONFLICT
        if found == _NONE and idle < sums.heaviest[c]:
            for j in range(sums.offsets[c], sums.offsets[c + 1]):
                x = sums.literals[j]
                v = abs(x) - 1
                if sums.weights[j] > idle and room.fixed[v] == 0 and (room.values[v] != 0) != (x > 0):
                    found = int(v)
                    break
    return found


@lean
def _branch_on(sums: Sums, room: Search, c: int) -> int:
    """Return the free variable of constraint `c` whose flip helps most constraints for its cost."""
    found, highest = -1, -1.0
    for j in range(sums.offsets[c], sums.offsets[c + 1]):
        x = sums.literals[j]
        v = abs(x) - 1
        if room.fixed[v] != 0 or (room.values[v] != 0) == (x > 0):
            continue
        gain = 0.0
        for q in range(sums.var_offsets[v], sums.var_offsets[v + 1]):
            other, w = sums.var_sums[q], sums.var_weights[q]
            true = (room.values[v] != 0) == (w > 0)
            if room.place[other] >= 0 and not true:
                gain += 1.0
            elif room.place[other] < 0 and true and room.reached[other] - abs(w) < sums.bounds[other]:
                gain -= 0.5
        score = (gain + 50.0) / (1.0 + float(room.costs[v])) * (1.0 if gain > 0 else 0.5)
        if score > highest:
            found, highest = int(v), score
    return found
