"""Facts as a solver chooses them, with answers that must not keep the rules: formulas become literals.

An answer that is filled in leaves of a rule a condition over facts. Where that is definitely false, by
Kleene's logic, is what its negation comes to when every test is read as "definitely holds" and "definitely
fails" instead of "may hold" and "may fail": one lowering serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ...ports import I64
from ..building import NO, YES, Builder, at_least_of
from ..clauses import clauses_of
from ..formula import Formula
from ..lowering import Lowering
from ..normal import STRUCTURE, AtLeast
from ..ruleset import RuleSet
from ..sums import sum_of
from ..vocabulary import Vocabulary
from .buckets import Bucket, Member
from .facts import Open
from .scopes import Scopes
from .tree import IncrementalSolver

_BUDGET = 20_000  # conflicts of one question
Leaf = Callable[[int, bool], int]  # test, whether it holds (or fails) -> literal


class _Gates(Builder):
    """Builds gates that are literals of a solver at once: where one is true, what it stands for holds."""

    def __init__(self, choosing: Choosing) -> None:
        super().__init__(fold=False)
        self._choosing = choosing
        self._literals: dict[tuple[tuple[int, ...], tuple[int, ...], int], int] = {}

    def flag(self, name: str) -> int:
        """Return a new variable."""
        return self._choosing.fresh()

    def all_of(self, terms: Collection[int]) -> int:
        """Return the literal that all of the terms hold."""
        return NO if NO in terms else self._joined_by({t for t in terms if t != YES}, any_=False)

    def any_of(self, terms: Collection[int]) -> int:
        """Return the literal that one of the terms holds."""
        return YES if YES in terms else self._joined_by({t for t in terms if t != NO}, any_=True)

    def _joined_by(self, terms: set[int], *, any_: bool) -> int:
        if len(terms) < 2:
            return next(iter(terms), NO if any_ else YES)
        ordered = tuple(sorted(terms))
        return self._gate(ordered, (1,) * len(ordered), 1 if any_ else len(ordered))

    def _gate(self, terms: tuple[int, ...], weights: tuple[int, ...], bound: int) -> int:
        key = terms, weights, bound
        if key not in self._literals:
            self._literals[key] = literal = self._choosing.fresh()
            self._choosing.add(terms, weights, bound, literal)
        return self._literals[key]


class _Reading(Lowering):
    """Lowers formulas to literals of a solver.

    Args:
        rules: the rules.
        builder: makes the gates.
        leaf: says which literal stands for what a test may come to.
    """

    def __init__(self, rules: RuleSet, builder: _Gates, leaf: Leaf) -> None:
        super().__init__(rules, builder)
        self._leaf = leaf

    def _test(self, index: int, *, positive: bool) -> int:
        return self._leaf(index, positive)


class _Filled(_Reading):
    """The same with an answer filled in.

    Attributes:
        values: the answer, the number of the value of each decided variable.
    """

    values: list[int]

    def __init__(self, rules: RuleSet, scopes: Scopes, builder: _Gates, leaf: Leaf) -> None:
        super().__init__(replace(rules, vocabulary=Vocabulary(rules.vocabulary.given)), builder, leaf)
        self._scopes = scopes

    def term(self, formula: Formula, *, positive: bool) -> int:
        """Return the literal of a formula; of what depends on the answer nothing is remembered."""
        if self._scopes.known[id(formula)]:
            return self._term(formula, positive=positive)
        return super().term(formula, positive=positive)

    def _value_in(self, variable: int, indices: Sequence[int], *, positive: bool) -> int:
        return YES if (self.values[variable] in indices) == positive else NO


class Choosing:
    """Records that keep the hard rules about facts alone, and break others with every answer told so far.

    Args:
        rules: the rules.
        scopes: what their formulas decide.
        open_: their facts to choose.
        alone: the rules, by number, that every record must keep and that speak of facts alone.
        solver: makes a solver that holds some clauses.
    """

    def __init__(
        self,
        rules: RuleSet,
        scopes: Scopes,
        open_: Open,
        alone: Sequence[int],
        solver: Callable[[list[list[int]]], IncrementalSolver],
    ) -> None:
        self._rules, self._scopes = rules, scopes
        self._leaves, self._known = open_.leaves, open_.known
        self._top = len(open_.form.variables)
        self._solver = solver([])
        self._constrain(open_.tied)
        self._gates = _Gates(self)
        self._broken = _Filled(rules, scopes, self._gates, self._breaking)
        kept = _Filled(rules, scopes, self._gates, self._keeping)
        for rule in alone:
            literal = kept.term(rules.rules[rule].bound, positive=True)
            if literal != YES:
                self._solver.add_clause([] if literal == NO else [literal])
        self._atoms = {i: scopes.told_apart(rule.bound) for i, rule in enumerate(rules.rules)}
        self._ways: dict[
            tuple[int, ...], int
        ] = {}  # member, what it tells of the answer -> literal, YES or NO
        self._gaps = [cells.variables[-1] for cells in open_.cells]

    def fresh(self) -> int:
        """Return a new variable."""
        self._top += 1
        return self._top

    def add(self, literals: Sequence[int], weights: Sequence[int], bound: int, guard: int) -> None:
        """Require, where `guard` is true, that the weights of the true literals reach `bound`."""
        if bound == 1:
            self._solver.add_clause([-guard, *literals])
        elif bound == sum(weights):
            for literal in literals:
                self._solver.add_clause([-guard, literal])
        else:
            made = sum_of(zip(literals, weights, strict=True), bound, {})
            place = {abs(x): abs(x) for x in literals}
            self._constrain([at_least_of(made, STRUCTURE, place)], guard)

    def record(self, beside: Sequence[int]) -> list[int] | None:
        """Return a record as a model that makes literals true; None: there is none, []: not found out.

        No fact is missing where that can be.
        """
        self._solver.set_phases([-v for v in self._gaps])
        for more in ([self._known], []):
            self._solver.conf_budget(_BUDGET)
            found = self._solver.solve_limited(assumptions=[*more, *beside])
            if found is None:
                return []
            if found:
                return self._solver.get_model()
        return None

    def refuse(self, guard: int, among: Sequence[Member], values: I64) -> None:
        """Require, where `guard` is true, that an answer, int64 (decided,), breaks one of the rules `among`.

        What buckets decide is left open: every value of it must break one.
        """
        answer = values.tolist()
        ways = {self._way(member, answer) for member in among} - {NO}
        if YES not in ways:
            self._solver.add_clause([-guard, *ways])

    def block(self, guard: int, literals: Sequence[int]) -> None:
        """Require, where `guard` is true, that one of the literals is false."""
        self._solver.add_clause([-guard, *(-x for x in literals)])

    def forbid(self, literals: Sequence[int]) -> None:
        """Require that one of the literals is false."""
        self._solver.add_clause([-x for x in literals])

    def reconcile(self, guard: int, among: Sequence[int]) -> None:
        """Require, where `guard` is true, that some answer keeps all of the rules `among`."""
        builder = _Gates(self)
        lowering = _Reading(self._rules, builder, self._keeping)
        bound = [self._rules.rules[rule].bound for rule in among]
        for formula in bound:
            literal = lowering.term(formula, positive=True)
            if literal != YES:
                self._solver.add_clause([-guard] if literal == NO else [-guard, literal])
        used = {abs(x) for v in {v for f in bound for v in self._scopes.of(f)} for x in lowering.cells[v]}
        for each, _ in builder.sums:  # one value of each variable
            if abs(each.pairs[0][0]) in used:
                self.add([x for x, _ in each.pairs], [w for _, w in each.pairs], each.bound, guard)

    # Inside

    def _way(self, member: Member, values: list[int]) -> int:
        """Return the literal that a rule is broken, YES or NO; changes what a bucket decides."""
        if isinstance(member, Bucket):
            key = -1 - member.variable, *(values[v] for v in member.scope)
            if key not in self._ways:
                self._ways[key] = self._expanded(member, values)
            return self._ways[key]
        # Most rules tell few of the answers apart.
        key = member, *(values[v] in chosen if chosen else values[v] for v, chosen in self._atoms[member])
        if key not in self._ways:
            self._broken.values = values
            self._ways[key] = self._broken.term(self._rules.rules[member].bound, positive=False)
        return self._ways[key]

    def _expanded(self, bucket: Bucket, values: list[int]) -> int:
        """Return the literal that each value of a bucket's variable breaks one of its rules."""
        every = []
        for value in range(bucket.size):
            values[bucket.variable] = value
            ways = {self._way(member, values) for member in bucket.members}
            every.append(self._gates.any_of(ways))
            if every[-1] == NO:
                return NO
        return self._gates.all_of(every)

    def _breaking(self, test: int, positive: bool) -> int:
        """Return the literal that a test definitely holds, or fails."""
        return -self._leaves[test][positive]

    def _keeping(self, test: int, positive: bool) -> int:
        """Return the literal that a test may hold, or fail."""
        return self._leaves[test][not positive]

    def _constrain(self, constraints: Sequence[AtLeast], guard: int = 0) -> None:
        coded = clauses_of(constraints, self._top, [guard] * len(constraints) if guard else None)
        self._top = coded.variables
        for clause in coded.clauses:
            self._solver.add_clause(clause)
