"""The cheapest reading of a Sudoku that has one solution only, among the readings in order of their cost.

The cheapest reading may leave several solutions: then it is no puzzle. It is set aside, and all others are
parted by the first cell that is read in another way (as Murty 1968 ranks assignments): the cheapest
of each part is found like the first. So readings come by rising cost, and the first proper one is the answer.
"""

from __future__ import annotations

import heapq
import time
from typing import NamedTuple

import numpy as np

from ..ports import I64
from .normal import Bools
from .parts import parts_of
from .pipeline import OPTIMAL, Engine
from .puzzle import Puzzle, puzzle_of
from .sudoku import CELLS, VALUES, allowed_by, sudoku

BLANK = 0  # the reading of a cell without a clue; the others are its digits
_BRANCHINGS = 20_000  # of the search for a second solution
NEVER = np.int64(1) << np.int64(48)  # above what any board costs


class Reading(NamedTuple):
    """How a board is read, int64 (81,), BLANK or a digit; its solution, the cost, whether that is sure."""

    cells: I64
    solution: I64
    cost: int
    sure: bool


class Proper:
    """Looks for readings with one solution.

    Args:
        engine: of the rules of Sudoku.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        puzzle = puzzle_of(parts_of(sudoku())[0])
        if puzzle is None:
            raise AssertionError("Sudoku is a puzzle")
        self._puzzle: Puzzle = puzzle

    def single(self, cells: I64) -> Bools:
        """Return which readings, int64 (n, 81), surely have no second solution."""
        _, found, sure = self._puzzle.completed(allowed_by(cells), _BRANCHINGS, wanted=2)
        single: Bools = sure & ~found
        return single

    def of(self, costs: I64, first: Reading, seconds: float) -> Reading:
        """Return the cheapest reading with one solution, or `first`, not sure, where none is found in time.

        Args:
            costs: int64 (81, 10), what each reading costs each cell.
            first: the cheapest reading, which has several.
            seconds: after which no other reading is looked at.
        """
        every = np.ones(costs.shape, np.bool_)
        waiting: list[tuple[int, int, Reading, Bools]] = [(first.cost, 0, first, every)]
        until, made = time.monotonic() + seconds, 0
        while waiting and time.monotonic() < until:
            _, _, best, allowed = heapq.heappop(waiting)
            if best is not first and self.single(best.cells[None])[0]:
                return best
            parts = self._parted(best.cells, allowed)
            for reading, part in zip(self._cheapest(costs, parts), parts, strict=True):
                if reading is not None:
                    made += 1
                    heapq.heappush(waiting, (reading.cost, made, reading, part))
        return first._replace(sure=False)

    def _parted(self, cells: I64, allowed: Bools) -> Bools:
        """Return all readings but one, bool (parts, 81, 10): in part i cell i is the first that differs."""
        parts = []
        fixed = allowed.copy()
        for i, value in enumerate(cells.tolist()):
            other = fixed.copy()
            other[i, value] = False
            if other[i].any():
                parts.append(other)
            fixed[i] = False
            fixed[i, value] = True
        return np.array(parts).reshape(-1, *allowed.shape)

    def _cheapest(self, costs: I64, parts: Bools) -> list[Reading | None]:
        paid = np.where(parts, costs, NEVER)
        digits = np.minimum(paid[:, :, 1:], paid[:, :, :1])
        nothing = np.zeros((len(parts), CELLS * VALUES), np.bool_)
        decided = self._engine(nothing, digits.reshape(nothing.shape))
        solutions = decided.values.reshape(-1, CELLS, VALUES).argmax(2) + 1
        found: list[Reading | None] = []
        for i, cost in enumerate(decided.costs.tolist()):
            cells = read_as(paid[i], solutions[i])
            sure = bool(decided.status[i] == OPTIMAL)
            found.append(Reading(cells, solutions[i], cost, sure) if cost < NEVER else None)
        return found


def read_as(costs: I64, solution: I64) -> I64:
    """Return the cheaper reading of each cell that goes with a solution, (81,): its digit, or BLANK."""
    digit = np.take_along_axis(costs, solution[:, None], 1)[:, 0]
    return np.where(costs[:, BLANK] <= digit, BLANK, solution)
