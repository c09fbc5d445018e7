"""A rule text under examination: read, bound, lowered with its facts to choose, and asked about.

Runs in the solver process, so that neither parsing nor solving holds the interpreter of the program that asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import RuleError
from ...ports import F64, I64, Column
from .examined import Examined
from ..formula import Formula, IfThen, Implies, Not
from ..normal import Bools
from ..lowering import Lowering, soft_costs
from ..ruleset import RuleSet
from ..vocabulary import Variable, Vocabulary
from .examination import Examination, IncrementalSolver, Known
from .facts import OpenBuilder, add_facts, usual
from .findings import Checked, Example, Finding
from .memory import Memory, judged
from .question import Question
from .words import Report

BUDGETS = (2_000, 20_000)  # conflicts of one question: somebody is waiting
_PLACE = re.compile(r"line (\d+), column (\d+)")


class TextExamination:
    """A rule text, examined slice by slice.

    Args:
        text: the rules.
        vocabulary: what they may speak of.
        origins: rule -> the pack it comes from, for rules that come from packs.
        memory: what is known from earlier texts over the same vocabulary; it learns from this one.
        solver: makes a solver that holds some clauses.
    """

    def __init__(
        self,
        text: str,
        vocabulary: Vocabulary,
        origins: Mapping[str, str],
        memory: Memory,
        solver: Callable[[list[list[int]]], IncrementalSolver],
    ) -> None:
        self._began, self._took = time.perf_counter(), 0.0
        self._memory, self._origins = memory, origins
        self._error: RuleError | None = None
        self._asked: _Asked | None = None
        try:
            self._asked = _Asked(RuleSet.over(text, vocabulary))
        except RuleError as error:
            self._error = error
            return
        known = self._recalled(self._asked)
        _, sent = self._asked.question.coded()
        self._examination = Examination(sent, solver(sent["clauses"]), BUDGETS, known)
        self._took = time.perf_counter() - self._began

    def run(self, seconds: float) -> bool:
        """Ask for about `seconds`; return whether nothing is left to ask."""
        if self._asked is None:
            return True
        began = time.perf_counter()
        done = self._examination.run(seconds)
        self._took += time.perf_counter() - began
        return done

    def checked(self) -> Checked:
        """Return what is known so far."""
        if self._asked is None:
            return _unread(self._error)
        asked, found = self._asked, Examined.of(self._examination.as_json())
        if self._examination.done and found.satisfiable:
            self._learn(asked, found)
        examples = {i: asked.example(*record) for i, record in self._records(asked, found).items()}
        report = Report(asked.rules, found, examples, self._origins)
        return Checked(
            report.findings(),
            report.statuses(),
            asked.rules.notes,
            found.satisfiable,
            self._examination.done,
            self._took,
        )

    # Inside

    def _recalled(self, asked: _Asked) -> Known:
        known = Known()
        self._alone: dict[int, tuple[F64, I64]] = {}
        if self._memory.facts:
            facts, values = np.array(self._memory.facts), np.array(self._memory.values)
            kept, alone = judged(asked.rules.broken(facts, values), asked.hard)
            known.models = [asked.model(values[r]) for r in kept]
            known.witnessed = set(alone)
            self._alone = {i: (facts[r], values[r]) for i, r in alone.items()}
        self._memory.recall(asked.keys, known)
        known.implied = {i: why for i, why in known.implied.items() if i not in known.witnessed}
        return known

    def _records(self, asked: _Asked, found: Examined) -> dict[int, tuple[F64, I64]]:
        told = {i: asked.record(model) for i, model in found.witnesses}
        return {**self._alone, **told}

    def _learn(self, asked: _Asked, found: Examined) -> None:
        sure = {i: why for i, why in found.implied.items() if i not in found.gaps}
        fixed = {x: why for x, why in found.fixed.items() if abs(x) <= asked.watched}
        self._memory.learn(asked.keys, sure, found.vacuous, fixed)
        for i, model in found.witnesses:
            if i not in found.gaps:
                self._memory.add_record(*asked.record(model))
        for model in self._examination.models:
            if len(model) > asked.watched:
                self._memory.add_record(*asked.record(np.array(model) > 0))


def vocabulary_of(told: list[dict[str, Any]]) -> Vocabulary:
    """Return the vocabulary whose variables came as dictionaries."""
    return Vocabulary(tuple(Variable(**{**each, "values": tuple(each["values"])}) for each in told))


class _Asked:
    """A rule set as a question, and what its models mean.

    Attributes:
        rules: the rules.
        question: the question.
        watched: how many variables are watched, from the first on.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        builder = OpenBuilder()
        lowering = Lowering(rules, builder)
        costs = soft_costs(rules.rules)
        for i, rule in enumerate(rules.rules):
            lowering.hold(rule.bound, i, costs.get(i), rule.name)
        count = len(rules.rules)
        conditions = {i: _condition(rule.bound) for i, rule in enumerate(rules.rules)}
        asked = {i: c for i, c in conditions.items() if c is not None}
        for number, condition in enumerate(asked.values(), count):
            lowering.hold(Not(condition), number)
        self._cells, known = add_facts(builder, rules.vocabulary.given, rules.tests)
        compiled = lowering.compiled()
        self._decisions = compiled.decisions
        self.watched = compiled.scores
        self.question = Question(
            compiled.form,
            count,
            compiled.helpers,
            dict(zip(asked, range(count, count + len(asked)), strict=True)),
            _place(builder, known),
            tuple(range(1, self.watched + 1)),
        )
        self._places = [[_place(builder, v) for v in c.variables] for c in self._cells]
        self.keys = [(rule.written, rule.weight is None) for rule in rules.rules]
        self.hard = np.array([rule.weight is None for rule in rules.rules], np.bool_)

    def model(self, values: I64) -> list[int]:
        """Return an answer, int64 (decided,), as the watched part of a model."""
        out = [-v for v in range(1, self.watched + 1)]
        for decision, value in zip(self._decisions, values.tolist(), strict=True):
            true = decision.start + (value if decision.values else 0)
            if decision.values or value:
                out[true] = true + 1
        return out

    def record(self, model: Bools) -> tuple[F64, I64]:
        """Return the facts, float64 (columns,), and the answer, int64 (decided,), of a model."""
        facts = np.array([usual(variable) for variable in self.rules.vocabulary.given], np.float64)
        for cells, places in zip(self._cells, self._places, strict=True):
            facts[cells.column] = cells.values[next(i for i, v in enumerate(places) if model[v - 1])]
        values = [
            int(model[d.place].argmax()) if d.values else int(model[d.start]) for d in self._decisions
        ]
        return facts, np.array(values, np.int64)

    def example(self, facts: F64, values: I64) -> Example:
        """Return a record in words; of the facts those that rules speak of."""
        columns = self.rules.columns
        said = {columns[c.column].name: _value(columns[c.column], float(facts[c.column])) for c in self._cells}
        decided = self.rules.vocabulary.decided
        answer = {v.name: v.names[value] for v, value in zip(decided, values.tolist(), strict=True)}
        return Example(said, answer, "; ".join(f"{k} = {v}" for k, v in {**said, **answer}.items()))


def _place(builder: OpenBuilder, variable: int) -> int:
    """Return where a variable stands in the form: what is decided comes first, in the order it was made."""
    return sum(made.role == "decided" for made in builder.made[:variable])


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


def _unread(error: RuleError) -> Checked:
    """Return what is said of a text that cannot be read."""
    place = _PLACE.fullmatch(error.where)
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    what = error.what if place or not error.where else f"{error.where}: {error.what}"
    return Checked((Finding("text", "error", "", line, column, what, error.do),), finished=True)
