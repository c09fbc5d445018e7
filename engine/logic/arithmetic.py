"""Comparisons of computed numbers, bound: facts become tests, what is decided becomes weighted sums.

A comparison is exact over what is decided (fractions, no rounding). A sum that mixes both is taken apart into
one comparison a value that its decided part can come to; a product of decided variables, or of a decided one
and a fact, is written out value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import ceil, gcd, isfinite, lcm
from typing import Protocol

import numpy as np

from ..errors import RuleError
from .expressions import Applied, Expression, Negative, Product, Sum, leaves, place_of
from .formula import FALSE, TRUE, And, Formula, Not, Operator, Or, Place, Tested, ValueIn, Weighted, Word
from .functions import FUNCTIONS
from .measures import AnyTest, Measure, Measured, Test
from .subjects import Fact, Subject
from .vocabulary import number_of, yes_or_no

MOST_LEAVES = 1_024  # names and numbers of one comparison
MOST_STEPS = 2_048  # weighted literals of one comparison
MOST_SUMS = 512  # values that the decided part of a mixed sum can come to
MOST_COMBINED = 1_024  # combinations of values that a product is written out over
_MOST_WEIGHT = 1 << 40

Fixed = Mapping[int, Fraction]  # decided variables that have been given a value


class Names(Protocol):
    """What is needed of binding.Binding."""

    def subject(self, word: Word | None, place: Place) -> Subject:
        """Return the variable that a word names."""

    def test(self, test: AnyTest) -> Tested:
        """Return the bound atom of a test."""

    def spend(self, parts: int, place: Place) -> None:
        """Count the parts that a formula comes to; RuleError where all rules come to too many."""


@dataclass(frozen=True)
class Linear:
    """A sum: whole shares of decided variables, a number computed from facts, a constant.

    Attributes:
        shares: the factor of each decided variable, by its number, none 0.
        facts: what is computed from facts, None where nothing is.
        constant: the rest.
    """

    shares: dict[int, Fraction] = field(default_factory=dict)
    facts: Measure | None = None
    constant: Fraction = Fraction(0)

    def plus(self, other: Linear) -> Linear:
        """Return the sum of both."""
        none = Fraction(0)
        sums = {v: self.shares.get(v, none) + other.shares.get(v, none) for v in self.shares | other.shares}
        both = [m for m in (self.facts, other.facts) if m is not None]
        facts = Measure("+", tuple(both)) if len(both) == 2 else (both[0] if both else None)
        shares = {v: share for v, share in sums.items() if share}
        return Linear(shares, facts, self.constant + other.constant)

    def times(self, factor: Fraction) -> Linear:
        """Return it multiplied by a number."""
        if not factor:
            return Linear()
        facts = self.facts
        if facts is not None and factor != 1:
            facts = Measure("*", (facts, constant(factor)))
        return Linear({v: s * factor for v, s in self.shares.items()}, facts, self.constant * factor)

    @property
    def measure(self) -> Measure:
        """Return it as a number computed from facts alone."""
        if self.facts is None:
            return constant(self.constant)
        return Measure("+", (self.facts, constant(self.constant))) if self.constant else self.facts


def related(names: Names, left: Expression, operator: Operator, right: Expression) -> Formula:
    """Return `left operator right` bound.

    Raises:
        RuleError: a name is not there or is no number, or the comparison is too large.
    """
    return _Comparison(names, left, right).bind(operator)


def values_of(names: Names, expression: Expression) -> dict[Fraction, Formula] | None:
    """Return that a number has each value that it can be decided to have; None where it depends on facts.

    Raises:
        RuleError: a name is not there or is no number.
    """
    return _Comparison(names, expression, Word("0")).values()


def numbers_of(subject: Subject) -> tuple[Fraction, ...]:
    """Return the number of each of a variable's values: a flag counts 0 or 1; () for a fact that is a number.

    Raises:
        RuleError: its values are no numbers.
    """
    if subject.numeric:
        return tuple(number for number in subject.variable.numbers if number is not None)
    if subject.counts:
        return tuple(Fraction(int(bool(yes_or_no(name)))) for name in subject.names)
    words = f"{subject.variable.name} has values that are no numbers."
    raise RuleError(words, where=str(subject.place), do="Add up numbers, integers and flags.")


def constant(number: Fraction) -> Measure:
    """Return a number that needs no facts."""
    return Measure("constant", numbers=(float(number),))


class _Comparison:
    """One comparison while it is bound."""

    def __init__(self, names: Names, left: Expression, right: Expression) -> None:
        self._names, self._at = names, place_of(left)
        self._place = str(self._at)
        self._whole = Sum((left, right), (False, True))
        self._numbers: dict[int, tuple[Fraction, ...]] = {}
        self._leaves: dict[Word, Linear] = {}

    def bind(self, operator: Operator) -> Formula:
        many = sum(1 for _ in leaves(self._whole))
        if many > MOST_LEAVES:
            words = f"The comparison is of {many:,} names and numbers; {MOST_LEAVES:,} is the most."
            raise RuleError(words, where=self._place, do="Split it.")
        self._names.spend(many, self._at)
        try:
            found = self._linear(self._whole, {})
            return self._written_out(operator) if found is None else self._compared(found, operator)
        except OverflowError:
            words = "The numbers of the comparison are too large to compute with."
            raise RuleError(words, where=self._place, do="Scale them down.") from None

    def values(self) -> dict[Fraction, Formula] | None:
        """Return that the number has each of its values, where it is one of one decided variable."""
        found = self._linear(self._whole, {})
        if found is None or found.facts is not None or len(found.shares) > 1:
            return None
        if not found.shares:
            return {found.constant: TRUE}
        ((variable, share),) = found.shares.items()
        numbers = [share * n + found.constant for n in self._numbers[variable]]
        return {n: ValueIn(variable, tuple(i for i, m in enumerate(numbers) if m == n)) for n in numbers}

    # What an expression comes to

    def _linear(self, expression: Expression, fixed: Fixed) -> Linear | None:
        """Return a linear form; None where decided variables are multiplied or go into a function."""
        match expression:
            case Word():
                return self._leaf(expression, fixed)
            case Negative(part):
                inner = self._linear(part, fixed)
                return inner and inner.times(Fraction(-1))
            case Sum(parts, minus):
                return self._sum(parts, minus, fixed)
            case Product(parts, over):
                return self._product(parts, over, fixed)
            case Applied():
                return self._applied(expression, fixed)

    def _leaf(self, word: Word, fixed: Fixed) -> Linear:
        found = self._leaves.get(word)
        if found is None:
            found = self._leaves[word] = self._looked_up(word)
        if fixed and found.shares:
            ((variable, _),) = found.shares.items()
            return Linear(constant=fixed[variable])
        return found

    def _looked_up(self, word: Word) -> Linear:
        number = None if word.quoted else number_of(word.text)
        if number is not None:
            return Linear(constant=number)
        subject = self._names.subject(word, word.place)
        numbers = numbers_of(subject)
        if isinstance(subject, Fact):
            table = tuple(map(float, numbers))
            return Linear(facts=Measure("fact", column=subject.number, numbers=table))
        self._numbers[subject.number] = numbers
        return Linear({subject.number: Fraction(1)})

    def _sum(self, parts: tuple[Expression, ...], minus: tuple[bool, ...], fixed: Fixed) -> Linear | None:
        made = Linear()
        for part, negative in zip(parts, minus, strict=True):
            inner = self._linear(part, fixed)
            if inner is None:
                return None
            made = made.plus(inner.times(Fraction(-1 if negative else 1)))
        return made

    def _product(self, parts: tuple[Expression, ...], over: tuple[bool, ...], fixed: Fixed) -> Linear | None:
        made = Linear(constant=Fraction(1))
        for part, divides in zip(parts, over, strict=True):
            inner = self._linear(part, fixed)
            made_ = inner and _multiplied(made, inner, divides=divides)
            if made_ is None:
                return None
            made = made_
        return made

    def _applied(self, applied: Applied, fixed: Fixed) -> Linear | None:
        parts = [self._linear(part, fixed) for part in applied.parts]
        measures: list[Measure] = []
        for part in parts:
            if part is None or part.shares:
                return None
            measures.append(part.measure)
        made = Measure(applied.function, tuple(measures))
        return Linear(facts=made) if made.columns else _folded(made, applied)

    # Compared with 0

    def _compared(self, found: Linear, operator: Operator) -> Formula:
        if operator in ("=", "!="):
            both = And((self._compared(found, "<="), self._compared(found, ">=")))
            return _simple(both) if operator == "=" else Not(_simple(both))
        if operator in (">", ">="):
            return self._compared(found.times(Fraction(-1)), "<" if operator == ">" else "<=")
        strict = operator == "<"
        if not found.shares:
            return self._of_facts(found, strict=strict)
        if found.facts is None:
            # a <= b is not (a > b), and both are sums that reach something.
            return self._reaches(found.times(Fraction(-1)), strict=strict)
        return self._mixed(found, strict=strict)

    def _of_facts(self, found: Linear, *, strict: bool) -> Formula:
        limit = -found.constant
        if found.facts is None:
            return TRUE if limit > 0 or (limit == 0 and not strict) else FALSE
        facts = found.facts
        if facts.operator == "fact" and facts.numbers:
            good = [i for i, n in enumerate(facts.numbers) if n < limit or (n == limit and not strict)]
            return self._names.test(Test(facts.column, "among", tuple(map(float, good))))
        if facts.operator == "fact":
            return self._names.test(Test(facts.column, "below" if strict else "at most", (float(limit),)))
        return self._names.test(Measured(facts, "below" if strict else "at most", float(limit)))

    def _reaches(self, found: Linear, *, strict: bool) -> Formula:
        """Return that the sum of what is decided is at least 0, above 0 where `strict`."""
        if len(found.shares) == 1:
            ((variable, share),) = found.shares.items()
            values = [share * n + found.constant for n in self._numbers[variable]]
            good = tuple(i for i, v in enumerate(values) if v > 0 or (v == 0 and not strict))
            return ValueIn(variable, good) if len(good) < len(values) else TRUE
        bound = -found.constant
        terms: list[tuple[Fraction, Formula]] = []
        for variable, share in found.shares.items():
            numbers = self._numbers[variable]
            least = min(share * n for n in numbers)
            bound -= least
            terms += _cells(variable, share, numbers, least)
        if len(terms) > MOST_STEPS:
            words = f"The sum runs over {len(terms):,} values; {MOST_STEPS:,} is the most."
            raise RuleError(words, where=self._place, do="Use coarser steps, or split it.")
        self._names.spend(len(terms), self._at)
        return self._weighted(bound, terms, strict=strict)

    def _weighted(self, bound: Fraction, terms: list[tuple[Fraction, Formula]], *, strict: bool) -> Formula:
        scale = lcm(*(weight.denominator for weight, _ in terms))
        weights = [int(weight * scale) for weight, _ in terms]
        if sum(weights) > _MOST_WEIGHT:
            words = "The numbers of the sum are of too different sizes."
            raise RuleError(words, where=self._place, do="Round them.")
        shared = gcd(*weights)
        goal = bound * scale / shared
        least = int(goal) + 1 if strict and goal.denominator == 1 else ceil(goal)
        if least <= 0:
            return TRUE
        weights = [weight // shared for weight in weights]
        if least > sum(weights):
            return FALSE
        return Weighted(tuple(part for _, part in terms), tuple(weights), least)

    def _mixed(self, found: Linear, *, strict: bool) -> Formula:
        """Return that decided plus facts plus constant is at most 0: what is decided leaves for the facts."""
        parts: list[Formula] = []
        for value in self._sums(found.shares):
            enough = self._reaches(Linear(found.shares, constant=-value), strict=False)
            rest = self._of_facts(Linear(facts=found.facts, constant=found.constant + value), strict=strict)
            parts.append(rest if enough == TRUE else Or((Not(enough), rest)))
        return _simple(And(tuple(parts)))

    def _sums(self, shares: dict[int, Fraction]) -> list[Fraction]:
        sums = {Fraction(0)}
        for variable, share in shares.items():
            sums = {s + share * n for s in sums for n in self._numbers[variable]}
            if len(sums) > MOST_SUMS:
                words = f"What is decided in the sum can come to more than {MOST_SUMS} values beside facts."
                raise RuleError(words, where=self._place, do="Use coarser steps.")
        return sorted(sums)

    # Value by value

    def _written_out(self, operator: Operator) -> Formula:
        for word in leaves(self._whole):
            self._leaf(word, {})
        variables = sorted(self._numbers)
        many = 1
        for variable in variables:
            many *= len(self._numbers[variable])
            if many > MOST_COMBINED:
                words = f"The product is over more than {MOST_COMBINED:,} combinations of values."
                raise RuleError(words, where=self._place, do="Use coarser steps, or multiply by a number.")
        self._names.spend(many * sum(1 for _ in leaves(self._whole)), self._at)
        parts: list[Formula] = []
        for chosen in product(*(range(len(self._numbers[v])) for v in variables)):
            fixed = {v: self._numbers[v][i] for v, i in zip(variables, chosen, strict=True)}
            found = self._linear(self._whole, fixed)
            holds = FALSE if found is None else self._compared(found, operator)
            if holds != TRUE:
                elsewhere = tuple(Not(ValueIn(v, (i,))) for v, i in zip(variables, chosen, strict=True))
                parts.append(Or(elsewhere if holds == FALSE else (*elsewhere, holds)))
        return _simple(And(tuple(parts)))


def _multiplied(left: Linear, right: Linear, *, divides: bool) -> Linear | None:
    if not right.shares and right.facts is None:
        if divides and not right.constant:
            return None if left.shares else Linear(facts=Measure("/", (left.measure, right.measure)))
        return left.times(1 / right.constant if divides else right.constant)
    if not divides and not left.shares and left.facts is None:
        return right.times(left.constant)
    if left.shares or right.shares:
        return None
    return Linear(facts=Measure("/" if divides else "*", (left.measure, right.measure)))


def _folded(made: Measure, applied: Applied) -> Linear:
    number = float(made.values(np.zeros((1, 0)))[0][0])
    if not isfinite(number):
        words = f"{FUNCTIONS[applied.function].key} of these numbers is no number."
        raise RuleError(words, where=str(applied.place), do="Change them.")
    return Linear(constant=Fraction(number))


def _cells(
    variable: int, share: Fraction, numbers: tuple[Fraction, ...], least: Fraction
) -> Iterator[tuple[Fraction, Formula]]:
    """Yield what each value adds to the least that share * variable can be."""
    for i, number in enumerate(numbers):
        if share * number > least:
            yield share * number - least, ValueIn(variable, (i,))


def _simple(formula: And) -> Formula:
    parts = tuple(part for part in formula.parts if part != TRUE)
    if FALSE in parts:
        return FALSE
    return parts[0] if len(parts) == 1 else And(parts)
