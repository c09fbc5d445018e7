"""logic/lowering.py: rule sets in normal form against Kleene's logic over every assignment, gaps included."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_formulas import GAPS, MIXED, check_lowered, formulas, rule_set, softened
from random_rules import CLASSES, RECORDS, bound, random_rules

from engine.errors import RuleError
from engine.logic import building
from engine.logic.formula import And, Count, Implies, Not, Or, ValueIn, Weighted
from engine.logic.formula import Tested as Outcome
from engine.logic.lowering import SCALE, lowered, soft_costs
from engine.logic.pipeline import ALLOWED, OPTIMAL, Engine
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import Variable, Vocabulary


def test_rule_sets_over_one_class_cost_what_every_class_tried_costs():
    rng, chance = np.random.default_rng(0), random.Random(0)  # noqa: S311 - no secret
    facts = np.array(RECORDS)[::3]
    for _ in range(1000):
        rules = softened(bound(random_rules(chance)), rng)
        scores = (rng.integers(-6, 7, (len(facts), len(CLASSES))) / 2).astype(np.float32)
        check_lowered(rules, facts, scores, fold=bool(rng.random() < 0.7))


@settings(max_examples=200, deadline=None)
@given(st.lists(formulas(3), min_size=1, max_size=4), st.integers(0, 2**32))
def test_flags_categories_and_integers_cost_what_every_assignment_tried_costs(parts, seed):
    rng = np.random.default_rng(seed)
    rules = softened(rule_set(*parts), rng)
    scores = (rng.integers(-6, 7, (len(GAPS), 9)) / 2).astype(np.float32)
    check_lowered(rules, GAPS, scores, fold=bool(rng.random() < 0.7))


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


def test_a_part_that_holds_whatever_the_answer_forbids_nothing():
    # 3 g + (3 - a) reaches 0 always: its helper once got a constraint without literals.
    g, a = Variable("g"), Variable("a", "integer", least=0, most=3)
    cells = tuple(ValueIn(1, (i,)) for i in range(3))
    never = Weighted((ValueIn(0, (1,)), *cells), (3, 3, 2, 1), 7)
    flags = ValueIn(2, (1,)), ValueIn(3, (1,))
    rules = rule_set(Count("exactly", 2, (Not(never), *flags)), decided=(g, a, Variable("p"), Variable("q")))
    made = lowered(rules)
    assert all(c.literals for c in made.form.constraints)
    scores = np.array([[-1, 0, 1, 2, 3, -4, -5], [-1, 0, 1, 2, 3, 4, 5]], np.float32)
    check_lowered(rules, GAPS[:2], scores)
    costs = Engine(made.form)(*made.asked(GAPS[:2], scores)).costs
    assert (costs / SCALE).tolist() == [4, 4]


def test_a_level_outweighs_those_below_however_small_its_weights_are():
    weights = ((0.001, 1), (2.02, 1), (0.001, 2), (0.00001, 3), (5.0, 3), (0.3, 9))
    parts = tuple(ValueIn(0, (1,)) for _ in weights)
    rules = rule_set(*parts)
    rules = replace(
        rules,
        rules=tuple(
            replace(rule, weight=weight, level=level)
            for rule, (weight, level) in zip(rules.rules, weights, strict=True)
        ),
    )
    costs = soft_costs(rules.rules)
    for level in (2, 3, 9):
        here = [costs[i] for i, (_, at) in enumerate(weights) if at == level]
        assert min(here) > sum(costs[i] for i, (_, at) in enumerate(weights) if at < level)
    lone = replace(rules, rules=tuple(replace(rule, level=2, weight=0.00001) for rule in rules.rules[:2]))
    assert list(soft_costs(lone.rules).values()) == [1, 1]


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


def test_a_variable_of_a_thousand_values_is_lowered_soon():
    known = Vocabulary((Variable("g", "number", given=True), Variable("n", "integer", least=0, most=1_000)))
    rules = RuleSet.over("rule: n * g < 3", known)
    began = time.process_time()
    compiled = lowered(rules)
    assert time.process_time() - began < 3  # in the square of the values it took that many seconds and more
    assert len(compiled.decisions[0].values) == 1_001
    predicted, costs = compiled.asked(np.array([[1.0], [0.002]]), np.eye(1_001, dtype=np.float32)[[900, 900]])
    found = compiled.answers(Engine(compiled.form)(predicted, costs).values)[:, 0]
    assert found[0] < 3
    assert found[1] == 900


@pytest.mark.parametrize("word", ["xor", "iff"])
def test_deeply_nested_xors_are_lowered_soon_and_mean_what_they_say(word):
    names = [f"f{i}" for i in range(31)]
    text = f"rule: {'(' * 30}f0{''.join(f' {word} {name})' for name in names[1:])}"
    rules = RuleSet.over(text, Vocabulary(tuple(map(Variable, names))))
    began = time.process_time()
    compiled = lowered(rules)
    assert time.process_time() - began < 3
    scores = np.random.default_rng(1).normal(size=(20, 31)).astype(np.float32)
    predicted, _ = compiled.asked(np.empty((20, 0)), scores)
    broken = rules.broken(np.empty((20, 0)), compiled.answers(predicted))[:, 0]
    assert 0 < broken.sum() < 20
    assert np.array_equal(compiled.form.holds(predicted).all(1), ~broken)


@pytest.mark.parametrize("word", ["xor", "iff"])
@pytest.mark.parametrize("fewest", [0, 1, 2, 8])
def test_a_parity_is_repaired_by_a_narrow_diagram_at_the_cost_of_its_least_sure_flag(
    word, fewest, monkeypatch
):
    monkeypatch.setattr(building, "_MOST_TWICE", fewest)
    names = [f"f{i}" for i in range(31)]
    rules = RuleSet.over(f"rule: {f' {word} '.join(names)}", Vocabulary(tuple(map(Variable, names))))
    compiled = lowered(rules)
    scores = np.random.default_rng(2).normal(size=(500, 31)).astype(np.float32)
    predicted, costs = compiled.asked(np.empty((500, 0)), scores)
    engine = Engine(compiled.form)
    decided = engine(predicted, costs)
    assert len(engine.parts[0].diagram.nodes) < 400
    kept = (scores > 0).sum(1) % 2 == 1  # 31 flags: an even number of them false, so both words say the same
    assert np.array_equal(decided.status == ALLOWED, kept)
    assert set(decided.status.tolist()) == {ALLOWED, OPTIMAL}
    flags = compiled.answers(decided.values)
    assert (flags.sum(1) % 2 == 1).all()
    least = np.rint(np.abs(scores.astype(np.float64)).min(1) * SCALE)
    assert np.array_equal(decided.costs, np.where(kept, 0, least))
