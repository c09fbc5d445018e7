"""What bound formulas come to on arrays of records, in Kleene's three-valued logic.

A test on a gap is unknown; `not`, `and`, `or` follow Kleene's strong tables, the other connectives are built
from these, and a count is known as soon as no outcome of its unknown parts could change it. A rule is broken
only where it is definitely false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from ..ports import I64
from .formula import And, Count, Formula, Iff, IfThen, Implies, Not, Or, Tested, ValueIn, Weighted, Xor
from .measures import Outcomes, outcomes

__all__ = ["Bools", "Outcomes", "Truth", "outcomes", "truth"]

Bools = npt.NDArray[np.bool_]

_FEW = 4  # parts that are sooner evaluated one by one


@dataclass(frozen=True)
class Truth:
    """Truth for n records: bool (..., n) `yes` and `no`, never both; neither is unknown."""

    yes: Bools
    no: Bools

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.yes | other.yes, self.no & other.no)


def truth(formula: Formula, tests: Outcomes, values: I64) -> Truth:
    """Return the truth of a bound formula.

    Args:
        formula: bound by binding.py.
        tests: int8 (n, tests) from `outcomes`.
        values: int64 (n, decided), the number of the value of each decided variable, -1 where it is unknown;
            int64 (n,) where the class is all that is decided.
    """
    return _Records(tests, values[:, None] if values.ndim == 1 else values).truth(formula)


class _Records:
    """The records whose formulas are evaluated."""

    def __init__(self, tests: Outcomes, values: I64) -> None:
        self._tests, self._values = tests.T, values.T

    def truth(self, formula: Formula) -> Truth:  # noqa: C901, PLR0911 - a case a connective
        of = self.truth
        match formula:
            case Tested(index):
                return Truth(self._tests[index] == 1, self._tests[index] == 0)
            case ValueIn(variable, indices):
                value = self._values[variable]
                inside = _among(value, indices)
                return Truth(inside, ~inside & (value >= 0))
            case Not(part):
                return ~of(part)
            case And(parts):
                all_ = self._each(parts)
                return Truth(np.logical_and.reduce(all_.yes), np.logical_or.reduce(all_.no))
            case Or(parts):
                any_ = self._each(parts)
                return Truth(np.logical_or.reduce(any_.yes), np.logical_and.reduce(any_.no))
            case Implies(left, right):
                return ~of(left) | of(right)
            case Iff(left, right):
                return _same(of(left), of(right))
            case Xor(left, right):
                return ~_same(of(left), of(right))
            case IfThen(condition, then, other):
                when = of(condition)
                kept = ~when | of(then)
                return kept if other is None else kept & (when | of(other))
            case Count(quantity, number, parts):
                return _count(quantity, number, self._each(parts))
            case Weighted(parts, weights, bound):
                each = self._each(parts)
                heavy = np.array(weights, np.int64)
                return Truth(heavy @ each.yes >= bound, heavy.sum() - heavy @ each.no < bound)
        raise ValueError(f"{formula} is not bound")

    def _each(self, parts: tuple[Formula, ...]) -> Truth:
        """Return the truth of every part, bool (parts, n); those of long sums are looked up together."""
        yes, no = np.empty((2, len(parts), self._values.shape[1]), np.bool_)
        single = [(i, p.variable, p.indices[0]) for i, p in enumerate(parts) if _is_single(p)]
        if len(single) > _FEW:
            places, variables, numbers = np.array(single, np.int64).T
            those = self._values[variables]
            yes[places] = those == numbers[:, None]
            no[places] = ~yes[places] & (those >= 0)
            done = set(places.tolist())
        else:
            done = set()
        for i, part in enumerate(parts):
            if i not in done:
                found = self.truth(part)
                yes[i], no[i] = found.yes, found.no
        return Truth(yes, no)


def _is_single(part: Formula) -> TypeGuard[ValueIn]:
    return isinstance(part, ValueIn) and len(part.indices) == 1


def _among(value: I64, indices: tuple[int, ...]) -> Bools:
    if indices and indices == tuple(range(indices[0], indices[0] + len(indices))):  # one value, or a stretch
        return np.asarray((value >= indices[0]) & (value <= indices[-1]))
    return np.isin(value, indices)


def _same(a: Truth, b: Truth) -> Truth:
    return (~a | b) & (~b | a)


def _count(quantity: str, number: int, each: Truth) -> Truth:
    yes, possible = each.yes.sum(0), len(each.no) - each.no.sum(0)
    enough = Truth(yes >= number, possible < number)
    few = Truth(possible <= number, yes > number)
    return {"exactly": enough & few, "at least": enough, "at most": few}[quantity]
