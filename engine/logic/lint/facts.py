"""Facts as something to choose: every value of a column that the tests of the rules tell apart.

The tests of one column hang together (below 3 is below 5; a category is one of them), so a column becomes one
variable with a value for each way its tests can come out, a gap among them. A test over several columns is
free: nothing here knows which of its outcomes go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf

import numpy as np

from ..building import Builder, Made
from ..normal import STRUCTURE
from ..sums import Sum
from ..truth import Outcomes, outcomes
from ..subjects import Test
from ..vocabulary import Variable

_DECIMALS = 12


class OpenBuilder(Builder):
    """A builder to which facts are variables that can be chosen.

    Attributes:
        leaves: (test, whether it may hold or may fail) -> its variable.
    """

    def __init__(self) -> None:
        super().__init__()
        self.leaves: dict[tuple[int, bool], int] = {}

    def given(self, key: object, name: str) -> int:
        if not isinstance(key, tuple):
            raise ValueError(f"{key} is no test")
        if key not in self.leaves:
            self.leaves[key] = self.flag(name)
        return self.leaves[key]


@dataclass(frozen=True)
class Cells:
    """The values of one column that its tests tell apart.

    Attributes:
        column: its number.
        values: float64 values, one a way that its tests come out; the last is NaN, a gap.
        variables: the variable of each.
    """

    column: int
    values: tuple[float, ...]
    variables: tuple[int, ...]


def add_facts(builder: OpenBuilder, columns: Sequence[Variable], tests: Sequence[Test]) -> tuple[tuple[Cells, ...], int]:
    """Add what facts can be to `builder`; return the cells of each column that is tested, and `known`.

    `known` is a variable that is true only where no fact is missing.
    """
    known = builder.flag("no fact is missing")
    tested = {index for index, _ in builder.leaves}
    made = []
    for column, variable in enumerate(columns):
        here = [i for i in sorted(tested) if tests[i].column == column]
        if not here:
            continue
        values, found = _told_apart(variable, [tests[i] for i in here])
        cells = builder.one_of([f"{variable.name} = {value:g}" for value in values])
        for cell, row in zip(cells, found, strict=True):
            for test, outcome in zip(here, row.tolist(), strict=True):
                for positive in (True, False):
                    leaf = builder.leaves.get((test, positive))
                    if leaf:
                        may = outcome != (0 if positive else 1)
                        _clause(builder, -cell, leaf if may else -leaf)
        _clause(builder, -known, -cells[-1])
        made.append(Cells(column, values, cells))
    return tuple(made), known


def usual(variable: Variable) -> float:
    """Return a value of a column that no rule speaks of."""
    return _candidates(variable, [])[0]


def _clause(builder: Builder, *literals: int) -> None:
    builder.sums.append((Sum(tuple((x, 1) for x in literals), 1), STRUCTURE))


def _told_apart(variable: Variable, tests: Sequence[Test]) -> tuple[tuple[float, ...], Outcomes]:
    """Return a value for each way the tests come out, int8 (values, tests) beside it; a gap is the last."""
    numbers = sorted({x for test in tests for x in test.numbers})
    candidates = np.array([*_candidates(variable, numbers), np.nan])
    column = tests[0].column
    facts = np.full((len(candidates), column + 1), np.nan)
    facts[:, column] = candidates
    found = outcomes(tuple(tests), facts)
    _, first = np.unique(found[:-1], axis=0, return_index=True)
    kept = [*sorted(first.tolist()), len(candidates) - 1]
    return tuple(candidates[kept].tolist()), found[kept]


def _candidates(variable: Variable, numbers: list[float]) -> list[float]:
    """Return values among which every outcome of tests against `numbers` is found, rising."""
    if variable.column.categories:
        return [float(i) for i in range(len(variable.column.categories))]
    least = -inf if variable.least is None else float(variable.least)
    most = inf if variable.most is None else float(variable.most)
    ends = [x for x in (least, most) if abs(x) < inf]
    if variable.kind == "integer":
        near = {float(n) for x in [*numbers, *ends] for n in (floor(x), floor(x) + 1, ceil(x) - 1, ceil(x))}
        found = near or {0.0}
    else:
        between = [_between(a, b) for a, b in zip(numbers, numbers[1:], strict=False)]
        outer = [floor(numbers[0]) - 1.0, ceil(numbers[-1]) + 1.0] if numbers else [0.0]
        inner = [_between(least, numbers[0]), _between(numbers[-1], most)] if numbers else []
        found = {*numbers, *between, *outer, *ends, *(x for x in inner if abs(x) < inf)}
    return sorted(x for x in found if least <= x <= most)


def _between(a: float, b: float) -> float:
    """Return the roundest number between two, or their middle where none is left between."""
    middle = a / 2 + b / 2
    for decimals in range(_DECIMALS):
        rounded = round(middle, decimals) if abs(middle) < inf else middle
        if a < rounded < b:
            return rounded
    return middle
