"""Sudoku boards of cells that are records: who stands where, what a reading costs, the cheapest board."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..allowance import current
from ..errors import RuleError
from ..ports import F32, F64, I64, U8
from .normal import Bools
from .pipeline import ALLOWED, FEASIBLE, NONE, OPTIMAL, UNKNOWN, Engine
from .proper import NEVER, Proper, Reading, read_as
from .sudoku import BOX, CELLS, SIDE, VALUES, sudoku

UNITS = ("row", "column", "box")
_SCALE = 10_000  # costs are ten-thousandths of a nat
_MOST = 40.0  # nats that one cell can cost


class Classes(NamedTuple):
    """Where digits 1 to 9 stand among the classes, int64 (9,), and blank, int64 (1,) or (0,)."""

    digits: I64
    blank: I64

    def read(self, scores: F32) -> I64:
        """Return the digits read, 1 to 9, or 0 where it is none."""
        found = scores.argmax(1)[:, None] == self.digits
        return np.where(found.any(1), found.argmax(1) + 1, 0)


class Cells(NamedTuple):
    """Records that are cells of boards: which rows, on which of the boards, in which place."""

    rows: I64
    boards: I64
    places: I64
    numbers: F64

    @property
    def size(self) -> int:
        """Return how many boards there are."""
        return len(self.numbers)


@dataclass(frozen=True)
class Read:
    """n boards that were read.

    Attributes:
        cells, boards: int64 (n, 81), the readings, 0 for blank, and the full boards that go with them.
        status, tool: uint8 (n,), places in STATUS and TOOLS.
    """

    cells: I64
    boards: I64
    status: U8
    tool: U8


def cells_of(board: F64, cell: F64) -> Cells:
    """Return which records are cells, by the numbers of their boards and places.

    Raises:
        RuleError: a place is none.
    """
    rows = np.flatnonzero(np.isfinite(board) & np.isfinite(cell))
    wrong = rows[(cell[rows] != np.floor(cell[rows])) | (cell[rows] < 0) | (cell[rows] >= CELLS)]
    if len(wrong):
        words = f"The column cell must be a whole number from 0 to {CELLS - 1}; got {cell[wrong[0]]:g}."
        raise RuleError(words, where=f"record {wrong[0] + 1}")
    numbers, boards = np.unique(board[rows], return_inverse=True)
    return Cells(rows, boards.astype(np.int64), cell[rows].astype(np.int64), numbers)


def costs_of(read: F32, cells: Cells, classes: Classes) -> I64:
    """Return what each reading costs each cell, int64 (boards, 81, 10), blank first.

    Readings of one cell twice add up. A cell without a record is blank.
    """
    finite = read.astype(np.float64)
    nats = np.minimum(finite.max(1, keepdims=True) - finite, _MOST)
    paid = np.rint(nats * _SCALE).astype(np.int64)
    blank = paid[:, classes.blank] if len(classes.blank) else np.full((len(paid), 1), NEVER)
    costs = np.zeros((cells.size, CELLS, VALUES + 1), np.int64)
    np.add.at(costs, (cells.boards, cells.places), np.concatenate([blank, paid[:, classes.digits]], axis=1))
    absent = np.ones((cells.size, CELLS), np.bool_)
    absent[cells.boards, cells.places] = False
    costs[absent, 1:] = NEVER
    return np.minimum(costs, NEVER)


def solved(costs: I64, seconds: float, *, single: bool) -> Read:
    """Return the cheapest readings that a full board goes with.

    Args:
        costs: int64 (boards, 81, 10), as `costs_of` gives them.
        seconds: how long the last resort may take for one board, and the look for a single solution.
        single: whether only one full board may go with a reading.
    """
    digits = np.minimum(costs[:, :, 1:], costs[:, :, :1])
    # Nothing is predicted, so that a board costs what its digits do.
    nothing = np.zeros((len(costs), CELLS * VALUES), np.bool_)
    decided = _engine(seconds)(nothing, digits.reshape(nothing.shape))
    boards = decided.values.reshape(-1, CELLS, VALUES).argmax(2) + 1
    status, paid = decided.status.copy(), decided.costs.copy()
    proper = Proper(_engine(seconds))
    read = np.stack([read_as(c, b) for c, b in zip(costs, boards, strict=True)])
    for i in np.flatnonzero(~proper.single(read) & (status < UNKNOWN)) if single else ():
        first = Reading(read[i], boards[i], int(paid[i]), sure=True)
        found = proper.of(costs[i], first, min(seconds, current().left))
        read[i], boards[i], paid[i] = found.cells, found.solution, found.cost
        status[i] = max(int(status[i]), OPTIMAL if found.sure else FEASIBLE)
    status[(paid == 0) & (status == OPTIMAL)] = ALLOWED
    status[paid >= NEVER] = NONE
    return Read(read, boards, status, decided.tool)


def single(cells: I64, seconds: float) -> Bools:
    """Return which readings, int64 (n, 81), surely have one solution only."""
    return Proper(_engine(seconds)).single(cells)


def twice(cells: Cells, digits: I64) -> Bools:
    """Return whether each cell's digit stands twice in its row, column and box, bool (cells, 3)."""
    out = np.zeros((len(digits), len(UNITS)), np.bool_)
    for i, unit in enumerate(units_of(cells.places)):
        counts = np.zeros((cells.size, SIDE, VALUES + 1), np.int64)
        np.add.at(counts, (cells.boards, unit, digits), 1)
        out[:, i] = (digits > 0) & (counts[cells.boards, unit, digits] > 1)
    return out


def units_of(places: I64) -> tuple[I64, I64, I64]:
    """Return the row, the column and the box of each place, from 0."""
    row, column = np.divmod(places, SIDE)
    return row, column, row // BOX * BOX + column // BOX


@lru_cache(maxsize=4)
def _engine(seconds: float) -> Engine:
    return Engine(sudoku(), seconds=seconds)
