"""What the sequence guard shows of its answers: each sequence as steps, before and after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from ..guard import (
    Agreement,
    BrokenRule,
    Case,
    Grid,
    Guarded,
    GuardRule,
    Part,
    Showing,
    Tally,
    alike,
    changes,
    per_record,
)
from ..ports import F64, I32, I64, Array
from .pipeline import NONE, STATUS, UNKNOWN
from .sequence_guard import SequenceGuard
from .sequences.agreement import agreement
from .sequences.clock import Times
from .sequences.engine import IMPOSSIBLE
from .sequences.explain import ExplainedOrder, explain

# Labels (n, steps), costs (n, steps, events), lengths (n,), facts, and when and where the steps are.
Asked = tuple[I32, I64, I64, F64, Times | None]
_IN_TIME = "no other solver is asked: rules in time are decided over the stamps themselves"
_WORDS = {NONE: "nothing is allowed", UNKNOWN: "not found in time"}


class SequenceShowing(Showing):
    """Shows relabelled sequences.

    Args:
        guard: what relabels.
        asked: what is asked of it where scores and facts arrive.
        events: those that the scores have.
        packs: the title of the domain pack that a rule comes from, by the rule's name.
        clock: the columns of facts that say when and where the steps are.
    """

    unit: ClassVar[str] = "sequence"

    def __init__(
        self,
        guard: SequenceGuard,
        asked: Callable[[Array, Array | None], Asked],
        events: tuple[str, ...],
        packs: Mapping[str, str],
        clock: Collection[int] = (),
    ) -> None:
        self._guard, self._asked, self._events, self._clock = guard, asked, events, clock
        rules = guard.rules.rules
        self.rules = tuple(GuardRule(rule.name, rule.words, packs.get(rule.name, "")) for rule in rules)
        self.columns = guard.rules.columns
        self.verified = not guard.asks_times
        self.alone = "" if self.verified else _IN_TIME

    def tally(self, seen: Guarded) -> Tally:
        return per_record(seen)

    def used(self) -> frozenset[int]:
        tested = (column for test in self._guard.rules.tests for column in test.columns)
        return frozenset((*tested, *self._clock))

    def facts(self, case: Case) -> F64:
        facts = case.given[1]
        known = np.zeros(0) if facts is None else np.asarray(facts[0], np.float64)
        return self._guard.rules.padded(known)

    def cases(self, seen: Guarded) -> tuple[Case, ...]:
        told = self._told(self._question(seen.inputs), {})
        return tuple(
            replace(case, given=seen.take(np.array([i])).inputs, record=i) for i, case in enumerate(told)
        )

    def again(self, case: Case, facts: F64, pins: Mapping[str, str]) -> Case:
        scores, _ = case.given
        asked = self._question((scores, facts[None] if len(facts) else None))
        labels, costs, lengths, given, times = asked
        costs = costs.copy()
        for name, event in pins.items():
            step = int(name.split()[-1]) - 1
            kept = self._guard.events.index(event)
            costs[0, step, np.arange(len(self._guard.events)) != kept] = IMPOSSIBLE
            costs[0, step, kept] = max(int(costs[0, step, kept]), 0)
        return alike(self._told((labels, costs, lengths, given, times), pins)[0], case)

    def agreement(self, seen: Guarded) -> Agreement:
        asked = self._question(seen.inputs)
        labels, costs, lengths, facts, _ = asked
        engines = [self._guard.engine_for(tests) for tests in self._guard.rules.outcomes(facts)]
        return agreement(engines, labels, costs, lengths, self._guard(*asked).repaired)

    # Inside

    def _question(self, inputs: tuple[Array | None, ...]) -> Asked:
        scores, facts = inputs
        return self._asked(np.asarray(scores), facts)

    def _told(self, asked: Asked, pins: Mapping[str, str]) -> tuple[Case, ...]:
        labels, costs, lengths, facts, times = asked
        tests = self._guard.rules.outcomes(facts)
        done = self._guard(*asked).repaired
        return tuple(
            self._case(explain(engine, labels, costs, lengths, done, i, times), pins)
            for i, engine in enumerate(map(self._guard.engine_for, tests))
        )

    def _case(self, told: ExplainedOrder, pins: Mapping[str, str]) -> Case:
        answered = told.status not in (STATUS[NONE], STATUS[UNKNOWN])
        fixed = told.fixed if answered else ("",) * len(told.said)
        places: dict[int, list[str]] = {}
        for rule in told.broken:
            places.setdefault(rule.place if rule.place is not None else len(told.said) - 1, []).append(
                rule.name
            )
        events = {event: event for event in self._events}
        parts = tuple(
            Part(
                f"step {i + 1}",
                said,
                now,
                answered and said != now,
                tuple(places.get(i, ())),
                events,
                pins.get(f"step {i + 1}", ""),
                short=str(i + 1),
            )
            for i, (said, now) in enumerate(zip(told.said, fixed, strict=True))
        )
        picture = Grid(parts, noun="step")
        broken = tuple(
            BrokenRule(r.name, r.words, r.reason, r.source, tuple(filter(None, (r.where, r.late))))
            for r in told.broken
        )
        return Case(
            said=changes(picture, fixed=False),
            fixed=changes(picture, fixed=True) if answered else _WORDS[STATUS.index(told.status)],
            status=told.status,
            why=told.why,
            broken=broken,
            left=tuple(rule.name for rule in told.left),
            picture=picture,
            engine=told.engine,
        )
