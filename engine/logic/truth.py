"""What bound formulas come to on arrays of records, in Kleene's three-valued logic.

A test on a gap is unknown; `not`, `and`, `or` follow Kleene's strong tables, the other connectives are built
from these, and a count is known as soon as no outcome of its unknown parts could change it. A rule is broken
only where it is definitely false.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from ..ports import I64
from .formula import And, Count, Formula, Iff, IfThen, Implies, Not, Or, Tested, ValueIn, Weighted, Xor
from .measures import Outcomes, outcomes

__all__ = ["Bools", "Outcomes", "Truth", "outcomes", "truth"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Truth of one formula for n records: bool (n,) `yes` and `no`, never both; neither is unknown."""

    yes: Bools
    no: Bools

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.yes | other.yes, self.no & other.no)


def truth(formula: Formula, tests: Outcomes, values: I64) -> Truth:  # noqa: C901, PLR0911 - a case a connective
    """Return the truth of a bound formula.

    Args:
        formula: bound by binding.py.
        tests: int8 (n, tests) from `outcomes`.
        values: int64 (n, decided), the number of the value of each decided variable, -1 where it is unknown;
            int64 (n,) where the class is all that is decided.
    """

    def of(part: Formula) -> Truth:
        return truth(part, tests, values)

    match formula:
        case Tested(index):
            return Truth(tests[:, index] == 1, tests[:, index] == 0)
        case ValueIn(variable, indices):
            value = values if values.ndim == 1 else values[:, variable]
            inside = _among(value, indices)
            return Truth(inside, ~inside & (value >= 0))
        case Not(part):
            return ~of(part)
        case And(parts):
            return reduce(Truth.__and__, map(of, parts), _always(len(values)))
        case Or(parts):
            return reduce(Truth.__or__, map(of, parts), ~_always(len(values)))
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
            return _count(quantity, number, [of(part) for part in parts])
        case Weighted(parts, weights, bound):
            return _reaches([of(part) for part in parts], weights, bound, len(values))
    raise ValueError(f"{formula} is not bound")


def _among(value: I64, indices: tuple[int, ...]) -> Bools:
    if indices and indices == tuple(range(indices[0], indices[0] + len(indices))):  # one value, or a stretch
        return np.asarray((value >= indices[0]) & (value <= indices[-1]))
    return np.isin(value, indices)


def _always(n: int) -> Truth:
    return Truth(np.ones(n, np.bool_), np.zeros(n, np.bool_))


def _reaches(parts: list[Truth], weights: tuple[int, ...], bound: int, n: int) -> Truth:
    sure, possible = np.zeros(n, np.int64), np.full(n, sum(weights), np.int64)
    for part, weight in zip(parts, weights, strict=True):
        sure += weight * part.yes
        possible -= weight * part.no
    return Truth(sure >= bound, possible < bound)


def _same(a: Truth, b: Truth) -> Truth:
    return (~a | b) & (~b | a)


def _count(quantity: str, number: int, parts: list[Truth]) -> Truth:
    yes = np.sum([part.yes for part in parts], 0)
    possible = len(parts) - np.sum([part.no for part in parts], 0)
    enough = Truth(yes >= number, possible < number)
    few = Truth(possible <= number, yes > number)
    return {"exactly": enough & few, "at least": enough, "at most": few}[quantity]
