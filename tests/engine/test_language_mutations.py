"""Thousands of rule texts made wrong: rules or one sentence each, soon; and rules of every form read back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bench.mutations import corpus, mutated, tried, try_all
from engine.errors import RuleError
from engine.logic.expressions import Applied, Expression, Negative, Product, Sum
from engine.logic.forms import Cell, Relation
from engine.logic.forms.different import AllDifferent
from engine.logic.forms.hierarchy import Hierarchy
from engine.logic.forms.order import Before
from engine.logic.forms.ranges import Near, Within
from engine.logic.forms.sequence import Happening
from engine.logic.forms.table import Table
from engine.logic.formula import (
    And,
    Bare,
    Compare,
    Formula,
    Iff,
    IfThen,
    Implies,
    Not,
    Or,
    Statement,
    Word,
    Xor,
)
from engine.logic.language import parse, read
from engine.logic.lexicon import RESERVED
from engine.logic.printing import print_rules
from engine.logic.vocabulary import Variable, Vocabulary, number_of
from engine.logic.wording import in_words

MANY = 2_000


def test_mutated_texts_give_rules_or_one_sentence_each_and_soon():
    done = try_all(MANY, seed=3)
    assert done.crashes == []
    assert done.slow == []
    assert done.rules + done.sentences == MANY
    assert done.rules > MANY // 30
    assert len(done.kinds) > 15


def test_the_texts_that_ship_are_right_as_they_are():
    assert len(corpus()) > 50
    assert not any(read(text).errors for text, _ in corpus())
    assert sum(not tried(text, vocabulary) for text, vocabulary in corpus()) > 0.9 * len(corpus())


def test_a_mutation_is_told_by_its_seed():
    text = corpus()[0][0]
    first, second = (mutated(random.Random(1), text) for _ in range(2))  # noqa: S311 - not for secrets
    assert first == second != text


def test_every_wrong_rule_is_said_and_the_others_are_read():
    text = "# first\n\nrule a: x = 1\n  rule b: x =\nrule c: y\nrule d: (z\n# last"
    reading = read(text)
    assert [s.name for s in reading.statements] == ["a", "c"]
    assert [s.place.line for s in reading.statements] == [3, 5]
    assert [error.where for error in reading.errors] == ["line 5, column 1", "line 6, column 10"]
    again = read("\n\n" + text)
    assert [s.place.line for s in again.statements] == [5, 7]
    assert again.statements[1].formula == reading.statements[1].formula
    assert again.statements[1].formula.name.place.line == 7  # type: ignore[union-attr]
    assert [error.where for error in again.errors] == ["line 7, column 1", "line 8, column 10"]


@pytest.mark.parametrize(
    "text",
    [
        "rule: x = \x00",
        "rule: 規則 = 値 and é = 1",
        'rule: "😀\x00" = 1',
        "rule: x <= " + "9" * 100_000,
        "rule: x in 3.." + "9" * 5_000,
        "rule: " + "9" * 300 + " <= x",
        "rule: x in " + "1" * 500 + ".." + "2" * 500,
        "rule: " + "- " * 5_000 + "x <= 1",
        "rule: x * " + "2 * " * 5_000 + "x <= 1",
        "rule: AND(" * 5_000,
        "rule: table(x)" + "{(1)}" * 5_000,
        "rule: table(x){" + "(1), " * 9_000 + "(1)}",
        "rule: a before " * 5_000,
        "rule: exactly " + "9" * 5_000 + " of (a)",
        "rule " * 5_000,
        '"' * 50_000,
        "\ud800",
        "rule x weight 1e-999: a",
        "rule x weight " + "9" * 500 + ": a",
        "\ufeffrule: a",
        "rule: x = 1\u2028rule: y = 1",
        "RULE: X = 1",
    ],
)
def test_hostile_texts_are_read_or_refused_with_a_sentence(text):
    vocabulary = Vocabulary(
        (Variable("x", "number", given=True), Variable("a"), Variable("é", "number", given=True))
    )
    tried(text, vocabulary)
    for error in read(text).errors:
        assert len(str(error)) < 1_000


# Round trip of every form

bare = st.from_regex(r"[A-Za-z_.][A-Za-z0-9_.+-]{0,6}", fullmatch=True).filter(
    lambda t: t.lower() not in RESERVED and number_of(t) is None
)
texts = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=6)
names = st.builds(Word, bare) | st.builds(Word, texts, st.just(value=True))
numbers = st.sampled_from(["0", "3", "-2", "1.5", ".5", "-1e3", "+7"]).map(Word)
operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def _marked(kind: type, parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    pairs = st.lists(st.tuples(parts, st.booleans()), min_size=2, max_size=3)
    return pairs.map(
        lambda found: kind(tuple(p for p, _ in found), (False, *(inverse for _, inverse in found[1:])))
    )


def _computed(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    two = st.tuples(parts, parts)
    return (
        _marked(Sum, parts)
        | _marked(Product, parts)
        | st.builds(Negative, parts)
        | st.builds(Applied, st.sampled_from(["min", "max"]), two)
        | st.builds(Applied, st.just("abs"), st.tuples(parts))
    )


expressions: st.SearchStrategy[Expression] = st.recursive(names | numbers, _computed, max_leaves=5)
computed = _computed(names | numbers)
ranges = st.sampled_from([("3", "5"), ("-2", "1.5"), (".5", "+7"), ("-1e3", "0")]).map(
    lambda pair: (Word(pair[0]), Word(pair[1]))
)
cells = (
    st.just(Cell("-"))
    | st.builds(lambda o, v: Cell(o, (v,)), operators, names | numbers)
    | st.builds(lambda v: Cell("in", tuple(v)), st.lists(names | numbers, min_size=2, max_size=3))
    | st.builds(lambda r: Cell("..", r), ranges)
)
tables = st.integers(1, 3).flatmap(
    lambda n: st.builds(
        Table,
        st.tuples(*[names] * n),
        st.lists(st.tuples(*[cells] * n), min_size=1, max_size=3).map(tuple),
    )
)
events = st.lists(names, min_size=1, max_size=2, unique_by=lambda w: w.text).map(tuple)


def _apart(first: tuple[Word, ...], second: tuple[Word, ...]) -> bool:
    return not {w.text for w in first} & {w.text for w in second}


pairs = st.tuples(events, events).filter(lambda two: _apart(*two))
windows = st.just(()) | st.integers(1, 9).map(lambda k: (("within", k),))
happenings = (
    st.builds(Happening, st.sampled_from(["response", "precedence", "succession"]), pairs, windows)
    | st.builds(Happening, st.sampled_from(["chain response", "co-existence", "not co-existence"]), pairs)
    | st.builds(lambda a, n: Happening("existence", (a, n)), events, st.integers(1, 5))
    | st.builds(lambda a: Happening("absence", (a,)), events)
)
plain = (
    st.builds(Bare, names)
    | st.builds(Compare, st.none() | names, operators, names)
    | st.builds(Relation, expressions, operators, computed)
    | st.builds(lambda e, r, n: Within(e, *r, n), expressions, ranges, st.booleans())
    | st.builds(Near, expressions, expressions, expressions, st.booleans())
    | st.builds(AllDifferent, st.lists(expressions, min_size=2, max_size=3).map(tuple))
    | tables
    | happenings
)


def _joined(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    two = [st.builds(kind, parts, parts) for kind in (Xor, Iff, Implies, Before)]
    children = st.lists(parts, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        st.builds(Not, parts),
        st.builds(And, several),
        st.builds(Or, several),
        *two,
        st.builds(IfThen, parts, parts, st.none() | parts),
        st.builds(Hierarchy, names, children, st.booleans(), st.booleans()),
    )


formulas = st.recursive(plain, _joined, max_leaves=6)
weights = st.none() | st.floats(1e-9, 1e9, exclude_min=True)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    weight = draw(weights)
    level = 1 if weight is None else draw(st.integers(1, 9))
    name, reason, source = draw(st.just("") | bare | texts), draw(texts), draw(texts)
    return Statement(name, draw(formulas), reason, source, weight, level)


@settings(deadline=None, max_examples=300)
@given(st.lists(statements(), max_size=3).map(tuple))
def test_rules_of_every_form_read_back_as_they_were_printed(rules):
    text = print_rules(rules)
    assert parse(text) == rules
    assert print_rules(parse(text)) == text
    for rule in rules:
        assert isinstance(in_words(rule.formula), str)


def test_words_in_capitals_are_names_where_only_a_name_may_stand():
    for text in ("rule: state = OR", "rule: state in {IN, OR, AT}", 'rule "IF": a', "rule: IN = 3"):
        assert print_rules(parse(text)) == text + "\n"
    assert parse("rule IF: a") == parse('rule "IF": a')
    for text in ("rule: NOT = 3", "rule: state = in"):
        with pytest.raises(RuleError):
            parse(text)
