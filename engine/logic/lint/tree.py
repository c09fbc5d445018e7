"""Selectors of rules as a binary tree: a node demands all rules below it, so a few demand all but one."""

from __future__ import annotations

from typing import Protocol

_LEVELS = 4  # that a conflict is followed down at once


class IncrementalSolver(Protocol):
    """What python-sat's solvers give."""

    def add_clause(self, clause: list[int]) -> None: ...
    def conf_budget(self, budget: int) -> None: ...
    def solve_limited(self, assumptions: list[int]) -> bool | None: ...
    def get_model(self) -> list[int] | None: ...
    def get_core(self) -> list[int] | None: ...
    def set_phases(self, literals: list[int]) -> None: ...


class Tree:
    """Selectors over selectors: node h demands nodes 2h and 2h + 1; the leaves, from `count`, are rules."""

    def __init__(self, keep: list[int], top: int, solver: IncrementalSolver) -> None:
        self._count = len(keep)
        inner = [top + h for h in range(1, self._count)]
        self._variables = [0, *inner, *keep]  # node -> variable
        self._nodes = {v: h for h, v in enumerate(self._variables) if h}
        for h in range(1, self._count):
            for child in (2 * h, 2 * h + 1):
                solver.add_clause([-self._variables[h], self._variables[child]])

    def leaf(self, rule: int) -> int:
        """Return the literal that demands one rule."""
        return self._variables[self._count + rule]

    def but(self, dropped: set[int] | tuple[()]) -> list[int]:
        """Return literals that demand all rules but these."""
        if not self._count:
            return []
        above = set()
        for rule in dropped:
            h = self._count + rule
            while h:
                above.add(h)
                h //= 2
        if not above:
            return [self._variables[1]]
        return [
            self._variables[child]
            for h in above
            if h < self._count
            for child in (2 * h, 2 * h + 1)
            if child not in above
        ]

    def rule(self, selector: int) -> int:
        """Return the rule that a leaf demands."""
        return self._nodes[selector] - self._count

    def selectors(self, literals: list[int]) -> list[int]:
        """Return those of the literals that are selectors."""
        return [x for x in literals if x in self._nodes]

    def opened(self, selectors: list[int]) -> list[int]:
        """Return the same demands by nodes `_LEVELS` further down the tree, or by leaves."""
        nodes = [self._nodes[x] for x in selectors]
        for _ in range(_LEVELS):
            if all(h >= self._count for h in nodes):
                break
            nodes = [c for h in nodes for c in ((h,) if h >= self._count else (2 * h, 2 * h + 1))]
        return [self._variables[h] for h in nodes]


def split(groups: list[list[int]], model: list[int]) -> list[list[int]]:
    """Return the groups of variables split by what a model says of them, those of one variable left out."""
    parts = []
    for group in groups:
        true = [v for v in group if model[v - 1] > 0]
        false = [v for v in group if model[v - 1] <= 0]
        parts += [part for part in (true, false) if len(part) > 1]
    return parts
