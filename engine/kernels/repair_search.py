"""Repair by depth-first branch and bound over weighted sums that must reach a bound.

The search starts from the values that stand and looks only at the constraints these break: it flips one of
the literals that could help, or forbids that flip. A flip that a constraint cannot do without is forced. The
bound shares the cost of each possible flip out among the broken constraints: each pays what its cheapest way
out costs after those before it have taken their share (a Lagrangean bound), which never exceeds what is left
to pay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .repair import Rows

Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

FAR = np.int64(1) << np.int64(62)
# Places in Search.now.
BROKEN, TRAIL, DEPTH, ROUND, COST, BEST, NODES, TOTAL, LIMIT, CUT, FOUND = range(11)
_NONE, _CONFLICT = -1, -2
_EASY = 16  # branchings before the bound looks a step further, which takes longer
_SORTED = 48  # ways out that are sorted for a bound; beyond, a simpler bound holds as well


class Sums(NamedTuple):
    """Constraints, and for each variable where it stands.

    Attributes:
        offsets: int32 (m + 1,), where the literals of each constraint begin.
        literals: int32, +v or -v for variable v from 1.
        weights: int64, beside `literals`.
        bounds: int64 (m,).
        heaviest: int64 (m,), the greatest weight of each.
        var_offsets: int32 (k + 1,), where the places of each variable begin.
        var_sums: int32, the constraints it stands in.
        var_weights: int64, its weight there, below 0 for a negative literal.
    """

    offsets: I32
    literals: I32
    weights: I64
    bounds: I64
    heaviest: I64
    var_offsets: I32
    var_sums: I32
    var_weights: I64


class Search(NamedTuple):
    """The state of a search; all of it is room that one record after the other uses.

    Attributes:
        values: uint8 (k,), the values now.
        costs: int64 (k,), what a flip costs.
        fixed: uint8 (k,), 1 where the value is decided.
        flipped: uint8 (k,), 1 where a decided value was flipped.
        best: uint8 (k,), the cheapest allowed values so far.
        reached: int64 (m,), the weight of the true literals of each constraint.
        spare: int64 (m,), the weight of its false literals that could still be flipped.
        broken: int32 (m,), the constraints that do not hold, in any order.
        place: int32 (m,), where each stands in `broken`, or -1.
        trail: int32 (k,), the decided variables in order.
        starts: int32 (k + 1,), where in the trail each branching begins.
        second: uint8 (k + 1,), 1 where its second way is being tried.
        left: int64 (k,), what is left of each cost in the bound being made.
        seen: int64 (k,), the round that `left` is of.
        ratios: int64 (_SORTED,), ways: int64 (_SORTED,): room to sort the ways out of a constraint.
        now: int64 (11,), counters: see BROKEN ... FOUND.
    """

    values: U8
    costs: I64
    fixed: U8
    flipped: U8
    best: U8
    reached: I64
    spare: I64
    broken: I32
    place: I32
    trail: I32
    starts: I32
    second: U8
    left: I64
    seen: I64
    ratios: I64
    ways: I64
    now: I64


def room_for(variables: int, sums: int) -> Search:
    """Return room for a search over so many variables and constraints."""
    k, m = variables, sums
    bytes_, words = [np.zeros(k, np.uint8) for _ in range(4)], [np.zeros(k, np.int64) for _ in range(3)]
    return Search(
        values=bytes_[0],
        costs=words[0],
        fixed=bytes_[1],
        flipped=bytes_[2],
        best=bytes_[3],
        reached=np.zeros(m, np.int64),
        spare=np.zeros(m, np.int64),
        broken=np.zeros(m, np.int32),
        place=np.zeros(m, np.int32),
        trail=np.zeros(k, np.int32),
        starts=np.zeros(k + 1, np.int32),
        second=np.zeros(k + 1, np.uint8),
        left=words[1],
        seen=words[2],
        ratios=np.zeros(_SORTED, np.int64),
        ways=np.zeros(_SORTED, np.int64),
        now=np.zeros(11, np.int64),
    )


@kernel
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
        for j in range(variables.size):
            room.values[j] = values[r, variables[j]]
            room.costs[j] = batch.costs[r, variables[j]]
            room.fixed[j] = j < batch.given
        proven[i] = _search(sums, room, most)
        found = room.now[FOUND] != 0
        batch.reached[i] = room.now[BEST] if found else -1
        if found:
            for j in range(variables.size):
                values[r, variables[j]] = room.best[j] != 0


@kernel
def _search(sums: Sums, room: Search, most: int) -> bool:
    """Search from room.values; return whether it came to its end within `most` branchings.

    At first only for what costs little more than the bound, then for more and more: what is dear is rarely
    needed, and to follow where it leads takes long.
    """
    now = room.now
    _begin(sums, room)
    while True:
        stuck = not _propagate(sums, room)
        if not stuck and now[BROKEN] == 0:
            now[BEST], now[FOUND] = now[COST], 1
            room.best[:] = room.values
            stuck = True
        worst = -1
        if not stuck:
            worst = _bound(sums, room)
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


@kernel
def _begin(sums: Sums, room: Search) -> None:
    now = room.now
    now[:] = 0
    now[BEST] = FAR
    room.seen[:] = 0
    for c in range(sums.bounds.size):
        reached, spare = np.int64(0), np.int64(0)
        for j in range(sums.offsets[c], sums.offsets[c + 1]):
            x = sums.literals[j]
            v = abs(x) - 1
            # Sums of products: which literals are true is what no processor foresees.
            true = np.int64(room.values[v]) ^ np.int64(x < 0)
            reached += sums.weights[j] * true
            spare += sums.weights[j] * ((1 - true) & (1 - np.int64(room.fixed[v])))
        room.reached[c] = reached
        room.spare[c] = spare
        room.place[c] = -1
        if reached < sums.bounds[c]:
            _mark(sums, room, c)


@kernel
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


@kernel
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


@kernel
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


@kernel
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


@kernel
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


@kernel
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


@kernel
def _bound(sums: Sums, room: Search) -> int:
    """Return the broken constraint that costs most for its size, or -1 where the best cannot be beaten."""
    worst = _bounded(sums, room, False)
    if worst >= 0 and room.now[NODES] >= _EASY:
        worst = _bounded(sums, room, True)
    return worst


@kernel
def _bounded(sums: Sums, room: Search, ahead: bool) -> int:
    """Do as `_bound`, looking a step `ahead` or not."""
    now = room.now
    now[ROUND] += 1
    total = now[COST]
    worst, highest = -1, -1.0
    for i in range(now[BROKEN]):
        c = int(room.broken[i])
        need = sums.bounds[c] - room.reached[c]
        if ahead and need == 1 and sums.offsets[c + 1] - sums.offsets[c] <= _SORTED:
            paid = _pay_ahead(sums, room, c)
        else:
            paid = _pay(sums, room, c, need)
        total += paid
        if total >= now[BEST]:
            if total < FAR:  # it can be kept, for more
                now[CUT] = 1
            return -1
        score = float(paid + 1) / float(room.spare[c] - need + 1)
        if score > highest:
            worst, highest = c, score
    now[TOTAL] = total
    return worst


@kernel
def _left(room: Search, v: int) -> Any:
    """Return what is left of the cost of variable `v` in the bound being made."""
    if room.seen[v] != room.now[ROUND]:
        room.seen[v] = room.now[ROUND]
        room.left[v] = room.costs[v]
    return room.left[v]


@kernel
def _way_out(room: Search, x: int) -> bool:
    """Return whether a flip of the variable of literal `x` is open and makes `x` true."""
    v = abs(x) - 1
    return bool(room.fixed[v] == 0 and (room.values[v] != 0) != (x > 0))


@kernel
def _pay(sums: Sums, room: Search, c: int, need: int) -> Any:
    """Take from what is left the least that constraint `c` costs; return it."""
    price = _price(sums, room, c, need)
    paid = price * need
    for j in range(sums.offsets[c], sums.offsets[c + 1]):
        x = sums.literals[j]
        if _way_out(room, x):
            v = abs(x) - 1
            asked = price * min(sums.weights[j], need)
            paid -= max(asked - room.left[v], 0)
            room.left[v] -= min(asked, room.left[v])
    return paid


@kernel
def _pay_ahead(sums: Sums, room: Search, c: int) -> Any:
    """Do as `_pay` for a constraint that one flip saves, counting what that flip breaks in its turn.

    A flip costs its own cost and the cheapest way out of one constraint that it breaks, the dearest of these.
    """
    least, first = FAR, sums.offsets[c]
    for j in range(first, sums.offsets[c + 1]):
        if _way_out(room, sums.literals[j]):
            v = abs(sums.literals[j]) - 1
            other, more = _broken_by(sums, room, v)
            room.ways[j - first] = other if more < FAR else -1
            least = min(least, _left(room, v) + more)
    if least >= FAR:
        return FAR
    for j in range(first, sums.offsets[c + 1]):
        if _way_out(room, sums.literals[j]):
            v = abs(sums.literals[j]) - 1
            own = min(least, room.left[v])
            room.left[v] -= own
            if own < least and room.ways[j - first] >= 0:
                _take(sums, room, room.ways[j - first], least - own)
    return least


@kernel
def _broken_by(sums: Sums, room: Search, v: int) -> Any:
    """Return the constraint that flipping `v` would break at the highest price, and that price; -1 and 0."""
    found, highest = -1, np.int64(0)
    for q in range(sums.var_offsets[v], sums.var_offsets[v + 1]):
        c, w = int(sums.var_sums[q]), sums.var_weights[q]
        need = sums.bounds[c] - room.reached[c] + abs(w)
        if (room.values[v] != 0) != (w > 0) or need <= 0:
            continue
        if room.spare[c] < need:
            return c, FAR
        cheapest = FAR
        for j in range(sums.offsets[c], sums.offsets[c + 1]):
            if _way_out(room, sums.literals[j]):
                cheapest = min(cheapest, _left(room, abs(sums.literals[j]) - 1))
        if cheapest > highest:
            found, highest = c, cheapest
    return found, highest


@kernel
def _take(sums: Sums, room: Search, c: int, amount: int) -> None:
    """Take `amount` of what is left of every way out of constraint `c`, or all that is left."""
    for j in range(sums.offsets[c], sums.offsets[c + 1]):
        if _way_out(room, sums.literals[j]):
            v = abs(sums.literals[j]) - 1
            room.left[v] -= min(amount, _left(room, v))


@kernel
def _price(sums: Sums, room: Search, c: int, need: int) -> int:
    """Return what a unit of constraint `c` is worth in the bound: the price of its last unit that is needed.

    Any price of 0 or more gives a bound that holds; this one gives the best where all weights are 1.
    """
    count, low = 0, FAR
    for j in range(sums.offsets[c], sums.offsets[c + 1]):
        x = sums.literals[j]
        v = abs(x) - 1
        if room.fixed[v] == 0 and (room.values[v] != 0) != (x > 0):
            if room.seen[v] != room.now[ROUND]:
                room.seen[v] = room.now[ROUND]
                room.left[v] = room.costs[v]
            way = min(sums.weights[j], need)
            ratio = room.left[v] if way == 1 else room.left[v] // way
            low = min(low, ratio)
            if need > 1 and count < _SORTED:
                at = count
                while at > 0 and room.ratios[at - 1] > ratio:
                    room.ratios[at] = room.ratios[at - 1]
                    room.ways[at] = room.ways[at - 1]
                    at -= 1
                room.ratios[at] = ratio
                room.ways[at] = way
            count += 1
    if need == 1 or count > _SORTED:
        return int(low)
    at, gathered = 0, room.ways[0]
    while gathered < need:
        at += 1
        gathered += room.ways[at]
    return int(room.ratios[at])


@kernel
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
