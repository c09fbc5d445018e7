"""What is so of a record, in words, from how tests of its facts come out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite

import numpy as np

from ...ports import Column
from ..measures import AnyTest, Measured, Test
from ..ruleset import RuleSet
from ..wording import listed
from .linear import exact, linear

_SIGNS = {("below", True): "<", ("below", False): ">=", ("at most", True): "<=", ("at most", False): ">"}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def circumstances(rules: RuleSet, settled: Sequence[tuple[int, bool]]) -> str:
    """Return tests that come out in a certain way as a clause: `safety = low and 3 < x <= 10`.

    Args:
        rules: whose tests they are.
        settled: (number of the test, whether it definitely holds or definitely fails).
    """
    told: dict[int | tuple[int, ...], list[tuple[AnyTest, bool]]] = {}
    for number, holds in settled:
        test = rules.tests[number]
        told.setdefault(test.column if isinstance(test, Test) else (number,), []).append((test, holds))
    return listed(tuple(_together(rules, each) for each in told.values()))


def _together(rules: RuleSet, said: list[tuple[AnyTest, bool]]) -> str:
    """Return what tests of one column, or of one computed number, say together."""
    first, holds = said[0]
    if isinstance(first, Measured):
        return _computed(first, rules.columns, holds=holds)
    tests = [(test, holds) for test, holds in said if isinstance(test, Test)]
    column = rules.columns[first.column]
    known = [holds for test, holds in tests if test.kind == "known"]
    if known:
        return f"{column.name} is {'known' if known[0] else 'missing'}"
    return _categories(column, tests) if column.categories else _numbers(column, tests)


def _computed(test: Measured, columns: Sequence[Column], *, holds: bool) -> str:
    """Return what a computed number is compared with, as `amount >= 5 * usual`."""
    if not isfinite(test.limit):
        return f"{test.measure.words(columns)} {_SIGNS[test.kind, holds]} {test.limit:g}"
    weights, constant = linear(test.measure)
    sign, limit = _SIGNS[test.kind, holds], exact(test.limit) - constant
    if next(iter(weights.values()), Fraction(1)) < 0:
        sign, limit = _TURNED[sign], -limit
        weights = {unknown: -weight for unknown, weight in weights.items()}
    sides: list[list[str]] = [[], []]
    for unknown, weight in weights.items():
        name = columns[unknown].name if isinstance(unknown, int) else _bare(unknown.words(columns))
        times = "" if abs(weight) == 1 else f"{float(abs(weight)):.10g} * "
        sides[weight < 0].append(f"{times}{name}")
    left, right = (" + ".join(side) for side in sides)
    if not limit and right:
        return f"{left} {sign} {right}"
    added = f" {'-' if limit < 0 else '+'} {float(abs(limit)):.10g}" if right else f"{float(limit):.10g}"
    return f"{left} {sign} {right}{added}"


def _bare(words: str) -> str:
    """Return words without the brackets around all of them."""
    return words[1:-1] if words.startswith("(") and words.find(")") == len(words) - 1 else words


def _numbers(column: Column, said: list[tuple[Test, bool]]) -> str:
    """Return in which range a number lies, and what it is or is not."""
    least = most = ""
    parts = []
    for test, holds in said:
        numbers = [f"{x:.10g}" for x in test.numbers]
        if test.kind == "among":
            parts.append(_one_of(column.name, numbers, holds=holds))
        elif holds:
            most = f" {_SIGNS[test.kind, True]} {numbers[0]}"
        else:
            least = numbers[0]
            sign = _SIGNS[test.kind, False]
    if least and most:
        parts.append(f"{least} {sign.replace('>', '<')} {column.name}{most}")
    elif least or most:
        parts.append(f"{column.name}{most or f' {sign} {least}'}")
    return listed(tuple(parts))


def _categories(column: Column, said: list[tuple[Test, bool]]) -> str:
    """Return which categories of a column are left by tests of it."""
    numbers = np.arange(len(column.categories))
    left = np.ones(len(numbers), np.bool_)
    for test, holds in said:
        facts = np.full((len(numbers), test.column + 1), np.nan)
        facts[:, test.column] = numbers
        left &= test.outcome(facts) == holds
    few = left.sum() == 1 or left.sum() <= len(numbers) / 2
    named = [column.categories[i] for i in np.flatnonzero(left if few else ~left)]
    return _one_of(column.name, named, holds=few)


def _one_of(name: str, values: list[str], *, holds: bool) -> str:
    if len(values) == 1:
        return f"{name} {'=' if holds else '!='} {values[0]}"
    return f"{name} {'in' if holds else 'not in'} {{{', '.join(values)}}}"
