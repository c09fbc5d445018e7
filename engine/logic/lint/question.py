"""A rule set as the examination takes it: clauses in which every rule can be demanded, dropped or denied.

Rule i hangs on the selector `keep[i]`; the literals `deny[i]`, assumed true, make it fail. What no rule
states always stands. A helper is a gate that its constraints define in one direction (where it is true,
they hold); here it is exact, so that a rule over helpers fails only where what they stand for fails.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from ..clauses import told
from ..gates import defined, opposite, without
from ..normal import STRUCTURE, AtLeast, Bools, NormalForm


@dataclass(frozen=True)
class Question:
    """What is to be examined.

    Attributes:
        form: the rules. Those from `asked` on are not demanded: they stand for conditions.
        asked: how many rules are asked about.
        helpers: bool (variables,), which variables are gates.
        conditions: for a rule the number of the rule in `form` that says that its condition does not hold;
            None: what a clause says of its positive literals is conditional on the negated ones.
        known: a variable, from 1, that is true where no fact is missing; 0: no fact can be.
        watched: the decided variables, from 1, of which it is asked whether they are dead, forced or equal.
    """

    form: NormalForm
    asked: int
    helpers: Bools
    conditions: dict[int, int] | None = None
    known: int = 0
    watched: tuple[int, ...] = ()

    @classmethod
    def of(cls, form: NormalForm) -> Question:
        """Return the question about a form without helpers, with all its variables watched."""
        every = tuple(range(1, len(form.variables) + 1))
        return cls(form, len(form.rules), np.zeros(len(every), np.bool_), watched=every)

    def coded(self, until: float = inf) -> tuple[str, dict[str, Any]]:
        """Return a name for the question and the question as the solver process reads it.

        Raises:
            TimeoutError: it is not done at `until`, a time of the monotonic clock.
        """
        coding = _Coding(self, until)
        key, form = coding.told()
        sent = {
            **form,
            "keep": coding.keep[: self.asked],
            "deny": [coding.denial(i) for i in range(self.asked)],
            "soft": [coding.soft.get(i, 0) for i in range(self.asked)],
            "scopes": [coding.scope(i) for i in range(self.asked)],
            "conditions": [self._conditions(coding, i) for i in range(self.asked)],
            "outputs": len(self.form.variables),
            "known": self.known,
            "watched": list(self.watched),
        }
        return f"examined {key}", sent

    def _conditions(self, coding: _Coding, rule: int) -> list[list[int]]:
        """Return for each condition of a rule the literals that make it hold."""
        if self.conditions is not None:
            return [coding.denial(self.conditions[rule])] if rule in self.conditions else []
        found = []
        for c in coding.roots[rule]:
            said = [x for x in c.literals if abs(x) != coding.soft.get(rule)]
            body = [-x for x in said if x < 0]
            if c.clause and body and len(body) < len(said):
                found.append(body)
        return found


def kept_variables(form: NormalForm) -> dict[int, int]:
    """Return for each soft rule the variable, from 1, that lets go of it.

    It costs to be false, and stands negated in every constraint of that rule and in no other.
    """
    if not form.costs.any():
        return {}
    sizes = Counter(c.rule for c in form.constraints)
    uses: dict[int, list[AtLeast]] = {}
    for c in form.constraints:
        for x in c.literals:
            if form.defaults[abs(x) - 1] and form.costs[abs(x) - 1] > 0:
                uses.setdefault(abs(x), []).append(c)
    found: dict[int, int] = {}
    for v, places in uses.items():
        rule = places[0].rule
        alone = all(c.rule == rule and -v in c.literals for c in places)
        if alone and rule != STRUCTURE and len(places) == sizes[rule]:
            found[rule] = v
    return found


class _Coding:
    """The clauses of a question, and the selectors in them."""

    def __init__(self, question: Question, until: float) -> None:
        self._until = until
        form, rules = question.form, len(question.form.rules)
        count = len(form.variables)
        self.keep = [count + 1 + i for i in range(rules)]
        self._always = count + rules + 1  # true: the guard of what no rule states
        self._top = self._always
        self._constraints: list[AtLeast] = []
        self._guards: list[int] = []
        self.roots: list[list[AtLeast]] = [[] for _ in range(rules)]
        self.soft = kept_variables(form)
        # A helper that nothing defines holds always.
        defining: dict[int, list[AtLeast]] = {int(v) + 1: [] for v in np.flatnonzero(question.helpers)}
        for c in form.constraints:
            helper = defined(c, question.helpers)
            if helper:
                defining[helper].append(c)
                self._state(c, self._always)
            elif c.rule == STRUCTURE:
                self._state(c, self._always)
            else:
                self.roots[c.rule].append(c)
                self._state(c, self.keep[c.rule])
        exact = [[h, *(self._failing(without(h, c)) for c in uses)] for h, uses in defining.items()]
        self._ways: list[list[int]] = []
        self._denials = [self._denied(roots) for roots in self.roots]
        self._clauses = [*exact, *self._ways, [self._always]]

    def told(self) -> tuple[str, dict[str, Any]]:
        """Return all of it with a name, as the solver process reads it."""
        return told(self._constraints, self._top, self._guards, self._clauses)

    def denial(self, rule: int) -> list[int]:
        """Return the literals that make a rule fail; a soft one must not be let go of beside."""
        return sorted({*self._denials[rule], *([self.soft[rule]] if rule in self.soft else [])})

    def scope(self, rule: int) -> list[int]:
        """Return the variables that a rule speaks of, but for one that lets go of it."""
        return sorted({abs(x) for c in self.roots[rule] for x in c.literals} - {self.soft.get(rule)})

    def _denied(self, roots: list[AtLeast]) -> list[int]:
        """Return literals that make one of the constraints fail, with as few new variables as will do."""
        if len(roots) == 1:
            (c,) = roots
            return [-x for x in c.literals] if c.clause else [self._failing(c)]
        ways = [self._failing(c) for c in roots]
        self._top += 1
        self._ways.append([-self._top, *ways])
        return [self._top]

    def _state(self, constraint: AtLeast, guard: int) -> None:
        if time.monotonic() > self._until:
            raise TimeoutError
        self._constraints.append(constraint)
        self._guards.append(guard)

    def _failing(self, constraint: AtLeast) -> int:
        """Return a new literal: where it is true, `constraint` fails."""
        self._top += 1
        self._state(opposite(constraint), self._top)
        return self._top
