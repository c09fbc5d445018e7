"""The builder that rules are lowered with: from counting gates over literals to constraints of a normal form.

A term is a literal (a variable, negative where it must be false), a gate ("the weights of the true terms
reach a bound"), YES or NO. Gates are never negated: who lowers a negation asks for the gate of the negation,
so that every gate only ever becomes true as literals do, and one direction of a helper is enough. Clauses,
counts and weighted sums of literals become constraints as they are. What speaks of facts alone becomes one
given variable, which is worked out before any record is repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from .normal import STRUCTURE, AtLeast
from .sums import Sum, clause_of, either, sum_of

Role = Literal["given", "decided", "kept", "helper"]
T = TypeVar("T")
ROLES: tuple[Role, ...] = ("given", "decided", "kept", "helper")
YES, NO = 1 << 40, (1 << 40) + 1
_GATES = NO + 1
_MOST_SUMS = 512  # that an alternative is multiplied out with, before a helper stands for it
_MOST_TWICE = 8  # sums of a term, and of its negation, beyond which a helper stands for each
_MOST_CLAUSES = 8  # that nested alternatives may be multiplied out to, before a helper stands for one


@dataclass(frozen=True)
class Gate:
    """The weights of the true `terms` reach `bound`."""

    terms: tuple[int, ...]
    weights: tuple[int, ...]
    bound: int
    given: bool  # whether it speaks of facts alone


@dataclass(frozen=True)
class Made:
    """A variable while it is being built.

    Attributes:
        role: what it is for.
        name: its name in the form.
        key: for a given variable what it is worked out from, or the term of a condition over facts; for a
            helper its term; for a `kept` variable the number of its rule.
        cost: for a `kept` variable, what letting go of its rule costs.
    """

    role: Role
    name: str
    key: object = None
    cost: int = 0


class Builder:
    """Collects variables, gates and the constraints that they come to.

    Args:
        fold: whether what speaks of facts alone becomes one given variable.

    Attributes:
        made: the variables so far; variable v is made[v - 1].
        sums: (sum, rule), what must hold.
    """

    def __init__(self, *, fold: bool = True) -> None:
        self._fold = fold
        self.made: list[Made] = []
        self.sums: list[tuple[Sum, int]] = []
        self.groups: dict[int, tuple[int, ...]] = {}
        self._gates: list[Gate] = []
        self._number: dict[Gate, int] = {}
        self._made_of: dict[int, list[Sum]] = {}  # the sums of each term
        self._known: dict[object, int] = {}  # key of a given variable, or term of a helper -> its variable

    # Variables

    def given(self, key: object, name: str) -> int:
        """Return the variable of a fact, made once a `key`."""
        if key not in self._known:
            self._known[key] = self._make(Made("given", name, key))
        return self._known[key]

    def flag(self, name: str) -> int:
        """Return a new decided variable."""
        return self._make(Made("decided", name))

    def one_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return new decided variables of which exactly one is true."""
        group = tuple(self.flag(name) for name in names)
        ones = tuple((v, 1) for v in group)
        self.sums.append((Sum(ones, 1), STRUCTURE))
        if len(group) > 1:
            self.sums.append((Sum(tuple((-v, 1) for v in group), len(group) - 1), STRUCTURE))
            self.groups.update(dict.fromkeys(group, group))
        return group

    # Gates

    def at_least(self, bound: int, terms: Sequence[int], weights: Sequence[int] = ()) -> int:
        """Return the term that the weights (1 each if left out, above 0) of the true terms reach `bound`."""
        each = weights or (1,) * len(terms)
        pairs = [(t, w) for t, w in zip(terms, each, strict=True) if t != NO and w]
        bound -= sum(w for t, w in pairs if t == YES)
        pairs = [(t, min(w, bound)) for t, w in pairs if t != YES]
        total = sum(w for _, w in pairs)
        if bound <= 0:
            return YES
        if total < bound:
            return NO
        if all(w >= bound for _, w in pairs):
            return self.any_of([t for t, _ in pairs])
        if total - min(w for _, w in pairs) < bound:
            return self.all_of([t for t, _ in pairs])
        return self._gate(tuple(t for t, _ in pairs), tuple(w for _, w in pairs), bound)

    def any_of(self, terms: Sequence[int]) -> int:
        """Return the term that one of the terms holds."""
        flat = self._flat(terms, any_=True)
        if YES in flat:
            return YES
        flat = [t for t in flat if t != NO]
        if len(flat) < 2:
            return flat[0] if flat else NO
        return self._gate(tuple(flat), (1,) * len(flat), 1)

    def all_of(self, terms: Sequence[int]) -> int:
        """Return the term that all of the terms hold."""
        flat = self._flat(terms, any_=False)
        if NO in flat:
            return NO
        flat = [t for t in flat if t != YES]
        if len(flat) < 2:
            return flat[0] if flat else YES
        return self._gate(tuple(flat), (1,) * len(flat), len(flat))

    def short(self, term: int, negation: int) -> tuple[int, int]:
        """Return both terms, or helpers in their place where both come to many sums.

        A chain of xors doubles them with each link; cut by helpers it stays as narrow as a chain.
        """
        if min(len(self._sums(term)), len(self._sums(negation))) <= _MOST_TWICE:
            return term, negation
        return self._literal(term), self._literal(negation)

    def among(self, group: Sequence[int], chosen: Sequence[int], *, positive: bool = True) -> int:
        """Return the term that the true variable of a group is one of `chosen`, or is not."""
        inside = set(chosen)
        wanted = [v for v in group if (v in inside) == positive]
        left = [v for v in group if (v in inside) != positive]
        if not left:
            return YES
        return -left[0] if len(left) == 1 and len(wanted) != 1 else self.any_of(wanted)

    def hold(self, term: int, rule: int, *, cost: int | None = None, name: str = "") -> None:
        """Require `term` as rule number `rule`; with a cost it is soft, and letting go of it costs that."""
        sums = self._sums(term)
        if cost is not None:
            kept = self._make(Made("kept", f"kept {name}", rule, cost))
            sums = [self._unless(kept, s) for s in sums]
        self._add(sums, rule)

    def worth(self, term: int, literal: Callable[[int], T], join: Callable[[Gate, list[T]], T]) -> T:
        """Return what a term comes to: `literal` of its literals, `join` of its gates, YES and NO too."""
        found: dict[int, T] = {}  # gates share parts: nested xors come to twice as many ways at every level

        def of(term: int) -> T:
            if abs(term) < YES:
                return literal(term)
            if term in (YES, NO):
                return join(Gate((), (), int(term == NO), given=True), [])
            if term not in found:
                gate = self._gates[term - _GATES]
                found[term] = join(gate, [of(t) for t in gate.terms])
            return found[term]

        return of(term)

    # Inside

    def _add(self, sums: Sequence[Sum], rule: int) -> None:
        # What always holds must not become a constraint: without literals none can be kept.
        self.sums += [(s, rule) for s in sums if not s.always]

    def _make(self, made: Made) -> int:
        self.made.append(made)
        return len(self.made)

    def _gate(self, terms: tuple[int, ...], weights: tuple[int, ...], bound: int) -> int:
        gate = Gate(terms, weights, bound, self._fold and all(map(self._is_given, terms)))
        if gate not in self._number:
            self._number[gate] = _GATES + len(self._gates)
            self._gates.append(gate)
        return self._number[gate]

    def _of(self, term: int) -> Gate | None:
        return self._gates[term - _GATES] if term >= _GATES else None

    def _is_given(self, term: int) -> bool:
        gate = self._of(term)
        return gate.given if gate else self.made[abs(term) - 1].role == "given"

    def _flat(self, terms: Sequence[int], *, any_: bool) -> list[int]:
        flat: dict[int, None] = {}
        for t in terms:
            gate = self._of(t)
            same = gate is not None and (gate.bound == 1 if any_ else gate.bound == sum(gate.weights))
            flat |= dict.fromkeys(gate.terms if gate is not None and same else (t,))
        return list(flat)

    def _sums(self, term: int) -> list[Sum]:
        """Return the sums that hold together where `term` does."""
        if term not in self._made_of:
            self._made_of[term] = self._sums_of(term)
        return self._made_of[term]

    def _sums_of(self, term: int) -> list[Sum]:
        gate = self._of(term)
        if gate is None or gate.given:
            return [] if term == YES else [self._clause([] if term == NO else [self._literal(term)])]
        if gate.bound == sum(gate.weights):
            return [s for t in gate.terms for s in self._sums(t)]
        if gate.bound == 1:
            return self._alternatives(gate.terms)
        pairs = [pair for t, w in zip(gate.terms, gate.weights, strict=True) for pair in self._weighed(t, w)]
        return [sum_of(pairs, gate.bound, self.groups)]

    def _alternatives(self, terms: tuple[int, ...]) -> list[Sum]:
        facts = [t for t in terms if self._fold and self._is_given(t)]
        plain = [t for t in terms if self._of(t) is None and t not in facts]
        if facts:
            plain.append(self._literal(self.any_of(facts)))
        found = [self._clause(plain)]
        nested = [(t, self._sums(t)) for t in terms if self._of(t) is not None and t not in facts]
        for t, sums in sorted(nested, key=lambda pair: len(pair[1])):
            many = len(found) > 1 and len(sums) > 1 and len(found) * len(sums) > _MOST_CLAUSES
            twice = not all(s.clause for s in found) and not all(s.clause for s in sums)
            large = len(sums) > _MOST_SUMS  # each level of nested xors would double them
            parts = [self._clause([self._literal(t)])] if many or twice or large else sums
            found = [self._joined(a, b) for a in found for b in parts]
        return [s for s in found if not s.always]

    def _weighed(self, term: int, weight: int) -> list[tuple[int, int]]:
        """Return literals that add `weight` where `term` holds: values of one variable exclude each other."""
        gate = self._of(term)
        if gate and gate.bound == 1:
            groups = {self.groups.get(t) for t in gate.terms}
            if len(groups) == 1 and None not in groups:
                return [(t, weight) for t in gate.terms]
        return [(self._literal(term), weight)]

    def _literal(self, term: int) -> int:
        """Return the literal of a term; for a gate a helper, or for one over facts a given variable."""
        gate = self._of(term)
        if gate is None:
            return term
        if term not in self._known:
            if gate.given:
                return self.given(term, f"facts {term - _GATES}")
            self._known[term] = self._make(Made("helper", f"helper {term - _GATES}", term))
            helper = self._known[term]
            self._add([self._unless(helper, s) for s in self._sums(term)], STRUCTURE)
        return self._known[term]

    def _clause(self, literals: Sequence[int]) -> Sum:
        return clause_of(literals, self.groups)

    def _unless(self, kept: int, other: Sum) -> Sum:
        return self._joined(Sum(((-kept, 1),), 1), other)

    def _joined(self, a: Sum, b: Sum) -> Sum:
        return either(a, b, self.groups) if a.clause else either(b, a, self.groups)


def at_least_of(made: Sum, rule: int, place: Mapping[int, int]) -> AtLeast:
    """Return a sum as a constraint, its variables renumbered by `place`."""
    literals = tuple(place[abs(x)] * (1 if x > 0 else -1) for x, _ in made.pairs)
    if made.clause:
        return AtLeast(literals, 1, (), rule)
    weights = tuple(w for _, w in made.pairs)
    return AtLeast(literals, made.bound, () if set(weights) <= {1} else weights, rule)
