"""Our side: the pipeline of repair over all boards, and what became of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...logic.pipeline import OPTIMAL, Engine
from ...logic.sudoku import CELLS, VALUES, sudoku
from .board_streams import boards
from .rule_streams import keep
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of repairing `job["records"]` boards at once."""
    every = boards(job, int(job["records"]))
    engine = Engine(sudoku())
    nothing = np.zeros(every.costs.shape, np.bool_)
    decided = engine(nothing, every.costs)
    if not sudoku().holds(decided.values).all():
        raise AssertionError("a board breaks a rule")
    keep(job, job["name"], decided.costs)
    digits = decided.values.reshape(-1, CELLS, VALUES).argmax(2) + 1
    figures = {
        "right": (digits == every.solutions).all(1),
        # Argmax alone gives the board if every cell is read right: the puzzle has one solution only.
        "alone": (every.read == every.puzzles).all(1),
        "proven": decided.status == OPTIMAL,
        "accuracy": every.accuracy,
    }
    np.savez(f"{job['folder']}/became.npz", **figures)
    return lambda: engine(nothing, every.costs)


if __name__ == "__main__":
    serve(make)
