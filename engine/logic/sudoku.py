"""The rules of Sudoku as a normal form, and puzzles with one solution, drawn by seed."""

from __future__ import annotations

import numpy as np

from ..ports import I64
from .normal import AtLeast, Bools, NormalForm
from .parts import parts_of
from .puzzle import Puzzle, puzzle_of

SIDE, BOX = 9, 3
CELLS, VALUES = SIDE * SIDE, SIDE


def sudoku() -> NormalForm:
    """Return the rules over 729 variables, `r1c1=1` first: cell by cell, digit by digit.

    Each digit stands once in every row, column and box; each cell holds one digit.
    """
    place = np.arange(CELLS * VALUES).reshape(SIDE, SIDE, VALUES) + 1
    boxes = place.reshape(BOX, BOX, BOX, BOX, VALUES).transpose(0, 2, 1, 3, 4).reshape(SIDE, SIDE, VALUES)
    groups = [
        ("cell", place.reshape(CELLS, VALUES)),
        ("row", place.transpose(0, 2, 1).reshape(CELLS, SIDE)),
        ("column", place.transpose(1, 2, 0).reshape(CELLS, SIDE)),
        ("box", boxes.transpose(0, 2, 1).reshape(CELLS, SIDE)),
    ]
    constraints = []
    for rule, (_, members) in enumerate(groups):
        for row in members.tolist():
            constraints.append(AtLeast(tuple(row), 1, (), rule))
            constraints.append(AtLeast(tuple(-v for v in row), SIDE - 1, (), rule))
    names = tuple(
        f"r{r}c{c}={d}" for r in range(1, SIDE + 1) for c in range(1, SIDE + 1) for d in range(1, VALUES + 1)
    )
    rules = tuple(
        f"one digit a {name}" if name == "cell" else f"every digit in a {name}" for name, _ in groups
    )
    nothing = np.zeros(len(names), np.int64)
    return NormalForm(names, 0, tuple(constraints), rules, nothing.astype(np.bool_), nothing)


def drawn(count: int, clues: int, seed: int) -> tuple[I64, I64]:
    """Return puzzles with exactly one solution each, drawn by seed.

    A clue is taken away as long as the solution stays the only one, down to `clues` of them; a draw that is
    stuck at more is dropped.

    Args:
        count: how many puzzles.
        clues: clues of each, 20 at least: fewer are too rare to be drawn.
        seed: where the draw starts.

    Returns:
        puzzles and their solutions, int64 (count, 81): digits 1 to 9, 0 where a puzzle has no clue.
    """
    rng = np.random.default_rng(seed)
    puzzle = puzzle_of(parts_of(sudoku())[0])
    if puzzle is None or not 20 <= clues <= CELLS:
        raise ValueError(f"clues are 20 to {CELLS}; got {clues}")
    found: list[tuple[I64, I64]] = []
    while len(found) < count:
        solution = _solution(puzzle, rng)
        given = _thinned(puzzle, solution, clues, rng)
        if (given > 0).sum() == clues:
            found.append((given, solution))
    return np.stack([g for g, _ in found]), np.stack([s for _, s in found])


def _solution(puzzle: Puzzle, rng: np.random.Generator) -> I64:
    """Return a full board, (81,), from boxes that do not touch, filled and then moved about at random."""
    allowed = np.ones((SIDE, SIDE, VALUES), np.bool_)
    for box in range(BOX):
        at = slice(BOX * box, BOX * box + BOX)
        allowed[at, at] = np.eye(VALUES, dtype=np.bool_)[rng.permutation(VALUES)].reshape(BOX, BOX, VALUES)
    values, _, _ = puzzle.completed(allowed.reshape(1, -1), 1 << 40)
    board = values.reshape(SIDE, SIDE, VALUES).argmax(2) + 1
    for _ in range(2):
        lines = [BOX * band + line for band in rng.permutation(BOX) for line in rng.permutation(BOX)]
        board = board[lines].T
    return np.asarray(board[:: int(rng.choice([-1, 1]))].reshape(CELLS), np.int64)


def _thinned(puzzle: Puzzle, solution: I64, clues: int, rng: np.random.Generator) -> I64:
    given = solution.copy()
    for cell in rng.permutation(CELLS):
        if (given > 0).sum() == clues:
            break
        allowed = allowed_by(given[None])[0].reshape(CELLS, VALUES)
        allowed[cell] = np.arange(1, VALUES + 1) != solution[cell]  # would any other digit do here
        if not puzzle.completed(allowed.reshape(1, -1), 1 << 40)[1][0]:
            given[cell] = 0
    return given


def allowed_by(given: I64) -> Bools:
    """Return which values the clues allow, bool (n, 729), of puzzles, int64 (n, 81), 0 for no clue."""
    same = given[:, :, None] == np.arange(1, VALUES + 1)
    allowed: Bools = (same | (given[:, :, None] == 0)).reshape(len(given), -1)
    return allowed
