"""Weighted sums as clauses: what a satisfiability solver is told of the normal form.

A sum that must reach a bound becomes a diagram of what is still needed after each literal (Een & Sorensson
2006, Translating Pseudo-Boolean Constraints into SAT), and each of its nodes one helper. Since a true literal
only ever helps, the clauses of one direction are enough: a helper that is true means that the rest of the
literals reaches what its node needs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ..errors import RuleError
from .normal import AtLeast

MOST_CLAUSES = 4_000_000
_YES, _NO = 0, -1  # what a node leads to where nothing is needed any more, or too much


@dataclass
class Clauses:
    """Clauses over `variables` variables, of which the helpers are the last."""

    variables: int
    clauses: list[list[int]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Return a name that no other clauses have."""
        return hashlib.sha256(json.dumps([self.variables, self.clauses]).encode()).hexdigest()


def clauses_of(
    constraints: Sequence[AtLeast], variables: int, guards: Sequence[int] | None = None
) -> Clauses:
    """Return `constraints` as clauses whose helpers come after `variables`.

    Args:
        constraints: what must hold.
        variables: the highest variable in use.
        guards: for each constraint a literal that lets go of it when it is false.

    Raises:
        RuleError: a weighted sum needs too many clauses.
    """
    out = Clauses(variables)
    for i, constraint in enumerate(constraints):
        _add(out, constraint, [-guards[i]] if guards else [])
        if len(out.clauses) > MOST_CLAUSES:
            words = f"The rules need more than {MOST_CLAUSES:,} clauses for the solver."
            raise RuleError(words, do="Use smaller weights or shorter sums.")
    return out


def _add(out: Clauses, constraint: AtLeast, guard: list[int]) -> None:
    literals, bound = constraint.literals, constraint.bound
    weights = constraint.weights or (1,) * len(literals)
    if bound <= 0:
        return
    if constraint.clause:
        out.clauses.append([*guard, *literals])
    elif sum(weights) < bound:
        out.clauses.append([*guard])
    elif sum(weights) - min(weights) < bound:  # none can be spared
        out.clauses.extend([*guard, x] for x in literals)
    elif not constraint.weights and bound == len(literals) - 1:
        pairs = [(a, b) for i, a in enumerate(literals) for b in literals[i + 1 :]]
        out.clauses.extend([*guard, a, b] for a, b in pairs)
    else:
        _Diagram(out, literals, weights).need(bound, guard)


class _Diagram:
    """The nodes of one sum, heaviest literal first; a node is (literals passed, what is still needed)."""

    def __init__(self, out: Clauses, literals: Sequence[int], weights: Sequence[int]) -> None:
        order = sorted(range(len(literals)), key=lambda i: -weights[i])
        self._out = out
        self._literals = [literals[i] for i in order]
        self._weights = [weights[i] for i in order]
        self._rest = [*accumulate(reversed(self._weights), initial=0)][::-1]  # from each literal to the end

    def need(self, bound: int, guard: list[int]) -> None:
        """Add the clauses that the sum reaches `bound` unless a literal of `guard` is true."""
        level = {bound: 0}  # what is needed -> its helper; the root has none, its clauses have the guard
        for i, literal in enumerate(self._literals):
            below: dict[int, int] = {}
            for need, helper in level.items():
                head = [-helper] if helper else guard
                high = self._child(i + 1, need - self._weights[i], below)
                low = self._child(i + 1, need, below)
                if high != _YES:
                    self._out.clauses.append([*head, high])
                self._out.clauses.append([*head, literal, *([low] if low != _NO else [])])
            if len(self._out.clauses) > MOST_CLAUSES:
                return
            level = below

    def _child(self, at: int, need: int, level: dict[int, int]) -> int:
        if need <= 0:
            return _YES
        if need > self._rest[at]:
            return _NO
        if need not in level:
            self._out.variables += 1
            level[need] = self._out.variables
        return level[need]
