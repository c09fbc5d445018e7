"""Rules as one circuit of counting gates, which is what the solver process is told.

A gate says "at least k of these hold". `and` is k = all, `or` is k = 1, and negation is pushed to the
leaves, so gates only ever become true as leaves do. Every test has two leaves, "may hold" and "may fail";
a test on a gap has both. A rule's root then is true exactly where Kleene's logic (truth.py) does not make
the rule false.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from .formula import And, Count, Formula, Iff, IfThen, Implies, Not, Or, Tested, ValueIn, Xor


@dataclass(frozen=True)
class Circuit:
    """Gates over leaves.

    Literals: 1 to `classes` are the classes (negative: not that class); then for each test its "may hold" and
    its "may fail"; then the gates in order.

    Attributes:
        classes: how many classes there are, of which exactly one is the answer.
        tests: how many tests.
        gates: (k, literals): at least k of them hold.
        roots: for each rule, the literal that must hold.
    """

    classes: int
    tests: int
    gates: tuple[tuple[int, tuple[int, ...]], ...]
    roots: tuple[int, ...]

    @cached_property
    def key(self) -> str:
        """Return a name for the circuit that no other circuit has."""
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()

    def as_json(self) -> dict[str, object]:
        """Return the circuit as the solver process reads it."""
        return {"classes": self.classes, "tests": self.tests, "gates": self.gates, "roots": self.roots}


def circuit_of(formulas: tuple[Formula, ...], classes: int, tests: int) -> Circuit:
    """Return the circuit of bound formulas; equal gates are made once."""
    builder = _Builder(classes, tests)
    roots = tuple(builder.gate_of(formula, positive=True) for formula in formulas)
    return Circuit(classes, tests, tuple(builder.gates), roots)


class _Builder:
    def __init__(self, classes: int, tests: int) -> None:
        self.classes, self.tests = classes, tests
        self.gates: dict[tuple[int, tuple[int, ...]], int] = {}
        self._made: dict[tuple[int, bool], int] = {}  # by identity: formulas live as long as the builder

    def gate_of(self, formula: Formula, *, positive: bool) -> int:
        """Return the literal that is true unless `formula` (or its negation) is definitely false."""
        key = (id(formula), positive)
        if key not in self._made:
            self._made[key] = self._make(formula, positive=positive)
        return self._made[key]

    def _make(self, formula: Formula, *, positive: bool) -> int:  # noqa: C901, PLR0911 - a case a connective
        match formula:
            case Tested(index):
                return self.classes + 2 * index + (1 if positive else 2)
            case ValueIn(0, indices):
                literals = tuple(i + 1 if positive else -(i + 1) for i in indices)
                return self._gate(1 if positive else len(literals), literals)
            case Not(part):
                return self.gate_of(part, positive=not positive)
            case And(parts):
                return self._at_least(len(parts), parts, positive=positive)
            case Or(parts):
                return self._at_least(1, parts, positive=positive)
            case Implies(left, right):
                return self._implies(left, right, positive=positive)
            case Iff(left, right):
                return self._same(left, right, positive=positive)
            case Xor(left, right):
                return self._same(left, right, positive=not positive)
            case IfThen(condition, then, other):
                kept = self._implies(condition, then, positive=positive)
                return kept if other is None else self._otherwise(kept, condition, other, positive=positive)
            case Count(quantity, number, parts):
                return self._count(quantity, number, parts, positive=positive)
        raise ValueError(f"{formula} is not bound")

    def _gate(self, k: int, literals: tuple[int, ...]) -> int:
        if k == 1 and len(literals) == 1:
            return literals[0]
        first = self.classes + 2 * self.tests + 1
        return self.gates.setdefault((k, literals), first + len(self.gates))

    def _at_least(self, k: int, parts: tuple[Formula, ...], *, positive: bool) -> int:
        # Not (at least k of n) is: at least n - k + 1 of the negations.
        literals = tuple(self.gate_of(part, positive=positive) for part in parts)
        return self._gate(k if positive else len(parts) - k + 1, literals)

    def _implies(self, left: Formula, right: Formula, *, positive: bool) -> int:
        literals = (self.gate_of(left, positive=not positive), self.gate_of(right, positive=positive))
        return self._gate(1 if positive else 2, literals)

    def _same(self, left: Formula, right: Formula, *, positive: bool) -> int:
        # Both together or both not; the negation: one without the other.
        there = self.gate_of(left, positive=True), self.gate_of(left, positive=False)
        back = self.gate_of(right, positive=positive), self.gate_of(right, positive=not positive)
        return self._gate(1, (self._gate(2, (there[0], back[0])), self._gate(2, (there[1], back[1]))))

    def _otherwise(self, kept: int, condition: Formula, other: Formula, *, positive: bool) -> int:
        literals = (self.gate_of(condition, positive=positive), self.gate_of(other, positive=positive))
        return self._gate(2 if positive else 1, (kept, self._gate(1 if positive else 2, literals)))

    def _count(self, quantity: str, number: int, parts: tuple[Formula, ...], *, positive: bool) -> int:
        enough = self._at_least(number, parts, positive=positive)
        # At most k of n is: not (at least k + 1 of n).
        few = self._at_least(number + 1, parts, positive=not positive)
        if quantity == "exactly":
            return self._gate(2 if positive else 1, (enough, few))
        return enough if quantity == "at least" else few
