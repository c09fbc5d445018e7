"""Minimal reasons: rules and parts of an answer that cannot stand together, none of which can be left out.

Every hard rule hangs on a selector and every value of the answer on an assumption, all of them given
variables; whether some of them go together is then one question to a short search, and leaving out the first
one, two, three ... of them is one batch. What can be left out is found by deletion (Marques-Silva 2010,
Minimal Unsatisfiability: Models, Algorithms and Applications). Where the search comes to no end the solver
process does the same, in one question. The independent parts of the rules (parts.py) have reasons of their
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .clauses import told
from .lowering import Compiled
from .normal import STRUCTURE, AtLeast, Bools, NormalForm
from .pipeline import Engine
from .solver import Solver, shared_solver

_BRANCHINGS = 30  # what takes a search longer the solver process finds out sooner
_SECONDS = 2.0  # that the solver process may take


class _Item(NamedTuple):
    """What may be left out: the value of a decided variable, or a rule.

    Attributes:
        label: whether it is a value.
        number: of the variable, or of the rule.
        switches: variables of the form with switches, from 0, that are true where it is kept.
        literals: the same in the form without switches, to which `_guard` adds one for every rule.
    """

    label: bool
    number: int
    switches: list[int]
    literals: list[int]


class Reasons:
    """Finds minimal reasons under one set of rules.

    Args:
        compiled: the rules; soft ones are no reason for anything.
        solver: which process to ask as a last resort; the shared one if left out.
    """

    def __init__(self, compiled: Compiled, solver: Solver | None = None) -> None:
        self._compiled, self._solver = compiled, solver or shared_solver()
        self._rules = len(compiled.form.rules)
        self._front = self._rules + 2 * compiled.scores  # selectors; a value must be true; must be false
        self._hard = [c for c in compiled.form.constraints if c.rule not in compiled.kept]
        self._engine = Engine(self._form())
        self._told: dict[int, tuple[str, dict[str, Any]]] = {}

    def reason(self, predicted: Bools, order: Sequence[int], *, dead: bool) -> tuple[list[int], list[int]]:
        """Return rules and decided variables (by number) that conflict given the facts, none to spare.

        Both are empty where the answer conflicts with no hard rule, or that was not found out in time.

        Args:
            predicted: bool (form.variables,), the facts and the answer.
            order: the decided variables in the order in which they are left out, if they can be.
            dead: whether no answer is allowed: then rules conflict by themselves.

        Raises:
            SolverError: the solver process is needed and not available.
        """
        items = [*(self._value(i, predicted) for i in order), *map(self._rule, self._hard_rules)]
        values = np.concatenate([np.zeros(self._front, np.bool_), predicted])
        whole = self._rows(values, items, 0)[:1]
        broken = np.flatnonzero(self._engine.broken(whole)[0]).tolist()
        found: list[_Item] = []
        for part in sorted(broken, key=lambda part: self._last(part, items), reverse=True):
            mine = [item for item in items if self._switches[part].intersection(item.switches)]
            found = self._least(part, values, mine)
            if not dead or not any(item.label for item in found):
                break
        found = self._shrunk(values, found)
        return [i.number for i in found if not i.label], [i.number for i in found if i.label]

    # Inside

    @cached_property
    def _hard_rules(self) -> list[int]:
        return [r for r in range(self._rules) if r not in self._compiled.kept]

    @cached_property
    def _switches(self) -> list[set[int]]:
        """Return for every part which switches it speaks of."""
        return [{v for v in p.part.variables.tolist() if v < self._front} for p in self._engine.parts]

    def _last(self, part: int, items: Sequence[_Item]) -> int:
        """Return the place of what is left out last of a part; facts alone, which need no values, lead."""
        if self._decides_nothing(part):
            return len(items)
        mine = self._switches[part]
        return max((i for i, x in enumerate(items) if x.label and mine.intersection(x.switches)), default=-1)

    def _decides_nothing(self, part: int) -> bool:
        here = self._engine.parts[part].part
        return here.given == len(here.variables)

    def _value(self, number: int, predicted: Bools) -> _Item:
        decision, first = self._compiled.decisions[number], self._compiled.form.given
        places = np.arange(decision.place.start, decision.place.stop)
        true = places[predicted[first + places]].tolist()
        if true or decision.values:
            return _Item(True, number, [self._rules + i for i in true], [first + i + 1 for i in true])
        false = self._rules + self._compiled.scores + decision.start
        return _Item(True, number, [false], [-(first + decision.start + 1)])

    def _rule(self, number: int) -> _Item:
        return _Item(False, number, [number], [self._guard(number)])

    def _guard(self, rule: int) -> int:
        """Return the literal that a rule is kept by; STRUCTURE has the first of them."""
        return len(self._compiled.form.variables) + 2 + rule

    def _rows(self, values: Bools, kept: Sequence[_Item], needed: int) -> Bools:
        """Return values with the switches of what is kept on but for the first 0, 1 ... beyond `needed`."""
        rows = np.repeat(values[None], len(kept) - needed + 1, 0)
        for place, item in enumerate(kept):
            rows[: len(rows) if place < needed else place - needed + 1, item.switches] = True
        return rows

    def _least(self, part: int, values: Bools, items: list[_Item]) -> list[_Item]:
        """Leave out what can be, in order; the same items whether the search or the solver finds them."""
        kept, needed = items, 0
        while needed < len(kept):
            fits = self._fit(part, self._rows(values, kept, needed))
            if fits is None:
                return self._asked(part, values, items)
            if fits == 0:
                return []  # there is no conflict
            if fits > len(kept) - needed:
                return kept[:needed]
            kept = kept[:needed] + kept[needed + fits - 1 :]
            needed += 1
        return kept

    def _fit(self, part: int, rows: Bools) -> int | None:
        """Return the first row that leaves an allowed answer, len(rows) if none does, None if unsure."""
        if self._decides_nothing(part):
            fits = ~self._engine.broken(rows)[:, part]
            unsure = np.zeros(len(rows), np.bool_)
        else:
            every = np.arange(len(rows))
            reached, proven = self._engine.parts[part].search(
                every, rows, np.zeros(rows.shape, np.int64), _BRANCHINGS
            )
            fits, unsure = reached >= 0, (reached < 0) & ~proven
        first = int((fits | unsure).argmax())
        if unsure[first]:
            return None
        return first if fits[first] else len(rows)

    def _shrunk(self, values: Bools, found: list[_Item]) -> list[_Item]:
        """Return what of a reason conflicts by itself in another part: a rule may stand in several."""
        for part in np.flatnonzero(self._engine.broken(self._rows(values, found, 0)[:1])[0]).tolist():
            mine = [item for item in found if self._switches[part].intersection(item.switches)]
            least = self._least(part, values, mine)
            if least and len(least) < len(found):
                return self._shrunk(values, least)
        return found

    def _asked(self, part: int, values: Bools, items: list[_Item]) -> list[_Item]:
        """Return the same by the solver process, [] where it ran out of time."""
        if part not in self._told:
            numbers = self._engine.parts[part].part.numbers
            chosen = [self._hard[i] for i in numbers if i < len(self._hard)]
            variables = self._guard(self._rules - 1)
            guards = [self._guard(c.rule) for c in chosen]
            self._told[part] = told(chosen, variables, guards, [[self._guard(STRUCTURE)]])
        given = values[self._front :][: self._compiled.form.given]
        asked = {
            "facts": (np.where(given, 1, -1) * np.arange(1, len(given) + 1)).tolist(),
            "sets": [item.literals for item in items],
        }
        kept = self._solver.reason(*self._told[part], asked, _SECONDS)
        return [items[i] for i in kept or ()]

    def _form(self) -> NormalForm:
        form, front, scores = self._compiled.form, self._front, self._compiled.scores
        made: list[AtLeast] = []
        for c in self._hard:
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
