"""Whether tests of numbers that are computed from facts can come out together, as far as they are linear.

Exact, in fractions, by Fourier-Motzkin elimination: a variable goes by adding up every pair of a lower and an
upper bound of it. What is not linear (a product of facts, a distance) counts as a number of its own that may
be anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf

from ..measures import AnyTest, Measure, Test
from ..vocabulary import Variable

_DECIMALS = 12
_MOST_BOUNDS = 2_000  # that an elimination may come to

Unknown = int | Measure  # a column, or what is not linear
Settled = Sequence[tuple[AnyTest, bool]]


@dataclass(frozen=True)
class Bound:
    """A weighted sum of unknowns is at most `most`, or below it where that is `strict`."""

    weights: tuple[tuple[Unknown, Fraction], ...]
    most: Fraction
    strict: bool

    def weight(self, unknown: Unknown) -> Fraction:
        """Return the weight of an unknown."""
        return dict(self.weights).get(unknown, Fraction(0))


@dataclass(frozen=True)
class Solution:
    """Whether tests can come out together, and numbers of columns with which they do if they are linear."""

    possible: bool
    facts: dict[int, float]


def solution(settled: Settled, columns: Sequence[Variable]) -> Solution:
    """Return whether tests can come out in a certain way.

    Args:
        settled: (test, whether it definitely holds or definitely fails).
        columns: of facts.
    """
    bounds = [bound for test, holds in settled for bound in _bounds(test, columns, holds=holds)]
    unknowns = list(dict.fromkeys(u for bound in bounds for u, _ in bound.weights))
    for unknown in unknowns:
        if isinstance(unknown, int):
            bounds += _range(unknown, columns[unknown])
    layers = []
    for unknown in unknowns:
        layers.append((unknown, bounds))
        bounds = _without(unknown, bounds)
        if len(bounds) > _MOST_BOUNDS:
            return Solution(possible=True, facts={})
    if any(bound.most < 0 or (bound.strict and bound.most == 0) for bound in bounds):
        return Solution(possible=False, facts={})
    values: dict[Unknown, Fraction] = {}
    for unknown, those in reversed(layers):
        values[unknown] = _value(unknown, those, values, columns)
    return Solution(possible=True, facts={u: float(x) for u, x in values.items() if isinstance(u, int)})


def _bounds(test: AnyTest, columns: Sequence[Variable], *, holds: bool) -> list[Bound]:
    """Return what a test bounds; nothing where it is no comparison of numbers."""
    if isinstance(test, Test):
        if test.kind == "known" or columns[test.column].column.categories:
            return []
        weights: dict[Unknown, Fraction] = {test.column: Fraction(1)}
        constant = Fraction(0)
        if test.kind == "among":
            ends = (min(test.numbers), max(test.numbers))
            return [_bound(weights, sign, Fraction(x)) for sign, x in zip((-1, 1), ends, strict=True)] * holds
        limit = test.numbers[0]
    else:
        weights, constant = linear(test.measure)
        limit = test.limit
    most = Fraction(limit) - constant
    return [_bound(weights, 1 if holds else -1, most, strict=(test.kind == "below") == holds)]


def _bound(weights: dict[Unknown, Fraction], sign: int, most: Fraction, *, strict: bool = False) -> Bound:
    return Bound(tuple((u, w * sign) for u, w in weights.items() if w), most * sign, strict)


def _range(column: int, variable: Variable) -> list[Bound]:
    one: dict[Unknown, Fraction] = {column: Fraction(1)}
    ends = ((-1, variable.least), (1, variable.most))
    return [_bound(one, sign, Fraction(end)) for sign, end in ends if end is not None]


def linear(measure: Measure) -> tuple[dict[Unknown, Fraction], Fraction]:
    """Return a number as weights of unknowns and a constant."""
    if measure.operator == "constant":
        return {}, Fraction(measure.numbers[0])
    if measure.operator == "fact" and not measure.numbers:
        return {measure.column: Fraction(1)}, Fraction(0)
    parts = [linear(part) for part in measure.parts]
    if measure.operator == "+":
        total: dict[Unknown, Fraction] = {}
        for weights, _ in parts:
            for unknown, weight in weights.items():
                total[unknown] = total.get(unknown, Fraction(0)) + weight
        return total, sum((constant for _, constant in parts), Fraction(0))
    times, varied = Fraction(1), [part for part in parts if part[0]]
    if measure.operator == "*" and len(varied) <= 1:
        for weights, constant in parts:
            times *= 1 if weights else constant
        weights, constant = varied[0] if varied else ({}, Fraction(1))
        return {u: w * times for u, w in weights.items()}, constant * times
    if measure.operator == "/" and not parts[1][0] and parts[1][1]:
        return {u: w / parts[1][1] for u, w in parts[0][0].items()}, parts[0][1] / parts[1][1]
    return {measure: Fraction(1)}, Fraction(0)


def _without(unknown: Unknown, bounds: Sequence[Bound]) -> list[Bound]:
    """Return what bounds say of the other unknowns."""
    low = [b for b in bounds if b.weight(unknown) < 0]
    high = [b for b in bounds if b.weight(unknown) > 0]
    made = [b for b in bounds if not b.weight(unknown)]
    for one in low:
        for other in high:
            a, b = other.weight(unknown), -one.weight(unknown)
            total: dict[Unknown, Fraction] = {}
            for times, each in ((a, one), (b, other)):
                for u, w in each.weights:
                    total[u] = total.get(u, Fraction(0)) + w * times
            made.append(_bound(total, 1, one.most * a + other.most * b, strict=one.strict or other.strict))
    return list(dict.fromkeys(made))


def _value(
    unknown: Unknown, bounds: Sequence[Bound], values: dict[Unknown, Fraction], columns: Sequence[Variable]
) -> Fraction:
    """Return a round value of an unknown between its bounds, the other unknowns having values."""
    ends: dict[bool, list[Fraction]] = {False: [], True: []}
    for bound in bounds:
        if weight := bound.weight(unknown):
            rest = sum((w * values[u] for u, w in bound.weights if u != unknown), Fraction(0))
            ends[weight > 0].append((bound.most - rest) / weight)
    least, most = max(ends[False], default=None), min(ends[True], default=None)
    if least is None or most is None:
        return Fraction(floor(most) - 1 if most is not None else ceil(least) + 1 if least is not None else 0)
    if isinstance(unknown, int) and columns[unknown].kind == "integer":
        middle = Fraction(round((least + most) / 2))
        return middle if least <= middle <= most else Fraction(ceil(least))
    return Fraction(between(float(least), float(most))) if least < most else least


def between(a: float, b: float) -> float:
    """Return the roundest number between two, or their middle where none is left between."""
    middle = a / 2 + b / 2
    for decimals in range(_DECIMALS):
        rounded = round(middle, decimals) if abs(middle) < inf else middle
        if a < rounded < b:
            return rounded
    return middle
