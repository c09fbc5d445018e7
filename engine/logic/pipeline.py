"""Exact repair of whole batches: the cheapest change of each record that keeps all rules of a normal form.

A record that breaks nothing passes at once. Each independent part (parts.py) that a record breaks is repaired
by the first of these that can: a small decision diagram (diagram.py) swept over the batch; for a puzzle that
hangs together too widely for one, implicit hitting sets (puzzle.py) with a budget of steps; branch and bound
with a budget of branchings; a larger diagram; python-sat's RC2 in the solver process, with a deadline. But
for that deadline, and the allowance for all hard records of a batch (allowance.py), which one it is depends
on the rules and the record, never on a clock: a record gets the same answer in any batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..allowance import Allowance, current
from ..guard import Agreement
from ..kernels.least import FAR as _NEAR
from ..kernels.repair import Checked, broken_parts
from ..ports import I64
from .agreement import WITHIN, Again
from .diagram import MOST_WIDE
from .normal import Bools, NormalForm
from .parts import Part, parts_of
from .ready import Ready
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
SWEPT = 1_500  # nodes of a larger one that are swept in the time of a branching
SECONDS = 5.0  # for one record in the solver process
_RECORDS, _BOARDS = 256, 32  # searched in one call of a kernel, which no signal can interrupt
_EASY = 0.002  # seconds of a search or a puzzle that nobody minds, for one record
_HASTE = 50  # times fewer steps of these for a record, where the allowance is used up
_AWAY = 1 << 61  # more than any answer costs in 64 bits, as _NEAR in 32


@dataclass(frozen=True)
class Decided:
    """n repaired records.

    Attributes:
        values: bool (n, variables); where no answer is allowed or none was found, those given.
        costs: int64 (n,), what the changes cost; -1 where no answer is allowed or none was found.
        bounds: int64 (n,), what any allowed answer costs at least; `costs` where that is proven.
        status: uint8 (n,), a place in STATUS.
        tool: uint8 (n,), a place in TOOLS: what gave the part with that status, the last resort of several.
    """

    values: Bools
    costs: I64
    bounds: I64
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
    (FEASIBLE, RC2): "RC2 ran out of time; this is the cheapest that was found, not proven the cheapest",
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
        self.parts = tuple(Ready(part, widest, wide) for part in parts_of(form))

    def __call__(self, predicted: Bools, costs: I64, within: float = inf) -> Decided:
        """Return the cheapest allowed change of each record; a record's does not depend on the others.

        Args:
            predicted: bool (n, variables), facts first.
            costs: int64 (n, variables), 0 or more: what it costs to decide a variable against `predicted`;
                those of facts are not looked at.
            within: seconds for hard records, all together; those that are left then get what is found at
                once (allowance.py). Less where a guard's own allowance is.

        Raises:
            ValueError: shapes do not fit, a cost is below 0, or they could add up beyond 2^60.
        """
        far = self._far(predicted, costs)
        values = predicted.copy()
        broken = self.broken(predicted)
        total, bounds = np.zeros((2, len(values)), np.int64)
        allowance = current() if within == inf else Allowance(within)
        batch = _Batch(predicted, values, costs, far, allowance)
        # The worst status of a record's parts and the last resort that gave it, as one number.
        hardest = np.zeros(len(values), np.uint8)
        for i, part in enumerate(self.parts):
            rows = np.flatnonzero(broken[:, i])
            if len(rows):
                reached, least, found, by = self._repair(part, rows, batch)
                total[rows] += reached
                bounds[rows] += least
                hardest[rows] = np.maximum(hardest[rows], found * len(TOOLS) + by)
        status, tool = hardest // len(TOOLS), hardest % len(TOOLS)
        dead = np.flatnonzero(status >= UNKNOWN)
        if len(dead):
            values[dead], total[dead] = predicted[dead], -1
            bounds[status == NONE] = -1
        return Decided(values, total, bounds, status, tool)

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

    def _repair(self, part: Ready, rows: I64, batch: _Batch) -> _Repaired:
        """Repair one part of the records `rows` in place."""
        if part.part.given == len(part.part.variables):
            return _sure(np.full(len(rows), -1), CHECK)
        if self._only == "diagram" or (self._only is None and part.small):
            return self._by_diagram(part, rows, batch)
        if self._only == "rc2":
            return self._by_rc2(part, rows, batch, np.full(len(rows), -1), RC2)
        if self._only == "puzzle" and not part.puzzle:
            raise ValueError("these rules are not those of a puzzle")
        if self._only != "search" and part.puzzle:
            tool, most, by, block = PUZZLE, self._steps, part.puzzle.solve, _BOARDS
        else:
            tool, most, by, block = SEARCH, self._budget(part), part.search, part.block(_RECORDS)
        reached, proven = np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        for at in range(0, len(rows), block):
            some = slice(at, at + block)
            few = max(most // _HASTE, 1) if batch.allowance.over else most
            with batch.allowance.spent(free=len(rows[some]) * _EASY):
                reached[some], proven[some] = by(rows[some], batch.values, batch.costs, few)
        done = _sure(reached, tool)
        left = np.flatnonzero(~proven)
        if len(left):
            finished = self._finish(part, rows[left], batch, reached[left], tool)
            for i in range(len(done)):
                done[i][left] = finished[i]
        return done

    def _budget(self, part: Ready) -> int:
        """Return the branchings for a record: no longer than the sweep that would come after them takes."""
        if self._only is None and not part.puzzle and part.diagram:
            return min(self._branchings, len(part.diagram.nodes) // SWEPT)
        return self._branchings

    def _finish(self, part: Ready, rows: I64, batch: _Batch, known: I64, tool: int) -> _Repaired:
        """Repair what was left unproven; what stands in the batch costs `known`, -1 if it is not allowed."""
        here = np.ix_(rows, part.part.variables)
        standing = batch.values[here]
        batch.values[here] = batch.predicted[here]  # costs are those of changing what was predicted
        if part.puzzle is None and part.diagram:
            return self._by_diagram(part, rows, batch)
        done = self._by_rc2(part, rows, batch, known, tool)
        late = np.flatnonzero(done.tool != RC2)
        batch.values[np.ix_(rows[late], part.part.variables)] = standing[late]
        return done

    def _by_diagram(self, part: Ready, rows: I64, batch: _Batch) -> _Repaired:
        return _sure(part.sweep(rows, batch.values, batch.costs, batch.far), DIAGRAM)

    def _by_rc2(self, part: Ready, rows: I64, batch: _Batch, known: I64, tool: int) -> _Repaired:
        """Ask the solver process; what was found before, at the cost `known`, stands unless it is dearer."""
        done = _sure(known.copy(), tool)
        for i, r in enumerate(rows):
            if batch.allowance.over and (known[i] >= 0 or batch.allowance.overdrawn):
                answer = part.answers.nearest(batch.predicted[r], batch.costs[r])
            else:
                seconds = min(self._seconds, max(batch.allowance.left, 0.0))
                with batch.allowance.spent(at_once=True):
                    answer = part.cheapest.of(self._solver, batch.predicted[r], batch.costs[r], seconds)
                part.answers.keep(answer)
            done.least[i] = answer.bound
            done.status[i] = OPTIMAL if answer.proven else FEASIBLE
            if answer.values is not None and (answer.proven or not 0 <= known[i] <= answer.cost):
                batch.values[r, part.part.variables] = answer.values
                done.reached[i], done.tool[i] = answer.cost, RC2
            elif known[i] < 0:
                done.status[i], done.tool[i] = NONE if answer.proven else UNKNOWN, RC2
        return done


class _Repaired(NamedTuple):
    """What became of one part of some records.

    Attributes:
        reached: int64, what each costs, -1 where nothing was found.
        least: int64, what any allowed values cost at least.
        status, tool: uint8, places in STATUS and TOOLS.
    """

    reached: I64
    least: I64
    status: U8
    tool: U8


def _sure(reached: I64, tool: int) -> _Repaired:
    """Return what is proven: values of these costs, -1 where none are allowed."""
    status = np.where(reached < 0, NONE, OPTIMAL).astype(np.uint8)
    return _Repaired(reached, reached.copy(), status, np.full(len(reached), tool, np.uint8))


class _Batch(NamedTuple):
    """What is being repaired.

    Attributes:
        predicted, values: bool (n, variables), as it was predicted, and as it stands.
        costs: int64 (n, variables), what changes cost.
        far: a cost beyond any.
        allowance: for hard records.
    """

    predicted: Bools
    values: Bools
    costs: I64
    far: int
    allowance: Allowance


def _whole(form: NormalForm) -> Part:
    """Return all rules as one part over all variables."""
    every = np.arange(len(form.variables), dtype=np.int32)
    return Part(every, form.given, form.constraints, tuple(range(len(form.constraints))))
