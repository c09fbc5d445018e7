"""One record under the rules, told whole: the answer, what was changed and why, and what comes next best."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..errors import SolverError
from ..ports import F32, F64, I64
from .account import Account, Alternative, Change, in_a_sentence
from .explain import fired
from .lowering import FURTHEST, SCALE
from .pipeline import ALLOWED, NONE, RC2, UNKNOWN, Decided
from .reasons import Reasons
from .ruleset import RuleSet
from .several import Several
from .solver import Solver
from .truth import Bools, Outcomes

_WITHIN = 1.0  # seconds for all second best answers in the solver process
_MOST_KEPT = 8  # rule sets that `what_if` keeps ready


class WhatIf:
    """Answers one record at a time under one set of rules, and accounts for it.

    Args:
        rules: the rules.
        solver: which process to ask as a last resort; the shared one if left out.
    """

    def __init__(self, rules: RuleSet, solver: Solver | None = None) -> None:
        self.rules = rules
        self.several = Several(rules, solver)
        self._solver = solver

    def __call__(self, facts: F64, scores: F32) -> Account:
        """Return what becomes of one record.

        Args:
            facts: float64 (columns,), NaN for a gap.
            scores: float32 (several.compiled.scores,), logits: one of a flag, which is yes above 0, one for
                every value of anything else, in the order of what is decided.

        Raises:
            SolverError: the solver process is needed and not available.
        """
        facts = self.rules.padded(facts)
        tests = self.rules.outcomes(facts[None])
        predicted, costs = self.several.asked(tests, scores[None])
        decided = self.several.engine(predicted, costs)
        raw, values = (self.several.compiled.answers(v)[0] for v in (predicted, decided.values))
        changed = np.flatnonzero(raw != values)
        here = _Record(scores, tests, predicted, costs, decided, raw, values, changed)
        hits = self._hits(here)
        broken = fired(self.rules, facts, tests, raw, hits[0])
        changes = self._changes(here, hits[2:] & ~hits[1])
        rules, labels = self._reason(here)
        status, engine, how = decided.words(0)
        compliance, confidence = self._confidence(here)
        return Account(
            status=status,
            engine=engine,
            how=how,
            raw=self._named(raw),
            answer=self._named(values),
            broken=broken,
            left=self._names(hits[1]),
            changes=changes,
            cost=max(int(decided.costs[0]), 0) / SCALE,
            alternative=self._alternative(here),
            rules=rules,
            labels=labels,
            why=in_a_sentence(self.rules, status, broken, changes, rules, labels),
            compliance=compliance,
            confidence=confidence,
        )

    # Inside

    @cached_property
    def _reasons(self) -> Reasons:
        return Reasons(self.several.compiled, self._solver)

    def _name(self, decision: int, value: int) -> str:
        return self.rules.vocabulary.decided[decision].names[value]

    def _named(self, values: I64) -> dict[str, str]:
        decisions = self.several.compiled.decisions
        return {d.name: self._name(i, int(values[i])) for i, d in enumerate(decisions)}

    def _names(self, hits: Bools) -> tuple[str, ...]:
        return tuple(self.rules.rules[i].name for i in np.flatnonzero(hits).tolist())

    def _lost(self, scores: F32, decision: int, value: int) -> float:
        """Return what a value loses in log probability beside the value that the scores give."""
        those = scores[self.several.compiled.decisions[decision].place].astype(np.float64)
        if not self.several.compiled.decisions[decision].values:
            those = np.array([0.0, those[0]])
        return float(those.max() - those[value])

    def _hits(self, here: _Record) -> Bools:
        """Return which rules are broken by the raw answer, by the answer, and by it with a change undone."""
        undone = np.repeat(here.values[None], len(here.changed), 0)
        undone[np.arange(len(here.changed)), here.changed] = here.raw[here.changed]
        answers = np.concatenate([here.raw[None], here.values[None], undone])
        return self.rules.broken_by(np.repeat(here.tests, len(answers), 0), answers)

    def _changes(self, here: _Record, undone: Bools) -> tuple[Change, ...]:
        found = [
            Change(
                name=self.several.compiled.decisions[i].name,
                said=self._name(i, int(here.raw[i])),
                now=self._name(i, int(here.values[i])),
                cost=self._lost(here.scores, i, int(here.values[i])),
                because=self._names(hits),
            )
            for i, hits in zip(here.changed.tolist(), undone, strict=True)
        ]
        return tuple(sorted(found, key=lambda c: -c.cost))

    def _reason(self, here: _Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
        status = here.decided.status[0]
        if status == ALLOWED:
            return (), ()
        compiled, raw = self.several.compiled, here.raw
        decided = slice(compiled.form.given, compiled.form.given + compiled.scores)
        changed = raw != here.values
        # What is certain and what was changed stays in the reason if it can; the rest is left out first.
        margin = [_margin(here.costs[0, decided][d.place]) for d in compiled.decisions]
        order = sorted(range(len(raw)), key=lambda i: (bool(changed[i]), margin[i]))
        try:
            rules, labels = self._reasons.reason(here.predicted[0], order, dead=bool(status == NONE))
        except SolverError:  # the answer stands without it
            return (), ()
        said = (f"{compiled.decisions[i].name} = {self._name(i, int(raw[i]))}" for i in sorted(labels))
        return tuple(self.rules.names[r] for r in rules), tuple(said)

    def _alternative(self, here: _Record) -> Alternative | None:
        """Return the cheapest allowed answer that has another value for at least one variable.

        None where there is no other, or it would take seconds: one for every variable, as the answer did.
        """
        compiled, values = self.several.compiled, here.values
        count = len(compiled.decisions)
        if not count or here.decided.status[0] >= UNKNOWN or here.decided.tool[0] == RC2:
            return None
        predicted, costs = np.repeat(here.predicted, count, 0), np.repeat(here.costs, count, 0)
        extra = np.zeros(count, np.int64)
        for i, decision in enumerate(compiled.decisions):
            first = compiled.form.given + decision.start
            place = slice(first, first + decision.width)
            if not decision.values:
                stands = bool(values[i])
                extra[i] = costs[i, first] if predicted[i, first] == stands else 0
                predicted[i, first], costs[i, first] = not stands, FURTHEST
                continue
            if decision.width < 2:
                extra[i] = FURTHEST
                continue
            others = np.arange(decision.width) != values[i]
            next_ = np.flatnonzero(others)[costs[i, place][others].argmin()]
            extra[i] = costs[i, first + next_]
            predicted[i, place] = np.arange(decision.width) == next_
            costs[i, place] = np.where(others, costs[i, place] - extra[i], FURTHEST)
        compiled.work_out(predicted)
        found = self.several.engine(predicted, costs, _WITHIN)
        answers = compiled.answers(found.values)
        other = answers[np.arange(count), np.arange(count)] != values
        total = np.where((found.costs >= 0) & other, found.costs + extra, FURTHEST)
        best = int(total.argmin())
        least = np.where(found.status == NONE, FURTHEST, found.bounds + extra)
        if total[best] >= FURTHEST or total[best] > least.min():  # there is none, or it is not proven
            return None
        cost = float(total[best]) / SCALE
        changes = tuple(
            Change(compiled.decisions[i].name, self._name(i, int(values[i])), self._name(i, int(other)), 0.0)
            for i, other in enumerate(answers[best])
            if other != values[i]
        )
        return Alternative(changes, cost, float(np.exp(int(here.decided.costs[0]) / SCALE - cost)))

    def _confidence(self, here: _Record) -> tuple[float | None, dict[str, tuple[float, ...]]]:
        believed = self.several.beliefs(here.scores[None], here.tests)
        if believed is None or not believed.compliance[0] > 0:
            return (None if believed is None else 0.0), {}
        told = {}
        for decision in self.several.compiled.decisions:
            those = believed.after[0, decision.place]
            told[decision.name] = tuple(map(float, those if decision.values else (1 - those[0], those[0])))
        return float(believed.compliance[0]), told


class _Record(NamedTuple):
    """One record, and what became of it.

    Attributes:
        scores: float32 (scores,).
        tests: int8 (1, tests), what the tests of its facts say.
        predicted, costs: bool and int64 (1, variables), as the engine was asked.
        decided: what it answered.
        raw, values: int64 (decided,), the answer before and after.
        changed: int64, the decided variables of which the rules changed the value.
    """

    scores: F32
    tests: Outcomes
    predicted: Bools
    costs: I64
    decided: Decided
    raw: I64
    values: I64
    changed: I64


_READY: OrderedDict[int, WhatIf] = OrderedDict()


def what_if(rules: RuleSet, facts: F64, scores: F32) -> Account:
    """Return what becomes of one record, as `WhatIf` does; the last few rule sets are kept ready.

    Args:
        rules: the rules.
        facts: float64 (columns,), NaN for a gap.
        scores: float32, logits of all that is decided (WhatIf says in which order).
    """
    kept = _READY.get(id(rules))
    if kept is None or kept.rules is not rules:
        kept = _READY[id(rules)] = WhatIf(rules)
    _READY.move_to_end(id(rules))
    if len(_READY) > _MOST_KEPT:
        _READY.popitem(last=False)
    return kept(facts, scores)


def _margin(costs: I64) -> int:
    """Return what the nearest other value costs."""
    return int(np.sort(costs)[:2].sum())
