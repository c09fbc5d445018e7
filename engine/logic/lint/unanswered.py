"""Facts that no answer fits: records whose every answer breaks some hard rule.

Whether there are any is a question of two turns (facts such that for all answers ...), asked by refinement
of an abstraction (Janota and Marques-Silva 2011, "Abstraction-Based Algorithm for 2QBF",
doi 10.1007/978-3-642-21581-0_19). One solver proposes facts that break a rule with every answer seen so far.
Another looks for an answer that keeps the rules with these facts: where it finds one the first is told, where
there is none its core names the tests that matter.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from ...ports import F64, I64
from ..truth import outcomes, truth
from .asked import Asked
from .buckets import Member, in_buckets
from .choosing import Choosing
from .examination import Examination
from .facts import drawn, solved
from .scopes import Scopes
from .tree import IncrementalSolver

MOST_CLASHES = 5  # sets of rules that are told of
_MOST_WAYS = 3  # facts that are told of one such set
_MOST_FOUND = 60  # facts that are looked into, of rules that share what they decide

Settled = tuple[tuple[int, bool], ...]  # (test, whether it definitely holds or definitely fails)


@dataclass(frozen=True)
class Way:
    """Facts that leave no answer.

    Attributes:
        settled: tests and how they come out, none of them to spare: whatever the other facts are, the rules
            conflict.
        facts: float64 (columns,), of such a record, no fact missing where that can be, NaN for a gap; None
            where none was found, which only happens where numbers are computed from several columns.
    """

    settled: Settled
    facts: F64 | None


@dataclass
class Stranded:
    """What was found out.

    Attributes:
        alone: hard rules about facts alone; records are taken to keep them.
        clashes: sets of hard rules that conflict under some facts, none of them to spare, and these facts.
        more: whether there are further sets.
        decided: whether all that can be said was found out.
    """

    alone: tuple[int, ...] = ()
    clashes: dict[tuple[int, ...], list[Way]] = field(default_factory=dict)
    more: bool = False
    decided: bool = False


class Unanswered:
    """Looks for facts that leave no answer, once the rules are known to be satisfiable.

    Args:
        asked: the rules.
        examination: of these; its solver says whether facts have an answer.
        solver: makes a solver that holds some clauses.
        answers: answers that helped before, int64 (decided,) each; those that help now are added.

    Attributes:
        found: what has been found out so far.
        done: whether nothing is left to ask.
    """

    def __init__(
        self,
        asked: Asked,
        examination: Examination,
        solver: Callable[[list[list[int]]], IncrementalSolver],
        answers: list[I64],
    ) -> None:
        self._asked, self._examination, self._solver = asked, examination, solver
        self._answers = answers
        rules = asked.rules.rules
        self._of = Scopes()
        scopes = {i: self._of.of(rule.bound) for i, rule in enumerate(rules) if rule.weight is None}
        self._scopes = scopes
        self._parts = _parts(asked, scopes)
        self.found = Stranded(tuple(i for i, scope in scopes.items() if not scope))
        self._steps = self._questions()
        self.done = False

    def run(self, wanted: Callable[[], bool]) -> bool:
        """Ask on while it is wanted; return whether nothing is left to ask."""
        while not self.done and wanted():
            self.done = next(self._steps, True) is True
        return self.done

    def _questions(self) -> Iterator[None]:
        sure = True
        if self._parts:
            self._choosing = Choosing(
                self._asked.rules, self._of, self._asked.open, self.found.alone, self._solver
            )
            yield
        for part in self._parts:
            sure &= yield from self._part(part)
            if self.found.more:
                break
        self.found.decided = sure

    def _part(self, part: list[int]) -> Generator[None, None, bool]:
        """Look for facts that leave no answer to rules that hang together; return whether it is sure."""
        choosing, guard = self._choosing, self._choosing.fresh()
        members = self._members(part)
        # Any answer may be refused, but that of calls of events that no sequence follows.
        nothing = np.zeros(len(self._asked.rules.vocabulary.decided), np.int64)
        for answer in self._answers if self._asked.calls else (nothing, *self._answers):
            choosing.refuse(guard, members, answer)
        yield
        for _ in range(_MOST_FOUND):
            leaves = yield from self._proposed(part, members, guard)
            if leaves is None:
                return True
            if not leaves:
                return False
            rules = tuple(self._examination.clash(part, leaves))
            yield
            leaves = yield from self._shortened(rules, leaves)
            if self._impossible(leaves):
                yield
                continue
            ways = self.found.clashes.get(rules, [])
            if not ways and len(self.found.clashes) == MOST_CLASHES:
                self.found.more = True
                return True
            choosing.block(guard, leaves)
            if len(ways) < _MOST_WAYS:
                self.found.clashes[rules] = [*ways, self._way(leaves)]
            if len(ways) == _MOST_WAYS - 1:
                choosing.reconcile(guard, rules)
            yield
        return False

    def _members(self, part: list[int]) -> list[Member]:
        """Return rules in buckets; which calls of events go together is not known beforehand."""
        decided, calls = self._asked.rules.vocabulary.decided, self._asked.calls
        sizes = [2 if variable.kind == "flag" else len(variable.names) for variable in decided]
        kept = range(calls.first, len(decided)) if calls else ()
        return in_buckets({rule: self._scopes[rule] for rule in part}, sizes, kept)

    def _proposed(
        self, part: list[int], members: list[Member], guard: int
    ) -> Generator[None, None, list[int] | None]:
        """Return leaves that are false in a record without an answer; None: no such, []: unknown."""
        tests = {test for rule in part for test in self._asked.rules.tested[rule]}
        here = {leaf for test in tests for leaf in self._asked.open.leaves[test] if leaf}
        while True:
            record = self._choosing.record([guard])
            yield
            if not record:
                return record
            leaves = [-x for x in sorted(here) if record[x - 1] < 0]
            answer = self._examination.answer(part, leaves)
            yield
            if answer is None:
                core = self._examination.named()
                return [x for x in leaves if x in core]
            if not answer:
                return []
            values = self._asked.values(np.array(answer) > 0)
            self._choosing.refuse(guard, members, values)
            self._answers.append(values)

    def _shortened(self, rules: Sequence[int], leaves: list[int]) -> Generator[None, None, list[int]]:
        """Return as few of the leaves as rules conflict with: whole columns go first, then one by one."""
        tests = self._asked.rules.tests
        columns = {x: tests[self._asked.settled_by(-x)[0]].columns for x in leaves}
        groups = [list(group) for _, group in groupby(sorted(leaves, key=columns.__getitem__), columns.get)]
        for spared in [*(g for g in groups if len(g) > 1), *([x] for x in leaves)]:
            rest = [x for x in leaves if x not in spared]
            if len(rest) < len(leaves) and self._examination.answer(rules, rest) is None:
                core = self._examination.named()
                leaves = [x for x in rest if x in core]
            yield
        return leaves

    def _way(self, leaves: list[int]) -> Way:
        settled = tuple(sorted(self._asked.settled_by(-x) for x in leaves))
        record = self._choosing.record(leaves)
        return Way(settled, self._record(settled, record) if record else None)

    def _impossible(self, leaves: list[int]) -> bool:
        """Return whether no numbers make leaves false; then no record of those that follow does."""
        wrong = self._asked.impossible([-x for x in leaves])
        if wrong:
            self._choosing.forbid([-x for x in wrong])
        return bool(wrong)

    def _record(self, settled: Settled, record: list[int]) -> F64 | None:
        """Return facts, float64 (columns,), with which tests come out so and rules about facts are kept."""
        rules = self._asked.rules
        facts = self._asked.facts(np.array(record) > 0)
        tried = facts[None]
        if self._asked.open.computed:
            made = solved(rules, [(rules.tests[i], holds) for i, holds in settled], facts)
            tried = np.concatenate([tried, drawn(rules, made), drawn(rules, facts)])
        found = outcomes(rules.tests, tried)
        fits = np.logical_and.reduce([found[:, test] == holds for test, holds in settled])
        nothing = np.full((len(tried), len(rules.vocabulary.decided)), -1, np.int64)
        for rule in self.found.alone:
            fits &= ~truth(rules.rules[rule].bound, found, nothing).no
        return tried[int(fits.argmax())] if fits.any() else None


def _parts(asked: Asked, scopes: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """Return the hard rules in parts that decide nothing in common, but for those that test no fact.

    Calls about one sequence of events hang together: what one says of it another may rule out.
    """
    first: dict[int, int] = {}  # variable, or a call of its sequence -> the rule that it was first met in
    above: dict[int, int] = {}
    joint = {}
    if asked.calls:
        joint = {i: -1 - call.sequence for i, call in enumerate(asked.calls.happens, asked.calls.first)}

    def top(rule: int) -> int:
        while above.setdefault(rule, rule) != rule:
            above[rule] = rule = above[above[rule]]
        return rule

    for rule, scope in scopes.items():
        for variable in scope:
            above[top(rule)] = top(first.setdefault(joint.get(variable, variable), rule))
    parts: dict[int, list[int]] = {}
    for rule, scope in scopes.items():
        if scope:
            parts.setdefault(top(rule), []).append(rule)
    return [rules for rules in parts.values() if any(asked.rules.tested[i] for i in rules)]
