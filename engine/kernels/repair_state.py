"""The state of a search for the cheapest repair, and the constraints as it reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

FAR = np.int64(1) << np.int64(62)
# Places in Search.now.
BROKEN, TRAIL, DEPTH, ROUND, COST, BEST, NODES, TOTAL, LIMIT, CUT, FOUND = range(11)
LANES = 16  # records whose sums are made side by side
SORTED = 48  # ways out that are sorted for a bound; beyond, a simpler bound holds as well


class Sums(NamedTuple):
    """Constraints, and for each variable where it stands.

    Attributes:
        offsets: int32 (m + 1,), where the literals of each constraint begin.
        literals: int32, +v or -v for variable v from 1.
        weights: int64, beside `literals`.
        bounds: int64 (m,).
        heaviest: int64 (m,), the greatest weight of each.
        totals: int64 (m,), all weights of each.
        unset: int64 (m,), what each reaches where all variables are false.
        var_offsets: int32 (k + 1,), where the places of each variable begin.
        var_sums: int32, the constraints it stands in.
        var_weights: int64, its weight there, below 0 for a negative literal.
    """

    offsets: I32
    literals: I32
    weights: I64
    bounds: I64
    heaviest: I64
    totals: I64
    unset: I64
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
        ratios: int64 (SORTED,), ways: int64 (SORTED,): room to sort the ways out of a constraint.
        true: int64 (k, LANES), all bits set where a variable of a record is true.
        sides: int64 (m, LANES), what each constraint reaches in these records before anything is flipped.
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
    true: I64
    sides: I64
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
        ratios=np.zeros(SORTED, np.int64),
        ways=np.zeros(SORTED, np.int64),
        true=np.zeros((k, LANES), np.int64),
        sides=np.zeros((m, LANES), np.int64),
        now=np.zeros(11, np.int64),
    )
