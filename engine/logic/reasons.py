"""Minimal reasons: rules and parts of an answer that cannot stand together, none of which can be left out.

Every hard rule hangs on a selector and every value of the answer on an assumption, all of them given
variables; whether some of them go together is then one question to the repair engines, and many questions are
one batch. What can be left out is found by deletion (Marques-Silva 2010, Minimal Unsatisfiability: Models,
Algorithms and Applications).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..ports import I64
from .lowering import Compiled
from .normal import STRUCTURE, AtLeast, Bools, NormalForm
from .pipeline import UNKNOWN, Engine
from .solver import Solver

_BRANCHINGS = 30  # whether something is allowed at all the solver finds out sooner than a long search


class Reasons:
    """Finds minimal reasons under one set of rules.

    Args:
        compiled: the rules; soft ones are no reason for anything.
        solver: which process to ask as a last resort.
    """

    def __init__(self, compiled: Compiled, solver: Solver | None = None) -> None:
        self._compiled = compiled
        self._rules = len(compiled.form.rules)
        self._front = self._rules + 2 * compiled.scores  # selectors; a value must be true; must be false
        self._engine = Engine(self._form(), widest=0, branchings=_BRANCHINGS, solver=solver)

    def reason(self, given: Bools, answer: Bools, order: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return rules and decided variables (by number) that conflict given the facts, none to spare.

        Both are empty where the answer conflicts with no hard rule, or that was not found out in time.

        Args:
            given: bool (form.given,), the given variables of the record.
            answer: bool (compiled.scores,), the decided variables of the form as the answer has them.
            order: the decided variables in the order in which they are left out, if they can be.
        """
        sets = [self._assumed(i, answer) for i in order] + [np.array([r]) for r in self._hard()]
        kept = list(range(len(sets)))
        if self._go_together(given, answer, [self._switches(sets, kept)])[0]:
            return [], []
        alone = self._go_together(
            given, answer, [self._switches(sets, [k for k in kept if k != i]) for i in kept]
        )
        needed = [i for i in kept if alone[i]]
        if needed and not self._go_together(given, answer, [self._switches(sets, needed)])[0]:
            kept = needed
        else:
            for i in [i for i in kept if not alone[i]]:
                rest = [k for k in kept if k != i]
                if not self._go_together(given, answer, [self._switches(sets, rest)])[0]:
                    kept = rest
        hard, labels = self._hard(), len(order)
        return [hard[i - labels] for i in kept if i >= labels], [order[i] for i in kept if i < labels]

    # Inside

    def _hard(self) -> list[int]:
        return [r for r in range(self._rules) if r not in self._compiled.kept]

    def _assumed(self, decision: int, answer: Bools) -> I64:
        """Return the assumptions, from 0 among what stands in front, that fix one decided variable."""
        place = self._compiled.decisions[decision].place
        places = np.arange(place.start, place.stop)
        true = places[answer[places]]
        if len(places) > 1:
            return self._rules + true
        return self._rules + (true if len(true) else self._compiled.scores + places)

    def _switches(self, sets: Sequence[I64], kept: Sequence[int]) -> Bools:
        on = np.zeros(self._front, np.bool_)
        for i in kept:
            on[sets[i]] = True
        return on

    def _go_together(self, given: Bools, answer: Bools, switches: Sequence[Bools]) -> Bools:
        """Return for each setting of the switches whether it is known to leave an allowed answer."""
        form = self._engine.form
        values = np.broadcast_to(form.defaults, (len(switches), len(form.variables))).copy()
        values[:, : self._front] = switches
        first = self._front + len(given)
        values[:, self._front : first] = given
        values[:, first : first + len(answer)] = answer
        found = self._engine(values, np.zeros(values.shape, np.int64))
        return np.asarray(found.status <= UNKNOWN)

    def _form(self) -> NormalForm:
        form, front, scores = self._compiled.form, self._front, self._compiled.scores
        made: list[AtLeast] = []
        for c in form.constraints:
            if c.rule in self._compiled.kept:
                continue
            literals = tuple(x + front if x > 0 else x - front for x in c.literals)
            if c.rule == STRUCTURE:
                made.append(replace(c, literals=literals))
            else:
                weights = (*(c.weights or (1,) * len(literals)), c.bound)
                made.append(replace(c, literals=(*literals, -(c.rule + 1)), weights=weights))
        for i in range(scores):
            value = front + form.given + i + 1
            made.append(AtLeast((-(self._rules + i + 1), value), 1))
            made.append(AtLeast((-(self._rules + scores + i + 1), -value), 1))
        names = tuple(f"switch {i}" for i in range(front))
        return NormalForm(
            variables=(*names, *form.variables),
            given=front + form.given,
            constraints=tuple(made),
            rules=form.rules,
            defaults=np.concatenate([np.zeros(front, np.bool_), form.defaults]),
            costs=np.zeros(front + len(form.variables), np.int64),
        )
