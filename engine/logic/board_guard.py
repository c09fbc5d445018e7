"""The board guard: the images of a Sudoku are read together, so that every board obeys the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..allowance import allowed, batch_seconds
from ..fields import flag, real, text
from ..guard import Showing
from ..node import Family, Node, Predictor, ShapeError, Specs, wired
from ..ports import F32, F64, I64, Array, Arrays, Column, Port, Spec
from .board_showing import BoardShowing
from .boards import UNITS, Classes, cells_of, costs_of, solved, twice
from .pipeline import SECONDS, STATUS, TOOLS
from .sudoku import VALUES

BOARD, CELL = "board", "cell"


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
        batch_seconds: how long hard boards of one batch may take together; see the constraint guard.
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
        Port("solution", ("facts",), "The digit of the whole board, how sure it is, and the engine"),
    )
    corrects: ClassVar[str] = "scores"
    together: ClassVar[bool] = True

    blank: str = text("0", "The class of a cell without a clue; left empty, every cell shows its digit")
    single: bool = flag(True, "Take no reading of a board that leaves several solutions")
    seconds: float = real(SECONDS, 0.1, 3600.0, "For one board in the solver process", unit="s")
    batch_seconds: float = batch_seconds()

    def specs(self, *inputs: Spec | None) -> Specs:
        (scores,) = wired(inputs[:1])
        if len(scores.shape) != 1:
            words = f"Scores must be one row of classes; got {scores.words()}."
            raise ShapeError(words, port="scores")
        if _places(inputs[1]):
            self._classes(scores, inputs[2])
        flags = Spec("facts", (len(UNITS),), columns=tuple(map(Column, UNITS)))
        solution = (Column("digit"), Column("status", STATUS), Column("engine", TOOLS))
        names = scores.classes or (inputs[2].classes if inputs[2] else ())
        out = Spec("scores", scores.shape, classes=names, several=False)
        return out, flags, flags, Spec("facts", (len(solution),), columns=solution)

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
            out, solution = scores.copy(), np.full((n, 3), np.nan)
            broken, left = np.zeros((n, len(UNITS))), np.zeros((n, len(UNITS)))
            if classes is None or places is None or facts is None:
                return out, broken, left, solution
            cells = cells_of(facts[:, places[0]], facts[:, places[1]])
            if len(cells.rows):
                costs = costs_of(scores[cells.rows], cells, classes)
                with allowed(predict, self.batch_seconds):
                    done = solved(costs, self.seconds, single=self.single)
                digits = done.boards[cells.boards, cells.places] - 1
                keep = np.zeros((len(cells.rows), scores.shape[1]), np.bool_)
                keep[np.arange(len(keep)), classes.digits[digits]] = True
                keep[np.ix_(done.cells[cells.boards, cells.places] == 0, classes.blank)] = True
                out[cells.rows] = np.where(keep, out[cells.rows], np.float32(-np.inf))
                broken[cells.rows] = twice(cells, classes.read(scores[cells.rows]))
                left[cells.rows] = twice(cells, classes.read(out[cells.rows]))
                told = (digits + 1, done.status[cells.boards], done.tool[cells.boards])
                solution[cells.rows] = np.stack(told, axis=1)
            return out, broken, left, solution

        return predict

    def showing(self, *inputs: Spec | None) -> Showing | None:
        places = _places(inputs[1])
        if places is None:
            return None
        classes = self._classes(wired(inputs[:1])[0], inputs[2])
        return BoardShowing(classes, places, self.seconds, single=self.single)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Puzzle", "Sudoku, 9 × 9"), ("Blank", self.blank or "none"))

    # Inside

    def _classes(self, scores: Spec, labels: Spec | None) -> Classes:
        names = scores.classes or (labels.classes if labels else ())
        names = names or tuple(str(i) for i in range(scores.elements))
        wanted = [str(d) for d in range(1, VALUES + 1)]
        missing = [name for name in (*wanted, *([self.blank] if self.blank else [])) if name not in names]
        if missing:
            words = f"There is no class {missing[0]!r} among the scores."
            do = "The cells of a board are the digits 1 to 9, and the class of a blank one."
            raise ShapeError(words, do=do, port="scores")
        blank = [names.index(self.blank)] if self.blank else []
        return Classes(np.array([names.index(d) for d in wanted]), np.array(blank, np.int64))


def _places(facts: Spec | None) -> tuple[int, int] | None:
    """Return where the columns of board and cell are, or None where they are not."""
    names = [column.name for column in facts.columns] if facts else []
    return (names.index(BOARD), names.index(CELL)) if BOARD in names and CELL in names else None
