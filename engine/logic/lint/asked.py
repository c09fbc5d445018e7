"""A rule set as a question, and what the models that answer it mean: facts, answers, sequences of events."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...ports import F64, I64, Column
from ..formula import Formula, IfThen, Implies, Not
from ..lowering import lowered
from ..measures import Measured
from ..normal import Bools
from ..ruleset import RuleSet
from .facts import opened, realised, usual
from .findings import Example
from .linear import impossible
from .question import Question

if TYPE_CHECKING:
    from .events import Calls


class Asked:
    """A rule set as a question, and what its models mean.

    Args:
        written: the rules.

    Attributes:
        written: the rules as they were given.
        rules: the rules, template calls of events being flags that are decided after all else.
        calls: these calls; None where the rules speak of no sequence.
        hard: bool (rules,), which must be kept.
        open: the rules with their facts to choose.
        question: the question.
    """

    def __init__(self, written: RuleSet) -> None:
        self.written = written
        self.calls = _calls(written)
        self.rules = rules = self.calls.rules if self.calls else written
        self.hard = np.array([rule.weight is None for rule in rules.rules], np.bool_)
        conditions = {i: _condition(rule.bound) for i, rule in enumerate(rules.rules)}
        asked = {i: c for i, c in conditions.items() if c is not None}
        compiled = lowered(rules, [Not(c) for c in asked.values()], fold=False)
        count, columns = len(rules.rules), rules.vocabulary.given
        open_ = opened(compiled, columns)
        self._cells, self._decisions = open_.cells, compiled.decisions
        flags = len(self.calls.happens) if self.calls else 0
        self.first, self.watched = compiled.form.given, compiled.scores - flags
        self._scores = compiled.scores
        ends = self.first + compiled.scores + 1
        self.flags = tuple(range(ends - flags, ends))
        self.open = open_
        self._known_wrong: dict[tuple[bool, ...], tuple[int, ...]] = {}
        self._settled = {
            leaf: (test, holds)
            for test, both in enumerate(open_.leaves)
            for leaf, holds in zip(both, (False, True), strict=True)
        }
        self._usual = np.array([usual(variable) for variable in columns], np.float64)
        self.question = Question(
            open_.form,
            count,
            np.concatenate([compiled.helpers, np.zeros(len(open_.form.variables), np.bool_)]),
            dict(zip(asked, range(count, count + len(asked)), strict=True)),
            open_.known,
            tuple(range(self.first + 1, self.first + self.watched + 1)),
        )

    def model(self, values: I64) -> list[int]:
        """Return an answer, int64 (decided,), as a model as far as its last watched variable."""
        out = [0] * self.first + [-v for v in range(self.first + 1, self.first + self._scores + 1)]
        for decision, value in zip(self._decisions, values.tolist(), strict=True):
            true = self.first + decision.start + (value if decision.values else 0)
            if decision.values or value:
                out[true] = true + 1
        return out

    def record(self, model: Bools) -> tuple[F64, I64]:
        """Return the facts, float64 (columns,), and the answer, int64 (decided,), of a model."""
        facts = self.facts(model)
        if self.open.computed:
            facts = realised(self.open, self.rules, facts, model)
        return facts, self.values(model)

    def facts(self, model: Bools) -> F64:
        """Return the facts of a model, float64 (columns,), where each test looks at one column."""
        facts = self._usual.copy()
        for cells in self._cells:
            facts[cells.column] = cells.values[next(i for i, v in enumerate(cells.variables) if model[v - 1])]
        return facts

    def values(self, model: Bools) -> I64:
        """Return the answer of a model, int64 (decided,)."""
        scores = model[self.first : self.first + self._scores]
        values = [int(scores[d.place].argmax() if d.values else scores[d.start]) for d in self._decisions]
        return np.array(values, np.int64)

    def settled_by(self, leaf: int) -> tuple[int, bool]:
        """Return the test of a leaf, and whether it holds (or fails) where the leaf is false."""
        return self._settled[leaf]

    def seen(self, values: I64) -> bool:
        """Return whether an answer, int64 (decided,), is known to be one: sequences follow its calls."""
        first = self.calls.first if self.calls else 0
        return not self.calls or self.calls.seen(tuple((values[first:] > 0).tolist()))

    def impossible(self, leaves: Sequence[int]) -> list[int]:
        """Return leaves of which no numbers make all false, none of them to spare; [] where some do."""
        return [leaves[i] for i in self._wrong([self._settled[leaf] for leaf in leaves])]

    @cached_property
    def numeric(self) -> tuple[int, ...]:
        """Return the leaves of tests of computed numbers and of what goes into them, then gaps, `known`."""
        tests = self.rules.tests
        columns = {c for test in tests if isinstance(test, Measured) for c in test.columns}
        leaves = (
            leaf
            for leaf, (test, _) in sorted(self._settled.items())
            if leaf and tests[test].kind != "known" and columns.intersection(tests[test].columns)
        )
        return (*leaves, *self._gaps.values(), self.open.known)

    @cached_property
    def _gaps(self) -> dict[int, int]:
        """Return for each column that is tested by itself the variable that it is missing."""
        return {cells.column: cells.variables[-1] for cells in self._cells}

    def conflict(self, chosen: tuple[bool, ...]) -> tuple[int, ...]:
        """Return which variables of `numeric` cannot all be as chosen, none of them to spare."""
        if chosen not in self._known_wrong:
            place = {variable: i for i, variable in enumerate(self.numeric)}
            held: list[tuple[int, bool]] = []
            why: list[tuple[int, ...]] = []
            for i, leaf in enumerate(self.numeric[: -1 - len(self._gaps)]):
                test, holds = self._settled[leaf]
                if not chosen[i]:
                    held.append((test, holds))
                    why.append((i,))
                elif (there := self._there(test, chosen, place)) is not None:
                    held.append((test, not holds))  # what may hold does where no fact is missing
                    why.append((i, *there))
            wrong = {i for each in self._wrong(held) for i in why[each]}
            self._known_wrong[chosen] = tuple(sorted(wrong))
        return self._known_wrong[chosen]

    def _there(self, test: int, chosen: tuple[bool, ...], place: dict[int, int]) -> tuple[int, ...] | None:
        """Return places of what says that no fact of a test is missing, None where one may be."""
        gaps = [place.get(self._gaps.get(column, 0), -1) for column in self.rules.tests[test].columns]
        if all(gap >= 0 and not chosen[gap] for gap in gaps):
            return tuple(gaps)
        return (len(chosen) - 1,) if chosen[-1] else None

    def _wrong(self, settled: Sequence[tuple[int, bool]]) -> list[int]:
        if not self.open.computed:
            return []
        tests = [(self.rules.tests[test], holds) for test, holds in settled]
        return impossible(tests, self.rules.vocabulary.given)

    def said(self, facts: F64) -> dict[str, str]:
        """Return facts by column, as text; of them those that rules speak of."""
        columns = self.rules.columns
        return {columns[c].name: _value(columns[c], float(facts[c])) for c in self.open.columns}

    def example(self, facts: F64, values: I64) -> Example:
        """Return a record in words; of the facts those that rules speak of."""
        said = self.said(facts)
        first = self.calls.first if self.calls else None
        decided = self.rules.vocabulary.decided[:first]
        answer = {v.name: v.names[value] for v, value in zip(decided, values.tolist(), strict=False)}
        if self.calls:
            answer |= self.calls.example(tuple((values[first:] > 0).tolist()))
        return Example(said, answer, ", ".join(f"{k} = {v}" for k, v in {**said, **answer}.items()))


def _calls(rules: RuleSet) -> Calls | None:
    if not rules.vocabulary.sequences:
        return None
    from .events import Calls  # which needs numba, whose import takes longer than most checks

    return Calls.of(rules)


def _condition(formula: Formula) -> Formula | None:
    """Return what must hold for a rule to ask for anything."""
    match formula:
        case IfThen(condition, _, None):
            return condition
        case Implies(left, _):
            return left
    return None


def _value(column: Column, value: float) -> str:
    if np.isnan(value):
        return "missing"
    return column.categories[int(value)] if column.categories else f"{value:.10g}"
