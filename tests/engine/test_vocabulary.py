"""Vocabularies: what a variable can be, what its values are called, and rules bound to all its kinds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from engine.errors import RuleError
from engine.logic.binding import Binding
from engine.logic.language import parse
from engine.logic.truth import outcomes, truth
from engine.logic.vocabulary import MOST_VALUES, Variable, Vocabulary, nearest, number_of
from engine.ports import Column

WARD = Vocabulary(
    (
        Variable("fever", "flag", given=True),
        Variable("age", "integer", given=True, least=0, most=130),
        Variable("blood group", "category", given=True, values=("A", "B", "0")),
        Variable("admit", "flag"),
        Variable("ward", "category", values=("east", "west")),
        Variable("beds", "integer", least=2, most=6),
        Variable("dose", "number", least=0, most=1, step=0.25),
        Variable("visit", "events", values=("test", "biopsy")),
    )
)


def test_variables_are_told_apart_by_who_fixes_them():
    assert [v.name for v in WARD.given] == ["fever", "age", "blood group"]
    assert [v.name for v in WARD.decided] == ["admit", "ward", "beds", "dose"]
    assert [v.name for v in WARD.sequences] == ["visit"]
    assert WARD.columns[0] == Column("fever", ("no", "yes"))
    assert WARD.columns[1] == Column("age")


def test_values_of_decided_variables_have_names_and_numbers():
    admit, ward, beds, dose = WARD.decided
    assert admit.names == ("no", "yes")
    assert ward.names == ("east", "west")
    assert beds.names == ("2", "3", "4", "5", "6")
    assert dose.names == ("0", "0.25", "0.5", "0.75", "1")
    assert dose.levels[1] == Fraction(1, 4)
    assert (admit.index_of("TRUE"), beds.index_of("3.0"), dose.index_of(".5"), ward.index_of("north")) == (
        1,
        1,
        2,
        None,
    )
    tenths = Variable("x", "number", least=0.1, most=0.7, step=0.1)
    assert tenths.names == ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7")
    assert Variable("x", "number", values=("0", "2.5", "10")).levels == (0, Fraction(5, 2), 10)


def test_a_data_set_decides_its_class_and_may_hold_a_column_of_that_name():
    made = Vocabulary.of(("a", "b"), (Column("class", ("c",)), Column("x"), Column("x")))
    assert [v.name for v in made.given] == ["class", "x (column 2)", "x"]
    assert made.decided == (Variable("class", "category", values=("a", "b")),)
    binding = Binding(made)
    bound = [binding.bind(s.formula) for s in parse('rule: class = b\nrule: "class" = c')]
    facts, labels = np.array([[0, 1, 2]], np.float64), np.array([1])
    assert [truth(f, outcomes(binding.tests, facts), labels).yes[0] for f in bound] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": ""}, "has a name"),
        ({"name": "x", "kind": "colour"}, "flag, category, integer, number, events"),
        ({"name": "x", "kind": "category"}, "no values"),
        ({"name": "x", "kind": "category", "values": ("a", "a")}, "named twice"),
        ({"name": "x", "kind": "events", "values": ("",)}, "no name"),
        ({"name": "x", "kind": "integer"}, "needs a least and a most"),
        ({"name": "x", "kind": "integer", "least": 0.5, "most": 3}, "whole"),
        ({"name": "x", "kind": "integer", "least": 4, "most": 3}, "above its most"),
        ({"name": "x", "kind": "number", "least": 0, "most": 3}, "step above 0"),
        ({"name": "x", "kind": "number", "values": ("2", "1")}, "rise"),
        ({"name": "x", "kind": "number", "values": ("one",)}, "rise"),
        ({"name": "x", "kind": "number", "least": 0, "most": float("inf"), "step": 1}, "finite"),
        ({"name": "x", "kind": "integer", "least": 0, "most": MOST_VALUES}, "More than"),
    ],
)
def test_what_cannot_be_a_variable_is_refused(arguments, words):
    with pytest.raises(RuleError, match=words):
        Variable(**arguments)


def test_a_name_stands_for_one_variable():
    with pytest.raises(RuleError, match="Two variables are named 'x'"):
        Vocabulary((Variable("x"), Variable("x")))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("fever = yes", True),
        ("fever = 0", False),
        ("age >= 65", True),
        ("age < 65", False),
        ('"blood group" = 0', True),
        ("admit = yes", True),
        ("admit != true", False),
        ("ward in {west}", True),
        ("beds <= 4", True),
        ("beds < 4", False),
        ("beds = 4.0", True),
        ("beds = 40", False),
        ("beds > -1e300", True),
        ("dose >= 0.7", True),
        ("dose = 0.75", True),
        ("dose != 0.8", True),
    ],
)
def test_every_kind_of_variable_is_compared(rule, expected):
    binding = Binding(WARD)
    bound = binding.bind(parse(f"rule: {rule}")[0].formula)
    tests = outcomes(binding.tests, np.array([[1, 70, 2]], np.float64))
    found = truth(bound, tests, np.array([[1, 1, 2, 3]]))
    assert (bool(found.yes[0]), bool(found.no[0])) == (expected, not expected)


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        ("feever = yes", "line 1, column 7", "no variable 'feever'. Nearest: fever"),
        ("fever = perhaps", "line 1, column 15", "no value of fever 'perhaps'. There are no, yes."),
        ("ward = north", "line 1, column 14", "no value of ward 'north'"),
        ("ward < 3", "line 1, column 7", "ward cannot be compared by <: its values have no order."),
        ("beds = many", "line 1, column 14", "beds holds numbers and this is none; got 'many'"),
        ("beds is missing", "line 1, column 7", "beds is always known."),
        ("class = a", "line 1, column 13", "Nothing named class is decided here."),
    ],
)
def test_what_does_not_fit_the_vocabulary_is_said_with_its_place(rule, place, words):
    with pytest.raises(RuleError) as caught:
        Binding(WARD).bind(parse(f"rule: {rule}")[0].formula)
    assert caught.value.where == place
    assert words in str(caught.value)


def test_numbers_are_read_exactly_and_hostile_ones_are_none():
    assert number_of("0.1") == Fraction(1, 10)
    assert number_of("-1.5e3") == -1500
    for text in ("1e999", "nan", "inf", "1" * 500, "1e9999", "", "1_000", "٣"):
        assert number_of(text) is None


def test_the_nearest_names_are_named_or_some():
    assert nearest("bedz", ("beds", "dose")) == "Nearest: beds."
    assert nearest("q", tuple(f"name{i}" for i in range(10))).endswith("name7 and 2 more.")
    assert nearest("q" * 100_000, ("a" * 100_000,) * 3000)
