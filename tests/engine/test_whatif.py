"""logic/whatif.py: answers, second best ones, minimal reasons and probabilities against every assignment."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_formulas import GAPS, every_answer, formulas, rule_set, softened

from engine.errors import SolverError
from engine.logic.lowering import SCALE, lowered
from engine.logic.packs import pack_of
from engine.logic.ruleset import RuleSet
from engine.logic.several import Several
from engine.logic.trials import drawn
from engine.logic.vocabulary import Variable, Vocabulary
from engine.logic.whatif import WhatIf, what_if

PROTOCOL = Vocabulary(
    (
        Variable("suspected", "flag", given=True),
        Variable("lactate_level", "number", given=True),
        Variable("lactate"),
        Variable("cultures"),
        Variable("antibiotics"),
        Variable("ward", "category", values=("none", "normal", "intensive")),
    )
)
TEXT = """
rule measure: if suspected = yes then lactate = yes because "lactate shows perfusion"
rule first: if antibiotics = yes then cultures = yes
rule bed: if lactate_level > 4 then ward = intensive
rule calm: if lactate = no and cultures = no then ward != intensive
"""


@pytest.fixture(scope="module")
def protocol():
    return WhatIf(RuleSet.over(TEXT, PROTOCOL))


def account_and_truth(parts, seed, fine=False):
    rng = np.random.default_rng(seed)
    rules = softened(rule_set(*parts), rng)
    facts = GAPS[int(rng.integers(len(GAPS)))]
    # Scores that are equal now and then; or fine ones, which costs are rounded from.
    scores = (rng.normal(size=9) * 3 if fine else rng.integers(-6, 7, 9) / 2).astype(np.float32)
    told = WhatIf(rules)(facts, scores)
    answers, paid, broken = every_answer(rules, lowered(rules), facts[None], scores[None])
    free = every_answer(rule_set(), lowered(rule_set()), facts[None], scores[None])[1]
    return rules, told, answers, paid[0], broken[0], free[0]


def numbers(rules, named):
    return [v.index_of(named[v.name]) for v in rules.vocabulary.decided]


@settings(max_examples=50, deadline=None)
@given(st.lists(formulas(2), min_size=1, max_size=5), st.integers(0, 2**32))
def test_the_answer_and_the_next_best_cost_what_brute_force_finds(parts, seed):
    rules, told, answers, paid, broken, _ = account_and_truth(parts, seed, fine=seed % 2 == 1)
    chosen = answers.tolist().index(numbers(rules, told.answer))
    if np.isinf(paid.min()):
        assert told.status == "none"
        assert told.alternative is None
        return
    assert round(told.cost * SCALE) == paid.min() == paid[chosen]
    assert told.left == tuple(n for n, hit in zip(rules.names, broken[chosen], strict=True) if hit)
    rest = np.delete(paid, chosen).min()
    if np.isinf(rest):
        assert told.alternative is None
    else:
        assert round(told.alternative.cost * SCALE) == rest
        second = {**told.answer, **{c.name: c.now for c in told.alternative.changes}}
        assert paid[answers.tolist().index(numbers(rules, second))] == rest
        assert told.alternative.odds == pytest.approx(np.exp((paid.min() - rest) / SCALE))
    raw = answers.tolist().index(numbers(rules, told.raw))
    assert {r.name for r in told.broken} == {
        n for n, hit in zip(rules.names, broken[raw], strict=True) if hit
    }
    for change in told.changes:
        assert (told.raw[change.name], told.answer[change.name]) == (change.said, change.now)
        assert change.said != change.now


@settings(max_examples=50, deadline=None)
@given(st.lists(formulas(2), min_size=1, max_size=5), st.integers(0, 2**32))
def test_a_reason_is_a_conflict_of_which_nothing_can_be_left_out(parts, seed):
    rules, told, answers, _, broken, _ = account_and_truth(parts, seed)
    names = [v.name for v in rules.vocabulary.decided]
    hard = [r.name for r in rules.rules if r.weight is None]
    raw = answers.tolist().index(numbers(rules, told.raw))
    assert bool(told.rules) == any(n in hard for n, hit in zip(rules.names, broken[raw], strict=True) if hit)
    assert set(told.rules) <= set(hard)

    def conflict(kept, labels):
        fits = np.ones(len(answers), bool)
        for name in labels:
            fits &= answers[:, names.index(name)] == numbers(rules, told.raw)[names.index(name)]
        return not (fits & ~broken[:, [rules.names.index(n) for n in kept]].any(1)).any()

    labels = [label.split(" = ")[0] for label in told.labels]
    if told.rules:
        assert conflict(told.rules, labels)
        for name in told.rules:
            assert not conflict([n for n in told.rules if n != name], labels)
        for name in labels:
            assert not conflict(told.rules, [n for n in labels if n != name])


@settings(max_examples=50, deadline=None)
@given(st.lists(formulas(3), min_size=1, max_size=4), st.integers(0, 2**32))
def test_probabilities_are_those_of_the_log_linear_model_over_every_assignment(parts, seed):
    rules, told, answers, paid, _, free = account_and_truth(parts, seed)
    weights = np.exp(-paid / SCALE)
    if not weights.sum():
        assert told.compliance == 0
        assert told.confidence == {}
        return
    chances = weights / weights.sum()
    for i, variable in enumerate(rules.vocabulary.decided):
        size = 2 if variable.kind == "flag" else len(variable.names)
        expected = [chances[answers[:, i] == v].sum() for v in range(size)]
        np.testing.assert_allclose(told.confidence[variable.name], expected, atol=1e-9)
    assert told.compliance == pytest.approx(weights.sum() / np.exp(-free / SCALE).sum())


def test_it_tells_what_was_changed_and_why_in_words(protocol):
    told = protocol(np.array([1.0, 2.0]), np.array([-1, -3, 2, 1, 0, 0], np.float32))
    assert told.answer == {"lactate": "yes", "cultures": "no", "antibiotics": "no", "ward": "none"}
    assert [(c.name, c.said, c.now, c.cost) for c in told.changes] == [
        ("antibiotics", "yes", "no", 2.0),
        ("lactate", "no", "yes", 1.0),
    ]
    assert [c.because for c in told.changes] == [("first",), ("measure",)]
    assert told.cost == 3.0
    assert [b.name for b in told.broken] == ["measure", "first"]
    assert told.broken[0].facts == ("suspected = yes",)
    assert (told.status, told.engine) == ("optimal", "diagram")
    assert told.alternative.cost == 4.0
    assert {(c.name, c.said, c.now) for c in told.alternative.changes} in (
        {("ward", "none", "normal")},
        {("cultures", "no", "yes"), ("antibiotics", "no", "yes")},
    )
    assert told.labels in (("lactate = no",), ("cultures = no", "antibiotics = yes"))
    assert told.why.endswith("antibiotics is no instead of yes and lactate is yes instead of no.")


def test_a_chain_of_rules_is_a_reason_together(protocol):
    text = "rule a: if lactate = yes then cultures = yes\nrule b: if cultures = yes then antibiotics = yes"
    rules = RuleSet.over(text, PROTOCOL)
    told = what_if(rules, np.array([0.0, 1.0]), np.array([5, -1, -6, 1, 0, 0], np.float32))
    assert told.answer["lactate"] == "no"
    assert told.rules == ("a", "b")
    assert told.labels == ("lactate = yes", "antibiotics = no")
    assert told.why == (
        "a and b rule out lactate = yes and antibiotics = no together; lactate is no instead of yes."
    )


def test_gaps_break_nothing_and_what_is_allowed_stands(protocol):
    told = protocol(np.array([np.nan, np.nan]), np.array([-1, -3, -2, 1, 0, 0], np.float32))
    assert told.status == "allowed"
    assert told.changes == told.broken == told.rules == ()
    assert told.why == "The answer breaks no rule and stands."


def test_where_the_facts_leave_no_answer_the_rules_say_so():
    text = "rule a: if lactate_level > 4 then lactate = yes\nrule b: if lactate_level > 3 then lactate = no"
    told = what_if(RuleSet.over(text, PROTOCOL), np.array([0.0, 5.0]), np.zeros(6, np.float32))
    assert told.status == "none"
    assert told.rules == ("a", "b")
    assert told.alternative is None
    assert told.confidence == {}
    assert told.why == "No answer is left: a and b cannot all be kept for these facts."


def test_one_record_takes_milliseconds(protocol):
    facts, scores = np.array([1.0, 2.0]), np.array([-1, -3, 2, 1, 0, 0], np.float32)
    protocol(facts, scores)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        protocol(facts, scores)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.25


def test_answers_do_not_depend_on_the_batch_and_scores_say_what_they_do():
    rules = RuleSet.over(TEXT, PROTOCOL)
    several = Several(rules)
    rng = np.random.default_rng(0)
    facts = np.stack([rng.choice([0, 1, np.nan], 200), rng.choice([1, 5, np.nan], 200)], axis=1)
    scores = rng.normal(size=(200, 6)).astype(np.float32)
    done = several(scores, facts)
    out = several.scores(scores, done)
    again = several.compiled.answers(several.compiled.asked(facts, out)[0])
    assert np.array_equal(again, done.values)
    flags = [0, 1, 2]
    assert np.array_equal(np.abs(out[:, flags]), np.abs(scores[:, flags]))
    parts = [
        several.scores(scores[i : i + 1], several(scores[i : i + 1], facts[i : i + 1])) for i in range(200)
    ]
    assert np.concatenate(parts).tobytes() == out.tobytes()
    assert not done.left.any()
    assert done.broken.any()


def test_a_record_without_an_answer_scores_minus_infinity():
    rules = RuleSet.over("rule a: lactate = yes\nrule b: if suspected = yes then lactate = no", PROTOCOL)
    several = Several(rules)
    scores = np.zeros((2, 6), np.float32)
    done = several(scores, np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert done.answered.tolist() == [False, True]
    out = several.scores(scores, done)
    assert np.isneginf(out[0]).all()
    assert out[1, 0] > 0
    assert done.left[0].any()


def test_rc2_agrees_with_a_sample():
    rng = np.random.default_rng(1)
    several = Several(RuleSet.over(TEXT, PROTOCOL))
    facts = np.stack([rng.choice([0, 1], 40), rng.choice([1, 5], 40)], axis=1).astype(float)
    scores = rng.normal(size=(40, 6)).astype(np.float32)
    found = several.agreement(scores, facts, several(scores, facts), 10)
    assert (found.sampled, found.solved, found.agreed) == (10, 10, 10)


def test_without_a_solver_an_account_goes_without_its_reason(monkeypatch):
    what_if_ = WhatIf(RuleSet.over(TEXT, PROTOCOL))

    def gone(*_, **__):
        raise SolverError("python-sat is not installed.")

    monkeypatch.setattr(what_if_._reasons, "reason", gone)
    told = what_if_(np.array([1.0, 2.0]), np.array([-1, -3, 2, 1, 0, 0], np.float32))
    assert told.rules == told.labels == ()
    now = "Antibiotics is no instead of yes and lactate is yes instead of no"
    assert told.why == f"{now}: the raw answer breaks measure and first."


def test_the_search_and_the_solver_process_give_the_same_reasons(monkeypatch):
    rng = np.random.default_rng(3)
    pack = pack_of("passport-dates")
    rules = RuleSet.over(pack.text, pack.vocabulary)
    ours, theirs = WhatIf(rules), WhatIf(rules)
    monkeypatch.setattr(theirs._reasons, "_fit", lambda *_: None)
    scores = rng.normal(0, 2, (12, ours.several.compiled.scores)).astype(np.float32)
    facts = drawn(pack.vocabulary, len(scores), rng)
    told = list(zip(map(ours, facts, scores), map(theirs, facts, scores), strict=True))
    assert all((a.rules, a.labels) == (b.rules, b.labels) for a, b in told)
    assert all(a.rules for a, _ in told)


def test_a_reason_of_a_dead_end_is_about_the_part_that_is_dead():
    text = "rule wish: not (lactate = yes and cultures = yes)\n"
    text += "rule a: if suspected = yes then ward = normal\nrule b: if suspected = yes then ward = intensive"
    told = what_if(RuleSet.over(text, PROTOCOL), np.array([1.0, 0]), np.array([9, 9, 0, 1, 0, 0], np.float32))
    assert (told.status, told.rules, told.labels) == ("none", ("a", "b"), ())
    told = what_if(RuleSet.over(text, PROTOCOL), np.array([0.0, 0]), np.array([9, 9, 0, 1, 0, 0], np.float32))
    assert (told.rules, told.labels) == (("wish",), ("lactate = yes", "cultures = yes"))


@pytest.mark.parametrize("names", ["pqr", "qpr", "rqp"])
@pytest.mark.parametrize("parts", ["q and not q", "exactly 1 of (q, r) and exactly 2 of (q, r)"])
def test_a_rule_of_several_parts_that_cannot_be_kept_alone_is_the_whole_reason(names, parts):
    # By what it says of p alone the second rule conflicts only beside the first.
    vocabulary = Vocabulary(tuple(map(Variable, names)))
    rules = RuleSet.over(f"rule one: p\nrule two: not p and {parts}", vocabulary)
    for scores in np.array([[1, 1, 1], [-1, -1, -1], [1, -1, 1]], np.float32):
        told = what_if(rules, np.zeros(0), scores)
        assert (told.status, told.rules, told.labels) == ("none", ("two",), ())


def test_a_value_that_a_rule_forbids_in_another_part_is_no_part_of_the_reason():
    vocabulary = Vocabulary(tuple(map(Variable, "pqr")))
    rules = RuleSet.over("rule one: p or q\nrule two: not q and not r and not p", vocabulary)
    told = what_if(rules, np.zeros(0), np.array([-1, -1, 1], np.float32))
    assert (told.status, set(told.rules), told.labels) == ("none", {"one", "two"}, ())
