"""Orders of variables that keep few constraints open at a time, which is what keeps a diagram narrow."""

from __future__ import annotations

import numpy as np

from ..kernels.repair_order import improve_order
from ..ports import I32
from .parts import Part

_MOVES = 6_000
_LOOKS = 6_000_000  # at literals, which is what fewer moves come to where there are many
_POWERS = (1, 3)  # of the open constraints at each cut; the higher one looks at the widest cut


def orders_of(part: Part) -> list[I32]:
    """Return orders of the part's variables, from 0, int32 (k,) each, the most promising first.

    From the natural order and from one that walks along the constraints, each improved by moving one variable
    at a time wherever that leaves no more open constraints, by a seeded chance: the same every time.
    """
    count = len(part.variables)
    offsets, literals, _, _ = part.packed
    variables = np.abs(literals) - 1
    rng = np.random.default_rng(count)
    many = min(_MOVES, _LOOKS // max(len(literals), 1))
    moves = rng.integers(0, max(count, 1), (many, 2)).astype(np.int32)
    found: list[tuple[int, I32]] = []
    room = np.empty((2, count), np.int32), np.empty(count + 1, np.int64)
    for start in (np.arange(count, dtype=np.int32), _walk(part)):
        for power in _POWERS:
            order = start.copy()
            improve_order(offsets, variables, moves, power, order, *room)
            score = improve_order(offsets, variables, moves[:0], _POWERS[-1], order, *room)
            found.append((int(score), order))
    distinct = {order.tobytes(): (score, order) for score, order in found}
    return [order for _, order in sorted(distinct.values(), key=lambda pair: pair[0])]


def widest_cut(part: Part) -> int:
    """Return how many constraints are open at once at the widest place of the better of two plain orders."""
    offsets, literals, _, _ = part.packed
    count = len(part.variables)
    begins = offsets[:-1][np.diff(offsets) > 0]
    if not len(begins):
        return 0
    widest = []
    for order in (np.arange(count, dtype=np.int32), _walk(part)):
        place = np.empty(count, np.int32)
        place[order] = np.arange(count, dtype=np.int32)
        at = place[np.abs(literals) - 1]
        opened = np.bincount(np.minimum.reduceat(at, begins), minlength=count)
        closed = np.bincount(np.maximum.reduceat(at, begins), minlength=count)
        widest.append(int(np.cumsum(opened - closed).max()))
    return min(widest)


def _walk(part: Part) -> I32:
    """Return the variables breadth first along the constraints, from one with few neighbours."""
    near: list[set[int]] = [set() for _ in part.variables]
    for c in part.constraints:
        places = {abs(x) - 1 for x in c.literals}
        for v in places:
            near[v] |= places
    left = sorted(range(len(near)), key=lambda v: (len(near[v]), v))
    order: dict[int, None] = {}
    for first in left:
        queue = [] if first in order else [first]
        order |= dict.fromkeys(queue)
        for v in queue:
            fresh = sorted(near[v] - order.keys(), key=lambda u: (len(near[u]), u))
            order |= dict.fromkeys(fresh)
            queue += fresh
    return np.array(list(order), np.int32)
