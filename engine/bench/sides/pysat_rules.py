"""python-sat's side: RC2 or RC2Stratified, record by record."""

from __future__ import annotations

from typing import Any

from pysat.examples.rc2 import RC2, RC2Stratified
from pysat.formula import WCNF

from .rule_streams import clauses, kept, stream
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of solving the first `job["sample"]` records of the stream, each from scratch."""
    rules, predicted, costs = stream(job, int(job["sample"]))
    hard, top = clauses(rules, predicted.shape[1])
    soft = [[[v if on else -v] for v, on in enumerate(row, 1)] for row in predicted.tolist()]
    weights = costs.tolist()

    def solve(literals: list[list[int]], paid: list[int]) -> int:
        formula = WCNF()
        formula.hard, formula.soft, formula.wght = hard, literals, paid
        formula.nv, formula.topw = top, sum(paid) + 1
        if job["solver"] == "RC2":
            with RC2(formula, solver="g3") as rc2:
                rc2.compute()
                return int(rc2.cost)
        with RC2Stratified(formula, solver="g4", adapt=True, exhaust=True, minz=True) as rc2:
            rc2.compute()
            return int(rc2.cost)

    def work() -> list[int]:
        return [solve(literals, paid) for literals, paid in zip(soft, weights, strict=True)]

    return kept(job, work)


if __name__ == "__main__":
    serve(make)
