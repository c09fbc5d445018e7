"""Parts of a rule set that are puzzles: cells that each take one of their values, and values that clash.

What such a part says is that of some variables one at least must be true (a need), or one at most. Cells are
needs whose variables all clash, chosen so that every decided variable stands in exactly one: then an answer
is one value a cell, whatever else is needed. Sudoku, Latin squares, queens and exact covers are of this kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..kernels.repair import Rows
from ..kernels.repair_cores import cells_for
from ..kernels.repair_cover import UNDECIDED, YES, Cover, partial_for
from ..kernels.repair_levels import levels_for
from ..kernels.repair_puzzle import complete_rows, solve_rows
from ..ports import I32, I64
from .normal import Bools
from .parts import Part

_MOST = 1 << 14  # variables: the clashes of so many take 32 MB


@dataclass(frozen=True)
class Puzzle:
    """A part as a puzzle.

    Attributes:
        part: the part.
        needs: the variables of each need, from 0.
        clash: bool (k, k), which variables cannot be true together.
        cells: the variables of each cell.
    """

    part: Part
    needs: tuple[tuple[int, ...], ...]
    clash: Bools
    cells: tuple[tuple[int, ...], ...]

    def solve(self, rows: I64, values: Bools, costs: I64, most: int) -> tuple[I64, Bools]:
        """Repair the records `rows` in place, with so many steps for each.

        Returns:
            what each costs, int64, -1 where nothing was found; and bool, whether that is sure.
        """
        reached, proven = np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        cells = cells_for(*_packed(self.cells))
        room = levels_for(*cells.order.shape)
        batch = Rows(self.part.variables, self.part.given, costs, rows, values, reached)
        solve_rows(self._cover, partial_for(self._cover, len(self.cells)), cells, room, batch, most, proven)
        return reached, proven

    def completed(self, allowed: Bools, most: int, wanted: int = 1) -> tuple[Bools, Bools, Bools]:
        """Return any answer within what each of n rows allows, with so many branchings for each.

        Args:
            allowed: bool (n, k), which variables may be true.
            most: branchings for one row.
            wanted: how many answers there must be; one of them is given.

        Returns:
            bool (n, k), an answer, false throughout where there is none; bool (n,), whether there is one; and
            bool (n,), whether that is sure.
        """
        values, found = np.zeros(allowed.shape, np.bool_), np.empty(len(allowed), np.int64)
        complete_rows(self._cover, partial_for(self._cover), allowed, most, wanted, values, found)
        return values, found == YES, found != UNDECIDED

    @cached_property
    def _cover(self) -> Cover:
        starts, members = _packed(self.needs)
        count = len(self.part.variables)
        order = np.argsort(members, kind="stable")
        owner = np.repeat(np.arange(len(self.needs), dtype=np.int32), np.diff(starts))
        var_starts = np.concatenate([[0], np.cumsum(np.bincount(members, minlength=count))])
        padded = np.zeros((count, -(-count // 64) * 64), np.bool_)
        padded[:, :count] = self.clash
        words: npt.NDArray[np.uint64] = np.packbits(padded, axis=1, bitorder="little").view(np.uint64)
        return Cover(starts, members, var_starts.astype(np.int32), owner[order], words)


def puzzle_of(part: Part) -> Puzzle | None:
    """Return `part` as a puzzle, or None where it is none. The first rules that can be cells are."""
    count = len(part.variables)
    if count == part.given or count > _MOST:
        return None
    needs: list[tuple[int, ...]] = []
    clash = np.zeros((count, count), np.bool_)
    for c in part.constraints:
        if c.bound == 1 and all(x > 0 for x in c.literals):
            needs.append(tuple(x - 1 for x in c.literals))
        elif not c.weights and c.bound == len(c.literals) - 1 and all(x < 0 for x in c.literals):
            places = -1 - np.array(c.literals)
            clash[np.ix_(places, places)] = True
        else:
            return None
    np.fill_diagonal(clash, val=False)
    cells = _cells(needs, clash, part.given)
    if sum(map(len, cells)) < count - part.given:
        return None
    return Puzzle(part, tuple(needs), clash, cells)


def _cells(needs: list[tuple[int, ...]], clash: Bools, given: int) -> tuple[tuple[int, ...], ...]:
    taken: set[int] = set()
    cells: list[tuple[int, ...]] = []
    for need in needs:
        exclusive = clash[np.ix_(need, need)].sum() == len(need) * (len(need) - 1)
        if exclusive and min(need) >= given and taken.isdisjoint(need):
            cells.append(need)
            taken.update(need)
    return tuple(cells)


def _packed(groups: tuple[tuple[int, ...], ...]) -> tuple[I32, I32]:
    starts = np.concatenate([[0], np.cumsum([len(g) for g in groups])])
    members = np.array([v for g in groups for v in g], np.int32)
    return starts.astype(np.int32), members
