"""Exact repair: the most probable class that breaks no rule.

Facts are given and exactly one class holds, so the most probable assignment that satisfies the rules is the
highest score among the classes the rules allow. Which classes those are depends on the facts only through
the outcomes of the rules' tests; the solver process is asked once for every distinct row of outcomes. A
forbidden class gets -inf, which makes softmax the exact conditional distribution given the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..ports import F32, F64, I64
from .ruleset import RuleSet
from .solver import Solver, shared_solver
from .truth import Bools, Outcomes

_MOST_KEPT = 1 << 16  # rows of outcomes whose answer is remembered

KEPT = "allowed"  # the raw answer breaks no rule and stands
CHANGED = "optimal"  # the answer is now the most probable class that breaks none
NONE = "none"  # the rules allow no class


@dataclass(frozen=True)
class Repaired:
    """n repaired answers.

    Attributes:
        scores: float32 (n, classes), the raw scores, -inf where a class is forbidden.
        allowed: bool (n, classes), which classes keep every rule.
        raw_labels: int64 (n,), the class with the highest raw score.
        labels: int64 (n,), the same after repair; -1 where the rules allow no class.
        status: text (n,): `allowed`, `optimal` or `none`.
        broken: bool (n, rules), which rules the raw answer breaks.
        left: bool (n, rules), which rules the answer still breaks: the raw answer's where no class is
            allowed, none elsewhere. Evaluated from the rules, not from the solver's word.
    """

    scores: F32
    allowed: Bools
    raw_labels: I64
    labels: I64
    status: npt.NDArray[np.str_]
    broken: Bools
    left: Bools


class Repair:
    """Repairs the answers of one rule set, remembering what the solver said of facts seen before.

    Args:
        rules: the rules.
        solver: which process to ask; the shared one if left out. Without rules none is started.
    """

    def __init__(self, rules: RuleSet, solver: Solver | None = None) -> None:
        self.rules = rules
        self._solver = solver or shared_solver()
        self._known: dict[bytes, Bools] = {}

    def __call__(self, scores: F32, facts: F64) -> Repaired:
        """Repair the answers of n records; a record's result does not depend on the others.

        Args:
            scores: float32 (n, classes), logits.
            facts: float64 (n, columns), NaN for a gap.

        Raises:
            SolverError: the solver process is not available or gave up.
        """
        tests = self.rules.outcomes(facts)
        allowed = self.allowed(tests)
        repaired = np.where(allowed, scores, np.float32(-np.inf)).astype(np.float32)
        raw = np.argmax(scores, 1).astype(np.int64)
        dead = ~(repaired > -np.inf).any(1)
        labels = np.where(dead, -1, np.argmax(repaired, 1)).astype(np.int64)
        status = np.where(dead, NONE, np.where(labels == raw, KEPT, CHANGED))
        broken = self.rules.broken_by(tests, raw)
        left = self.rules.broken_by(tests, np.where(dead, raw, labels))
        return Repaired(repaired, allowed, raw, labels, status, broken, left)

    def allowed(self, tests: Outcomes) -> Bools:
        """Return which classes keep every rule, bool (n, classes), given outcomes, int8 (n, tests)."""
        if not self.rules.rules:
            return np.ones((len(tests), len(self.rules.classes)), np.bool_)
        rows = np.ascontiguousarray(tests)
        keys = [row.tobytes() for row in rows]
        found = {key: self._known[key] for key in set(keys) if key in self._known}
        new = {key: i for i, key in enumerate(keys) if key not in found}
        if new:
            answers = self._solver.allowed(self.rules.circuit, rows[list(new.values())])
            found.update(zip(new, answers, strict=True))
            self._remember(found)
        return np.array([found[key] for key in keys], np.bool_).reshape(len(rows), len(self.rules.classes))

    def _remember(self, found: dict[bytes, Bools]) -> None:
        if len(self._known) + len(found) > _MOST_KEPT:
            self._known.clear()
        if len(found) <= _MOST_KEPT:
            self._known.update(found)
