"""Whether tests of numbers that are computed from facts can come out together, as far as they are linear.

Exact, in fractions, by Fourier-Motzkin elimination: a variable goes by adding up every pair of a lower and an
upper bound of it. What is not linear (a product of facts, a distance) counts as a number of its own that may
be anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd, inf, isfinite, lcm
from typing import NamedTuple

from ..measures import AnyTest, Measure, Measured, Test
from ..vocabulary import Variable

_DECIMALS = 12
_MOST_BOUNDS = 500  # that an elimination may come to

Unknown = int | Measure  # a column, or what is not linear
Settled = Sequence[tuple[AnyTest, bool]]
Weights = tuple[int, ...]


class Bound(NamedTuple):
    """A sum of unknowns is at most most / per, or below that where it is `strict`.

    Its weights are whole, one for each unknown, and have no divisor in common; `tests` has a bit for each
    test that it comes from.
    """

    weights: Weights
    most: int
    per: int
    strict: bool
    tests: int


@dataclass(frozen=True)
class Solution:
    """Whether tests can come out together.

    Attributes:
        possible: whether they can.
        facts: numbers of columns with which they do, if all of them are linear.
        wrong: where they cannot, places of tests that cannot already.
    """

    possible: bool
    facts: dict[int, float]
    wrong: tuple[int, ...] = ()


def solution(settled: Settled, columns: Sequence[Variable], *, valued: bool = True) -> Solution:
    """Return whether tests can come out in a certain way.

    Args:
        settled: (test, whether it definitely holds or definitely fails).
        columns: of facts.
        valued: whether numbers are wanted.
    """
    said = [
        (each, 1 << place)
        for place, (test, holds) in enumerate(settled)
        if isinstance(test, Measured) or not columns[test.column].column.categories
        for each in _said(test, holds)
    ]
    unknowns = list(dict.fromkeys(unknown for each, _ in said for unknown in each.weights))
    said += [(each, 0) for u in unknowns if isinstance(u, int) for each in _range(u, columns[u])]
    places = {unknown: place for place, unknown in enumerate(unknowns)}
    bounds = _tightest([_bound(each, tests, places, columns) for each, tests in said])
    layers: list[tuple[int, list[Bound]]] = []
    left = set(range(len(unknowns)))
    while left:
        place = min(left, key=lambda u: (_pairs(u, bounds), u))
        left.remove(place)
        layers.append((place, bounds))
        if _pairs(place, bounds) > _MOST_BOUNDS:
            return Solution(possible=True, facts={})
        bounds = _without(place, bounds)
    for bound in bounds:
        if bound.most < 0 or (bound.strict and bound.most == 0):
            wrong = tuple(place for place in range(len(settled)) if bound.tests >> place & 1)
            return Solution(possible=False, facts={}, wrong=wrong)
    values: dict[int, Fraction] = {}
    if not valued:
        return Solution(possible=True, facts={})
    for place, those in reversed(layers):
        values[place] = _value(place, those, values, whole=_is_whole(unknowns[place], columns))
    named = {unknowns[place]: float(value) for place, value in values.items()}
    return Solution(possible=True, facts={u: x for u, x in named.items() if isinstance(u, int)})


def impossible(settled: Settled, columns: Sequence[Variable]) -> list[int]:
    """Return places in `settled` that cannot be together, none of them to spare; [] where all can be."""
    left = list(solution(settled, columns, valued=False).wrong)
    for place in list(left):
        rest = [i for i in left if i != place]
        if rest and not solution([settled[i] for i in rest], columns, valued=False).possible:
            left = rest
    return left


def linear(measure: Measure) -> tuple[dict[Unknown, Fraction], Fraction]:
    """Return a number as weights of unknowns and a constant."""
    if measure.operator == "constant" and isfinite(measure.numbers[0]):
        return {}, exact(measure.numbers[0])
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


@dataclass(frozen=True)
class _Said:
    """A bound as it was said: its weights by unknown, no 0 among them."""

    weights: dict[Unknown, Fraction]
    most: Fraction
    strict: bool = False


@lru_cache(4_096)
def _said(test: AnyTest, holds: bool) -> list[_Said]:
    """Return what a test of numbers bounds, nothing where it is no comparison."""
    if isinstance(test, Test):
        if test.kind == "known" or not all(map(isfinite, test.numbers)):
            return []
        weights: dict[Unknown, Fraction] = {test.column: Fraction(1)}
        if test.kind == "among":
            low, high = exact(min(test.numbers)), exact(max(test.numbers))
            return [_Said(_opposite(weights), -low), _Said(weights, high)] if holds else []
        most = exact(test.numbers[0])
    elif not isfinite(test.limit):
        return []
    else:
        weights, constant = linear(test.measure)
        most = exact(test.limit) - constant
    strict = (test.kind == "below") == holds
    return [_Said(weights, most, strict) if holds else _Said(_opposite(weights), -most, strict)]


def _range(column: int, variable: Variable) -> list[_Said]:
    ends = ((-1, variable.least), (1, variable.most))
    return [
        _Said({column: Fraction(sign)}, exact(float(end)) * sign) for sign, end in ends if end is not None
    ]


def _opposite(weights: dict[Unknown, Fraction]) -> dict[Unknown, Fraction]:
    return {unknown: -weight for unknown, weight in weights.items()}


def _bound(said: _Said, tests: int, places: Mapping[Unknown, int], columns: Sequence[Variable]) -> Bound:
    """Return a bound in whole weights; on a whole number the whole number that it comes to."""
    scale = lcm(*(weight.denominator for weight in said.weights.values()))
    row = [0] * len(places)
    for unknown, weight in said.weights.items():
        row[places[unknown]] = int(weight * scale)
    most = said.most * scale
    found = _primitive(tuple(row), most.numerator, most.denominator, strict=said.strict, tests=tests)
    if all(_is_whole(u, columns) for u in said.weights):
        whole = -(-found.most // found.per) - 1 if found.strict else found.most // found.per
        return found._replace(most=whole, per=1, strict=False)
    return found


def _primitive(weights: Weights, most: int, per: int, *, strict: bool, tests: int) -> Bound:
    divisor = gcd(*weights) or 1
    if divisor > 1:
        weights, per = tuple(w // divisor for w in weights), per * divisor
    divisor = gcd(most, per)
    return Bound(weights, most // divisor, per // divisor, strict, tests)


def _is_whole(unknown: Unknown, columns: Sequence[Variable]) -> bool:
    return isinstance(unknown, int) and columns[unknown].kind == "integer"


def _pairs(place: int, bounds: Sequence[Bound]) -> int:
    """Return how many bounds the elimination of an unknown makes."""
    low = sum(bound.weights[place] < 0 for bound in bounds)
    return low * sum(bound.weights[place] > 0 for bound in bounds)


def _without(place: int, bounds: Sequence[Bound]) -> list[Bound]:
    """Return what bounds say of the other unknowns."""
    made = [bound for bound in bounds if not bound.weights[place]]
    for low in (bound for bound in bounds if bound.weights[place] < 0):
        for high in (bound for bound in bounds if bound.weights[place] > 0):
            a, b = high.weights[place], -low.weights[place]
            weights = tuple(a * x + b * y for x, y in zip(low.weights, high.weights, strict=True))
            most = low.most * high.per * a + high.most * low.per * b
            strict, tests = low.strict or high.strict, low.tests | high.tests
            made.append(_primitive(weights, most, low.per * high.per, strict=strict, tests=tests))
    return _tightest(made)


def _tightest(bounds: Sequence[Bound]) -> list[Bound]:
    """Return of bounds on the same sum the one that says most."""
    found: dict[Weights, Bound] = {}
    for bound in bounds:
        other = found.setdefault(bound.weights, bound)
        here, there = bound.most * other.per, other.most * bound.per
        if here < there or (here == there and bound.strict):
            found[bound.weights] = bound
    return list(found.values())


def _value(place: int, bounds: Sequence[Bound], values: dict[int, Fraction], *, whole: bool) -> Fraction:
    """Return a round value of an unknown between its bounds, the other unknowns having values."""
    ends: dict[bool, list[Fraction]] = {False: [], True: []}
    for bound in bounds:
        if weight := bound.weights[place]:
            rest = sum((w * values[u] for u, w in enumerate(bound.weights) if w and u != place), Fraction(0))
            ends[weight > 0].append((Fraction(bound.most, bound.per) - rest) / weight)
    least, most = max(ends[False], default=None), min(ends[True], default=None)
    if least is None or most is None:
        return Fraction(floor(most) - 1 if most is not None else ceil(least) + 1 if least is not None else 0)
    if whole:
        middle = Fraction(round((least + most) / 2))
        return middle if least <= middle <= most else Fraction(ceil(least))
    return exact(between(float(least), float(most))) if least < most else least


def exact(number: float) -> Fraction:
    """Return a finite number as it is written: 0.1 is a tenth."""
    return Fraction(repr(float(number)))


def between(a: float, b: float) -> float:
    """Return the roundest number between two, or their middle where none is left between."""
    middle = a / 2 + b / 2
    for decimals in range(_DECIMALS):
        rounded = round(middle, decimals) if abs(middle) < inf else middle
        if a < rounded < b:
            return rounded
    return middle
