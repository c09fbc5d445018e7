"""One part of a rule set as the solver process takes it, and its answer about one record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..ports import I64
from .clauses import told
from .normal import Bools
from .parts import Part
from .solver import Solver

_KEPT = 64  # answers


@dataclass(frozen=True)
class Found:
    """What the solver says of one record: values of the part.

    Attributes:
        values: bool (k,), None where none are allowed or, unless `proven`, none were found in time.
        cost: what they cost, -1 without any.
        proven: whether nothing cheaper is allowed.
        bound: what any allowed values cost at least.
    """

    values: Bools | None
    cost: int
    proven: bool
    bound: int = 0


class Answers:
    """Allowed values of a part that were found before; they are allowed for any record with those facts."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._kept: tuple[Bools, ...] = ()  # put anew at once: threads may share it

    def keep(self, found: Found) -> None:
        """Keep the values of an answer, the last few of them."""
        if found.values is not None:
            self._kept = (*self._kept, found.values)[-_KEPT:]

    def nearest(self, values: Bools, costs: I64) -> Found:
        """Return the cheapest of them that goes with the facts of a record, without values where none does.

        Args:
            values: bool (all variables), what stands.
            costs: int64 (all variables).
        """
        here, given = values[self._part.variables], self._part.given
        paid = costs[self._part.variables]
        fitting = [v for v in self._kept if np.array_equal(v[:given], here[:given])]
        sums = [int(paid[v != here].sum()) for v in fitting]
        best = int(np.argmin(sums)) if sums else -1
        return Found(fitting[best], sums[best], proven=False) if sums else Found(None, -1, proven=False)


class Cheapest:
    """Asks for the cheapest allowed values of a part, record by record."""

    def __init__(self, part: Part) -> None:
        self._part = part

    @cached_property
    def _sent(self) -> tuple[str, dict[str, Any]]:
        return told(self._part.constraints, len(self._part.variables))

    def of(self, solver: Solver, values: Bools, costs: I64, seconds: float) -> Found:
        """Return the answer for one record.

        Args:
            solver: which process to ask.
            values: bool (all variables), what stands; a change of it costs.
            costs: int64 (all variables).
            seconds: after which the cheapest that was found is the answer; 0 for one that is found at once.

        Raises:
            SolverError: python-sat is not there.
        """
        here = self._part.variables
        said = np.where(values[here], 1, -1) * (np.arange(len(here)) + 1)
        given = self._part.given
        asked = {
            "facts": said[:given].tolist(),
            "soft": said[given:].tolist(),
            "costs": costs[here][given:].tolist(),
        }
        answer = solver.cheapest(*self._sent, asked, seconds)
        if answer is None:
            return Found(None, -1, proven=False)
        if answer["values"] is None:
            return Found(None, -1, answer["proven"])
        told = np.array(answer["values"], np.int64)[: len(here)] > 0
        # A model ends with the last variable that a clause or a cost speaks of; the others stay as they are.
        found = np.concatenate([told, values[here][len(told) :]])
        cost = int(costs[here][found != values[here]].sum())
        return Found(found, cost, answer["proven"], cost if answer["proven"] else answer["bound"])
