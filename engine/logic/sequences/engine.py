"""Exact repair of whole batches of sequences: the cheapest that keeps the hard rules, soft ones at a price.

A sequence that breaks nothing passes at once. The others are relabelled, step by step and never longer or
shorter, by the first of these that can: the product of all rules' automata, swept by Viterbi; where that is
large, the products of those groups of rules that the sequence breaks, and of those that the answer then
breaks, until it breaks no other (what keeps fewer rules costs no more, so that answer is the cheapest); where
these are too large, a search under a rising bound over tuples of states; past that python-sat's RC2 in the
solver process, with a deadline. Which one it is depends on the rules and the sequence alone, so a sequence
gets the same answer in any batch. Rules that look at the clock go by timed_repair.py where there are stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ...kernels.viterbi import AWAY, Batch, Chart, Rules, broken_places, sweep, sweep_wide
from ...kernels.viterbi_lanes import FAR, LANES
from ...kernels.viterbi_search import OUT
from ...ports import I32, I64
from ..pipeline import ALLOWED, FEASIBLE, NONE, OPTIMAL, SECONDS, STATUS, U8, UNKNOWN
from ..solver import Solver, shared_solver
from .automaton import Automaton, Bools
from .clock import Clock, Times
from .groups import Groups, Joint
from .rule import SequenceRule, automaton_for, in_time, marked
from .timed_repair import TimedRepair, TimedRules, TooLargeError
from .unrolled import by_rc2

Tool = Literal["groups", "search", "rc2"]

TOOLS = ("check", "automaton", "groups", "search", "rc2")
CHECK, AUTOMATON, GROUPS, SEARCH, RC2 = range(5)
MOST_STATES = 20_000  # of a product
MOST_WHOLE = 1_000  # of the product of all rules: of more, parts are swept sooner than the whole
IMPOSSIBLE = -1  # the cost of an event that cannot be
_ROOM = 1 << 28  # bytes that a sweep may use

_WHY = {
    (ALLOWED, CHECK): "it breaks no rule",
    (OPTIMAL, AUTOMATON): "the automaton of all rules holds every allowed sequence; this is its cheapest",
    (OPTIMAL, GROUPS): "it is the cheapest under some of the rules, and keeps the others too",
    (OPTIMAL, SEARCH): "the search left out nothing that is cheaper",
    (OPTIMAL, RC2): "the automata are too large together; RC2 proved that nothing cheaper is allowed",
    (FEASIBLE, RC2): "RC2 ran out of time; something cheaper may be allowed",
    (NONE, AUTOMATON): "the automaton of all rules accepts no sequence of this length and these events",
    (NONE, GROUPS): "some of the rules alone accept no sequence of this length and these events",
    (NONE, SEARCH): "the search came to its end without an allowed sequence",
    (UNKNOWN, SEARCH): "a rule in time has too many situations over these stamps for an exact answer",
    (UNKNOWN, RC2): "the solver ran out of time; whether there is an allowed sequence is not known",
    (NONE, RC2): "the solver found no allowed sequence",
}


@dataclass(frozen=True)
class Repaired:
    """n repaired sequences.

    Attributes:
        labels: int32 (n, steps), event types; where nothing is allowed or found, those given.
        costs: int64 (n,), what the events and the soft rules left broken cost; -1 where there is no answer.
        status: uint8 (n,), a place in STATUS.
        tool: uint8 (n,), a place in TOOLS.
    """

    labels: I32
    costs: I64
    status: U8
    tool: U8

    def words(self, record: int) -> tuple[str, str, str]:
        """Return the status of a sequence, the engine that gave it, and why that is so."""
        status, tool = int(self.status[record]), int(self.tool[record])
        return STATUS[status], TOOLS[tool], _WHY[status, tool]


class SequenceEngine:
    """Repairs batches of sequences under one set of rules.

    Args:
        rules: the rules; none allow everything.
        events: the names of the event types.
        only: repair by this alone, whatever it takes.
        most_states: of a product; more is split into groups.
        seconds: for one sequence in the solver process.
        solver: which process to ask; the shared one if left out.

    Raises:
        RuleError: a rule does not fit the events, or is too large by itself.

    Attributes:
        automata: one a rule; of one in time, what it asks for whatever the stamps and places are.
        timed: the rules in time.
    """

    def __init__(
        self,
        rules: Sequence[SequenceRule],
        events: tuple[str, ...],
        *,
        only: Tool | None = None,
        most_states: int = MOST_STATES,
        seconds: float = SECONDS,
        solver: Solver | None = None,
    ) -> None:
        self.rules, self.events = tuple(rules), events
        bodies = [marked(rule.body) for rule in self.rules]
        self.automata = tuple(automaton_for(body, events) for body in bodies)
        self.timed = TimedRules({i: b for i, b in enumerate(bodies) if in_time(b)}, events)
        self.weights = tuple(rule.weight for rule in rules)
        self._only, self._most, self._seconds = only, most_states, seconds
        self._solver = solver or shared_solver()

    def __call__(self, labels: I32, costs: I64, lengths: I64, times: Times | None = None) -> Repaired:
        """Return the cheapest allowed relabelling of each sequence; one's does not depend on the others.

        Args:
            labels: int32 (n, steps), the event types that stand; beyond a sequence's length not looked at.
            costs: int64 (n, steps, events), what each event costs; IMPOSSIBLE for one that cannot be. The
                one that stands should cost no more than any other.
            lengths: int64 (n,), how many steps each sequence has.
            times: when and where the events happen. Rules in time ask only for what holds whatever that is
                where it is left out.

        Raises:
            ValueError: shapes do not fit, or the costs of a sequence could add up beyond 2^60.
            SolverError: the last resort is needed, and is not there.
        """
        near = self._near(labels, costs, lengths)
        found = labels.copy()
        paid = _paid(labels, costs, lengths)
        n = len(labels)
        status, tool = np.full(n, ALLOWED, np.uint8), np.full(n, CHECK, np.uint8)
        broken = self.broken(labels, lengths, times)
        rows = np.flatnonzero(broken.any(1) | (paid < 0))
        # What rules in time ask for at any times costs no more, so an answer that keeps them too is final.
        whatever = broken if times is None else self.places(labels, lengths) >= 0
        first = rows[whatever[rows].any(1) | (paid[rows] < 0)]
        if len(first):
            batch = _Work(found, costs, lengths, near)
            paid[first], status[first], tool[first] = self._repair(batch, first, whatever)
        if times is not None:
            for r in self._overdue(found, lengths, rows[status[rows] < UNKNOWN], times):
                steps = int(lengths[r])
                answer = self._in_time(labels[r, :steps], costs[r, :steps], times.clock(r, steps))
                found[r, :steps], paid[r], status[r] = answer.labels, answer.cost, answer.status
                tool[r] = RC2 if answer.solver else SEARCH
        dead = rows[status[rows] >= UNKNOWN]
        found[dead], paid[dead] = labels[dead], -1
        return Repaired(found, paid, status, tool)

    def broken(self, labels: I32, lengths: I64, times: Times | None = None) -> Bools:
        """Return which rules each sequence breaks, bool (n, rules)."""
        out: Bools = self.places(labels, lengths) >= 0
        if times is not None and self.timed.numbers:
            out[:, list(self.timed.numbers)] = False
            for record, rules in self.timed.broken(labels, lengths, times).items():
                out[record, rules] = True
        return out

    def places(self, labels: I32, lengths: I64) -> I32:
        """Return where each sequence breaks each rule, int32 (n, rules).

        It is the place, from 0, of the event after which nothing mends the rule; the sequence's length where
        it ends too soon; -1 where the rule holds. Of rules in time it is what they ask for whatever the
        stamps are: `timed.place` tells more.
        """
        out = np.full((len(labels), len(self.rules)), -1, np.int32)
        if self.rules:
            broken_places(self._check, np.ascontiguousarray(labels), lengths, out)
        return out

    def automata_at(self, clock: Clock | None) -> tuple[Automaton, ...]:
        """Return the automata, those of rules in time over the steps of a clock as far as they are small."""
        found = list(self.automata)
        if clock is not None:
            for rule in self.timed.numbers:
                with suppress(TooLargeError):
                    found[rule] = self.timed.automaton(rule, clock)
        return tuple(found)

    @cached_property
    def groups(self) -> Groups:
        """Return the rules in groups with a product each; one group where the product of all is small."""
        return self._grouped(range(len(self.rules)))

    # Inside

    def _overdue(self, labels: I32, lengths: I64, rows: I64, times: Times) -> list[int]:
        """Return which of some sequences break rules in time that they would keep at other times."""
        if not self.timed.numbers or not len(rows):
            return []
        there = self.broken(labels[rows], lengths[rows], times.take(rows))
        differ = there != (self.places(labels[rows], lengths[rows]) >= 0)
        found: list[int] = rows[differ.any(1)].tolist()
        return found

    def _grouped(self, rules: Sequence[int]) -> Groups:
        anything = Automaton(np.zeros((1, len(self.events)), np.int32), np.ones(1, np.bool_))
        automata, weights = [self.automata[i] for i in rules], [self.weights[i] for i in rules]
        whole = 0 if self._only else min(MOST_WHOLE, self._most)
        return Groups(automata or (anything,), weights or (None,), whole, self._most)

    @cached_property
    def _in_time(self) -> TimedRepair:
        plain = [i for i in range(len(self.rules)) if i not in self.timed.numbers]
        groups = self._grouped(plain) if plain else None
        rest = self._check, self._solver, self._seconds
        return TimedRepair(self.timed, self.automata, self.weights, groups, plain, *rest)

    @cached_property
    def _check(self) -> Rules:
        sizes = [len(a.moves) for a in self.automata]
        starts = np.cumsum([0, *sizes])[:-1].astype(np.int32)
        moves = [a.moves + start for a, start in zip(self.automata, starts, strict=True)]
        return Rules(
            np.concatenate(moves).astype(np.int32),
            starts,
            np.concatenate([a.accepts for a in self.automata]),
            np.concatenate([a.alive for a in self.automata]),
        )

    def _near(self, labels: I32, costs: I64, lengths: I64) -> bool:
        """Check a batch; return whether all its sequences cost less than FAR."""
        n, steps = labels.shape
        if costs.shape != (n, steps, len(self.events)) or lengths.shape != (n,):
            wanted = (n, steps, len(self.events))
            raise ValueError(
                f"expected {wanted} costs and {n} lengths; got {costs.shape} and {lengths.shape}"
            )
        if labels.dtype != np.int32 or costs.dtype != np.int64 or lengths.dtype != np.int64:
            raise ValueError("expected int32 labels, int64 costs and int64 lengths")
        if n and not 0 <= int(lengths.min()) <= int(lengths.max()) <= steps:
            raise ValueError(f"lengths must be 0 to {steps}")
        most = int(costs.max(initial=0)) * max(steps, 1) + sum(w or 0 for w in self.weights)
        if most >= AWAY >> 1:
            raise ValueError("costs must add up to less than 2^60")
        return bool(most < FAR)

    def _repair(self, work: _Work, rows: I64, broken: Bools) -> tuple[I64, U8, U8]:
        """Repair the sequences `rows` in place; return cost, status and tool of each."""
        paid = np.full(len(rows), -1, np.int64)
        status, tool = np.full(len(rows), NONE, np.uint8), np.full(len(rows), AUTOMATON, np.uint8)
        # Which groups each answer must keep so far, and which sequences have no answer yet.
        asked = self.groups.of(broken[rows])
        asked[:, 0] |= ~asked.any(1)  # of one with an event that cannot be, and no rule broken
        left = np.arange(len(rows))
        raw = work.labels[rows]
        while len(left):
            again: list[I64] = []
            for key, here in _alike(asked[left]):
                which = left[here]
                work.labels[rows[which]] = raw[which]
                paid[which], status[which], tool[which] = self._solved(work, key, rows[which])
                if not self.groups.whole:
                    again.append(which[(status[which] == OPTIMAL) & (tool[which] != RC2)])
            left = self._unkept(work, rows, asked, again)
        return paid, status, tool

    def _solved(self, work: _Work, key: tuple[int, ...], rows: I64) -> tuple[I64, U8, U8]:
        """Repair sequences in place under some groups of rules, or all by RC2; return cost, status, tool."""
        tool = np.full(len(rows), AUTOMATON if self.groups.whole else GROUPS, np.uint8)
        joint = None if self._only in ("search", "rc2") else self.groups.joint(key)
        if joint is not None:
            paid = work.sweep(joint, rows)
        elif self._only == "rc2":
            paid = np.full(len(rows), OUT, np.int64)
        else:
            paid = self.groups.searcher(key)(work.labels, work.costs, work.lengths, rows)
            tool[:] = SEARCH
        status = np.where(paid < 0, NONE, OPTIMAL).astype(np.uint8)
        out = np.flatnonzero(paid == OUT)
        if len(out):
            paid[out], status[out] = self._by_rc2(work, rows[out])
            tool[out] = RC2
        return paid, status, tool

    def _unkept(self, work: _Work, rows: I64, asked: Bools, again: list[I64]) -> I64:
        """Return which answers break rules of groups that were not asked, after asking for these too."""
        done = np.concatenate(again) if again else np.empty(0, np.int64)
        broken = self.places(work.labels[rows[done]], work.lengths[rows[done]]) >= 0
        more = self.groups.of(broken) & ~asked[done]
        asked[done] |= more
        return done[more.any(1)]

    def _by_rc2(self, work: _Work, rows: I64) -> tuple[I64, U8]:
        paid, status = np.empty(len(rows), np.int64), np.empty(len(rows), np.uint8)
        for i, r in enumerate(rows):
            steps = int(work.lengths[r])
            answer = by_rc2(
                self.automata,
                self.weights,
                work.costs[r, :steps],
                work.labels[r, :steps],
                self._solver,
                self._seconds,
            )
            paid[i], status[i] = answer.cost, answer.status
            if answer.cost >= 0:
                work.labels[r, :steps] = answer.labels
        return paid, status


@dataclass(frozen=True)
class _Work:
    """A batch under repair: labels are changed in place."""

    labels: I32
    costs: I64
    lengths: I64
    near: bool

    def sweep(self, joint: Joint, rows: I64) -> I64:
        """Repair some sequences by one automaton, those of like length together; return what they cost."""
        reached = np.full(len(rows), -1, np.int64)
        if joint.chart is None:
            return reached
        order = np.argsort(self.lengths[rows], kind="stable")
        steps = int(self.lengths[rows].max(initial=0))
        batch = Batch(self.costs, self.lengths, rows[order], self.labels, np.empty(len(rows), np.int64))
        self._swept(joint.chart, batch, steps)
        reached[order] = batch.reached
        return reached

    def _swept(self, chart: Chart, batch: Batch, steps: int) -> None:
        states, letters = len(chart.ends), batch.costs.shape[2] + len(chart.sets) - 1
        if self.near and (steps + 1) * (states + letters) * LANES * 4 <= _ROOM:
            sides = np.empty((steps, letters, LANES), np.int32)
            sweep(chart, batch, sides, np.empty((steps + 1, states, LANES), np.int32))
        else:
            sides_wide = np.empty((steps, letters), np.int64)
            sweep_wide(chart, batch, sides_wide, np.empty((steps + 1, states), np.int64))


def _paid(labels: I32, costs: I64, lengths: I64) -> I64:
    """Return what the labels that stand cost, -1 where one of them cannot be."""
    taken = np.take_along_axis(costs, labels[..., None].astype(np.int64), 2)[..., 0]
    inside = np.arange(labels.shape[1]) < lengths[:, None]
    impossible = ((taken < 0) & inside).any(1)
    return np.where(impossible, -1, np.where(inside, taken, 0).sum(1))


def _alike(asked: Bools) -> list[tuple[tuple[int, ...], I64]]:
    """Return the distinct rows of bool (n, groups), as the groups that are asked, and where each stands."""
    kinds, which = np.unique(asked, axis=0, return_inverse=True)
    which = which.ravel()
    return [
        (tuple(np.flatnonzero(kind).tolist()), np.flatnonzero(which == i)) for i, kind in enumerate(kinds)
    ]
