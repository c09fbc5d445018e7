"""Whether a choice of one value a cell can be completed: propagation, then depth-first search.

Variables are what may be chosen. A need is a set of them of which one must be; two variables clash where they
cannot both be. What clashes with a choice is struck out at once, and the last one left of a need is chosen.
Where that comes to no end, the need with fewest variables left is branched on. Sets of variables are bits.

Every variable that is struck out or chosen keeps why: the marks of the caller's strikes and of the branchings
that it follows from. So a need that has come to none says which branchings had a part in it, the others are
passed over on the way back, and where nothing is left the marks that remain are a core.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .jit import lean, lowest_bit

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

# Places in Partial.now: how long the trail and the queue are, 1 + the need that has nothing left, branchings.
TRAIL, QUEUE, DEAD, STEPS = range(4)
NO, YES, UNDECIDED = range(3)
_ONE = np.uint64(1)
_NONE = -1
_DEEPEST = 63  # branchings deeper than this share one bit


class Cover(NamedTuple):
    """Needs and clashes of k variables.

    Attributes:
        starts: int32 (needs + 1,), where the variables of each need begin.
        members: int32, the variables of all needs, from 0.
        var_starts: int32 (k + 1,), where the needs of each variable begin.
        var_needs: int32, the needs of all variables.
        clash: uint64 (k, words), the variables that cannot stand beside each.
    """

    starts: I32
    members: I32
    var_starts: I32
    var_needs: I32
    clash: U64


class Partial(NamedTuple):
    """What is chosen and struck out so far; all of it is room that one record after the other uses.

    Attributes:
        alive: uint64 (words,), the variables that are not struck out.
        counts: int32 (needs,), how many variables of each need are left.
        held: int32 (needs,), how many of them are chosen.
        trail: int32 (2 k,), in order, v for a variable struck out, -1 - v for one chosen (what was chosen
            may still be struck out, which leaves its need nothing).
        queue: int32 (needs,), needs that may have come down to one variable.
        marks: int32 (k + 1,), how long the trail was at each branching.
        tried: int32 (k + 1,), the variable that is chosen there.
        why: uint64 (k + 1, words), bits of marks and, in the last word, of branchings by depth, beside each
            variable; the last row is room, and the core where there is one.
        now: int64 (4,), counters: see TRAIL ... STEPS.
    """

    alive: U64
    counts: I32
    held: I32
    trail: I32
    queue: I32
    marks: I32
    tried: I32
    why: U64
    now: I64


def partial_for(cover: Cover, marks: int = 0) -> Partial:
    """Return room for the choices of one record, whose strikes bear up to so many different marks."""
    k, needs = len(cover.clash), len(cover.starts) - 1
    return Partial(
        alive=np.zeros(cover.clash.shape[1], np.uint64),
        counts=np.zeros(needs, np.int32),
        held=np.zeros(needs, np.int32),
        trail=np.zeros(2 * k, np.int32),
        queue=np.zeros(needs, np.int32),
        marks=np.zeros(k + 1, np.int32),
        tried=np.zeros(k + 1, np.int32),
        why=np.zeros((k + 1, -(-marks // 64) + 1), np.uint64),
        now=np.zeros(4, np.int64),
    )


@lean
def begin(cover: Cover, part: Partial) -> None:
    """Leave everything open."""
    part.now[:] = 0
    part.alive[:] = 0
    part.why[:] = 0
    for v in range(cover.clash.shape[0]):
        part.alive[v >> 6] |= _ONE << np.uint64(v & 63)
    part.held[:] = 0
    for g in range(part.counts.size):
        part.counts[g] = cover.starts[g + 1] - cover.starts[g]
        if part.counts[g] == 0:
            part.now[DEAD] = g + 1
        elif part.counts[g] == 1:
            part.queue[part.now[QUEUE]] = g
            part.now[QUEUE] += 1


@lean
def left(part: Partial, v: int) -> bool:
    """Return whether variable `v` is not struck out."""
    return bool((part.alive[v >> 6] >> np.uint64(v & 63)) & _ONE)


@lean
def strike(cover: Cover, part: Partial, v: int, by: int) -> None:
    """Strike out variable `v`, which is left, for the why of row `by`: of what was chosen, or the last."""
    now = part.now
    for w in range(part.why.shape[1]):
        part.why[v, w] = part.why[by, w]
    part.alive[v >> 6] &= ~(_ONE << np.uint64(v & 63))
    part.trail[now[TRAIL]] = v
    now[TRAIL] += 1
    for q in range(cover.var_starts[v], cover.var_starts[v + 1]):
        g = cover.var_needs[q]
        part.counts[g] -= 1
        if part.counts[g] == 0:
            now[DEAD] = g + 1
        elif part.counts[g] == 1 and part.held[g] == 0:
            part.queue[now[QUEUE]] = g
            now[QUEUE] += 1


@lean
def choose(cover: Cover, part: Partial, v: int) -> None:
    """Choose variable `v`, which is left and has its why, and strike out what clashes with it."""
    now = part.now
    part.trail[now[TRAIL]] = -1 - v
    now[TRAIL] += 1
    for q in range(cover.var_starts[v], cover.var_starts[v + 1]):
        part.held[cover.var_needs[q]] += 1
    for w in range(part.alive.size):
        bits = part.alive[w] & cover.clash[v, w]
        while bits:
            strike(cover, part, 64 * w + lowest_bit(bits), v)
            bits &= bits - _ONE


@lean
def spread(cover: Cover, part: Partial) -> bool:
    """Choose the last variable of every need that has one; return whether no need has come to none."""
    now = part.now
    while now[QUEUE] > 0 and now[DEAD] == 0:
        now[QUEUE] -= 1
        g = part.queue[now[QUEUE]]
        if part.held[g] == 0:
            for q in range(cover.starts[g], cover.starts[g + 1]):
                if left(part, cover.members[q]):
                    _gather(cover, part, g, cover.members[q])
                    choose(cover, part, cover.members[q])
                    break
    return bool(now[DEAD] == 0)


@lean
def _gather(cover: Cover, part: Partial, g: int, into: int) -> None:
    """Write why every other variable of need `g` is struck out into row `into` of why."""
    for w in range(part.why.shape[1]):
        found = np.uint64(0)
        for q in range(cover.starts[g], cover.starts[g + 1]):
            if cover.members[q] != into:
                found |= part.why[cover.members[q], w]
        part.why[into, w] = found


@lean
def take_back(cover: Cover, part: Partial, mark: int) -> None:
    """Take back everything since the trail was `mark` long."""
    now = part.now
    now[QUEUE] = 0
    now[DEAD] = 0
    while now[TRAIL] > mark:
        now[TRAIL] -= 1
        v = part.trail[now[TRAIL]]
        if v >= 0:
            part.alive[v >> 6] |= _ONE << np.uint64(v & 63)
            for q in range(cover.var_starts[v], cover.var_starts[v + 1]):
                part.counts[cover.var_needs[q]] += 1
        else:
            for q in range(cover.var_starts[-1 - v], cover.var_starts[-v]):
                part.held[cover.var_needs[q]] -= 1


@lean
def completed(cover: Cover, part: Partial, most: int, wanted: int = 1) -> int:
    """Complete what is chosen: return YES with all needs held, NO, or UNDECIDED after `most` branchings.

    It is YES at the answer that makes as many as are `wanted`, NO where there are fewer.

    What was chosen on the way stays on the trail, for the caller to take back. After NO the last row of why
    holds the marks of strikes that do not go together.
    """
    now, depth, last, found = part.now, 0, part.why.shape[1] - 1, 0
    core = part.why.shape[0] - 1
    steps = now[STEPS]
    alive = spread(cover, part)
    while True:
        g = _narrowest(part) if alive else _NONE
        if g >= 0:
            if now[STEPS] - steps >= most:
                return UNDECIDED
            _branch(cover, part, g, depth)
            depth += 1
        else:
            if alive:
                found += 1
                if found == wanted:
                    return YES
                part.why[core] = ~np.uint64(0)  # every branching had a part in the answer found
            else:
                _gather(cover, part, int(now[DEAD] - 1), core)
            depth = _back_to(part, depth)
            if depth == 0:
                return NO
            depth -= 1
            take_back(cover, part, part.marks[depth])
            if depth <= _DEEPEST:
                part.why[core, last] &= ~(_ONE << np.uint64(depth))
            strike(cover, part, part.tried[depth], core)
        alive = spread(cover, part)


@lean
def _branch(cover: Cover, part: Partial, g: int, depth: int) -> None:
    """Choose the first variable left of need `g`."""
    now, at = part.now, cover.starts[g]
    now[STEPS] += 1
    while not left(part, cover.members[at]):
        at += 1
    v = cover.members[at]
    part.marks[depth], part.tried[depth] = now[TRAIL], v
    part.why[v] = 0
    part.why[v, part.why.shape[1] - 1] = _ONE << np.uint64(min(depth, _DEEPEST))
    choose(cover, part, v)


@lean
def _back_to(part: Partial, depth: int) -> int:
    """Return how deep the last branching is that had a part in the core, 0 for none."""
    marks = part.why[part.why.shape[0] - 1, part.why.shape[1] - 1]
    while depth > 0 and not (marks >> np.uint64(min(depth - 1, _DEEPEST))) & _ONE:
        depth -= 1
    return depth


@lean
def _narrowest(part: Partial) -> int:
    """Return the need with fewest variables left among those that hold none, or -1 where all hold one."""
    found, fewest = _NONE, 1 << 30
    for g in range(part.counts.size):
        if part.held[g] == 0 and part.counts[g] < fewest:
            found, fewest = g, int(part.counts[g])
            if fewest <= 2:
                break
    return found
