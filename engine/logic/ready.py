"""A part of a rule set with what the engines need of it."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..kernels.least import FAR, LANES
from ..kernels.repair import Rows, sweep
from ..kernels.repair_search import search_rows
from ..kernels.repair_state import Sums, room_for
from ..ports import I64
from .cheapest import Answers, Cheapest
from .diagram import Diagram, diagram_of
from .normal import Bools
from .ordering import widest_cut
from .parts import Part
from .puzzle import Puzzle, puzzle_of

_LITERALS = 40_000  # of the constraints, times records, that are searched in one call of a kernel
SMALL = 4_000  # nodes up to which a diagram is swept sooner than a record is searched


class Ready:
    """A part with what the engines need of it, made when it is first needed.

    Args:
        part: the part.
        widest: states of one layer that a diagram may have.
        wide: constraints open at a time beyond which a puzzle is not tried as a diagram.
    """

    def __init__(self, part: Part, widest: int, wide: int) -> None:
        self.part, self._widest, self._wide = part, widest, wide

    @cached_property
    def diagram(self) -> Diagram | None:
        """The part as a diagram, where it has one that is narrow enough."""
        return diagram_of(self.part, self._widest)

    @cached_property
    def puzzle(self) -> Puzzle | None:
        """The part as a puzzle, where it is one that no diagram should be tried for."""
        return puzzle_of(self.part) if widest_cut(self.part) > self._wide else None

    @property
    def small(self) -> bool:
        """Whether there is a diagram that is swept sooner than a record is searched."""
        if self.puzzle:
            return False
        return self.diagram is not None and len(self.diagram.nodes) <= SMALL

    @cached_property
    def cheapest(self) -> Cheapest:
        """What asks the solver process about it."""
        return Cheapest(self.part)

    @cached_property
    def answers(self) -> Answers:
        """Answers that the solver process gave, for records that there is no time to ask about."""
        return Answers(self.part)

    @cached_property
    def _sums(self) -> Sums:
        offsets, literals, weights, bounds = self.part.packed
        order = np.argsort(np.abs(literals), kind="stable")
        owner = np.repeat(np.arange(len(bounds)), np.diff(offsets))
        counts = np.bincount(np.abs(literals) - 1, minlength=len(self.part.variables))
        heaviest = [max(c.weights, default=1) for c in self.part.constraints]
        totals, unset = np.zeros((2, len(bounds)), np.int64)
        np.add.at(totals, owner, weights)
        np.add.at(unset, owner, weights * (literals < 0))
        return Sums(
            offsets,
            literals,
            weights,
            bounds,
            np.array(heaviest, np.int64),
            totals,
            unset,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            owner[order].astype(np.int32),
            (np.sign(literals) * weights)[order],
        )

    def block(self, most: int) -> int:
        """Return how many records are searched in one call: fewer, down to one, where each takes longer."""
        return max(min(most, _LITERALS // max(len(self.part.packed[1]), 1)), 1)

    def sweep(self, rows: I64, values: Bools, costs: I64, far: int) -> I64:
        """Repair `rows` in place by the diagram; return what each costs, -1 where no values are allowed.

        Raises:
            ValueError: there is no diagram.
        """
        diagram = self.diagram
        if diagram is None:
            raise ValueError("there is no diagram this narrow")
        dtype = np.dtype(np.int32 if far == FAR else np.int64)
        sides = np.zeros((len(self.part.variables), 2, LANES), dtype)
        room = np.empty((len(diagram.nodes) + 2, LANES), dtype)
        reached = np.empty(len(rows), np.int64)
        batch = Rows(self.part.variables, self.part.given, costs, rows, values, reached)
        sweep(diagram.nodes, diagram.root, batch, far, sides, room)
        return reached

    def search(self, rows: I64, values: Bools, costs: I64, most: int) -> tuple[I64, Bools]:
        """Repair `rows` in place with so many branchings for each.

        Returns:
            what each costs, int64, -1 where nothing was found; and bool, whether that is sure.
        """
        reached, proven = np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        room = room_for(len(self.part.variables), len(self.part.constraints))
        batch = Rows(self.part.variables, self.part.given, costs, rows, values, reached)
        search_rows(self._sums, room, batch, most, proven)
        return reached, proven
