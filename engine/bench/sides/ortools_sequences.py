"""OR-tools' side: CP-SAT with one worker and one automaton a rule, a new objective for every sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from ...logic.sequences.rule import automaton_for
from .rule_streams import kept
from .sequence_streams import EVENTS, stream
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of solving the first `job["sample"]` sequences of the stream."""
    rules, labels, costs = stream(job, int(job["sample"]))
    model = cp_model.CpModel()
    taken = [[model.new_bool_var(f"{t}:{e}") for e in EVENTS] for t in range(labels.shape[1])]
    steps = [model.new_int_var(0, len(EVENTS) - 1, f"{t}") for t in range(labels.shape[1])]
    for step, here in zip(steps, taken, strict=True):
        model.add_exactly_one(here)
        for e, one in enumerate(here):
            model.add(step == e).only_enforce_if(one)
            model.add(step != e).only_enforce_if(~one)
    for rule in rules:
        automaton = automaton_for(rule.body, EVENTS)
        alive = automaton.alive
        ends = np.flatnonzero(automaton.accepts).tolist()
        moves = [
            (s, e, int(q))
            for s, row in enumerate(automaton.moves)
            for e, q in enumerate(row)
            if alive[s] and alive[q]
        ]
        model.add_automaton(steps, 0, ends, moves)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    rows = costs.tolist()

    def solve(paid: list[list[int]]) -> int:
        model.clear_objective()
        pairs = (
            pair for here, there in zip(paid, taken, strict=True) for pair in zip(here, there, strict=True)
        )
        model.minimize(sum(cost * one for cost, one in pairs if cost))
        if solver.solve(model) != cp_model.OPTIMAL:
            raise AssertionError("CP-SAT found no optimum")
        cost: int = round(solver.objective_value)
        return cost

    def work() -> list[int]:
        return [solve(paid) for paid in rows]

    return kept(job, work)


if __name__ == "__main__":
    serve(make)
