"""Exact repair of whole batches: the cheapest change of each record that keeps all rules of a normal form.

A record that breaks nothing passes at once. Each independent part (parts.py) that a record breaks is repaired
by the first of these that can: a small decision diagram (diagram.py) swept over the batch; for a puzzle that
hangs together too widely for one, implicit hitting sets (puzzle.py) with a budget of steps; branch and bound
with a budget of branchings; a larger diagram; python-sat's RC2 in the solver process, with a deadline. But
for that deadline, which one it is depends on the rules and the record, never on a clock: a record gets the
same answer in any batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..guard import Agreement
from ..kernels.least import FAR as _NEAR
from ..kernels.least import LANES
from ..kernels.repair import Checked, Rows, broken_parts, sweep
from ..kernels.repair_search import search_rows
from ..kernels.repair_state import Sums, room_for
from ..ports import I64
from .agreement import WITHIN, Again
from .cheapest import Cheapest
from .diagram import MOST_WIDE, Diagram, diagram_of
from .normal import Bools, NormalForm
from .ordering import widest_cut
from .parts import Part, parts_of
from .puzzle import Puzzle, puzzle_of
from .solver import Solver, shared_solver

Tool = Literal["diagram", "search", "puzzle", "rc2"]
U8 = npt.NDArray[np.uint8]

STATUS = ("allowed", "optimal", "feasible, not proven", "unknown", "none")
ALLOWED, OPTIMAL, FEASIBLE, UNKNOWN, NONE = range(5)
TOOLS = ("check", "diagram", "search", "puzzle", "rc2")
CHECK, DIAGRAM, SEARCH, PUZZLE, RC2 = range(5)

BRANCHINGS = 2_000  # of one part of one record: a millisecond or two, about what RC2 takes
STEPS = 100_000  # of a puzzle of one record: a second or two
WIDE = 64  # constraints open at a time beyond which a puzzle is not tried as a diagram
SMALL = 4_000  # nodes up to which a diagram is swept sooner than a record is searched
SWEPT = 1_500  # nodes of a larger one that are swept in the time of a branching
SECONDS = 5.0  # for one record in the solver process
_AWAY = 1 << 61  # more than any answer costs in 64 bits, as _NEAR in 32


@dataclass(frozen=True)
class Decided:
    """n repaired records.

    Attributes:
        values: bool (n, variables); where no answer is allowed or none was found, those given.
        costs: int64 (n,), what the changes cost; -1 where no answer is allowed or none was found.
        status: uint8 (n,), a place in STATUS.
        tool: uint8 (n,), a place in TOOLS: what gave the part with that status, the last resort of several.
    """

    values: Bools
    costs: I64
    status: U8
    tool: U8

    def words(self, record: int) -> tuple[str, str, str]:
        """Return the status of a record, the engine that gave it, and why that is so."""
        status, tool = int(self.status[record]), int(self.tool[record])
        return STATUS[status], TOOLS[tool], _WHY[status, tool]


_WHY = {
    (ALLOWED, CHECK): "it breaks no rule",
    (OPTIMAL, DIAGRAM): "the diagram holds every allowed answer; this is its cheapest",
    (OPTIMAL, SEARCH): "the search came to its end; nothing cheaper is allowed",
    (OPTIMAL, PUZZLE): "the cheapest reading that no core of values forbids can be completed",
    (OPTIMAL, RC2): "the search ran out of branchings; RC2 proved that nothing cheaper is allowed",
    (
        FEASIBLE,
        SEARCH,
    ): "the search ran out of branchings and RC2 out of time; something cheaper may be allowed",
    (
        FEASIBLE,
        PUZZLE,
    ): "the puzzle ran out of steps and RC2 out of time; something cheaper may be allowed",
    (FEASIBLE, RC2): "RC2 ran out of time; any allowed answer was taken, something cheaper may be allowed",
    (UNKNOWN, RC2): "the solver ran out of time; whether there is an allowed answer is not known",
    (NONE, CHECK): "the facts alone break a rule",
    (NONE, DIAGRAM): "the diagram holds no answer that goes with these facts",
    (NONE, SEARCH): "the search came to its end without an allowed answer",
    (NONE, PUZZLE): "no reading of the cells can be completed",
    (NONE, RC2): "the solver found no allowed answer",
}


class Engine:
    """Repairs batches of records under one set of rules.

    Args:
        form: the rules.
        only: repair by this alone, whatever it takes.
        branchings: budget of the search, for one part of one record.
        steps: budget of a puzzle, for one part of one record.
        widest: states of one layer that a diagram may have.
        seconds: for one record in the solver process.
        solver: which process to ask; the shared one if left out. It is started when it is first needed.
    """

    def __init__(
        self,
        form: NormalForm,
        *,
        only: Tool | None = None,
        branchings: int = BRANCHINGS,
        steps: int = STEPS,
        widest: int = MOST_WIDE,
        seconds: float = SECONDS,
        solver: Solver | None = None,
    ) -> None:
        self.form = form
        self._only = only
        self._branchings = branchings if only != "search" else np.iinfo(np.int64).max
        self._steps = steps
        self._solver, self._seconds = solver or shared_solver(), seconds
        wide = -1 if only == "puzzle" else WIDE
        self.parts = tuple(_Ready(part, widest, wide) for part in parts_of(form))

    def __call__(self, predicted: Bools, costs: I64) -> Decided:
        """Return the cheapest allowed change of each record; a record's does not depend on the others.

        Args:
            predicted: bool (n, variables), facts first.
            costs: int64 (n, variables), 0 or more: what it costs to decide a variable against `predicted`;
                those of facts are not looked at.

        Raises:
            ValueError: shapes do not fit, a cost is below 0, or they could add up beyond 2^60.
        """
        far = self._far(predicted, costs)
        values = predicted.copy()
        broken = self.broken(predicted)
        total = np.zeros(len(values), np.int64)
        # The worst status of a record's parts and the last resort that gave it, as one number.
        hardest = np.zeros(len(values), np.uint8)
        for i, part in enumerate(self.parts):
            rows = np.flatnonzero(broken[:, i])
            if len(rows):
                reached, found, by = self._repair(part, rows, _Batch(predicted, values, costs, far))
                total[rows] += reached
                hardest[rows] = np.maximum(hardest[rows], found * len(TOOLS) + by)
        status, tool = hardest // len(TOOLS), hardest % len(TOOLS)
        dead = np.flatnonzero(status >= UNKNOWN)
        if len(dead):
            values[dead], total[dead] = predicted[dead], -1
        return Decided(values, total, status, tool)

    def broken(self, values: Bools) -> Bools:
        """Return which parts each record breaks, bool (n, parts)."""
        out = np.empty((len(values), len(self.parts)), np.bool_)
        columns, planes = np.empty(values.shape[1], np.uint64), np.zeros(64, np.uint64)
        broken_parts(self._check, values, columns, planes, out)
        return out

    def agreement(
        self,
        predicted: Bools,
        costs: I64,
        decided: Decided,
        sample: int,
        seed: int = 0,
        within: float = WITHIN,
    ) -> Agreement:
        """Return how often RC2, asked for the whole of a record, finds the cost that `decided` says.

        Args:
            predicted: bool (n, variables), what was repaired.
            costs: int64 (n, variables), what changes cost.
            decided: what it was repaired to.
            sample: most records to solve once more, of those whose status says that nothing is cheaper.
            seed: chooses them.
            within: seconds for all of them; those that are left then count as not solved.

        Raises:
            SolverError: python-sat is not there.
        """
        sure = np.flatnonzero((decided.status != FEASIBLE) & (decided.status != UNKNOWN))
        rows = np.random.default_rng(seed).choice(sure, min(sample, len(sure)), replace=False)
        asked = Again(_whole(self.form), self._solver, self._seconds)
        return asked(predicted[rows], costs[rows], decided.costs[rows], within)

    # Inside

    @cached_property
    def _check(self) -> Checked:
        sizes = [len(p.part.constraints) for p in self.parts]
        packed = [p.part.packed for p in self.parts]
        ends = np.cumsum([0, *(int(o[-1]) for o, _, _, _ in packed)])
        offsets = [o[1:] + end for (o, _, _, _), end in zip(packed, ends, strict=False)]
        literals = [
            np.sign(x) * (p.part.variables[np.abs(x) - 1] + 1)
            for p, (_, x, _, _) in zip(self.parts, packed, strict=True)
        ]
        none: list[I64] = [np.empty(0, np.int64)]
        return Checked(
            np.cumsum([0, *sizes]).astype(np.int32),
            np.concatenate([[0], *offsets]).astype(np.int32),
            np.concatenate([*none, *literals]).astype(np.int32),
            np.concatenate([*none, *(w for _, _, w, _ in packed)]),
            np.concatenate([*none, *(b for _, _, _, b in packed)]),
        )

    def _far(self, predicted: Bools, costs: I64) -> int:
        """Check a batch; return a number above what any of its records can cost, _NEAR or _AWAY."""
        shape = (len(predicted), len(self.form.variables))
        if predicted.shape != shape or costs.shape != shape:
            raise ValueError(f"expected {shape} values and costs; got {predicted.shape} and {costs.shape}")
        if predicted.dtype != np.bool_ or costs.dtype != np.int64:
            raise ValueError(f"expected bool and int64; got {predicted.dtype} and {costs.dtype}")
        every = int(np.bitwise_or.reduce(costs, axis=None)) if costs.size else 0  # no cost is greater
        if every < 0 or every * shape[1] >= _AWAY >> 1:
            raise ValueError("costs must be 0 or more, and add up to less than 2^60")
        return _NEAR if every * shape[1] < _NEAR else _AWAY

    def _repair(self, part: _Ready, rows: I64, batch: _Batch) -> tuple[I64, U8, U8]:
        """Repair one part of the records `rows` in place; return cost, status and tool of each."""
        if part.part.given == len(part.part.variables):
            return np.zeros(len(rows), np.int64), np.full(len(rows), NONE, np.uint8), _all(rows, CHECK)
        if self._only == "diagram" or (self._only is None and part.small):
            return self._by_diagram(part, rows, batch)
        if self._only == "rc2":
            return self._by_rc2(part, rows, batch, _nothing(rows))
        if self._only == "puzzle" and not part.puzzle:
            raise ValueError("these rules are not those of a puzzle")
        if self._only != "search" and part.puzzle:
            reached, proven = part.puzzle.solve(rows, batch.values, batch.costs, self._steps)
            tool = _all(rows, PUZZLE)
        else:
            reached, proven = part.search(rows, batch.values, batch.costs, self._budget(part))
            tool = _all(rows, SEARCH)
        status = np.where(reached < 0, NONE, OPTIMAL).astype(np.uint8)
        left = np.flatnonzero(~proven)
        if len(left):
            known = _Known(reached[left], tool[left])
            reached[left], status[left], tool[left] = self._finish(part, rows[left], batch, known)
        return reached, status, tool

    def _budget(self, part: _Ready) -> int:
        """Return the branchings for a record: no longer than the sweep that would come after them takes."""
        if self._only is None and not part.puzzle and part.diagram:
            return min(self._branchings, len(part.diagram.nodes) // SWEPT)
        return self._branchings

    def _finish(self, part: _Ready, rows: I64, batch: _Batch, known: _Known) -> tuple[I64, U8, U8]:
        """Repair what was left unproven; `known` is what stands in the batch."""
        here = np.ix_(rows, part.part.variables)
        standing = batch.values[here]
        batch.values[here] = batch.predicted[here]  # costs are those of changing what was predicted
        if part.puzzle is None and part.diagram:
            return self._by_diagram(part, rows, batch)
        reached, status, tool = self._by_rc2(part, rows, batch, known)
        late = np.flatnonzero(tool != RC2)
        batch.values[np.ix_(rows[late], part.part.variables)] = standing[late]
        return reached, status, tool

    def _by_diagram(self, part: _Ready, rows: I64, batch: _Batch) -> tuple[I64, U8, U8]:
        reached = part.sweep(rows, batch.values, batch.costs, batch.far)
        return reached, np.where(reached < 0, NONE, OPTIMAL).astype(np.uint8), _all(rows, DIAGRAM)

    def _by_rc2(self, part: _Ready, rows: I64, batch: _Batch, known: _Known) -> tuple[I64, U8, U8]:
        """Ask the solver process, which is spared a second question where allowed values are known."""
        reached, status, tool = known.reached.copy(), _all(rows, FEASIBLE), _all(rows, RC2)
        for i, r in enumerate(rows):
            asked = batch.predicted[r], batch.costs[r], self._seconds
            answer = part.cheapest.of(self._solver, *asked, known=reached[i] >= 0)
            if answer is None:
                tool[i] = known.tool[i]
            elif answer.values is None:
                status[i], reached[i] = NONE if answer.proven else UNKNOWN, -1
            else:
                batch.values[r, part.part.variables] = answer.values
                reached[i], status[i] = answer.cost, OPTIMAL if answer.proven else FEASIBLE
        return reached, status, tool


class _Batch(NamedTuple):
    """What is being repaired: as it was predicted, as it stands, what changes cost, and a cost beyond any."""

    predicted: Bools
    values: Bools
    costs: I64
    far: int


class _Known(NamedTuple):
    """What allowed values cost that were found already, -1 where none were, and what found them."""

    reached: I64
    tool: U8


class _Ready:
    """A part with what the engines need of it, made when it is first needed."""

    def __init__(self, part: Part, widest: int, wide: int) -> None:
        self.part, self._widest, self._wide = part, widest, wide

    @cached_property
    def diagram(self) -> Diagram | None:
        return diagram_of(self.part, self._widest)

    @cached_property
    def puzzle(self) -> Puzzle | None:
        """The part as a puzzle, where it is one that no diagram should be tried for."""
        return puzzle_of(self.part) if widest_cut(self.part) > self._wide else None

    @property
    def small(self) -> bool:
        if self.puzzle:
            return False
        return self.diagram is not None and len(self.diagram.nodes) <= SMALL

    @cached_property
    def cheapest(self) -> Cheapest:
        return Cheapest(self.part)

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

    def sweep(self, rows: I64, values: Bools, costs: I64, far: int) -> I64:
        diagram = self.diagram
        if diagram is None:
            raise ValueError("there is no diagram this narrow")
        dtype = np.dtype(np.int32 if far == _NEAR else np.int64)
        sides = np.zeros((len(self.part.variables), 2, LANES), dtype)
        room = np.empty((len(diagram.nodes) + 2, LANES), dtype)
        reached = np.empty(len(rows), np.int64)
        batch = Rows(self.part.variables, self.part.given, costs, rows, values, reached)
        sweep(diagram.nodes, diagram.root, batch, far, sides, room)
        return reached

    def search(self, rows: I64, values: Bools, costs: I64, most: int) -> tuple[I64, Bools]:
        reached, proven = np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        room = room_for(len(self.part.variables), len(self.part.constraints))
        batch = Rows(self.part.variables, self.part.given, costs, rows, values, reached)
        search_rows(self._sums, room, batch, most, proven)
        return reached, proven


def _nothing(rows: I64) -> _Known:
    return _Known(np.full(len(rows), -1), _all(rows, RC2))


def _all(rows: I64, what: int) -> U8:
    return np.full(len(rows), what, np.uint8)


def _whole(form: NormalForm) -> Part:
    """Return all rules as one part over all variables."""
    every = np.arange(len(form.variables), dtype=np.int32)
    return Part(every, form.given, form.constraints, tuple(range(len(form.constraints))))
