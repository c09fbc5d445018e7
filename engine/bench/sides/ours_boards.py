"""Our side: the pipeline of repair over all boards, and what became of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...logic.pipeline import OPTIMAL, Engine
from ...logic.proper import Proper, Reading, read_as
from ...logic.sudoku import CELLS, VALUES, sudoku
from ...ports import I64
from .board_streams import boards
from .rule_streams import keep
from .serving import Work, serve

_SECONDS = 5.0  # for one board to find a reading with one solution


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
    single = digits.copy()
    if job["reader"] == "model":
        _make_single(engine, every.readings, single, decided.costs)
    figures = {
        "right": (digits == every.solutions).all(1),
        "single": (single == every.solutions).all(1),
        # Argmax alone gives the board if every cell is read right: the puzzle has one solution only.
        "alone": (every.read == every.puzzles).all(1),
        "proven": decided.status == OPTIMAL,
        "accuracy": every.accuracy,
    }
    np.savez(f"{job['folder']}/became.npz", **figures)
    return lambda: engine(nothing, every.costs)


def _make_single(engine: Engine, readings: I64, boards: I64, paid: I64) -> None:
    """Take the cheapest reading with one solution where the cheapest of all leaves several."""
    proper = Proper(engine)
    read = np.stack([read_as(costs, board) for costs, board in zip(readings, boards, strict=True)])
    for i in np.flatnonzero(~proper.single(read)):
        first = Reading(read[i], boards[i], int(paid[i]), sure=True)
        boards[i] = proper.of(readings[i], first, _SECONDS).solution


if __name__ == "__main__":
    serve(make)
