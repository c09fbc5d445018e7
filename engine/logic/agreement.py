"""Records solved once more by RC2, as a whole: whether it finds what the answers are said to cost."""

from __future__ import annotations

import time

from ..guard import Agreement
from ..ports import I64
from .cheapest import Cheapest
from .normal import Bools
from .parts import Part
from .solver import Solver

WITHIN = 20.0  # seconds for all records that are solved once more


class Again:
    """Asks RC2 about whole records.

    Args:
        whole: all rules as one part.
        solver: which process to ask.
        seconds: for one record.
    """

    def __init__(self, whole: Part, solver: Solver, seconds: float) -> None:
        self._cheapest, self._solver, self._seconds = Cheapest(whole), solver, seconds

    def __call__(self, predicted: Bools, costs: I64, told: I64, within: float) -> Agreement:
        """Return on how many of n records RC2 agrees.

        Args:
            predicted: bool (n, variables).
            costs: int64 (n, variables), what it costs to decide a variable against `predicted`.
            told: int64 (n,), what the answers are said to cost, -1 for no answer.
            within: seconds for all; the records that are left then count as not solved.

        Raises:
            SolverError: python-sat is not there.
        """
        solved, agreed, began = 0, 0, time.monotonic()
        for values, paid, cost in zip(predicted, costs, told.tolist(), strict=True):
            left = min(self._seconds, within - (time.monotonic() - began))
            if left <= 0:
                break
            found = self._cheapest.of(self._solver, values, paid, left)
            if found.proven:
                solved += 1
                agreed += found.cost == cost
        return Agreement(len(told), solved, agreed, time.monotonic() - began)
