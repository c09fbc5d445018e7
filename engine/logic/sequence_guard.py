"""A rule set over a sequence of events and facts, ready to guard sequences.

The facts of a record say which rules are left: every test is put in as true or false, and an open one (a gap)
as whichever lets the rule hold, so that a rule is broken only where Kleene's logic makes it definitely false.
Records whose tests come out alike share one engine.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from ..errors import RuleError
from ..ports import F64, I32, I64
from .durations import Duration, Window
from .event_matching import SEQUENCE, vocabulary_of
from .formula import And, Count, Formula, Happens, Implies, Not, Or, Tested, parts_of
from .lowering import soft_costs
from .pipeline import UNKNOWN
from .ruleset import Rule, RuleSet
from .sequences.automaton import Bools
from .sequences.clock import Times
from .sequences.engine import Repaired, SequenceEngine
from .sequences.rule import Body, Call, SequenceRule, plain
from .sequences.templates import SPEED
from .truth import Outcomes

__all__ = ["SEQUENCE", "Guarded", "SequenceGuard", "vocabulary_of"]
_TRUE, _FALSE = And(()), Or(())
_KEPT = 64  # engines


@dataclass(frozen=True)
class Guarded:
    """n guarded sequences.

    Attributes:
        repaired: labels, costs in 1 / SCALE nats, status and engine.
        broken: bool (n, rules), which rules the raw sequence broke.
        left: bool (n, rules), which the repaired one breaks still.
    """

    repaired: Repaired
    broken: Bools
    left: Bools


class SequenceGuard:
    """Guards sequences by a rule set.

    Args:
        rules: over one variable of events, and facts.

    Raises:
        RuleError: a rule is not about the sequence, or is too large by itself.

    Attributes:
        events: the names of the event types.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        if len(rules.vocabulary.sequences) != 1:
            raise RuleError("A sequence guard decides one sequence of events.")
        self.events = rules.vocabulary.sequences[0].values
        self._costs = soft_costs(rules.rules)
        self._engines: OrderedDict[bytes, SequenceEngine] = OrderedDict()
        self._lock = threading.Lock()
        everything_open = np.full((1, len(rules.tests)), -1, np.int8)
        self.engine_for(everything_open[0])

    def __call__(
        self, labels: I32, costs: I64, lengths: I64, facts: F64, times: Times | None = None
    ) -> Guarded:
        """Return the cheapest allowed relabelling of each sequence; one's does not depend on the others.

        Args:
            labels: int32 (n, steps), the event types that stand, the cheapest of each step.
            costs: int64 (n, steps, events), in 1 / SCALE nats; below 0 for an event that cannot be.
            lengths: int64 (n,).
            facts: float64 (n, columns), NaN for a gap.
            times: when and where the events happen; unknown where it is left out.

        Raises:
            SolverError: the last resort is needed, and is not there.
        """
        n, count = len(labels), len(self.rules.rules)
        done = Repaired(labels.copy(), np.zeros(n, np.int64), np.zeros(n, np.uint8), np.zeros(n, np.uint8))
        broken, left = np.zeros((n, count), np.bool_), np.zeros((n, count), np.bool_)
        tests = self.rules.outcomes(facts)
        kinds, which = np.unique(tests, axis=0, return_inverse=True)
        for i, kind in enumerate(kinds):
            here = np.flatnonzero(which.ravel() == i)
            engine = self.engine_for(kind)
            those = None if times is None else times.take(here)
            found = engine(labels[here], costs[here], lengths[here], those)
            broken[here] = engine.broken(labels[here], lengths[here], those)
            left[here] = engine.broken(found.labels, lengths[here], those)
            done.labels[here], done.costs[here] = found.labels, found.costs
            done.status[here], done.tool[here] = found.status, found.tool
        answerless = done.status >= UNKNOWN
        left[answerless] = broken[answerless]
        return Guarded(done, broken, left)

    @property
    def asks_times(self) -> bool:
        """Whether a rule asks when events happen."""
        atoms = [atom for rule in self.rules.rules for atom in atoms_of(rule.bound)]
        numbers = [x for atom in atoms for x in (*atom.places, *(number for _, number in atom.numbers))]
        return self.asks_places or any(isinstance(number, Duration) for number in numbers)

    @property
    def asks_places(self) -> bool:
        """Whether a rule asks where events happen."""
        return any(atom.template == SPEED for rule in self.rules.rules for atom in atoms_of(rule.bound))

    def engine_for(self, tests: Outcomes) -> SequenceEngine:
        """Return the engine of the rules that are left where the tests come out so, int8 (tests,)."""
        key = tests.tobytes()
        with self._lock:  # threads may share a guard
            if key not in self._engines:
                if len(self._engines) >= _KEPT:
                    self._engines.popitem(last=False)
                self._engines[key] = SequenceEngine(
                    [self._rule(i, rule, tests) for i, rule in enumerate(self.rules.rules)], self.events
                )
            self._engines.move_to_end(key)
            return self._engines[key]

    def _rule(self, number: int, rule: Rule, tests: Outcomes) -> SequenceRule:
        try:
            body = body_of(rule, tests, self.events)
        except RuleError as error:
            raise RuleError(error.what, where=f"line {rule.line}", do=error.do) from None
        return SequenceRule(rule.name, body, self._costs.get(number), rule.reason, rule.source)


def body_of(rule: Rule, tests: Outcomes, events: tuple[str, ...]) -> Body:
    """Return what is left of a rule where its tests come out so, int8 (tests,); an open one lets it hold.

    Raises:
        RuleError: it is not about a sequence of events.
    """
    return _settled(rule.bound, tests, events, lenient=True)


def strict_body_of(rule: Rule, tests: Outcomes, events: tuple[str, ...]) -> Body:
    """Return the same of a rule that an open test does not let hold; raises as `body_of` does."""
    return _settled(rule.bound, tests, events, lenient=False)


def call_of(atom: Happens, events: tuple[str, ...]) -> Call:
    """Return an atom about events as a call by their names."""
    return Call(atom.template, tuple(_named(place, events) for place in atom.places), atom.numbers)


def atoms_of(formula: Formula) -> list[Happens]:
    """Return what a bound formula says of sequences of events."""
    if isinstance(formula, Happens):
        return [formula]
    return [atom for part in parts_of(formula) for atom in atoms_of(part)]


def _settled(  # noqa: PLR0911 - a case a connective
    formula: Formula, tests: Outcomes, events: tuple[str, ...], *, lenient: bool
) -> Body:
    """Return a bound formula with its tests put in; an open one is what `lenient` says."""

    def of(part: Formula, *, same: bool = True) -> Body:
        return _settled(part, tests, events, lenient=lenient is same)

    match formula:
        case Happens():
            return call_of(formula, events)
        case Tested(index):
            known = int(tests[index])
            return _TRUE if known == 1 or (known != 0 and lenient) else _FALSE
        case Not(part):
            return Not(of(part, same=False))
        case And(parts) | Or(parts):
            return type(formula)(tuple(map(of, parts)))
        case Count(quantity, number, parts) if quantity != "exactly":
            same = quantity == "at least"
            return Count(quantity, number, tuple(of(part, same=same) for part in parts))
        case Implies(left, right):
            return Implies(of(left, same=False), of(right))
    return of(plain(formula))


def _named(place: frozenset[int] | Window, events: tuple[str, ...]) -> tuple[str, ...] | Window:
    return place if not isinstance(place, frozenset) else tuple(events[e] for e in sorted(place))
