"""logic/lowering.py: rule sets in normal form against Kleene's logic over every assignment, gaps included."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rules import CLASSES, RECORDS, bound, random_rules

from engine.errors import RuleError
from engine.logic.binding import Test
from engine.logic.formula import And, Count, Iff, IfThen, Implies, Not, Or, ValueIn, Weighted, Xor
from engine.logic.formula import Tested as Outcome
from engine.logic.lowering import SCALE, lowered, soft_costs
from engine.logic.normal import STRUCTURE
from engine.logic.pipeline import ALLOWED, NONE, Engine
from engine.logic.ruleset import Rule, RuleSet
from engine.logic.vocabulary import Variable, Vocabulary

QUANTITIES = ("exactly", "at most", "at least")
FACTS = (Variable("x", "number", given=True), Variable("y", "number", given=True))
MIXED = (
    Variable("fever", "flag"),
    Variable("class", "category", values=CLASSES),
    Variable("doses", "integer", least=0, most=3),
    Variable("ill", "flag"),
)
GAPS = np.array(list(itertools.product((0.0, 1.0, np.nan), repeat=2)))


def rule_set(*formulas, decided=MIXED):
    rules = tuple(Rule(f"r{i}", "", "", "", 1, f) for i, f in enumerate(formulas))
    tests = tuple(Test(i, "below", (1.0,)) for i in range(2))
    return RuleSet(Vocabulary((*FACTS, *decided)), rules, tests)


def softened(rules, rng):
    """Return the rules, some of them soft, of level 1 or 2."""
    made = [
        replace(r, weight=float(rng.integers(1, 5)) / 2, level=int(rng.integers(1, 3)))
        if rng.random() < 0.3
        else r
        for r in rules.rules
    ]
    return replace(rules, rules=tuple(made))


def every_answer(rules, compiled, facts, scores):
    """Return all answers (answers, decided), what each costs each record and which rules it breaks."""
    sizes = [d.width if d.values else 2 for d in compiled.decisions]
    answers = np.array(list(itertools.product(*map(range, sizes))), np.int64)
    paid = np.zeros((len(facts), len(answers)))
    for i, decision in enumerate(compiled.decisions):
        those = scores[:, decision.place].astype(np.float64)
        if not decision.values:  # a flag: its score for yes, 0 for no
            those = np.concatenate([np.zeros_like(those), those], axis=1)
        paid += np.rint((those.max(1, keepdims=True) - those)[:, answers[:, i]] * SCALE)
    broken = np.stack([rules.broken(np.repeat(record[None], len(answers), 0), answers) for record in facts])
    soft = soft_costs(rules.rules)
    for i in range(len(rules.rules)):
        paid += np.where(broken[:, :, i], soft.get(i, np.inf), 0)
    return answers, paid, broken


def check(rules, facts, scores, **options):
    compiled = lowered(rules, **options)
    form = compiled.form
    predicted, costs = compiled.asked(facts, scores)
    assert predicted.shape == costs.shape == (len(facts), len(form.variables))
    answers, paid, broken = every_answer(rules, compiled, facts, scores)
    least = paid.min(1)
    decided = Engine(form)(predicted, costs)
    assert decided.costs.tolist() == np.where(np.isinf(least), -1, least).tolist()
    said = compiled.answers(predicted)
    place = {tuple(a): i for i, a in enumerate(answers.tolist())}
    rows = np.arange(len(facts))
    raw = broken[rows, [place[tuple(a)] for a in said.tolist()]]
    assert ((decided.status == ALLOWED) == ~raw.any(1)).all()
    assert ((decided.status == NONE) == np.isinf(least)).all()
    # A constraint that does not hold of the raw answer belongs to a rule that it breaks, and the other way.
    fails = ~form.holds(predicted)
    owners = np.array([c.rule for c in form.constraints])
    assert not fails[:, owners == STRUCTURE].any()
    for i in range(len(rules.rules)):
        assert (fails[:, owners == i].any(1) == raw[:, i]).all()
    found = np.flatnonzero(np.isfinite(least))
    chosen = [place[tuple(a)] for a in compiled.answers(decided.values)[found].tolist()]
    assert np.array_equal(paid[found, chosen], least[found])
    for i, kept in compiled.kept.items():
        assert (decided.values[found, kept] == ~broken[found, chosen, i]).all()


def test_rule_sets_over_one_class_cost_what_every_class_tried_costs():
    rng, chance = np.random.default_rng(0), random.Random(0)  # noqa: S311 - no secret
    facts = np.array(RECORDS)[::3]
    for _ in range(1000):
        rules = softened(bound(random_rules(chance)), rng)
        scores = (rng.integers(-6, 7, (len(facts), len(CLASSES))) / 2).astype(np.float32)
        check(rules, facts, scores, fold=bool(rng.random() < 0.7))


def atoms():
    sizes = [2 if v.kind == "flag" else len(v.names) for v in MIXED]
    values = st.integers(0, len(MIXED) - 1).flatmap(
        lambda i: st.builds(
            ValueIn, st.just(i), st.sets(st.integers(0, sizes[i] - 1)).map(lambda s: tuple(sorted(s)))
        )
    )
    return st.one_of(st.builds(Outcome, st.integers(0, 1)), values, values)


def formulas(depth):
    if not depth:
        return atoms()
    part = formulas(depth - 1)
    some = st.lists(part, min_size=1, max_size=4).map(tuple)
    counts = some.flatmap(
        lambda parts: st.builds(
            Count, st.sampled_from(QUANTITIES), st.integers(0, len(parts)), st.just(parts)
        )
    )
    sums = st.lists(st.tuples(part, st.integers(1, 5)), min_size=1, max_size=4).flatmap(
        lambda pairs: st.builds(
            Weighted,
            st.just(tuple(p for p, _ in pairs)),
            st.just(tuple(w for _, w in pairs)),
            st.integers(0, 1 + sum(w for _, w in pairs)),
        )
    )
    pairs = [st.builds(kind, part, part) for kind in (Xor, Iff, Implies, IfThen)]
    whole = [st.builds(And, some), st.builds(Or, some), st.builds(IfThen, part, part, part)]
    return st.one_of(atoms(), st.builds(Not, part), *whole, counts, sums, *pairs)


@settings(max_examples=200, deadline=None)
@given(st.lists(formulas(3), min_size=1, max_size=4), st.integers(0, 2**32))
def test_flags_categories_and_integers_cost_what_every_assignment_tried_costs(parts, seed):
    rng = np.random.default_rng(seed)
    rules = softened(rule_set(*parts), rng)
    scores = (rng.integers(-6, 7, (len(GAPS), 9)) / 2).astype(np.float32)
    check(rules, GAPS, scores, fold=bool(rng.random() < 0.7))


def test_a_clause_a_count_and_a_condition_over_facts_need_no_helper():
    fever, ill = ValueIn(0, (1,)), ValueIn(3, (1,))
    rules = rule_set(
        Implies(And((Outcome(0), Not(Outcome(1)))), ValueIn(1, (0,))),
        Implies(Outcome(0), And((Not(ValueIn(1, (0,))), Or((Outcome(1), fever, ill))))),
    )
    made = lowered(rules)
    assert made.form.given == 3  # one condition, one test that may fail, one pair of tests
    assert not made.helpers.any()
    assert len([c for c in made.form.constraints if c.rule == 0]) == 1
    flags = tuple(Variable(name) for name in "abc")
    two = Count("at least", 2, tuple(ValueIn(i, (1,)) for i in range(3)))
    (constraint,) = lowered(rule_set(Implies(Outcome(0), two), decided=flags)).form.constraints
    assert sorted(constraint.weights) == [1, 1, 1, 2]
    assert constraint.bound == 2


def test_given_variables_are_the_tests_alone_where_conditions_are_not_folded():
    rules = rule_set(Implies(And((Outcome(0), Not(Outcome(1)))), ValueIn(1, (0,))))
    made = lowered(rules, fold=False)
    assert made.literals_of(0)[0] == 0
    assert 0 < made.literals_of(0)[1] <= made.form.given == 2
    assert made.literals_of(1) == (3 - made.literals_of(0)[1], 0)
    assert made.form.variables[made.literals_of(0)[1] - 1] == "not x < 1"


def test_further_formulas_are_rules_after_the_others():
    rules = rule_set(ValueIn(0, (1,)))
    form = lowered(rules, [Not(ValueIn(0, (1,)))]).form
    assert form.rules == ("r0", "rule 2")
    assert [c.literals for c in form.constraints if c.rule == 1] == [(-1,)]


def test_nested_counts_take_helpers_that_stand_true_and_cost_nothing():
    flags = tuple(Variable(name) for name in "abcde")
    pair = [Count("exactly", 1, tuple(ValueIn(i + j, (1,)) for j in range(3))) for i in range(3)]
    made = lowered(rule_set(Count("at least", 2, tuple(pair)), decided=flags))
    assert made.helpers.sum() == 3
    assert made.form.defaults[made.helpers].all()
    assert not made.form.costs[made.helpers].any()


def test_a_sum_over_the_values_of_one_variable_is_one_constraint():
    doses = Weighted(tuple(ValueIn(2, (i,)) for i in (1, 2, 3)), (1, 2, 3), 2)
    form = lowered(rule_set(doses)).form
    (constraint,) = [c for c in form.constraints if c.rule == 0]
    assert len(constraint.literals) == 2  # two doses or three
    assert constraint.bound == 1


def test_a_higher_level_outweighs_all_lower_ones_together():
    kept = ValueIn(0, (1,))
    rules = rule_set(kept, kept, Not(kept))
    weighed = [
        replace(r, weight=w, level=n) for r, w, n in zip(rules.rules, (3, 4, 0.5), (1, 1, 2), strict=True)
    ]
    assert soft_costs(weighed) == {0: 3 * SCALE, 1: 4 * SCALE, 2: round(1.01 * 7 * SCALE)}
    with pytest.raises(RuleError, match="comes to more than"):
        soft_costs([replace(rules.rules[0], weight=1e12)])


def test_a_score_of_minus_infinity_costs_the_most_that_anything_does():
    compiled = lowered(rule_set(Not(ValueIn(0, (0,))), decided=MIXED[1:2]))
    predicted, costs = compiled.asked(np.zeros((1, 2)), np.array([[3, 1, -np.inf]], np.float32))
    decided = Engine(compiled.form)(predicted, costs)
    assert compiled.answers(decided.values).tolist() == [[1]]
    assert decided.costs.tolist() == [2 * SCALE]


def test_no_rules_break_nothing():
    compiled = lowered(rule_set())
    scores = np.array([[1, 1, 2, 3, 0, 0, 5, 0, -1], [-1, 3, 2, 3, 0, 0, 0, 0, 1]], np.float32)
    predicted, costs = compiled.asked(np.full((2, 2), np.nan), scores)
    decided = Engine(compiled.form)(predicted, costs)
    assert (decided.status == ALLOWED).all()
    assert compiled.answers(decided.values).tolist() == [[1, 2, 2, 0], [0, 0, 0, 1]]
