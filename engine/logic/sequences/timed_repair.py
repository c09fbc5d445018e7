"""Exact repair of one sequence under rules of which some look at the clock.

Rules in time are unrolled over the stamps of the sequence, each by itself, and searched together with the
products of the others. As in engine.py, only what is broken is asked first, and what the answer breaks then:
what keeps fewer rules costs no more, so an answer that keeps the others too is the cheapest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...kernels.viterbi import Rules, broken_places
from ...kernels.viterbi_search import NONE as NOTHING
from ...kernels.viterbi_search import OUT
from ...ports import I32, I64
from ..pipeline import NONE, OPTIMAL, UNKNOWN
from ..solver import Solver
from .automaton import Automaton
from .clock import Clock, Times
from .counted import Stretch, stretches
from .groups import Groups
from .over_time import lost, unrolled
from .product import Product, priced
from .rule import Body, timed_for
from .search import Searcher
from .timed import Timed
from .unrolled import Asked, by_rc2


@dataclass(frozen=True)
class Answer:
    """What became of one sequence.

    Attributes:
        labels: int32 (steps,).
        cost: what it costs, -1 where there is no answer.
        status: a place in STATUS.
        solver: whether the solver process gave it.
    """

    labels: I32
    cost: int
    status: int
    solver: bool = False


class TooLargeError(Exception):
    """A rule in time has more states over a sequence than are held."""


class TimedRules:
    """The rules of an engine that look at the clock.

    Args:
        bodies: by number of the rule, marked.
        events: the event types.
    """

    def __init__(self, bodies: Mapping[int, Body], events: tuple[str, ...]) -> None:
        self._bodies, self._events = bodies, events
        self.numbers = tuple(bodies)
        self._asks = {i: timed_for(body, events) for i, body in bodies.items()}

    @property
    def lengths(self) -> tuple[int, ...]:
        """Return the lengths of time that the rules compare with, in microseconds."""
        return tuple(length for ask in self._asks.values() for length in (ask.lengths if ask else ()))

    def broken(self, labels: I32, lengths: I64, times: Times) -> dict[int, list[int]]:
        """Return for each sequence that breaks some of the rules, by its number, which."""
        found: dict[int, list[int]] = {}
        for record, steps in enumerate(lengths.tolist()):
            clock = times.clock(record, steps)
            broken = self.broken_by(labels[record, :steps].tolist(), clock)
            if broken:
                found[record] = broken
        return found

    def broken_by(self, sequence: Sequence[int], clock: Clock) -> list[int]:
        """Return which of the rules one sequence breaks."""
        return [i for i in self.numbers if lost(self.behaviour(i, clock), clock, sequence) >= 0]

    def behaviour(self, rule: int, clock: Clock) -> Timed:
        """Return a rule as it is where stamps and places are as known as those of a clock."""
        known = clock.known and (clock.placed or not _timed(self._asks[rule]).places)
        return _timed(timed_for(self._bodies[rule], self._events, known=known))

    def automaton(self, rule: int, clock: Clock) -> Automaton:
        """Return a rule over the steps of a clock.

        Raises:
            TooLargeError: it has too many states.
        """
        found = unrolled(self.behaviour(rule, clock), clock, len(self._events))
        if found is None:
            raise TooLargeError
        return found

    def counted(self, rule: int, clock: Clock) -> tuple[Stretch, ...] | None:
        """Return a rule as counts over the steps of a clock, None where it is no limit or quota."""
        return stretches(self._bodies[rule], clock, self._events)

    def place(self, rule: int, sequence: Sequence[int], clock: Clock) -> int:
        """Return the place of the event with which a rule is lost, whatever comes and whenever it does.

        It is the sequence's length where it ends too soon, -1 where the rule holds.
        """
        return lost(self.behaviour(rule, clock), clock, sequence)


class TimedRepair:
    """Repairs sequences one by one.

    Args:
        timed: the rules that look at the clock.
        automata: one a rule; those of rules in time are not used.
        weights: of each rule, None for a hard one.
        groups: the other rules in groups, None where there are none.
        plain: the numbers of these.
        solver: which process to ask.
        seconds: for one sequence in it.
    """

    def __init__(
        self,
        timed: TimedRules,
        automata: Sequence[Automaton],
        weights: Sequence[int | None],
        groups: Groups | None,
        plain: Sequence[int],
        check: Rules,
        solver: Solver,
        seconds: float,
    ) -> None:
        self._timed, self._automata, self._weights = timed, automata, weights
        self._groups, self._plain, self._check = groups, list(plain), check
        self._solver, self._seconds = solver, seconds

    def __call__(self, labels: I32, costs: I64, clock: Clock) -> Answer:
        """Return the cheapest allowed relabelling of one sequence.

        Args:
            labels: int32 (steps,), as they stand.
            costs: int64 (steps, events).
            clock: when and where its events happen.

        Raises:
            SolverError: the last resort is needed, and is not there.
        """
        asked, more = set[int](), self._broken(labels, clock)
        machines: dict[int, Automaton] = {}
        while True:
            asked |= more
            try:
                products = self._products(asked, machines, clock)
            except TooLargeError:
                return self._by_rc2(labels, costs, clock, machines)
            answer = labels.copy()
            lengths = np.array([len(labels)], np.int64)
            cost = int(Searcher(products)(answer[None], costs[None], lengths, np.zeros(1, np.int64))[0])
            if cost == OUT:
                return self._by_rc2(labels, costs, clock, machines)
            if cost == NOTHING:
                return Answer(labels, -1, NONE)
            more = self._broken(answer, clock) - asked
            if not more:
                return Answer(answer, cost, OPTIMAL)

    def _broken(self, labels: I32, clock: Clock) -> set[int]:
        """Return what a sequence breaks: rules in time by their number, groups of others by -1, -2 ..."""
        found = set(self._timed.broken_by(labels.tolist(), clock))
        if self._groups:
            out = np.full((1, len(self._automata)), -1, np.int32)
            broken_places(self._check, labels[None], np.array([len(labels)]), out)
            broken = self._groups.of(out[:, self._plain] >= 0)[0] & (out[0, self._plain] >= 0).any()
            found |= {-1 - int(g) for g in np.flatnonzero(broken)}
        return found

    def _products(self, asked: set[int], machines: dict[int, Automaton], clock: Clock) -> list[Product]:
        found: list[Product] = []
        key = tuple(sorted(-1 - i for i in asked if i < 0))
        if key and self._groups:
            joint = self._groups.joint(key)
            found += [joint.product] if joint else self._groups.products(key)
        for rule in sorted(i for i in asked if i >= 0):
            if rule not in machines:
                machines[rule] = self._timed.automaton(rule, clock)
            found.append(priced(machines[rule], self._weights[rule]))
        if not found:  # an event that cannot be, and no rule broken
            events = self._check.moves.shape[1]
            found.append(Product(np.zeros((1, events), np.int32), np.zeros(1, np.int64)))
        return found

    def _by_rc2(self, labels: I32, costs: I64, clock: Clock, machines: dict[int, Automaton]) -> Answer:
        asked: list[Asked] = list(self._automata)
        for rule in self._timed.numbers:
            counted = None if rule in machines else self._timed.counted(rule, clock)
            try:
                found = machines.get(rule) if counted is None else counted
                asked[rule] = self._timed.automaton(rule, clock) if found is None else found
            except TooLargeError:
                return Answer(labels, -1, UNKNOWN)
        told = by_rc2(asked, self._weights, costs, labels, self._solver, self._seconds)
        return Answer(told.labels, told.cost, told.status, solver=True)


def _timed(found: Timed | None) -> Timed:
    if found is None:
        raise ValueError("the rule does not look at the clock")
    return found
