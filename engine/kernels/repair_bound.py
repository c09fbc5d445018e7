"""What a branch of the search must still pay, at least."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import lean
from .repair_state import BEST, BROKEN, COST, CUT, FAR, NODES, ROUND, SORTED, TOTAL, Search, Sums

_EASY = 16  # branchings before the bound looks a step further, which takes longer


@lean
def bound(sums: Sums, room: Search) -> int:
    """Return the broken constraint that costs most for its size, or -1 where the best cannot be beaten."""
    worst = _bounded(sums, room, False)
    if worst >= 0 and room.now[NODES] >= _EASY:
        worst = _bounded(sums, room, True)
    return worst


@lean
def _bounded(sums: Sums, room: Search, ahead: bool) -> int:
    """Do as `bound`, looking a step `ahead` or not."""
    now = room.now
    now[ROUND] += 1
    total = now[COST]
    worst, highest = -1, -1.0
    for i in range(now[BROKEN]):
        c = int(room.broken[i])
        need = sums.bounds[c] - room.reached[c]
        if ahead and need == 1 and sums.offsets[c + 1] - sums.offsets[c] <= SORTED:
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


@lean
def _left(room: Search, v: int) -> Any:
    """Return what is left of the cost of variable `v` in the bound being made."""
    if room.seen[v] != room.now[ROUND]:
        room.seen[v] = room.now[ROUND]
        room.left[v] = room.costs[v]
    return room.left[v]


@lean
def _way_out(room: Search, x: int) -> bool:
    """Return whether a flip of the variable of literal `x` is open and makes `x` true."""
    v = abs(x) - 1
    return bool(room.fixed[v] == 0 and (room.values[v] != 0) != (x > 0))


@lean
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


@lean
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


@lean
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


@lean
def _take(sums: Sums, room: Search, c: int, amount: int) -> None:
    """Take `amount` of what is left of every way out of constraint `c`, or all that is left."""
    for j in range(sums.offsets[c], sums.offsets[c + 1]):
        if _way_out(room, sums.literals[j]):
            v = abs(sums.literals[j]) - 1
            room.left[v] -= min(amount, _left(room, v))


@lean
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
            if need > 1 and count < SORTED:
                at = count
                while at > 0 and room.ratios[at - 1] > ratio:
                    room.ratios[at] = room.ratios[at - 1]
                    room.ways[at] = room.ways[at - 1]
                    at -= 1
                room.ratios[at] = ratio
                room.ways[at] = way
            count += 1
    if need == 1 or count > SORTED:
        return int(low)
    at, gathered = 0, room.ways[0]
    while gathered < need:
        at += 1
        gathered += room.ways[at]
    return int(room.ratios[at])
