"""Rule forms: how each is written, printed, put in words, and what it comes to when it is bound."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from form_texts import ANSWERS, FACTS, MEANINGS, WORDS, plain

from engine.errors import RuleError
from engine.logic import binding as binding_module
from engine.logic.binding import Binding
from engine.logic.completing import completions
from engine.logic.durations import Duration
from engine.logic.forms import CALLS, FORMS, Call, form
from engine.logic.formula import And, Compare, Form, Formula, Happens, Implies, Not, Or, Word, parts_of
from engine.logic.language import parse
from engine.logic.lowering import lowered
from engine.logic.pipeline import Engine
from engine.logic.printing import print_formula, print_rules
from engine.logic.ruleset import RuleSet
from engine.logic.truth import outcomes, truth
from engine.logic.vocabulary import Variable, Vocabulary
from engine.logic.wording import in_words, listed


def formula_of(text: str) -> Formula:
    return parse(f"rule: {text}")[0].formula


def bound(text: str) -> tuple[Formula, Binding]:
    binding = Binding(WORDS)
    return binding.bind(formula_of(text)), binding


@pytest.mark.parametrize("entry", FORMS.values(), ids=list(FORMS))
def test_the_example_of_every_form_is_read_and_printed_and_has_words(entry):
    assert re.search(r"\S\.$", entry.help)
    statements = parse(f"rule: {entry.example}")
    text = print_rules(statements)
    assert parse(text) == statements
    assert in_words(statements[0].formula)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2*a + 3*b - c<=10", "2 * a + 3 * b - c <= 10"),
        ("- a * (b + 1) >= 2/4", "(- a) * (b + 1) >= 2 / 4"),
        ("a ≤ 3 and b ≠ 2 or c ≥ 1", "(a <= 3 and b != 2) or c >= 1"),
        ("3 <= x <= 5", "3 <= x and x <= 5"),
        ("x = 10 ± 0.1", "x = 10 +- 0.1"),
        ("IMPLIES(f, REQUIRE(g AND h) BEFORE c = 1)", "f implies ((g and h) before c = 1)"),
        ("IF f THEN NOT g ELSE h XOR f", "if f then (not g) else (h xor f)"),
        ("EXACTLY 1 OF (f, g)", "exactly 1 of (f, g)"),
        ("not co-existence(s, t)", "not co-existence(s, t)"),
        ("not (co-existence(s, t))", "not (co-existence(s, t))"),
        ("CHAIN_RESPONSE(s, t or u)", "chain response(s, t or u)"),
        ("response(s, t, WITHIN 3)", "response(s, t, within 3)"),
        ("response(s, t, within 3DAYS)", "response(s, t, within 3 days)"),
        ("limit(s, 2, per 1.5  h)", "limit(s, 2, per 1.5 h)"),
        ("gap(s, t, 90 Minutes)", "gap(s, t, 90 minutes)"),
        ("table(a, col){(1, red), (<= 2, -), (3..5, {red, blue})}",) * 2,
        ('all different(a + 1, "b c")',) * 2,
        ("exclusive hierarchy(f: g, h = yes)",) * 2,
        ("if x not in -3..-1.5e2 then before = 1",) * 2,
        ("weight = IN and level = OF",) * 2,
    ],
)
def test_forms_are_printed_as_documented(text, printed):
    assert print_formula(formula_of(text)) == printed
    assert formula_of(printed) == formula_of(text)


def test_a_rule_has_a_weight_and_a_level():
    texts = [
        "rule soft weight 2.5 level 3: f",
        "rule weight 3: f",
        "rule weight: f",
        'rule "weight" weight 1: f',
    ]
    found = [parse(text)[0] for text in texts]
    assert [(s.name, s.weight, s.level) for s in found] == [
        ("soft", 2.5, 3),
        ("", 3, 1),
        ("weight", None, 1),
        ("weight", 1, 1),
    ]
    assert parse(print_rules(tuple(found))) == tuple(found)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("rule x weight 0: f", "line 1, column 15", "above 0"),
        ("rule x weight many: f", "line 1, column 15", "got 'many'"),
        ("rule x level 2: f", "line 1, column 8", "Only a rule with a weight"),
        ("rule x weight 1 level 10: f", "line 1, column 23", "1 to 9"),
        ("rule my rule: f", "line 1, column 9", "'rule' cannot stand here"),
        ("rule my own: f", "line 1, column 6", "A rule has one name"),
        ("rule: flib(a)", "line 1, column 7", "There is no form 'flib'"),
        ("rule: chian response(s, t)", "line 1, column 7", "Nearest: chain response"),
        ("rule: a +b <= 3", "line 1, column 9", "Put spaces around + and -"),
        ("rule: a + b", "line 1, column 7", "A number stands where a condition is needed"),
        ("rule: 3", "line 1, column 7", "3 is a number"),
        ("rule: (a = 1) + 2 <= 3", "line 1, column 8", "A condition stands where a number is needed"),
        ("rule: a + 1 in {2}", "line 1, column 7", "asked of one variable"),
        ("rule: class + 1 <= 2", "line 1, column 7", "The class is compared with a value"),
        ("rule: 1 < x > 2", "line 1, column 13", "may follow one another"),
        ("rule: x < 3 +- 1", "line 1, column 7", "A tolerance cannot follow <"),
        ("rule: x in 3 .. 5", "line 1, column 12", "a range like 3..5"),
        ("rule: all different(a)", "line 1, column 7", "It takes 2 to 256 arguments; 1 are given"),
        ("rule: all different(a, within 3)", "line 1, column 7", "number is needed"),
        ("rule: table(a, b)", "line 1, column 7", "Rows in braces follow it"),
        ("rule: table(a, b){(1)}", "line 1, column 7", "Row 1 has 1 cells for 2 variables"),
        ("rule: AND(a, b){(1)}", "line 1, column 7", "No braces follow it"),
        ("rule: hierarchy(a, b)", "line 1, column 7", "begins with the parent and a colon"),
        ("rule: response(s, t, within x)", "line 1, column 29", "stands a whole number"),
        ("rule: response(s, t, within 3 apples)", "line 1, column 31", "'apples' is no unit of time"),
        ("rule: response(s, t, within -3 h)", "line 1, column 29", "'-3' h is no length of time"),
        ("rule: gap(s, t, 0.0000001 s)", "line 1, column 17", "is no length of time"),
        ("rule: limit(s, 2 h, per 3)", "line 1, column 7", "Its times is a number without a unit"),
        ("rule: response(s, t, within 0 h)", "line 1, column 7", "The time is 0 h; it must be more"),
        ("rule: response(s, t = 1)", "line 1, column 7", "Its arguments are events"),
        ("rule: distance(1, 2) <= 3", "line 1, column 7", "It takes 4 arguments; 2 are given"),
        ("rule: AND(f, x: g)", "line 1, column 14", "'x' has no meaning here"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_with_its_place(text, place, words):
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert caught.value.where == place
    assert words in str(caught.value)
    assert caught.value.do


# What forms come to, beside Python's own arithmetic on every answer


@pytest.mark.parametrize(("text", "meaning"), MEANINGS)
def test_forms_mean_what_python_says_of_every_answer(text, meaning):
    formula, binding = bound(text)
    values = np.array(ANSWERS)
    for record in FACTS:
        tests = np.repeat(outcomes(binding.tests, np.array([record])), len(values), 0)
        found = truth(formula, tests, values)
        expected = np.array([bool(eval(meaning, {}, plain(record, answer))) for answer in ANSWERS])  # noqa: S307
        if text == "x / y >= 1" and record[1] == 0:
            assert not (found.yes | found.no).any()  # a division by zero leaves it open
            continue
        assert np.array_equal(found.yes, expected)
        assert np.array_equal(found.no, ~expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("col + 1 <= 2", "col has values that are no numbers"),
        ("a", "a is one of 0, 1, 2; a condition is needed here"),
        ("x", "x is a number; a condition is needed here"),
        ("sqrt(0 - 1) <= 2", "is no number"),
        ("x in 5..3", "holds no number"),
        ("x + 1 <= 1e300 * 1e300", "too large to compute with"),
        ("max(1e300 * 1e300, x) <= 1", "too large to compute with"),
        ("all different(x, 1e300 * 1e300)", "too large to compute with"),
        ("x = 1e300 * 1e300 +- 1", "too large to compute with"),
        ("a+b <= 3", "put spaces around + and -"),
        ("s before f", "s is an event"),
        ("(s or t and u) before u", "joins events only"),
        ("response(s, f)", "There is no event 'f'"),
        ("response(s, tt)", "Nearest: t"),
        ("response(s)", "response: It takes 2 arguments"),
        ("response(s, s)", "two places"),
        ("response(s, t, during 3)", "It has no 'during'"),
        ("all different(f, col + 1)", "no numbers"),
        ("grade = colour", "There is no value of grade 'colour'"),
    ],
)
def test_what_cannot_be_bound_is_said_with_its_place(text, words):
    with pytest.raises(RuleError) as caught:
        bound(text)
    assert words in str(caught.value)
    assert caught.value.where.startswith("line 1, column ")


def test_sequences_are_atoms_over_the_events_of_one_variable():
    path = [frozenset({0}), frozenset({1}), frozenset({2})]
    assert bound("response(s, t or path.u, within 3)")[0] == Happens(
        0, "response", (path[0], path[1] | path[2]), (("within", 3),)
    )
    assert bound("cooldown(s, 2 days)")[0] == bound("cooldown(s, 48 h)")[0] != bound("cooldown(s, 2)")[0]
    assert bound("cooldown(s, 48 h)")[0] == Happens(0, "cooldown", (path[0], Duration(48 * 3_600_000_000)))
    assert bound("s")[0] == Happens(0, "existence", (path[0],))
    first, second = (Happens(0, "precedence", (path[i], path[2])) for i in (0, 1))
    assert bound("s and t before u")[0] == And((first, second))
    assert bound("s or t before u")[0] == And((Happens(0, "precedence", (path[0] | path[1], path[2])),))
    formula = bound("if f then REQUIRE(s AND t) BEFORE u")[0]
    assert parts_of(formula)[1] == And((first, second))


def test_two_sequences_with_an_event_of_one_name_are_told_apart_by_their_names():
    both = Vocabulary(
        (Variable("day", "events", values=("s", "t")), Variable("night", "events", values=("s",)))
    )
    binding = Binding(both)
    assert binding.bind(formula_of("response(s, t)")) == Happens(
        0, "response", (frozenset({0}), frozenset({1}))
    )
    assert binding.bind(formula_of("night.s")) == Happens(1, "existence", (frozenset({0}),))
    for text in ("s", "absence(s)"):
        with pytest.raises(RuleError, match=r"day"):
            binding.bind(formula_of(text))


def test_computed_numbers_that_differ_by_rounding_alone_are_equal():
    binding = Binding(Vocabulary(tuple(Variable(n, "number", given=True) for n in "xyz")))
    formulas = [binding.bind(formula_of(t)) for t in ("x + y = z", "x + y < z", "x = 0.3", "x + y <= z")]
    facts = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3000001], [np.nan, 1, 1]])
    tests = outcomes(binding.tests, facts)
    assert [truth(f, tests, np.zeros((3, 0), np.int64)).yes.tolist() for f in formulas] == [
        [True, False, False],
        [False, True, False],
        [False, False, False],
        [True, True, False],
    ]
    assert not truth(formulas[0], tests, np.zeros((3, 0), np.int64)).no[2]


def test_distance_is_the_great_circle_and_a_journey_too_fast_breaks_the_rule():
    names = ("lat1", "lon1", "lat2", "lon2", "hours")
    binding = Binding(Vocabulary(tuple(Variable(n, "number", given=True) for n in names)))
    rule = binding.bind(formula_of("distance(lat1, lon1, lat2, lon2) <= 900 * hours"))
    far = binding.bind(formula_of("distance(lat1, lon1, lat2, lon2) in 877..878"))
    berlin_paris = [52.52, 13.405, 48.8566, 2.3522]
    facts = np.array([[*berlin_paris, 0.5], [*berlin_paris, 1], [*berlin_paris, np.nan], [95, 0, 0, 0, 1]])
    tests, none = outcomes(binding.tests, facts), np.zeros((4, 0), np.int64)
    assert truth(rule, tests, none).no.tolist() == [True, False, False, False]
    assert truth(rule, tests, none).yes.tolist() == [False, True, False, False]
    assert truth(far, tests, none).yes.tolist() == [True, True, True, False]


def test_a_comparison_too_large_to_write_out_is_refused():
    large = Vocabulary(tuple(Variable(n, "integer", least=0, most=1000) for n in "abc"))
    for text, words in (
        ("a * b <= 3", "more than 1,024 combinations"),
        ("a + b + c <= 3", "2,048 is the most"),
        ("a + 1e-300 * b <= 3", "of too different sizes"),
        (" + ".join(["(" + " + ".join(["a"] * 250) + ")"] * 5) + " <= 3", "1,024 is the most"),
    ):
        with pytest.raises(RuleError, match=words):
            Binding(large).bind(formula_of(text))


def test_rules_that_come_to_too_many_parts_together_are_refused(monkeypatch):
    monkeypatch.setattr(binding_module, "MOST_PARTS", 20_000)
    many = "".join(f"rule: a * b * {i} <= {i}\n" for i in range(1, 20))
    with pytest.raises(RuleError, match=r"line \d+, column 7: Up to here the rules come to more than 20,000"):
        RuleSet.over(many, Vocabulary(tuple(Variable(n, "integer", least=0, most=30) for n in "ab")))
    wide = f"rule: all different({', '.join(['x', 'y'] * 40)})"
    with pytest.raises(RuleError, match="64 is the most"):
        RuleSet.over(wide, WORDS)


@pytest.mark.parametrize("name", ["class", "CLASS", '"class"'])
def test_the_class_stands_among_names_like_any_other(name):
    known = Vocabulary(
        (
            Variable("p"),
            Variable("q", "category", values=("a", "b")),
            Variable("class", "category", values=("a", "b")),
        )
    )
    for text in (f"table({name}, p){{(a, yes), (b, -)}}", f"all different(q, {name})"):
        rules = RuleSet.over(f"rule: {text}", known)
        answers = np.array(list(itertools.product(range(2), repeat=3)))
        broken = rules.broken(np.empty((len(answers), 0)), answers)[:, 0]
        p, q, label = answers.T
        kept = (label == 1) | (p == 1) if "table" in text else q != label
        assert np.array_equal(~broken, kept)
        printed = print_rules(parse(f"rule: {text}"))
        assert parse(printed) == parse(f"rule: {text}")
        assert name.lower() in printed


def test_a_column_named_class_is_meant_in_quotes_alone():
    known = Vocabulary(
        (
            Variable("class", "category", given=True, values=("x",)),
            Variable("class", "category", values=("a", "b")),
        )
    )
    assert RuleSet.over("rule: table(class){(a)}", known).tests == ()
    assert len(RuleSet.over('rule: table("class"){(x)}', known).tests) == 1
    for text in ("AND(class, class = a)", "exactly 1 of (class)", "class + 1 < 2"):
        with pytest.raises(RuleError, match="The class is compared with a value"):
            RuleSet.over(f"rule: {text}", known)


def test_connectives_may_be_called():
    a, b, c = (Compare(Word(n), "=", Word("1")) for n in "abc")
    assert formula_of("and(a=1, OR(b=1, c=1))") == And((a, Or((b, c))))
    assert formula_of("IMPLIES(a=1, NOT(b=1))") == Implies(a, Not(b))
    assert formula_of("a=1 implies (b=1)") == Implies(a, b)
    assert formula_of("a=1 AND (b=1)") == And((a, b))


def test_a_new_form_is_one_decorated_class():
    @form("nor of", "Neither holds.", example="nor of(f, g)")
    @dataclass(frozen=True)
    class Nor(Form):
        members: tuple[Formula, ...]

        @classmethod
        def read(cls, call: Call) -> Nor:
            call.check(2)
            return cls(call.formulas())

        def text(self) -> str:
            return f"nor of({', '.join(map(print_formula, self.members))})"

        def words(self) -> str:
            return f"none of {listed(tuple(map(in_words, self.members)))}"

        def bind(self, binding: Binding) -> Formula:
            return And(tuple(Not(binding.bind(part)) for part in self.members))

    try:
        text = "rule: if h then NOR_OF(f, not g)"
        statements = parse(text)
        assert print_rules(statements) == "rule: if h then nor of(f, not g)\n"
        assert parse(print_rules(statements)) == statements
        assert in_words(statements[0].formula) == "if h, none of f and it is not so that g"
        rules = RuleSet.over(text, WORDS)
        broken = rules.broken(np.repeat([FACTS[0]], len(ANSWERS), 0), np.array(ANSWERS))[:, 0]
        assert broken.tolist() == [bool(answer[3] or not answer[4]) for answer in ANSWERS]
        assert "nor of(" in [c.text for c in completions("rule: no", 8, WORDS)]
        assert Engine(lowered(rules).form) is not None
    finally:
        del FORMS["nor of"], CALLS["nor of"]


def test_every_form_stands_in_the_help_page():
    page = (Path(__file__).parents[2] / "resources" / "help" / "rules.md").read_text(encoding="utf-8")
    for entry in FORMS.values():
        assert f"`{entry.example}`" in page, entry.key
