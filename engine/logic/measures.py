"""Tests of facts: one column against numbers, or a number computed from several columns against a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..ports import F64, Column
from .functions import FUNCTIONS

TestKind = Literal["among", "below", "at most", "known"]
Outcomes = npt.NDArray[np.int8]  # 1 yes, 0 no, UNKNOWN
UNKNOWN = 2
EQUAL = 1e-9  # of their size: computed numbers that differ by less count as equal


@dataclass(frozen=True)
class Test:
    """One yes-or-no question about one column of facts; a gap answers only `known`.

    Attributes:
        column: index of the column.
        kind: `among` (the fact is one of the numbers), `below`, `at most` (against the one number), `known`.
        numbers: float64 values; for a column of categories, their indices.
    """

    __test__ = False  # not a test case

    column: int
    kind: TestKind
    numbers: tuple[float, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """Return the columns that it looks at."""
        return (self.column,)

    def words(self, columns: Sequence[Column]) -> str:
        """Return the test as it would be written."""
        column = columns[self.column]
        if self.kind == "known":
            return f"{column.name} is known"
        said = [column.categories[int(x)] if column.categories else f"{x:.10g}" for x in self.numbers]
        if self.kind == "among":
            return (
                f"{column.name} = {said[0]}" if len(said) == 1 else f"{column.name} in {{{', '.join(said)}}}"
            )
        return f"{column.name} {'<' if self.kind == 'below' else '<='} {said[0]}"

    def outcome(self, facts: F64) -> Outcomes:
        """Return 1, 0 or UNKNOWN for each record, int8 (n,), of facts, float64 (n, columns)."""
        fact = facts[:, self.column]
        gap = np.isnan(fact)
        if self.kind == "known":
            return (~gap).astype(np.int8)
        if self.kind == "among":
            yes = np.isin(fact, np.array(self.numbers, np.float64))
        else:
            limit = np.float64(self.numbers[0])
            yes = fact < limit if self.kind == "below" else fact <= limit
        return np.where(gap, np.int8(UNKNOWN), yes.astype(np.int8))


@dataclass(frozen=True)
class Measure:
    """A number computed from facts.

    Attributes:
        operator: `fact`, `constant`, `+`, `*`, `/`, or the name of a function.
        parts: what it is applied to.
        column: of a fact.
        numbers: of a fact that is a column of categories, the number each stands for; of a constant, itself.
    """

    operator: str
    parts: tuple[Measure, ...] = ()
    column: int = -1
    numbers: tuple[float, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """Return the columns that it looks at, each once."""
        found = {self.column} if self.operator == "fact" else set()
        return tuple(sorted(found.union(*(part.columns for part in self.parts))))

    def words(self, columns: Sequence[Column]) -> str:
        """Return the number as it would be written."""
        if self.operator == "constant":
            return f"{self.numbers[0]:.10g}"
        if self.operator == "fact":
            return columns[self.column].name
        parts = [part.words(columns) for part in self.parts]
        if self.operator in ("+", "*", "/"):
            return f"({f' {self.operator} '.join(parts)})"
        return f"{self.operator}({', '.join(parts)})"

    def values(self, facts: F64) -> tuple[F64, F64]:
        """Return the number of each record and the size of what it was computed from, float64 (n,) each.

        A gap, a division by zero and what overflows give NaN.
        """
        if self.operator == "constant":
            made = np.full(len(facts), self.numbers[0])
            return made, np.abs(made)
        if self.operator == "fact":
            made = self._fact(facts[:, self.column])
            return made, np.abs(made)
        done = [part.values(facts) for part in self.parts]
        numbers, sizes = [d[0] for d in done], [d[1] for d in done]
        with np.errstate(all="ignore"):
            if self.operator in ("+", "*"):
                join = np.add if self.operator == "+" else np.multiply
                return _all(join, numbers), _all(join, sizes)
            if self.operator == "/":
                made = np.where(numbers[1] == 0, np.nan, numbers[0] / numbers[1])
                return made, sizes[0] / np.abs(numbers[1])
            made = FUNCTIONS[self.operator].compute(numbers)
        return made, np.maximum(np.abs(made), _all(np.maximum, sizes))

    def _fact(self, fact: F64) -> F64:
        if not self.numbers:
            return fact
        table = np.append(np.array(self.numbers), np.nan)
        return table[np.where(np.isnan(fact), len(self.numbers), fact).astype(np.int64)]


@dataclass(frozen=True)
class Measured:
    """Whether a computed number is `below` or `at most` a limit; unknown where a fact that it needs is a gap.

    Computed numbers are rounded: what differs by less than a billionth of the numbers it was computed from
    counts as equal.
    """

    measure: Measure
    kind: Literal["below", "at most"]
    limit: float

    @property
    def columns(self) -> tuple[int, ...]:
        """Return the columns that it looks at."""
        return self.measure.columns

    def words(self, columns: Sequence[Column]) -> str:
        """Return the test as it would be written."""
        return f"{self.measure.words(columns)} {'<' if self.kind == 'below' else '<='} {self.limit:.10g}"

    def outcome(self, facts: F64) -> Outcomes:
        """Return 1, 0 or UNKNOWN for each record, int8 (n,), of facts, float64 (n, columns)."""
        number, size = self.measure.values(facts)
        slack = EQUAL * (size + abs(self.limit))
        yes = number < self.limit - slack if self.kind == "below" else number <= self.limit + slack
        sure = np.isfinite(number) & np.isfinite(slack)
        return np.where(sure, yes.astype(np.int8), np.int8(UNKNOWN))


AnyTest = Test | Measured


def outcomes(tests: Sequence[AnyTest], facts: F64) -> Outcomes:
    """Return the outcome of every test, int8 (n, tests), for `facts`, float64 (n, columns), NaN for a gap.

    Columns that are missing at the end are gaps.
    """
    out = np.empty((len(facts), len(tests)), np.int8)
    missing = max((c for test in tests for c in test.columns), default=-1) + 1 - facts.shape[1]
    if missing > 0:
        facts = np.concatenate([facts, np.full((len(facts), missing), np.nan)], axis=1)
    for i, test in enumerate(tests):
        out[:, i] = test.outcome(facts)
    return out


def _all(join: np.ufunc, arrays: list[F64]) -> F64:
    made = arrays[0]
    for each in arrays[1:]:
        made = join(made, each)
    return made
