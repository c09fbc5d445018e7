"""The board guard: the images of a Sudoku are read together, so that every board obeys the rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np

from ..errors import RuleError
from ..fields import flag, real, text
from ..node import Family, Node, Predictor, ShapeError, Specs, wired
from ..ports import F32, F64, I64, U8, Array, Arrays, Column, Port, Spec
from .normal import Bools
from .pipeline import ALLOWED, FEASIBLE, OPTIMAL, SECONDS, STATUS, Engine
from .proper import NEVER, Proper, Reading, read_as
from .sudoku import BOX, CELLS, SIDE, VALUES, sudoku

BOARD, CELL = "board", "cell"
UNITS = ("row", "column", "box")
_SCALE = 10_000  # costs are ten-thousandths of a nat
_MOST = 40.0  # nats that one cell can cost


@dataclass(frozen=True)
class BoardGuard(Node):
    """Gives all but the readings of the most probable whole board the score -inf, board by board.

    A board is the records with one number in the column `board`; the column `cell` says where each stands, 0
    to 80, row by row. An answer is a full board in which every digit stands once in each row, column and box;
    a cell costs the less of its digit and of being blank, in logits below the cell's highest: with
    independent cells the cheapest is the most probable reading that some full board goes with. It is found
    exactly (logic/puzzle.py), or marked. Where `single` is set, a reading that leaves several solutions is
    none: the cheapest with one only is taken (logic/proper.py). What stays allowed of a cell is its digit,
    and blank where it is read so. Records without a board pass as they are, and cells without a record are
    open. Blank cells are read like the others.

    Attributes:
        blank: the class of a cell without a clue; empty: every cell has a digit.
        single: whether a puzzle must have one solution only.
        seconds: how long the last resort may take for one board, and the look for a single solution.
    """

    kind: ClassVar[str] = "logic.boards"
    title: ClassVar[str] = "Board guard"
    family: ClassVar[Family] = "logic"
    icon: ClassVar[str] = "ph.puzzle-piece"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = (
        "Reads the 81 cells of a Sudoku together: the likeliest board that obeys the rules"
    )
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("scores",), "The scores of each cell"),
        Port("facts", ("facts",), "The columns board and cell", required=False),
        Port("labels", ("labels",), "Names the classes where the scores do not", required=False),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("scores", ("scores",), "The scores, -inf but for the reading and the digit"),
        Port("broken", ("facts",), "1 where the cell's raw digit stands twice in its row, column, box"),
        Port("left", ("facts",), "The same of the guarded digits"),
        Port("solution", ("facts",), "The digit of the whole board, and how sure it is"),
    )
    corrects: ClassVar[str] = "scores"
    together: ClassVar[bool] = True

    blank: str = text("0", "The class of a cell without a clue; left empty, every cell shows its digit")
    single: bool = flag(True, "Take no reading of a board that leaves several solutions")
    seconds: float = real(SECONDS, 0.1, 3600.0, "For one board in the solver process", unit="s")

    def specs(self, *inputs: Spec | None) -> Specs:
        (scores,) = wired(inputs[:1])
        if len(scores.shape) != 1:
            words = f"Scores must be one row of classes; got {scores.words()}."
            raise ShapeError(words, port="scores")
        if _places(inputs[1]):
            self._classes(scores, inputs[2])
        flags = Spec("facts", (len(UNITS),), columns=tuple(map(Column, UNITS)))
        solution = (Column("digit"), Column("status", STATUS))
        names = scores.classes or (inputs[2].classes if inputs[2] else ())
        out = Spec("scores", scores.shape, classes=names, several=False)
        return out, flags, flags, Spec("facts", (2,), columns=solution)

    def warnings(self, *inputs: Spec | None) -> tuple[str, ...]:
        if _places(inputs[1]):
            return ()
        return (f"No facts with the columns {BOARD} and {CELL} are wired: scores pass as they are.",)

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (scores_spec,) = wired(inputs[:1])
        places = _places(inputs[1])
        classes = self._classes(scores_spec, inputs[2]) if places else None

        def predict(scores: F32, facts: F64 | None, labels: I64 | None) -> tuple[Array, ...]:
            n = len(scores)
            out, solution = scores.copy(), np.full((n, 2), np.nan)
            broken, left = np.zeros((n, len(UNITS))), np.zeros((n, len(UNITS)))
            if classes is None or places is None or facts is None:
                return out, broken, left, solution
            cells = _cells(facts[:, places[0]], facts[:, places[1]])
            if len(cells.rows):
                read, boards, status = self._repair(scores, cells, classes)
                digits = boards[cells.boards, cells.places] - 1
                keep = np.zeros((len(cells.rows), scores.shape[1]), np.bool_)
                keep[np.arange(len(keep)), classes.digits[digits]] = True
                keep[np.ix_(read[cells.boards, cells.places] == 0, classes.blank)] = True
                out[cells.rows] = np.where(keep, out[cells.rows], np.float32(-np.inf))
                broken[cells.rows] = _twice(cells, classes.read(scores[cells.rows]))
                left[cells.rows] = _twice(cells, classes.read(out[cells.rows]))
                solution[cells.rows, 0], solution[cells.rows, 1] = digits + 1, status[cells.boards]
            return out, broken, left, solution

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Puzzle", "Sudoku, 9 × 9"), ("Blank", self.blank or "none"))

    # Inside

    def _classes(self, scores: Spec, labels: Spec | None) -> _Classes:
        names = scores.classes or (labels.classes if labels else ())
        names = names or tuple(str(i) for i in range(scores.elements))
        wanted = [str(d) for d in range(1, VALUES + 1)]
        missing = [name for name in (*wanted, *([self.blank] if self.blank else [])) if name not in names]
        if missing:
            words = f"There is no class {missing[0]!r} among the scores."
            do = "The cells of a board are the digits 1 to 9, and the class of a blank one."
            raise ShapeError(words, do=do, port="scores")
        blank = [names.index(self.blank)] if self.blank else []
        return _Classes(np.array([names.index(d) for d in wanted]), np.array(blank, np.int64))

    def _repair(self, scores: F32, cells: _Cells, classes: _Classes) -> tuple[I64, I64, U8]:
        """Return readings and full boards, digits int64 (boards, 81) each, and their status."""
        costs = _costs(scores[cells.rows], cells, classes)
        digits = np.minimum(costs[:, :, 1:], costs[:, :, :1])
        # Nothing is predicted, so that a board costs what its digits do.
        nothing = np.zeros((cells.size, CELLS * VALUES), np.bool_)
        decided = _engine(self.seconds)(nothing, digits.reshape(nothing.shape))
        boards = decided.values.reshape(-1, CELLS, VALUES).argmax(2) + 1
        status, paid = decided.status.copy(), decided.costs.copy()
        proper = Proper(_engine(self.seconds))
        read = np.stack([read_as(c, b) for c, b in zip(costs, boards, strict=True)])
        for i in np.flatnonzero(~proper.single(read)) if self.single else ():
            first = Reading(read[i], boards[i], int(paid[i]), sure=True)
            found = proper.of(costs[i], first, self.seconds)
            read[i], boards[i], paid[i] = found.cells, found.solution, found.cost
            status[i] = max(int(status[i]), OPTIMAL if found.sure else FEASIBLE)
        status[(paid == 0) & (status == OPTIMAL)] = ALLOWED
        return read, boards, status


def _costs(read: F32, cells: _Cells, classes: _Classes) -> I64:
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


class _Classes(NamedTuple):
    """Where digits 1 to 9 stand among the classes, int64 (9,), and blank, int64 (1,) or (0,)."""

    digits: I64
    blank: I64

    def read(self, scores: F32) -> I64:
        """Return the digits read, 1 to 9, or 0 where it is none."""
        found = scores.argmax(1)[:, None] == self.digits
        return np.where(found.any(1), found.argmax(1) + 1, 0)


class _Cells(NamedTuple):
    """Records that are cells of boards: which rows, on which of `size` boards, in which place."""

    rows: I64
    boards: I64
    places: I64
    size: int


def _cells(board: F64, cell: F64) -> _Cells:
    rows = np.flatnonzero(np.isfinite(board) & np.isfinite(cell))
    wrong = rows[(cell[rows] != np.floor(cell[rows])) | (cell[rows] < 0) | (cell[rows] >= CELLS)]
    if len(wrong):
        words = f"The column {CELL} must be a whole number from 0 to {CELLS - 1}; got {cell[wrong[0]]:g}."
        raise RuleError(words, where=f"record {wrong[0] + 1}")
    numbers, boards = np.unique(board[rows], return_inverse=True)
    return _Cells(rows, boards.astype(np.int64), cell[rows].astype(np.int64), len(numbers))


def _twice(cells: _Cells, digits: I64) -> Bools:
    """Return whether each cell's digit stands twice in its row, column and box, bool (cells, 3)."""
    row, column = np.divmod(cells.places, SIDE)
    out = np.zeros((len(digits), len(UNITS)), np.bool_)
    for i, unit in enumerate((row, column, row // BOX * BOX + column // BOX)):
        counts = np.zeros((cells.size, SIDE, VALUES + 1), np.int64)
        np.add.at(counts, (cells.boards, unit, digits), 1)
        out[:, i] = (digits > 0) & (counts[cells.boards, unit, digits] > 1)
    return out


def _places(facts: Spec | None) -> tuple[int, int] | None:
    """Return where the columns of board and cell are, or None where they are not."""
    names = [column.name for column in facts.columns] if facts else []
    return (names.index(BOARD), names.index(CELL)) if BOARD in names and CELL in names else None


@lru_cache(maxsize=4)
def _engine(seconds: float) -> Engine:
    return Engine(sudoku(), seconds=seconds)
