"""From a rule set to the normal form that every engine takes, and between records and its variables.

The decided variables of a form are those that an answer fixes (the class, one of its values exactly; labels,
each true or false), then a variable `kept` for every soft rule, then helpers of nested counts. Facts enter as
given variables: two for every test, "may hold" and "may fail", both true on a gap, or one for a whole
condition over facts, so that a rule is broken exactly where Kleene's logic (truth.py) makes it definitely
false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RuleError
from ..ports import F64, I64
from .building import NO, ROLES, YES, Builder, Gate, at_least_of
from .formula import (
    And,
    Count,
    Formula,
    Happens,
    Iff,
    IfThen,
    Implies,
    Not,
    Or,
    Tested,
    ValueIn,
    Weighted,
    Xor,
)
from .measures import AnyTest
from .normal import Bools, NormalForm
from .ruleset import Rule, RuleSet
from .truth import Outcomes, outcomes

SCALE = 10_000  # costs are whole ten-thousandths of a nat
FURTHEST = 1 << 40  # what a change costs at most: 10^8 nats, which is what a score of -inf comes to


@dataclass(frozen=True)
class Decision:
    """A decided variable and where it stands.

    Attributes:
        name: its name.
        values: the names of its values, exactly one of which it has; () for a flag.
        start: the first of its variables in the form, from 0; a score for each stands at the same place among
            the scores of a record.
    """

    name: str
    values: tuple[str, ...]
    start: int

    @property
    def width(self) -> int:
        """Return how many variables, and scores, it takes."""
        return len(self.values) or 1

    @property
    def place(self) -> slice:
        """Return where its scores stand."""
        return slice(self.start, self.start + self.width)


@dataclass(frozen=True)
class Compiled:
    """A rule set as a normal form, and what turns facts and scores into its variables.

    Attributes:
        form: given variables first, then decided ones, `kept` variables of soft rules, helpers.
        decisions: the decided variables in order; their places count from `form.given`.
        tests: the tests of facts that given variables are worked out from.
        kept: soft rule -> its variable `kept`, from 0.
        helpers: bool (variables,), which variables stand for gates: a helper that is true makes its gate
            hold, by constraints of STRUCTURE, and elsewhere only ever has to be true.
    """

    form: NormalForm
    decisions: tuple[Decision, ...]
    tests: tuple[AnyTest, ...]
    kept: dict[int, int]
    helpers: Bools
    _builder: Builder = field(repr=False)
    _place: dict[int, int] = field(repr=False)  # variable while being built -> variable of the form, from 1

    @property
    def scores(self) -> int:
        """Return how many scores a record has: one a flag, one a value of a category."""
        return sum(d.width for d in self.decisions)

    def given(self, facts: F64) -> Bools:
        """Return the given variables, bool (n, form.given), of facts, float64 (n, columns), NaN a gap."""
        return self.given_of(outcomes(self.tests, facts))

    def given_of(self, tests: Outcomes) -> Bools:
        """Return the same for outcomes that are known already, int8 (n, tests)."""
        worth: dict[int, Bools] = {}
        out = np.empty((len(tests), self.form.given), np.bool_)
        for v, made in enumerate(self._builder.made, 1):
            if made.role == "given":
                if isinstance(made.key, tuple):
                    index, positive = made.key
                    worth[v] = tests[:, index] != (0 if positive else 1)
                else:
                    worth[v] = self._worth(made.key, worth, len(tests))
                out[:, self._place[v] - 1] = worth[v]
        return out

    def asked(self, facts: F64, scores: npt.NDArray[np.floating[Any]]) -> tuple[Bools, I64]:
        """Return what n records predict and what changes cost, for Engine: bool and int64 (n, variables).

        A flag is true where its score is above 0, a category has the value with the highest score (the first
        of equals), and a soft rule is kept. Another value costs the difference of the scores, a flag the
        magnitude of its score, both in 1 / SCALE nats: what the answer loses in log probability. What is no
        number counts as -inf, for a flag as 0.

        Args:
            facts: float64 (n, columns), NaN for a gap.
            scores: (n, self.scores), logits.
        """
        return self.asked_of(self.given(facts), scores)

    def asked_of(self, given: Bools, scores: npt.NDArray[np.floating[Any]]) -> tuple[Bools, I64]:
        """Return the same for given variables that are known already, bool (n, form.given)."""
        n, first = len(scores), self.form.given
        predicted = np.broadcast_to(self.form.defaults, (n, len(self.form.variables))).copy()
        costs = np.broadcast_to(self.form.costs, predicted.shape).copy()
        predicted[:, :first] = given
        for decision in self.decisions:
            here = slice(first + decision.start, first + decision.start + decision.width)
            those = scores[:, decision.place].astype(np.float64)
            if decision.values:
                those[np.isnan(those)] = -np.inf
                predicted[:, here] = np.arange(decision.width) == those.argmax(1)[:, None]
                with np.errstate(invalid="ignore"):  # infinite scores that are the same lose nothing
                    lost = those.max(1, keepdims=True) - those
            else:
                predicted[:, here], lost = those > 0, np.abs(those)
            costs[:, here] = np.rint(np.minimum(np.nan_to_num(lost), FURTHEST / SCALE) * SCALE)
        self.work_out(predicted)
        return predicted, costs

    def answers(self, values: Bools) -> I64:
        """Return what values of the form say, int64 (n, decisions): a flag 0 or 1, a category its value."""
        out = np.empty((len(values), len(self.decisions)), np.int64)
        for i, decision in enumerate(self.decisions):
            those = values[:, self.form.given :][:, decision.place]
            out[:, i] = those.argmax(1) if decision.values else those[:, 0]
        return out

    def literals_of(self, test: int) -> tuple[int, int]:
        """Return the variables "may hold" and "may fail" of a test, from 1; 0 where they are not in use."""
        return self._leaves.get((test, True), 0), self._leaves.get((test, False), 0)

    # Inside

    @cached_property
    def _leaves(self) -> dict[object, int]:
        return {m.key: self._place[v] for v, m in enumerate(self._builder.made, 1) if m.role == "given"}

    @cached_property
    def _helpers(self) -> list[tuple[int, object]]:
        return [(v, m.key) for v, m in enumerate(self._builder.made, 1) if m.role == "helper"]

    def work_out(self, values: Bools) -> None:
        """Set helpers, in place, to what their gates come to: then allowed values break no constraint."""
        if self._helpers:
            columns = {v: values[:, place - 1] for v, place in self._place.items()}
            for v, term in self._helpers:
                values[:, self._place[v] - 1] = self._worth(term, columns, len(values))

    def _worth(self, term: Any, columns: dict[int, Bools], n: int) -> Bools:
        """Return where a term is true, bool (n,), given the columns of the variables that it speaks of."""

        def literal(x: int) -> Bools:
            return columns[x] if x > 0 else ~columns[-x]

        def join(gate: Gate, parts: list[Bools]) -> Bools:
            if gate.bound == 1 and parts:
                return reduce(np.bitwise_or, parts)
            if gate.bound == sum(gate.weights) and parts:
                return reduce(np.bitwise_and, parts)
            total = np.zeros(n, np.int64)
            for part, weight in zip(parts, gate.weights, strict=True):
                total += part * np.int64(weight)
            reached: Bools = total >= gate.bound
            return reached

        return self._builder.worth(term, literal, join)


def lowered(rules: RuleSet, further: Sequence[Formula] = (), *, fold: bool = True) -> Compiled:
    """Return `rules` in normal form.

    Args:
        rules: the rules, bound.
        further: formulas bound with them that are rules too, numbered after them.
        fold: whether a condition over facts alone becomes one given variable; where not, given variables are
            the tests alone.

    Raises:
        RuleError: the weights of the soft rules are too large.
    """
    lowering = Lowering(rules, Builder(fold=fold))
    costs = soft_costs(rules.rules)
    for number, rule in enumerate(rules.rules):
        lowering.hold(rule.bound, number, costs.get(number), rule.name)
    for number, formula in enumerate(further, len(rules.rules)):
        lowering.hold(formula, number)
    return lowering.compiled()


def soft_costs(rules: Sequence[Rule]) -> dict[int, int]:
    """Return what breaking each soft rule costs, in 1 / SCALE nats, by its number.

    A weight is nats on the lowest level that is used; on each higher one weights are multiplied so that the
    least of them outweighs all of the levels below together, by a hundredth and no less than one unit.

    Raises:
        RuleError: a cost is above FURTHEST.
    """
    costs: dict[int, int] = {}
    for level in sorted({rule.level for rule in rules if rule.weight is not None}):
        here = {i: r.weight for i, r in enumerate(rules) if r.weight is not None and r.level == level}
        below, least = sum(costs.values()), min(here.values())
        times = max(1.0, 1.01 * (below / SCALE) / least, (below + 1) / SCALE / least if below else 0.0)
        for i, weight in here.items():
            if weight * times * SCALE > FURTHEST:
                words = f"The weight of {rules[i].name} comes to more than {FURTHEST // SCALE:,} nats."
                raise RuleError(words, do="Use smaller weights or fewer levels.")
            costs[i] = max(1, round(weight * times * SCALE))
    return costs


class Lowering:
    """Lowers the formulas of one rule set into one builder."""

    def __init__(self, rules: RuleSet, builder: Builder) -> None:
        self.rules, self.builder = rules, builder
        self.cells: list[tuple[int, ...]] = []  # of each decided variable its variables, of a flag the one
        decisions = []
        start = 0
        for variable in rules.vocabulary.decided:
            values = () if variable.kind == "flag" else variable.names
            decisions.append(Decision(variable.name, values, start))
            start += decisions[-1].width
            said = [f"{variable.name} = {value}" for value in values]
            self.cells.append(builder.one_of(said) if values else (builder.flag(variable.name),))
        self.decisions = tuple(decisions)
        self.further: list[str] = []
        self._made: dict[tuple[int, bool], int] = {}  # by identity: formulas live as long as the rule set

    def hold(self, formula: Formula, number: int, cost: int | None = None, name: str = "") -> None:
        """Require a formula as rule `number`."""
        if number >= len(self.rules.rules):
            self.further.append(f"rule {number + 1}")
        self.builder.hold(self.term(formula, positive=True), number, cost=cost, name=name)

    def term(self, formula: Formula, *, positive: bool) -> int:
        """Return the term that is true unless `formula` (or its negation) is definitely false."""
        key = (id(formula), positive)
        if key not in self._made:
            self._made[key] = self._term(formula, positive=positive)
        return self._made[key]

    def _term(self, formula: Formula, *, positive: bool) -> int:  # noqa: C901, PLR0911 - a case a connective
        match formula:
            case Tested(index):
                return self._test(index, positive=positive)
            case ValueIn(variable, indices):
                return self._value_in(variable, indices, positive=positive)
            case Not(part):
                return self.term(part, positive=not positive)
            case And(parts):
                return self._count(len(parts), parts, positive=positive)
            case Or(parts):
                return self._count(1, parts, positive=positive)
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
                return self._quantity(quantity, number, parts, positive=positive)
            case Weighted():
                return self._weighted(formula, positive=positive)
            case Happens():
                words = "A rule over a sequence of events cannot stand here."
                raise RuleError(words, do="Give it to a Sequence guard.")
        raise ValueError(f"{formula} is not bound")

    def _test(self, index: int, *, positive: bool) -> int:
        test = self.rules.tests[index]
        words = test.words(self.rules.columns)
        return self.builder.given((index, positive), words if positive else f"not {words}")

    def _value_in(self, variable: int, indices: Sequence[int], *, positive: bool) -> int:
        cells = self.cells[variable]
        if self.decisions[variable].values:
            return self.builder.among(cells, [cells[i] for i in indices], positive=positive)
        wanted = {0, 1} & set(indices) if positive else {0, 1} - set(indices)
        if len(wanted) == 1:
            return cells[0] if 1 in wanted else -cells[0]
        return YES if wanted else NO

    def _weighted(self, formula: Weighted, *, positive: bool) -> int:
        terms = [self.term(part, positive=positive) for part in formula.parts]
        bound = formula.bound if positive else sum(formula.weights) - formula.bound + 1
        return self.builder.at_least(bound, terms, formula.weights)

    def _count(self, k: int, parts: Sequence[Formula], *, positive: bool) -> int:
        # Not (at least k of n) is: at least n - k + 1 of the negations.
        terms = [self.term(part, positive=positive) for part in parts]
        return self.builder.at_least(k if positive else len(parts) - k + 1, terms)

    def _both(self, terms: Sequence[int], *, positive: bool) -> int:
        return self.builder.all_of(terms) if positive else self.builder.any_of(terms)

    def _implies(self, left: Formula, right: Formula, *, positive: bool) -> int:
        terms = [self.term(left, positive=not positive), self.term(right, positive=positive)]
        return self._both(terms, positive=not positive)

    def _same(self, left: Formula, right: Formula, *, positive: bool) -> int:
        # Where each implies the other, both clauses hold; the negation: one of them holds, and one fails.
        a, not_a = self.builder.short(self.term(left, positive=True), self.term(left, positive=False))
        b, not_b = self.builder.short(
            self.term(right, positive=positive), self.term(right, positive=not positive)
        )
        return self.builder.all_of([self.builder.any_of([not_a, b]), self.builder.any_of([a, not_b])])

    def _otherwise(self, kept: int, condition: Formula, other: Formula, *, positive: bool) -> int:
        terms = [self.term(condition, positive=positive), self.term(other, positive=positive)]
        return self._both([kept, self._both(terms, positive=not positive)], positive=positive)

    def _quantity(self, quantity: str, number: int, parts: Sequence[Formula], *, positive: bool) -> int:
        enough = self._count(number, parts, positive=positive)
        # At most k of n is: not (at least k + 1 of n).
        few = self._count(number + 1, parts, positive=not positive)
        if quantity == "exactly":
            return self._both([enough, few], positive=positive)
        return enough if quantity == "at least" else few

    def compiled(self) -> Compiled:
        """Return what has been built, its variables in the order of their roles."""
        made, builder = self.builder.made, self.builder
        order = sorted(range(1, len(made) + 1), key=lambda v: ROLES.index(made[v - 1].role))
        place = {v: i for i, v in enumerate(order, 1)}
        sorted_ = [made[v - 1] for v in order]
        form = NormalForm(
            variables=tuple(m.name for m in sorted_),
            given=sum(m.role == "given" for m in made),
            constraints=tuple(at_least_of(s, rule, place) for s, rule in builder.sums),
            rules=(*self.rules.names, *self.further),
            defaults=np.array([m.role in ("kept", "helper") for m in sorted_], np.bool_),
            costs=np.array([m.cost for m in sorted_], np.int64),
        )
        kept = {int(str(m.key)): place[v] - 1 for v, m in enumerate(made, 1) if m.role == "kept"}
        helpers = np.array([m.role == "helper" for m in sorted_], np.bool_)
        return Compiled(form, self.decisions, self.rules.tests, kept, helpers, builder, place)
