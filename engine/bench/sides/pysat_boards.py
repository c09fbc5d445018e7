"""python-sat's side: RC2Stratified, board by board."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from pysat.examples.rc2 import RC2Stratified
from pysat.formula import WCNF

from ...logic.sudoku import sudoku
from .board_streams import boards
from .rule_streams import kept
from .serving import Work, serve


def make(job: dict[str, Any]) -> Work:
    """Return the work of solving the first `job["sample"]` boards, each from scratch."""
    form = sudoku()
    hard: list[list[int]] = []
    for constraint in form.constraints:
        literals = list(constraint.literals)
        hard += [literals] if constraint.bound == 1 else [list(pair) for pair in combinations(literals, 2)]
    rows = boards(job, int(job["sample"])).costs.tolist()

    def solve(paid: list[int]) -> int:
        formula = WCNF()
        costs = {v: c for v, c in enumerate(paid, 1) if c}
        formula.hard, formula.soft, formula.wght = hard, [[-v] for v in costs], list(costs.values())
        formula.nv, formula.topw = len(form.variables), sum(costs.values()) + 1
        with RC2Stratified(formula, solver="g4", adapt=True, exhaust=True, minz=True) as rc2:
            rc2.compute()
            return int(rc2.cost)

    def work() -> list[int]:
        return [solve(paid) for paid in rows]

    return kept(job, work)


if __name__ == "__main__":
    serve(make)
