"""OR-tools' side: CP-SAT with one worker, one model, a new objective for every record."""

from __future__ import annotations

from typing import Any

from ortools.sat.python import cp_model

from .rule_streams import kept, stream
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of solving the first `job["sample"]` records of the stream."""
    rules, predicted, costs = stream(job, int(job["sample"]))
    model = cp_model.CpModel()
    variables = [model.new_bool_var(f"x{v}") for v in range(predicted.shape[1])]
    for literals, bound in rules:
        held = [variables[x - 1] if x > 0 else ~variables[-x - 1] for x in literals]
        if bound == 1:
            model.add_bool_or(held)
        elif bound == len(held) - 1:
            model.add_at_most_one([~x for x in held])
        else:
            model.add(sum(held) >= bound)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    rows = list(zip(predicted.tolist(), costs.tolist(), strict=True))

    def solve(values: list[bool], paid: list[int]) -> int:
        model.clear_objective()
        terms = zip(values, paid, variables, strict=True)
        model.minimize(sum(c * (~x if on else x) for on, c, x in terms))
        if solver.solve(model) != cp_model.OPTIMAL:
            raise AssertionError("CP-SAT found no optimum")
        cost: int = round(solver.objective_value)
        return cost

    def work() -> list[int]:
        return [solve(values, paid) for values, paid in rows]

    return kept(job, work)


if __name__ == "__main__":
    serve(make)
