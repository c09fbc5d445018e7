"""Records solved once more by RC2, as a whole: whether it finds what the answers are said to cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..ports import I64
from .cheapest import Cheapest
from .normal import Bools
from .parts import Part
from .solver import Solver

WITHIN = 20.0  # seconds for all records that are solved once more


@dataclass(frozen=True)
class Agreement:
    """A sample of records solved once more by RC2.

    Attributes:
        sampled: how many records, of those whose answers claim to be the cheapest.
        solved: of how many RC2 gave an answer in time.
        agreed: of how many of these it cost the same, or neither found any.
        seconds: how long RC2 took.
    """

    sampled: int
    solved: int
    agreed: int
    seconds: float = 0.0

    def figures(self) -> dict[str, float]:
        """Return it for JSON."""
        return {
            "records": self.sampled,
            "solved": self.solved,
            "agreed": self.agreed,
            "seconds": self.seconds,
        }

    def words(self) -> str:
        """Return it in a sentence."""
        count = "1 record" if self.solved == 1 else f"{self.solved:,} records"
        words = f"RC2 agrees on {self.agreed:,} of {count} that it solved once more"
        late = f"{self.solved:,} of {self.sampled:,} checked in {self.seconds:.3g} s"
        return f"{words} ({late})." if self.solved < self.sampled else f"{words}."


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
            found = self._cheapest.of(self._solver, values, paid, left, known=True)
            if found is not None:
                solved += 1
                agreed += found.cost == cost
        return Agreement(len(told), solved, agreed, time.monotonic() - began)
