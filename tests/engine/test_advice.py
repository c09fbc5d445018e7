"""Rules as people write them who have not read the page: read as meant, or told at once how it is written."""

import numpy as np
import pytest

from engine.errors import RuleError
from engine.logic.completing import completions, tokens
from engine.logic.formula import And, Bare, Compare, Count, Implies, Not, Or, Word
from engine.logic.language import parse
from engine.logic.printing import print_rules
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import Variable, Vocabulary

WARD = Vocabulary(
    (
        Variable("TSH", "number", given=True),
        Variable("age", "number", given=True),
        Variable("sex", "category", given=True, values=("female", "male")),
        Variable("country", "category", given=True, values=("DE", "AT")),
        Variable("merchant country", "category", given=True, values=("DE", "AT")),
        Variable("symptom_A", given=True),
        Variable("test_B"),
        Variable("flu"),
        Variable("cold"),
        Variable("risk", "category", values=("low", "high")),
        Variable("dose", "integer", least=0, most=10),
        Variable("tablets", "integer", least=0, most=8),
    )
)


@pytest.mark.parametrize(
    ("text", "column", "right"),
    [
        ("If symptom_A, then test_B", 13, "No comma stands here."),
        ("if Symptom_A then test_B", 4, "Nearest: symptom_A."),
        ("if FLU then test_B", 4, "Nearest: flu."),
        ("if symptom A then test_B", 12, '"symptom A"'),
        ("symptom_A => test_B", 12, "=> is written implies"),
        ("symptom_A -> test_B", 12, "-> is written implies"),
        ("symptom_A <-> test_B", 13, "<-> is written iff"),
        ("symptom_A <=> test_B", 13, "<=> is written iff"),
        ("symptom_A ⇒ test_B", 11, "Write implies."),
        ("symptom_A only if test_B", 11, "write a implies b"),
        ("test_B if symptom_A", 8, "if a then b"),
        ("test_B if and only if symptom_A", 8, "write a iff b"),
        ("either flu or cold", 8, "a xor b"),
        ("neither flu nor cold", 9, "not a and not b"),
        ("flu unless cold", 5, "if not b then a"),
        ("flu excludes cold", 5, "a implies not b"),
        ("exactly one of (flu, cold)", 9, "Write 1."),
        ("exactly 1 of {flu, cold}", 14, "in brackets"),
        ("none of (flu, cold)", 6, "at most 0 of"),
        ("any of (flu, cold)", 5, "at least 1 of"),
        ("if TSH > 4.5 mIU/L then risk = high", 14, "leave 'mIU' out"),
        ("if TSH > 4.5mIU then risk = high", 10, "Numbers have no unit"),
        ("if TSH > 4,5 then risk = high", 11, "a point"),
        ("if TSH > 1 000 then risk = high", 12, "without spaces"),
        ("if TSH > $4 then risk = high", 10, "Numbers have no unit"),
        ("if TSH > 38°C then risk = high", 12, "Numbers have no unit"),
        ("if TSH > 10% then risk = high", 12, "10 or 0.1"),
        ("if TSH > −5 then risk = high", 10, "Write -."),
        ("if TSH > 2024-01-31 then risk = high", 10, "20240131"),
        ("if TSH is greater than 4 then risk = high", 11, "x > 3"),
        ("if TSH between 2 and 4 then risk = high", 8, "x in 3..5"),
        ("if TSH in [2, 4] then risk = high", 11, "a range like 3..5"),
        ("if TSH in 2 to 4 then risk = high", 11, "a range like 3..5"),
        ("TSH = 10 +/- 0.1", 11, "x = 10 +- 0.1"),
        ("TSH = 10 +0.1", 10, "spaces around + and -"),
        ("|TSH - 10| <= 0.1", 1, "abs(x)"),
        ("risk <> low", 7, "written !="),
        ("risk == low", 7, "= is enough"),
        ("risk is high", 9, "Write risk = high"),
        ("risk is not high", 9, "Write risk != high"),
        ("(dose + tablets) is high", 21, "Write x = high"),
        ("risk is (high)", 9, "Write risk = VALUE"),
        ("risk not high", 10, "Write risk != high"),
        ("risk = high or low", 16, "risk = low"),
        ("risk in (high, low)", 9, "braces"),
        ("if age is unknown then flu", 11, "age is missing"),
        ("if age is not known then flu", 11, "age is missing"),
        ("if age missing then flu", 8, "is missing"),
        ("if sex = 'male' then not flu", 10, 'Quotes are written "'),
        ("if sex = “male” then not flu", 10, 'Quotes are written "'),
        ("if sex = Male then not flu", 10, "Nearest: male."),
        ("if merchant country != country then flu", 13, '"merchant country"'),
        ("if merchant_country != country then flu", 4, "Nearest: merchant country."),
        ("2 dose <= 12", 3, "2 * x"),
        ("dose+tablets <= 12", 1, "spaces around + and -"),
        ("-dose <= 12", 1, "spaces around + and -"),
        ("dose^2 <= 12", 5, "x * x"),
        ("sum(dose, tablets) <= 12", 1, "a + b"),
        ("distinct(dose, tablets)", 1, "all different"),
        ("flu && cold", 5, "Write and."),
        ("!flu", 1, "Write not"),
        ("flu // a comment", 6, "begins with #"),
        ("if (symptom_A) { test_B }", 16, "brackets ( )"),
        ("if symptom_A: test_B", 13, "one colon"),
        ("if (flu or cold)) then test_B", 17, "No bracket is open"),
        ('flu source "a" because "b"', 16, "before source"),
    ],
)
def test_another_way_to_write_it_leads_to_the_right_one(text, column, right):
    start = "rule: "
    with pytest.raises(RuleError) as caught:
        RuleSet.over(start + text, WARD)
    assert caught.value.where == f"line 1, column {len(start) + column}"
    assert right in caught.value.do
    assert "Here may stand" not in caught.value.do


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Rule minors: flu", "A rule begins with rule"),
        ("rule minors if flu then cold", "colon"),
        ("rule r weight=3: flu", "weight 3 level 2"),
        ("rule a: flu\nRule b: cold", "small letters"),
    ],
)
def test_how_a_rule_begins_is_told(text, right):
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert right in caught.value.do


A, B, C = (Bare(Word(name)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("If a Then b And c", None),
        ("Not a Or b", Or((Not(A), B))),
        ("a Implies b", Implies(A, B)),
        ("At Least 1 Of (a, b)", Count("at least", 1, (A, B))),
        ("Exactly 2 of (a, b, c)", Count("exactly", 2, (A, B, C))),
        ("Not (a And b)", Not(And((A, B)))),
    ],
)
def test_words_of_the_language_may_begin_with_a_capital(text, formula):
    (read,) = parse(f"rule: {text}")
    (small,) = parse(f"rule: {text.lower()}")
    assert read == small
    assert formula is None or read.formula == formula


def test_columns_may_have_such_names():
    text = "rule: If = 1 and Not in {2, 3} and At is known and Class = 0\nrule: not Not and (At or In)\n"
    first, _second = parse(text)
    subjects = [part.subject.text for part in first.formula.parts]
    assert subjects == ["If", "Not", "At", "Class"]
    assert parse(print_rules(parse(text))) == parse(text)
    assert isinstance(first.formula.parts[0], Compare)


def test_they_have_the_colour_of_words_of_the_language():
    text = "rule: If At = 3 And Not (a) Then b In {c}"
    colours = [(text[s.start : s.end], s.kind) for s in tokens(text)]
    words = [word for word, kind in colours if kind == "keyword"]
    assert words == ["rule", "If", "And", "Not", "Then", "In"]
    assert ("At", "name") in colours


def test_a_name_that_is_a_word_of_the_language_in_capitals_is_completed_in_quotes():
    vocabulary = Vocabulary((Variable("IF"), Variable("Not"), Variable("Notice")))
    offered = {c.text for c in completions("rule: ", 6, vocabulary) if c.kind == "name"}
    assert offered == {'"IF"', '"Not"', "Notice"}


def test_a_flag_counts_1_beside_a_number():
    facts = Vocabulary((Variable("count", "number", given=True), Variable("f")))
    rules = RuleSet.over("rule: count = f\nrule: f != count", facts)
    broken = rules.broken(np.array([[0.0], [1.0], [2.0], [np.nan]]), np.ones((4, 1), np.int64))
    assert broken.tolist() == [[True, False], [False, True], [True, False], [False, False]]


def test_a_piece_of_a_page_is_not_written_out_once_more():
    for wrong in ("9" * 4000, '"' + "so long " * 400 + '"'):
        with pytest.raises(RuleError) as told:
            parse(f"rule: x not {wrong} in {{a, b}}")
        assert "cannot stand here" in str(told.value)
        assert len(str(told.value)) < 500
    with pytest.raises(RuleError, match=r"Write x != y\."):
        parse("rule: x not y")
