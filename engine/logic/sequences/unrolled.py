"""One sequence and its rules as clauses, step by step, for python-sat's RC2: the last resort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...allowance import current
from ...ports import I32, I64
from ..normal import AtLeast, NormalForm
from ..pipeline import NONE, OPTIMAL, UNKNOWN, Engine
from ..solver import Solver
from .automaton import Automaton
from .counted import Stretch


@dataclass(frozen=True)
class Found:
    """What the solver says of one sequence: labels int32 (steps,), cost or -1, and status of pipeline.py."""

    labels: I32
    cost: int
    status: int


Asked = Automaton | tuple[Stretch, ...]  # what a rule asks of the steps of one sequence


def by_rc2(
    automata: Sequence[Asked],
    weights: Sequence[int | None],
    costs: I64,
    labels: I32,
    solver: Solver,
    seconds: float,
) -> Found:
    """Return the cheapest sequence that keeps the rules, as far as it is found in time.

    Args:
        automata: one a rule; or the stretches of steps in which it counts events.
        weights: of each rule, None for a hard one.
        costs: int64 (steps, events), below 0 for what cannot be.
        labels: int32 (steps,), the events that stand.
        solver: which process to ask.
        seconds: for the cheapest, and as much again for any.

    Raises:
        SolverError: python-sat is not there.
    """
    steps, events = costs.shape
    walked = [(a, w) for a, w in zip(automata, weights, strict=True) if isinstance(a, Automaton)]
    counted = [s for a, w in zip(automata, weights, strict=True) if w is None for s in _stretches(a)]
    if any(s.never for s in counted) or any(
        a.empty or (not steps and not a.accepts[0]) for a, w in walked if w is None
    ):
        return Found(labels, -1, NONE)
    if not steps:
        return Found(labels, sum(w for a, w in walked if w is not None and not a.accepts[0]), OPTIMAL)
    if current().overdrawn:
        return Found(labels, -1, UNKNOWN)
    form, paid = unrolled(automata, weights, costs)
    predicted = form.defaults.copy()
    predicted[: steps * events] = (labels[:, None] == np.arange(events)).ravel()
    # One that stands at a price costs it wherever it is kept: RC2 is told what leaving it saves.
    base = np.array([max(int(costs[t, e]), 0) for t, e in enumerate(labels.tolist())], np.int64)
    above = costs - base[:, None]
    if (above[costs >= 0] < 0).any():
        raise ValueError("the event that stands must cost no more than any other")
    paid[: steps * events] = np.where(costs < 0, 0, above).ravel()
    decided = Engine(form, only="rc2", seconds=seconds, solver=solver)(predicted[None], paid[None])
    status = int(decided.status[0])
    if status >= UNKNOWN:
        return Found(labels, -1, status)
    chosen = decided.values[0, : steps * events].reshape(steps, events).argmax(1).astype(np.int32)
    return Found(chosen, int(decided.costs[0] + base.sum()), status)


def unrolled(automata: Sequence[Asked], weights: Sequence[int | None], costs: I64) -> tuple[NormalForm, I64]:
    """Return the clauses of a sequence of so many steps, and what deciding against each default costs.

    The first variables are which event each step has, step after step. Then come, of each rule, the states
    it is in after each step, and whether a soft one is kept. A state is only ever forced to be true, along
    the walk of the sequence, so there need not be one alone.
    """
    steps, events = costs.shape
    names = [f"{t}:{e}" for t in range(steps) for e in range(events)]
    made: list[AtLeast] = []
    for t in range(steps):
        here = [t * events + e + 1 for e in range(events)]
        made.append(AtLeast(tuple(here), 1))
        if events > 1:
            made.append(AtLeast(tuple(-x for x in here), events - 1))
        made += [AtLeast((-x,), 1) for x, cost in zip(here, costs[t].tolist(), strict=True) if cost < 0]
    kept: list[tuple[int, int]] = []
    for r, (automaton, weight) in enumerate(zip(automata, weights, strict=True)):
        let_go: tuple[int, ...] = ()
        if weight is not None:
            names.append(f"kept {r}")
            kept.append((len(names), weight))
            let_go = (-len(names),)
        if isinstance(automaton, Automaton):
            _walk(automaton, r, steps, let_go, names, made)
        else:
            made += [c for stretch in automaton for c in _counted(stretch, r, events, let_go)]
    defaults = np.zeros(len(names), np.bool_)
    paid = np.zeros(len(names), np.int64)
    for v, weight in kept:
        defaults[v - 1], paid[v - 1] = True, weight
    rules = tuple(str(r) for r in range(len(automata)))
    return NormalForm(tuple(names), 0, tuple(made), rules, defaults, paid), paid


def _walk(
    automaton: Automaton,
    rule: int,
    steps: int,
    let_go: tuple[int, ...],
    names: list[str],
    made: list[AtLeast],
) -> None:
    """Add the states of a rule and the clauses of its moves; `let_go` frees them where it is true."""
    events = automaton.moves.shape[1]
    alive = automaton.alive
    here: dict[int, int] = {0: 0}  # state -> variable; 0 for the start, which needs none
    if automaton.empty:
        made.append(AtLeast(let_go, 1, (), rule))
        return
    for t in range(steps):
        after: dict[int, int] = {}
        for q in np.unique(automaton.moves[list(here)]).tolist():
            if alive[q]:
                names.append(f"{rule}:{t + 1}:{q}")
                after[q] = len(names)
        for s, variable in here.items():
            for e in range(events):
                q = int(automaton.moves[s, e])
                leaves = (*([-variable] if variable else []), -(t * events + e + 1))
                leads = (after[q],) if q in after else let_go
                made.append(AtLeast((*leaves, *leads), 1, (), rule))
        here = after
    for q, variable in here.items():
        if not automaton.accepts[q]:
            literals = (*([-variable] if variable else []), *let_go)
            made.append(AtLeast(literals, 1, (), rule))


def _stretches(asked: Asked) -> tuple[Stretch, ...]:
    return () if isinstance(asked, Automaton) else asked


def _counted(stretch: Stretch, rule: int, events: int, let_go: tuple[int, ...]) -> list[AtLeast]:
    """Return what a stretch of steps asks, as so many literals of those; `let_go` alone is enough."""
    if stretch.never:
        return [AtLeast(let_go, 1, (), rule)]
    steps = range(stretch.first, stretch.last + 1)
    literals = [t * events + e + 1 for t in steps for e in sorted(stretch.events)]
    count = stretch.count
    if stretch.at_most:
        literals, count = [-x for x in literals], len(literals) - count
    if count <= 0:
        return []
    weights = (*[1] * len(literals), *[count] * len(let_go)) if let_go else ()
    return [AtLeast((*literals, *let_go), count, weights, rule)]
