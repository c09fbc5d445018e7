"""Exact repair against brute force over every class and against MaxSAT, record by record."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rules import CLASSES, COLUMNS, RECORDS, bound, random_rules

from engine.logic.formula import (
    Among,
    And,
    Compare,
    Count,
    Formula,
    Iff,
    IfThen,
    Implies,
    Known,
    Not,
    Or,
    Statement,
    ValueIn,
    Word,
    Xor,
)
from engine.logic.pipeline import ALLOWED, NONE, OPTIMAL
from engine.logic.repair import Repair
from engine.logic.ruleset import Rule, RuleSet
from engine.logic.solver import Solver
from engine.logic.vocabulary import Variable, Vocabulary

# A second reading of the language, slow and on its own: one record, one class, None for unknown.


def naive(formula: Formula, record: tuple[float, ...], answer: str) -> bool | None:  # noqa: C901, PLR0911
    truth = partial(naive, record=record, answer=answer)
    match formula:
        case Compare() | Among() | Known():
            return naive_atom(formula, record, answer)
        case Not(part):
            value = truth(part)
            return None if value is None else not value
        case And(parts):
            values = [truth(part) for part in parts]
            return False if False in values else (None if None in values else True)
        case Or(parts):
            return truth(Not(And(tuple(Not(part) for part in parts))))
        case Implies(left, right):
            return truth(Or((Not(left), right)))
        case Iff(left, right):
            values = [truth(left), truth(right)]
            return None if None in values else values[0] == values[1]
        case Xor(left, right):
            return truth(Not(Iff(left, right)))
        case IfThen(condition, then, None):
            return truth(Implies(condition, then))
        case IfThen(condition, then, other):
            return truth(And((Implies(condition, then), Implies(Not(condition), other))))
        case Count(quantity, number, parts):
            return naive_count(quantity, number, [truth(part) for part in parts])
    raise AssertionError(formula)


def naive_atom(atom: Compare | Among | Known, record: tuple[float, ...], answer: str) -> bool | None:
    fact: str | float | None = answer
    if atom.subject is not None:
        index = [c.name for c in COLUMNS].index(atom.subject.text)
        fact, names = record[index], COLUMNS[index].categories
        fact = None if np.isnan(fact) else (names[int(fact)] if names else fact)
    if isinstance(atom, Known):
        return (fact is None) == atom.negated
    if fact is None:
        return None
    if isinstance(atom, Among):
        return (fact in [value_of(fact, word) for word in atom.values]) != atom.negated
    if atom.operator in ("=", "!="):
        return (fact == value_of(fact, atom.value)) == (atom.operator == "=")
    number, limit = float(fact), float(atom.value.text)
    return {"<": number < limit, "<=": number <= limit, ">": number > limit, ">=": number >= limit}[
        atom.operator
    ]


def value_of(fact: str | float, word: Word) -> str | float:
    return word.text if isinstance(fact, str) else float(word.text)


def naive_count(quantity: str, number: int, values: list[bool | None]) -> bool | None:
    choices = [(False, True) if value is None else (value,) for value in values]
    sums = {sum(chosen) for chosen in itertools.product(*choices)}
    found = {
        {"exactly": s == number, "at most": s <= number, "at least": s >= number}[quantity] for s in sums
    }
    return found.pop() if len(found) == 1 else None


@pytest.fixture(scope="module")
def solver():
    made = Solver()
    yield made
    made.close()


def check_against_brute_force(statements: tuple[Statement, ...], records, scores, solver: Solver) -> None:
    rules = bound(statements)
    facts = np.array(records, np.float64)
    done = Repair(rules, solver)(scores, facts)
    for i, record in enumerate(records):
        breaks = [[naive(s.formula, record, name) is False for s in statements] for name in CLASSES]
        allowed = [not any(row) for row in breaks]
        best = max((c for c in range(3) if allowed[c]), key=lambda c: (scores[i, c], -c), default=-1)
        raw = int(np.argmax(scores[i]))
        assert done.allowed[i].tolist() == allowed
        assert done.labels[i] == best
        assert done.raw_labels[i] == raw
        assert done.status[i] == (NONE if best < 0 else ALLOWED if best == raw else OPTIMAL)
        assert done.broken[i].tolist() == breaks[raw]
        assert done.left[i].tolist() == breaks[raw if best < 0 else best]
        assert np.array_equal(done.scores[i], np.where(allowed, scores[i], -np.inf))


def test_two_thousand_rule_sets_agree_with_brute_force(solver):
    rng = random.Random(7)  # noqa: S311 - not for secrets
    numbers = np.random.default_rng(7)
    for _ in range(2_000):
        records = rng.sample(RECORDS, 6)
        scores = numbers.integers(-2, 3, (6, 3)).astype(np.float32)  # ties happen
        check_against_brute_force(random_rules(rng), records, scores, solver)


@settings(deadline=None, max_examples=40)
@given(rng=st.randoms(use_true_random=False), seed=st.integers(0, 2**32 - 1))
def test_every_record_agrees_with_brute_force(rng, seed):
    with_solver = Solver()
    try:
        scores = np.random.default_rng(seed).normal(size=(len(RECORDS), 3)).astype(np.float32)
        check_against_brute_force(random_rules(rng), RECORDS, scores, with_solver)
    finally:
        with_solver.close()


def test_scores_after_repair_are_the_conditional_distribution(solver):
    rules = RuleSet.of("rule: if size = low then class != a", CLASSES, COLUMNS)
    scores = np.log(np.array([[0.5, 0.3, 0.2]], np.float32))
    kept = np.exp(Repair(rules, solver)(scores, np.array([[0.0, 0.0, 0.0]])).scores)
    np.testing.assert_allclose(kept / kept.sum(), [[0, 0.6, 0.4]], rtol=1e-6)


def test_an_answer_does_not_depend_on_the_batch(solver):
    rules = bound(random_rules(random.Random(11)))  # noqa: S311 - not for secrets
    scores = np.random.default_rng(1).normal(size=(len(RECORDS), 3)).astype(np.float32)
    facts = np.array(RECORDS, np.float64)
    whole = Repair(rules, solver)(scores, facts)
    for size in (1, 5):
        repair = Repair(rules, solver)
        parts = [repair(scores[at : at + size], facts[at : at + size]) for at in range(0, len(facts), size)]
        assert np.concatenate([p.scores for p in parts]).tobytes() == whole.scores.tobytes()
        assert np.concatenate([p.left for p in parts]).tobytes() == whole.left.tobytes()


def test_no_rules_allow_everything_and_start_no_solver():
    solver = Solver()
    scores = np.array([[1.0, 3.0, 2.0]], np.float32)
    done = Repair(RuleSet.of("# none", CLASSES, COLUMNS), solver)(scores, np.zeros((1, 3)))
    assert done.scores.tobytes() == scores.tobytes()
    assert done.broken.shape == (1, 0)
    assert not solver.running


def test_no_records_give_no_answers(solver):
    rules = RuleSet.of("rule: class = a", CLASSES, COLUMNS)
    done = Repair(rules, solver)(np.zeros((0, 3), np.float32), np.zeros((0, 3)))
    assert done.scores.shape == (0, 3)
    assert done.left.shape == (0, 1)


def test_a_class_that_the_scores_rule_out_is_not_brought_back(solver):
    rules = RuleSet.of("rule: class in {a, b}", CLASSES, COLUMNS)
    scores = np.array([[-np.inf, -np.inf, 1.0], [-np.inf, 0.0, 1.0]], np.float32)
    done = Repair(rules, solver)(scores, np.zeros((2, 3)))
    assert done.labels.tolist() == [-1, 1]
    assert done.status.tolist() == [NONE, OPTIMAL]


def test_the_rules_are_asked_once_for_facts_that_look_alike_to_them(monkeypatch):
    asked: list[int] = []
    ask = RuleSet.broken_by
    monkeypatch.setattr(
        RuleSet,
        "broken_by",
        lambda rules, tests, labels: (asked.append(len(tests)), ask(rules, tests, labels))[1],
    )
    repair = Repair(RuleSet.of("rule: if x <= 3 then class = a", CLASSES, COLUMNS))
    facts = np.zeros((100, 3))
    facts[:, 2] = np.arange(100)
    for _ in range(2):
        repair(np.zeros((100, 3), np.float32), facts)
    assert asked == [2 * len(CLASSES)]


def test_soft_rules_take_their_weight_from_the_scores():
    rules = RuleSet.of("rule a: class != a\nrule b: class = c", CLASSES, COLUMNS)
    soft = replace(rules, rules=(replace(rules.rules[0], weight=1.5), rules.rules[1]))
    softer = replace(
        rules, rules=tuple(replace(r, weight=w) for r, w in zip(rules.rules, (1.5, 0.25), strict=True))
    )
    scores = np.array([[3, 2, 1], [4, 2, 1]], np.float32)
    done = Repair(soft)(scores, np.zeros((2, 3)))
    assert np.array_equal(done.scores, [[-np.inf, -np.inf, 1]] * 2)
    done = Repair(softer)(scores, np.zeros((2, 3)))
    np.testing.assert_allclose(done.scores, [[1.25, 1.75, 1], [2.25, 1.75, 1]])
    assert done.labels.tolist() == [1, 0]
    assert done.status.tolist() == [OPTIMAL, OPTIMAL]
    assert done.left.tolist() == [[False, True], [True, True]]


def test_rc2_agrees_with_a_sample_and_notices_wrong_answers(solver):
    rng, numbers = random.Random(5), np.random.default_rng(5)  # noqa: S311 - not for secrets
    sampled = 0
    for _ in range(20):
        rules = bound(random_rules(rng))
        rules = replace(rules, rules=tuple(replace(r, weight=rng.choice([None, 0.5])) for r in rules.rules))
        facts = np.array(rng.sample(RECORDS, 12), np.float64)
        scores = numbers.integers(-2, 3, (12, 3)).astype(np.float32)
        repair = Repair(rules, solver)
        done = repair(scores, facts)
        found = repair.agreement(scores, facts, done, 6)
        assert (found.sampled, found.solved, found.agreed) == (6, 6, 6)
        sampled += found.sampled
        wrong = replace(done, labels=np.where(done.labels < 0, 0, -1))
        assert repair.agreement(scores, facts, wrong, 6).agreed == 0
    assert sampled == 120


def test_a_row_of_outcomes_longer_than_a_word_is_told_from_others():
    text = "\n".join(f"rule: if x <= {i} then class != {CLASSES[i % 2]}" for i in range(90))
    rules = RuleSet.of(text, CLASSES, COLUMNS)
    facts = np.zeros((92, 3))
    facts[:, 2] = np.arange(92) - 0.5
    done = Repair(rules)(np.zeros((92, 3), np.float32), facts)
    assert done.allowed.tolist() == [[i > 88, i > 89, True] for i in range(92)]


def test_a_class_is_allowed_where_the_rest_of_what_is_decided_can_be_made_to_fit(solver):
    rest = (Variable("ill"), Variable("doses", "integer", least=0, most=2))
    vocabulary = Vocabulary((*Vocabulary.of(CLASSES, COLUMNS).variables, *rest))
    ill, doses = ValueIn(1, (1,)), ValueIn(2, (2,))
    bound_ = (
        Implies(ValueIn(0, (0,)), ill),
        Implies(ValueIn(0, (0, 1)), doses),
        Implies(And((ill, doses)), ValueIn(0, (2,))),
        Not(ValueIn(0, (1,))),
    )
    rules = RuleSet(vocabulary, tuple(Rule(f"r{i}", "", "", "", 1, f) for i, f in enumerate(bound_)))
    soft = replace(rules, rules=(*rules.rules[:3], replace(rules.rules[3], weight=0.5)))
    done = Repair(soft, solver)(np.array([[3, 2, 1], [1, 2, 3]], np.float32), np.zeros((2, 3)))
    assert done.allowed.tolist() == [[False, True, True]] * 2
    assert done.scores.tolist() == [[-np.inf, 1.5, 1], [-np.inf, 1.5, 3]]
    assert done.labels.tolist() == [1, 2]
    assert done.status.tolist() == [OPTIMAL, ALLOWED]
    assert done.left.tolist() == [[False, False, False, True], [False] * 4]


def test_what_is_remembered_of_some_facts_stays_right_as_others_come():
    rules = bound(random_rules(random.Random(5)))  # noqa: S311 - not for secrets
    facts = np.array(RECORDS)[np.random.default_rng(0).permutation(len(RECORDS))]
    scores = np.random.default_rng(1).standard_normal((len(facts), len(CLASSES))).astype(np.float32)
    repair = Repair(rules)
    for at in range(0, len(facts), 5):
        part = slice(at, at + 5)
        repair(scores[part], facts[part])
    done = repair(scores, facts)
    assert np.array_equal(done.broken, rules.broken(facts, done.raw_labels))
    assert np.array_equal(
        done.left, rules.broken(facts, np.where(done.labels < 0, done.raw_labels, done.labels))
    )
