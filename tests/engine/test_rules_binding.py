"""Names of rules bound to a data set: what fits, what is refused with the nearest names, and what gaps do."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import RuleError
from engine.logic.ruleset import RuleSet
from engine.ports import Column

CLASSES = ("good", "bad")
COLUMNS = (
    Column("safety", ("low", "med", "high")),
    Column("seats", ("2", "4", "5")),
    Column("TSH"),
    Column("a b"),
)
GAP = np.nan


def broken(rule: str, facts: list[float], label: int) -> bool:
    rules = RuleSet.of(f"rule: {rule}", CLASSES, COLUMNS)
    return bool(rules.broken(np.array([facts], np.float64), np.array([label]))[0, 0])


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        ("if saftey = low then class = bad", "line 1, column 10", "no column 'saftey'. Nearest: safety."),
        ("if qqq = low then class = bad", "line 1, column 10", "There are safety, seats, TSH, a b."),
        (
            "if safety = hgih then class = bad",
            "line 1, column 19",
            "no value of safety 'hgih'. Nearest: high.",
        ),
        ("class = god", "line 1, column 15", "There is no class 'god'. Nearest: good."),
        ("class in {good, worse}", "line 1, column 23", "There is no class 'worse'."),
        ("if safety < 3 then class = bad", "line 1, column 10", "(low, med, high), which have no order"),
        ("if safety < low then class = bad", "line 1, column 19", "< needs a number; got 'low'"),
        (
            "if TSH = low then class = bad",
            "line 1, column 16",
            "TSH holds numbers and this is none; got 'low'",
        ),
        (
            'if TSH <= "6" then class = bad',
            "line 1, column 17",
            "TSH holds numbers and <= needs a number; got '6'",
        ),
        ("if TSH <= 1e999 then class = bad", "line 1, column 17", "got '1e999'"),
        ("if TSH = nan then class = bad", "line 1, column 16", "got 'nan'"),
        ("class < good", "line 1, column 13", "classes have no order"),
        ("class is known", "line 1, column 7", "The class is always known."),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_its_place(rule, place, words):
    with pytest.raises(RuleError) as caught:
        RuleSet.of(f"rule: {rule}", CLASSES, COLUMNS)
    assert caught.value.where == place
    assert words in str(caught.value)
    assert caught.value.do


def test_two_rules_of_one_name_are_refused_given_or_counted():
    with pytest.raises(
        RuleError, match=r"line 3, column 1: Two rules are named 'x'; the other is in line 1\."
    ):
        RuleSet.of("rule x: class = good\nrule: class = good\nrule x: class = bad", CLASSES, COLUMNS)
    with pytest.raises(RuleError, match="Two rules are named 'rule 2'"):
        RuleSet.of('rule "rule 2": class = good\nrule: class = good', CLASSES, COLUMNS)


def test_without_facts_a_column_is_refused_with_what_to_wire():
    with pytest.raises(RuleError, match="no facts are wired"):
        RuleSet.of("rule: TSH > 6", CLASSES, ())


def test_a_quoted_value_that_no_record_has_never_matches_and_is_noted():
    rules = RuleSet.of('rule: if safety in {"none", low} then class = bad', CLASSES, COLUMNS)
    assert rules.notes == ("line 1, column 21: no record of the data file has safety = none.",)
    assert rules.broken(np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.float64), np.array([0, 0])).tolist() == [
        [True],
        [False],
    ]


@pytest.mark.parametrize(
    ("rule", "facts", "label", "expected"),
    [
        ("if seats = 2 then class = bad", [0, 0, 0, 0], 0, True),
        ("if seats = 2.0 then class = bad", [0, 0, 0, 0], 0, True),
        ('if seats = "2" then class = bad', [0, 0, 0, 0], 0, True),
        ("if seats >= 4 then class = bad", [0, 1, 0, 0], 0, True),
        ("if seats > 4 then class = bad", [0, 1, 0, 0], 0, False),
        ('if "a b" <= 1 then class = bad', [0, 0, 0, 1], 0, True),
        ("if TSH <= 6 then class = bad", [0, 0, 6, 0], 0, True),
        ("if TSH < 6 then class = bad", [0, 0, 6, 0], 0, False),
        ("if TSH in {1, 6} then class = bad", [0, 0, 6, 0], 0, True),
    ],
)
def test_values_are_compared_as_categories_or_numbers(rule, facts, label, expected):
    assert broken(rule, facts, label) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("if TSH <= 6 then class = bad", False),  # unknown condition: the rule does not fire
        ("if TSH > 6 then class = bad", False),
        ("if not (TSH <= 6) then class = bad", False),
        ("if TSH != 6 then class = bad", False),
        ("if TSH not in {6} then class = bad", False),
        ("if TSH <= 6 or safety = low then class = bad", True),  # the other half decides
        ("if TSH <= 6 and safety = low then class = bad", False),
        ("if TSH <= 6 or TSH > 6 then class = bad", False),  # each half is unknown
        ("if TSH is missing then class = bad", True),
        ("if TSH is known then class = bad", False),
        ("if TSH <= 6 then class = bad else class = bad", False),
        ("if at least 1 of (TSH > 6, safety = low) then class = bad", True),
        ("if at least 2 of (TSH > 6, safety = low) then class = bad", False),
        ("if at most 1 of (TSH > 6, safety = med, seats = 4) then class = bad", True),
        ("if exactly 1 of (TSH > 6, safety = low) then class = bad", False),
        ("TSH <= 6 xor class = good", False),
        ("TSH <= 6", False),
    ],
)
def test_a_gap_leaves_open_what_depends_on_it(rule, expected):
    assert broken(rule, [0, 0, GAP, 0], 0) is expected


def test_an_unknown_class_breaks_only_what_facts_alone_break():
    assert not broken("if safety = low then class = bad", [0, 0, 0, 0], -1)
    assert broken("safety = high", [0, 0, 0, 0], -1)


def test_equal_tests_are_made_once():
    rules = RuleSet.of(
        "rule: TSH <= 6 or TSH > 6\nrule: not TSH > 6 or seats <= 4 or seats in {4, 2}", CLASSES, COLUMNS
    )
    assert len(rules.tests) == 2
    assert [len(tests) for tests in rules.tested] == [1, 2]
