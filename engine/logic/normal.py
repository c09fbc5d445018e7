"""The normal form of rules: weighted literals that must reach a bound, over variables that are true or false.

Every rule over finitely many values comes to this form (clause: bound 1; at most k of n: at least n - k of
the negations; exactly: both), keeps its identity for explanations, and needs no further variables where it is
a clause, a count or a weighted sum. A soft rule is a hard one with a way out: a variable `kept` that lets go
of its constraints when it is false, and that costs the rule's weight to be false.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..ports import I32, I64

Bools = npt.NDArray[np.bool_]
STRUCTURE = -1  # the rule of constraints that no rule states: exactly one class, levels in order ...


@dataclass(frozen=True)
class AtLeast:
    """The weights of the true literals add up to at least `bound`.

    Attributes:
        literals: +v where variable v (from 1) must be true, -v where it must be false; each variable once.
        bound: what they must reach, at least 1.
        weights: whole numbers above 0, one a literal; () counts each literal once.
        rule: the number of the rule it comes from, from 0, or STRUCTURE.
    """

    literals: tuple[int, ...]
    bound: int
    weights: tuple[int, ...] = ()
    rule: int = STRUCTURE

    @property
    def clause(self) -> bool:
        """Whether one true literal is enough."""
        return self.bound == 1 or (bool(self.weights) and min(self.weights) >= self.bound)


@dataclass(frozen=True)
class NormalForm:
    """A rule set as every engine takes it.

    Attributes:
        variables: names; variable v is variables[v - 1]. The first `given` are facts, the rest is decided.
        given: how many variables every record fixes.
        constraints: what must hold; a record breaks rule r where a constraint of r does not hold.
        rules: the names of the rules in order.
        defaults: bool (variables,), what a decided variable is where nothing speaks for or against it
            (helpers and `kept` variables of soft rules: true).
        costs: int64 (variables,), what it costs to decide a variable against its default; for classes and
            labels a record brings its own.
    """

    variables: tuple[str, ...]
    given: int
    constraints: tuple[AtLeast, ...]
    rules: tuple[str, ...]
    defaults: Bools
    costs: I64

    @cached_property
    def offsets(self) -> I32:
        """Return where the literals of each constraint begin, int32 (constraints + 1,)."""
        sizes = [len(c.literals) for c in self.constraints]
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)

    @cached_property
    def literals(self) -> I32:
        """Return the literals of all constraints, int32, one constraint after the other."""
        return np.array([x for c in self.constraints for x in c.literals], np.int32)

    @cached_property
    def weights(self) -> I64:
        """Return the weight of every literal, int64, beside `literals`."""
        return np.array(
            [w for c in self.constraints for w in (c.weights or (1,) * len(c.literals))], np.int64
        )

    @cached_property
    def bounds(self) -> I64:
        """Return the bound of every constraint, int64 (constraints,)."""
        return np.array([c.bound for c in self.constraints], np.int64)

    def holds(self, values: Bools) -> Bools:
        """Return which constraints hold, bool (n, constraints), of `values`, bool (n, variables).

        The plain twin of the compiled check; for tests and few records.
        """
        out = np.empty((len(values), len(self.constraints)), np.bool_)
        for i, c in enumerate(self.constraints):
            places = np.abs(np.array(c.literals, np.int64)) - 1
            true = values[:, places] == (np.array(c.literals, np.int64) > 0)
            out[:, i] = true @ np.array(c.weights or (1,) * len(c.literals), np.int64) >= c.bound
        return out
