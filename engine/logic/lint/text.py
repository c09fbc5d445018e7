"""A rule text under examination: read, bound, lowered with its facts to choose, and asked about.

Runs in the solver process, so that neither parsing nor solving holds the interpreter of the program that
asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import RuleError
from ...ports import F64, I64
from ..clauses import read
from ..ruleset import RuleSet
from ..truth import outcomes
from ..vocabulary import Variable, Vocabulary
from .asked import Asked
from .examination import Examination, Known
from .examined import Examined
from .findings import Checked, Finding
from .memory import MOST_ANSWERS, Memory, judged
from .tree import IncrementalSolver
from .unanswered import Stranded, Unanswered
from .words import Report

if TYPE_CHECKING:
    from .happening import Fate

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
        patience: seconds at most for facts that leave no answer, which may take any time.
    """

    def __init__(
        self,
        text: str,
        vocabulary: Vocabulary,
        origins: Mapping[str, str],
        memory: Memory,
        solver: Callable[[list[list[int]]], IncrementalSolver],
        patience: float = inf,
    ) -> None:
        began, self._took = time.perf_counter(), 0.0
        self._memory, self._origins = memory, origins
        self._unread = Checked(finished=True)
        self._asked: Asked | None = None
        self._learned = False
        self._fates: tuple[Fate, ...] | None = None
        self._solver, self._left = solver, patience
        self._unanswered: Unanswered | None = None
        try:
            self._asked = Asked(RuleSet.over(text, vocabulary))
        except RuleError as error:
            self._unread = _unread(error)
            return
        if self._asked.flags:  # what a call's flag is called depends on the text
            self._memory = memory = Memory()
        self._keys = memory.keys(self._asked.rules.rules)
        known = self._recalled(self._asked)
        _, sent = self._asked.question.coded()
        coded = read(sent)
        self._examination = Examination(sent, solver(coded.clauses), coded.variables, BUDGETS, known)
        if self._asked.calls and self._asked.flags:
            self._examination.beside(self._asked.flags, self._asked.calls.conflict)
        if self._asked.open.computed:
            self._examination.beside(self._asked.numeric, self._asked.conflict)
        self._took = time.perf_counter() - began

    def run(self, seconds: float) -> bool:
        """Ask for about `seconds`; return whether nothing is left to ask."""
        if self._asked is None:
            return True
        began = time.perf_counter()
        done = self._examination.run(seconds) and self._answered(self._asked, began + seconds)
        self._took += time.perf_counter() - began
        return done

    @property
    def stranded(self) -> Stranded | None:
        """Return what is known of facts that leave no answer, None where that was not asked."""
        return self._unanswered.found if self._unanswered else None

    def checked(self) -> Checked:
        """Return what is known so far."""
        if self._asked is None:
            return self._unread
        asked, found = self._asked, Examined.of(self._examination.as_json())
        if self._examination.done and found.satisfiable and not self._learned:
            self._learn(asked, found)
        records = self._records(asked, found)
        examples = {i: asked.example(*records[i]) for i in _shown(asked, records)}
        needed = frozenset(records)
        more = self._events(asked, found, needed)
        report = Report(asked, found, needed, examples, self._origins, *more, self.stranded)
        return Checked(
            report.findings(),
            report.statuses(),
            asked.rules.notes,
            found.satisfiable,
            self._examination.done and (self._unanswered is None or self._unanswered.done),
            self._took,
        )

    # Inside

    def _answered(self, asked: Asked, until: float) -> bool:
        """Look for facts that leave no answer; return whether nothing is left to ask."""
        if not self._examination.told["satisfiable"]:
            return True
        began = time.perf_counter()
        if self._unanswered is None:
            del self._memory.answers[:-MOST_ANSWERS]
            self._unanswered = Unanswered(asked, self._examination, self._solver, self._memory.answers)
        until = min(until, began + self._left)
        done = self._unanswered.run(lambda: time.perf_counter() < until)
        self._left -= time.perf_counter() - began
        return done or self._left <= 0

    def _events(
        self, asked: Asked, found: Examined, needed: frozenset[int]
    ) -> tuple[tuple[Fate, ...], tuple[tuple[tuple[int, ...], str], ...]]:
        """Return what the rules make of events, and which rules over events are not looked into whole."""
        if not asked.calls or not found.satisfiable or not self._examination.done:
            return (), ()
        if self._fates is None:
            from .happening import fates  # which needs numba

            self._fates = fates(asked.written)
        return self._fates, asked.calls.unchecked(asked.written, {*needed, *found.implied})

    def _recalled(self, asked: Asked) -> Known:
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

    def _records(self, asked: Asked, found: Examined) -> dict[int, tuple[F64, I64]]:
        told = {i: asked.record(model) for i, model in found.witnesses}
        return {i: record for i, record in {**self._alone, **told}.items() if asked.seen(record[1])}

    def _learn(self, asked: Asked, found: Examined) -> None:
        self._learned = True
        watched = {x: why for x, why in found.fixed.items() if abs(x) in asked.question.watched}
        fixed = {_moved(x, -asked.first): why for x, why in watched.items()}
        self._memory.learn(self._keys, found.implied, found.vacuous, fixed)
        for i, model in found.witnesses:
            if i not in found.gaps:
                self._memory.add_record(*asked.record(model))
        for kept in self._examination.models:
            if len(kept) > asked.first + asked.watched:  # one that the solver found
                self._memory.add_record(*asked.record(np.array(kept) > 0))


def _shown(asked: Asked, records: dict[int, tuple[F64, I64]]) -> list[int]:
    """Return the rules whose record breaks them and no other hard rule, by the rules themselves."""
    if not records:
        return []
    rules = np.array(list(records))
    facts, values = (np.array(each) for each in zip(*records.values(), strict=True))
    broken = asked.rules.broken_by(outcomes(asked.rules.tests, facts), values)
    own = broken[np.arange(len(rules)), rules]
    beside = (broken & asked.hard).sum(1) - (own & asked.hard[rules])
    shown: list[int] = rules[own & (beside == 0)].tolist()
    return shown


def vocabulary_of(told: list[dict[str, Any]]) -> Vocabulary:
    """Return the vocabulary whose variables came as dictionaries."""
    return Vocabulary(tuple(Variable(**{**each, "values": tuple(each["values"])}) for each in told))


def _moved(literal: int, by: int) -> int:
    return literal + (by if literal > 0 else -by)


def _unread(error: RuleError) -> Checked:
    """Return what is said of a text that cannot be read."""
    place = _PLACE.fullmatch(error.where)
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    what = error.what if place or not error.where else f"{error.where}: {error.what}"
    return Checked((Finding("text", "error", "", line, column, what, error.do),), finished=True)
