"""Facts as something to choose: every value of a column that the tests of the rules tell apart.

The tests of one column hang together (below 3 is below 5; a category is one of them), so a column becomes
one variable with a value for each way its tests can come out, a gap among them. Tests of a number that is
computed from several columns go by the order of their limits here, and sums by what they come to
(linear.py); facts that make them come out so are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, inf

import numpy as np

from ...ports import F64
from ..lowering import Compiled
from ..measures import AnyTest, Measure, Measured, Test
from ..normal import STRUCTURE, AtLeast, Bools, NormalForm
from ..ruleset import RuleSet
from ..truth import Outcomes, outcomes
from ..vocabulary import Variable
from .linear import between, solution

_TRIED = 4_000  # records


@dataclass(frozen=True)
class Cells:
    """The values of one column that its tests tell apart.

    Attributes:
        column: its number.
        values: float64 values, one a way that its tests come out; the last is NaN, a gap.
        first: the variable of the first, from 1; those of the others follow.
    """

    column: int
    values: tuple[float, ...]
    first: int

    @property
    def variables(self) -> range:
        """Return the variable of each value."""
        return range(self.first, self.first + len(self.values))


@dataclass(frozen=True)
class Open:
    """A rule set with its facts to choose.

    Attributes:
        form: that of the rules, with further variables and constraints that tie the facts together.
        tied: these constraints alone.
        cells: for each column that is tested.
        known: a variable, from 1, that is true only where no fact is missing.
        leaves: for each test its variables "may hold" and "may fail", 0 where they are not in use.
        columns: the columns that rules speak of.
        computed: whether some test is of a number that is computed.
    """

    form: NormalForm
    tied: tuple[AtLeast, ...]
    cells: tuple[Cells, ...]
    known: int
    leaves: tuple[tuple[int, int], ...]
    columns: tuple[int, ...]
    computed: bool


def opened(compiled: Compiled, columns: Sequence[Variable]) -> Open:
    """Return rules that were lowered without folding, over facts in `columns`, with their facts to choose."""
    top = len(compiled.form.variables) + 1
    known, names = top, ["no fact is missing"]
    added: list[AtLeast] = []
    made: list[Cells] = []
    tests = compiled.tests
    for column, variable in enumerate(columns):
        alone = {i: t for i, t in enumerate(tests) if isinstance(t, Test) and t.column == column}
        here = [i for i in alone if any(compiled.literals_of(i))]
        if not here:
            continue
        values, found = _told_apart(variable, [alone[i] for i in here])
        cells = Cells(column, values, top + len(names))
        names += [f"{variable.name} = {value:g}" for value in values]
        added.append(AtLeast(tuple(cells.variables), 1))
        added.append(AtLeast(tuple(-v for v in cells.variables), len(values) - 1))
        for cell, row in zip(cells.variables, found, strict=True):
            added += _tied(compiled, cell, here, row)
        added.append(AtLeast((-known, -cells.variables[-1]), 1))
        made.append(cells)
    added += _computed(compiled, known)
    form = compiled.form
    more = len(names)
    wider = replace(
        form,
        variables=(*form.variables, *names),
        constraints=(*form.constraints, *added),
        defaults=np.concatenate([form.defaults, np.zeros(more, np.bool_)]),
        costs=np.concatenate([form.costs, np.zeros(more, np.int64)]),
    )
    leaves = tuple(compiled.literals_of(i) for i in range(len(tests)))
    used = [test for test, both in zip(tests, leaves, strict=True) if any(both)]
    spoken_of = tuple(sorted({column for test in used for column in test.columns}))
    computed = any(isinstance(test, Measured) for test in used)
    return Open(wider, tuple(added), tuple(made), known, leaves, spoken_of, computed)


def realised(open_: Open, rules: RuleSet, facts: F64, model: Bools) -> F64:
    """Return facts that make every test come out as in `model`; `facts`, float64 (columns,), if none do.

    Where numbers are computed from several columns, sums are solved and some thousand records are tried.
    """
    known = [i for i, test in enumerate(rules.tests) if not np.isnan(facts[list(test.columns)]).any()]
    out = [(rules.tests[i], _holds(open_.leaves[i], model)) for i in known if any(open_.leaves[i])]
    tried = np.concatenate([solved(rules, out, facts)[None], drawn(rules, facts)])
    found = outcomes(rules.tests, tried)
    fits = np.ones(len(tried), np.bool_)
    for test, both in enumerate(open_.leaves):
        for leaf, against in zip(both, (0, 1), strict=True):
            if leaf:
                fits &= (found[:, test] != against) == model[leaf - 1]
    return tried[int(fits.argmax())] if fits.any() else facts


def _holds(leaves: tuple[int, int], model: Bools) -> bool:
    """Return whether a test of facts that are known holds in a model."""
    holds, fails = leaves
    return bool(model[holds - 1]) if holds else not model[fails - 1]


def solved(rules: RuleSet, settled: Sequence[tuple[AnyTest, bool]], facts: F64) -> F64:
    """Return facts, float64 (columns,), with numbers changed so that tests come out so as far as sums go."""
    made = facts.copy()
    for column, value in solution(settled, rules.vocabulary.given).facts.items():
        made[column] = value
    return made


def drawn(rules: RuleSet, facts: F64) -> F64:
    """Return records to try, float64 (n, columns), `facts` first: they differ where numbers are computed."""
    columns = rules.vocabulary.given
    rng = np.random.default_rng(0)
    free = {c for test in rules.tests if isinstance(test, Measured) for c in test.columns}
    tried = np.tile(facts, (_TRIED, 1))
    for column in sorted(free):
        if not np.isnan(facts[column]):
            tried[1:, column] = _values(columns[column], facts[column], rng)
    return tried


def _values(variable: Variable, first: float, rng: np.random.Generator) -> F64:
    """Return values to try for a column, float64 (_TRIED - 1,): its categories, or numbers of every size."""
    count = _TRIED - 1
    if variable.column.categories:
        return rng.integers(0, len(variable.column.categories), count).astype(np.float64)
    if variable.least is not None and variable.most is not None:
        made = rng.uniform(float(variable.least), float(variable.most), count)
    else:
        made = first + rng.choice([-1.0, 1.0], count) * 10.0 ** rng.uniform(-1, 4, count)
        made = np.clip(made, variable.least, variable.most)
    decimals = 0 if variable.kind == "integer" else 2
    return np.where(rng.random(count) < 0.25, first, np.round(made, decimals))


def _computed(compiled: Compiled, known: int) -> list[AtLeast]:
    """Return how tests of computed numbers hang together: by the order of their limits."""
    made: list[AtLeast] = []
    measures: dict[Measure, list[tuple[float, bool, int, int]]] = {}
    for i, test in enumerate(compiled.tests):
        holds, fails = compiled.literals_of(i)
        if not isinstance(test, Measured) or not (holds or fails):
            continue
        if holds and fails:
            made += [AtLeast((holds, fails), 1), AtLeast((-known, -holds, -fails), 1)]
        measures.setdefault(test.measure, []).append((test.limit, test.kind == "at most", holds, fails))
    for tests in measures.values():
        for (*_, holds, fails), (*_, later_holds, later_fails) in pairwise(sorted(tests)):
            if holds and later_holds:
                made.append(AtLeast((-holds, later_holds), 1))
            if fails and later_fails:
                made.append(AtLeast((-later_fails, fails), 1))
            if holds and later_fails:
                made.append(AtLeast((-known, -holds, -later_fails), 1))
    return made


def _tied(compiled: Compiled, cell: int, tests: Sequence[int], found: Outcomes) -> list[AtLeast]:
    """Return what a value of a column makes of the tests of that column, whose outcomes are int8 (tests,)."""
    tied = []
    for test, outcome in zip(tests, found.tolist(), strict=True):
        for leaf, against in zip(compiled.literals_of(test), (0, 1), strict=True):
            if leaf:
                tied.append(AtLeast((-cell, leaf if outcome != against else -leaf), 1, (), STRUCTURE))
    return tied


def usual(variable: Variable) -> float:
    """Return a value of a column that no rule speaks of."""
    return _candidates(variable, [])[0]


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
        middles = [between(a, b) for a, b in pairwise(numbers)]
        outer = [floor(numbers[0]) - 1.0, ceil(numbers[-1]) + 1.0] if numbers else [0.0]
        inner = [between(least, numbers[0]), between(numbers[-1], most)] if numbers else []
        found = {*numbers, *middles, *outer, *ends, *(x for x in inner if abs(x) < inf)}
    return sorted(x for x in found if least <= x <= most)
