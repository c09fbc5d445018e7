"""Why an answer was replaced, in words that are true and no longer than needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.logic.explain import conflict, explain
from engine.logic.pipeline import STATUS
from engine.logic.repair import Repair
from engine.logic.ruleset import RuleSet
from engine.logic.solver import Solver
from engine.ports import Column

CLASSES = ("acc", "good", "unacc")
COLUMNS = (Column("safety", ("low", "med", "high")), Column("TSH"), Column("age"))
GAP = np.nan


def rules(text: str) -> RuleSet:
    return RuleSet.of(text, CLASSES, COLUMNS)


def test_a_changed_answer_names_rule_reason_source_and_facts():
    rule_set = rules(
        'rule low: if safety = low then class = unacc because "low safety is unacceptable" source "DEX"\n'
        "rule age: if age > 3 then class != acc"
    )
    told = explain(rule_set, np.array([0, 7.25, 2]), 0, 2)
    assert (told.said, told.fixed, told.status) == ("acc", "unacc", "optimal")
    (hit,) = told.broken
    assert (hit.name, hit.reason, hit.source) == ("low", "low safety is unacceptable", "DEX")
    assert hit.words == "if safety is low, the class is unacc"
    assert hit.facts == ("safety = low",)
    assert told.decisive == ("low",)
    assert told.why.startswith("acc is ruled out by low (low safety is unacceptable); unacc is the likeliest")


@pytest.mark.parametrize(
    ("condition", "facts", "fired"),
    [
        ("safety = low and TSH > 6", [0, 7.25, 1], ("safety = low", "TSH = 7.25")),
        ("safety = low or TSH > 6", [1, 7, 1], ("TSH = 7",)),
        ("safety = low or TSH > 6", [0, 7, 1], ("TSH = 7",)),  # either would do: one is enough
        ("safety = low and TSH is missing", [0, GAP, 1], ("safety = low", "TSH is missing")),
        ("safety = low or age > 3", [0, 1, GAP], ("safety = low",)),
        ("at least 2 of (safety = low, TSH > 6, age > 3)", [0, 7, 4], ("TSH = 7", "age = 4")),
    ],
)
def test_only_facts_that_fire_the_rule_are_named(condition, facts, fired):
    told = explain(rules(f"rule: if {condition} then class = unacc"), np.array(facts, np.float64), 0, 2)
    assert told.broken[0].facts == fired


def test_an_answer_that_stands_says_so():
    told = explain(rules("rule: if safety = low then class = unacc"), np.array([0, GAP, GAP]), 2, 2)
    assert (told.status, told.broken, told.decisive) == ("allowed", (), ())
    assert told.why == "unacc breaks no rule and stands."


def test_rules_that_leave_no_class_are_named_without_the_bystanders():
    rule_set = rules(
        "rule a: class != acc\nrule b: class in {acc, good}\nrule c: class = acc\nrule d: TSH > 0"
    )
    told = explain(rule_set, np.array([0, 5.0, 0]), 0, -1)
    assert (told.fixed, told.status, told.decisive) == ("none", "none", ("a", "c"))
    assert told.why == "No class is left: a and c cannot all be kept for these facts."


def test_a_rule_that_facts_alone_break_leaves_no_class_by_itself():
    told = explain(rules("rule x: TSH > 6\nrule y: class = acc"), np.array([0, 5.0, 0]), 0, -1)
    assert told.decisive == ("x",)
    assert "x forbids every class for these facts" in told.why


def test_scores_that_rule_out_what_rules_allow_are_told_apart():
    told = explain(rules("rule x: class = acc"), np.array([0, 5.0, 0]), 1, -1)
    assert told.decisive == ()
    assert told.why == "The scores rule out every class that the rules allow."


def test_what_repair_did_can_be_explained_record_by_record():
    solver = Solver()
    text = "rule a: if safety = low then class != acc\nrule b: if TSH > 0 then class = acc"
    rule_set = rules(text)
    facts = np.array([[0, 1, 0], [0, -1, 0], [1, 1, 0], [GAP, GAP, 0]])
    done = Repair(rule_set, solver)(np.array([[3, 2, 1], [3, 2, 1], [1, 2, 3], [3, 2, 1]], np.float32), facts)
    solver.close()
    for row, raw, label, status, broken in zip(
        facts, done.raw_labels, done.labels, done.status, done.broken, strict=True
    ):
        told = explain(rule_set, row, int(raw), int(label))
        assert told.status == STATUS[status]
        assert [b.name for b in told.broken] == [n for n, hit in zip("ab", broken, strict=True) if hit]


@settings(deadline=None, max_examples=100)
@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 5), st.integers(0, 7))))
def test_a_conflict_suffices_and_no_part_of_it_does(forbids):
    found = list(conflict(forbids))
    if not forbids.any(1).all():
        assert found == []
        return
    assert forbids[:, found].any(1).all()
    for rule in found:
        assert not forbids[:, [i for i in found if i != rule]].any(1).all()
