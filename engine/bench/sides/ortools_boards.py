"""OR-tools' side: CP-SAT with one worker, one model of Sudoku, a new objective for every board."""

from __future__ import annotations

from typing import Any

from ortools.sat.python import cp_model

from ...logic.sudoku import sudoku
from .board_streams import boards
from .rule_streams import kept
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of solving the first `job["sample"]` boards."""
    form, model = sudoku(), cp_model.CpModel()
    variables = [model.new_bool_var(name) for name in form.variables]
    for constraint in form.constraints:
        if constraint.bound == 1:  # the other of each pair says at most one
            model.add_exactly_one(variables[x - 1] for x in constraint.literals)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    rows = boards(job, int(job["sample"])).costs.tolist()

    def solve(paid: list[int]) -> int:
        model.clear_objective()
        model.minimize(sum(c * x for c, x in zip(paid, variables, strict=True) if c))
        if solver.solve(model) != cp_model.OPTIMAL:
            raise AssertionError("CP-SAT found no optimum")
        cost: int = round(solver.objective_value)
        return cost

    def work() -> list[int]:
        return [solve(paid) for paid in rows]

    return kept(job, work)


if __name__ == "__main__":
    serve(make)
