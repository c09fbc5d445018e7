"""A rule text under examination: read, bound, lowered with its facts to choose, and asked about.

Runs in the solver process, so that neither parsing nor solving holds the interpreter of the program that
asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import RuleError
from ...ports import F64, I64, Column
from ..clauses import read
from ..formula import Formula, IfThen, Implies, Not
from ..lowering import lowered
from ..normal import Bools
from ..ruleset import RuleSet
from ..vocabulary import Variable, Vocabulary
from .examination import Examination, IncrementalSolver, Known
from .examined import Examined
from .facts import opened, usual
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
        self._unread = Checked(finished=True)
        self._asked: _Asked | None = None
        try:
            self._asked = _Asked(RuleSet.over(text, vocabulary))
        except RuleError as error:
            self._unread = _unread(error)
            return
        self._keys = memory.keys(self._asked.rules.rules)
        known = self._recalled(self._asked)
        _, sent = self._asked.question.coded()
        coded = read(sent)
        self._examination = Examination(sent, solver(coded.clauses), coded.variables, BUDGETS, known)
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
            return self._unread
        asked, found = self._asked, Examined.of(self._examination.as_json())
        if self._examination.done and found.satisfiable:
            self._learn(asked, found)
        examples = {i: asked.example(*record) for i, record in self._records(asked, found).items()}
        report = Report(asked.rules, found, asked.first, examples, self._origins)
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
            facts, values = self._memory.facts, self._memory.values
            kept, alone = judged(self._memory.broken(asked.rules, self._keys), asked.hard)
            known.models = [asked.model(values[r]) for r in kept]
            known.witnessed = set(alone)
            self._alone = {i: (facts[r], values[r]) for i, r in alone.items()}
        self._memory.recall(self._keys, known)
        known.fixed = {_moved(x, asked.first): why for x, why in known.fixed.items()}
        known.implied = {i: why for i, why in known.implied.items() if i not in known.witnessed}
        return known

    def _records(self, asked: _Asked, found: Examined) -> dict[int, tuple[F64, I64]]:
        told = {i: asked.record(model) for i, model in found.witnesses}
        return {**self._alone, **told}

    def _learn(self, asked: _Asked, found: Examined) -> None:
        watched = {x: why for x, why in found.fixed.items() if abs(x) in asked.question.watched}
        fixed = {_moved(x, -asked.first): why for x, why in watched.items()}
        self._memory.learn(self._keys, found.implied, found.vacuous, fixed)
        for i, model in found.witnesses:
            if i not in found.gaps:
                self._memory.add_record(*asked.record(model))
        for kept in self._examination.models:
            if len(kept) > asked.first + asked.watched:  # one that the solver found
                self._memory.add_record(*asked.record(np.array(kept) > 0))


def vocabulary_of(told: list[dict[str, Any]]) -> Vocabulary:
    """Return the vocabulary whose variables came as dictionaries."""
    return Vocabulary(tuple(Variable(**{**each, "values": tuple(each["values"])}) for each in told))


class _Asked:
    """A rule set as a question, and what its models mean.

    Attributes:
        rules: the rules.
        hard: bool (rules,), which must be kept.
        question: the question.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.hard = np.array([rule.weight is None for rule in rules.rules], np.bool_)
        conditions = {i: _condition(rule.bound) for i, rule in enumerate(rules.rules)}
        asked = {i: c for i, c in conditions.items() if c is not None}
        compiled = lowered(rules, [Not(c) for c in asked.values()], fold=False)
        count, columns = len(rules.rules), rules.vocabulary.given
        open_ = opened(compiled, columns)
        self._cells, self._decisions = open_.cells, compiled.decisions
        self.first, self.watched = compiled.form.given, compiled.scores
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
        out = [0] * self.first + [-v for v in self.question.watched]
        for decision, value in zip(self._decisions, values.tolist(), strict=True):
            true = self.first + decision.start + (value if decision.values else 0)
            if decision.values or value:
                out[true] = true + 1
        return out

    def record(self, model: Bools) -> tuple[F64, I64]:
        """Return the facts, float64 (columns,), and the answer, int64 (decided,), of a model."""
        facts = self._usual.copy()
        for cells in self._cells:
            facts[cells.column] = cells.values[next(i for i, v in enumerate(cells.variables) if model[v - 1])]
        scores = model[self.first : self.first + self.watched]
        values = [int(scores[d.place].argmax() if d.values else scores[d.start]) for d in self._decisions]
        return facts, np.array(values, np.int64)

    def example(self, facts: F64, values: I64) -> Example:
        """Return a record in words; of the facts those that rules speak of."""
        columns = self.rules.columns
        said = {
            columns[c.column].name: _value(columns[c.column], float(facts[c.column])) for c in self._cells
        }
        decided = self.rules.vocabulary.decided
        answer = {v.name: v.names[value] for v, value in zip(decided, values.tolist(), strict=True)}
        return Example(said, answer, ", ".join(f"{k} = {v}" for k, v in {**said, **answer}.items()))


def _moved(literal: int, by: int) -> int:
    return literal + (by if literal > 0 else -by)


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
