"""The rule language: what is read, what is refused and where, and that printing and parsing agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RuleError
from engine.logic.dimacs import parse_dimacs
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
    Place,
    Statement,
    Word,
    Xor,
)
from engine.logic.language import MOST_BYTES, MOST_COUNTED, MOST_DEPTH, MOST_RULES, RESERVED, parse
from engine.logic.printing import print_rules
from engine.logic.ruleset import RuleSet
from engine.logic.vocabulary import Variable, Vocabulary
from engine.logic.wording import in_words

EXAMPLE = """
# comment
rule low_safety: if safety = low then class = unacc
    because "low safety is unacceptable"   # another
    source "Bohanec & Rajkovic 1988"
rule: TSH <= 6 implies class = negative
rule tsh: if TSH > 6 and FTI <= 64 and on_thyroxine = f and thyroid_surgery = f then class = hypothyroid
rule: if service not in {telnet, ftp, "pop_3"} then class != guess_passwd
rule: if holes = 2 then class in {"8"}
"""


def formula_of(text: str) -> Formula:
    return parse(f"rule: {text}")[0].formula


def is_one(name: str) -> Compare:
    return Compare(Word(name), "=", Word("1"))


A, B, C = is_one("a"), is_one("b"), is_one("c")


def test_the_example_is_read_with_names_reasons_sources_and_places():
    rules = parse(EXAMPLE)
    assert [r.name for r in rules] == ["low_safety", "", "tsh", "", ""]
    assert rules[0].reason == "low safety is unacceptable"
    assert rules[0].source == "Bohanec & Rajkovic 1988"
    assert [r.place.line for r in rules] == [3, 6, 7, 8, 9]
    assert rules[1].formula == Implies(
        Compare(Word("TSH"), "<=", Word("6")), Compare(None, "=", Word("negative"))
    )
    listed = Among(Word("service"), (Word("telnet"), Word("ftp"), Word("pop_3", quoted=True)), negated=True)
    assert rules[3].formula == IfThen(listed, Compare(None, "!=", Word("guess_passwd")))


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("a=1 or b=1 and c=1", Or((A, And((B, C))))),
        ("not a=1 and b=1", And((Not(A), B))),
        ("a=1 or b=1 xor c=1", Or((A, Xor(B, C)))),
        ("a=1 xor b=1 and c=1", Xor(A, And((B, C)))),
        ("a=1 implies b=1 implies c=1", Implies(A, Implies(B, C))),
        ("a=1 iff b=1 implies c=1", Iff(A, Implies(B, C))),
        ("a=1 or b=1 implies c=1", Implies(Or((A, B)), C)),
        ("if a=1 then if b=1 then c=1 else a=1", IfThen(A, IfThen(B, C, A))),
        ("if a=1 then (if b=1 then c=1) else a=1", IfThen(A, IfThen(B, C), A)),
        ("((a=1))", A),
        ("at most 1 of (a=1, b=1, not c=1)", Count("at most", 1, (A, B, Not(C)))),
        ("exactly 0 of (a=1)", Count("exactly", 0, (A,))),
        ("a is known and b is missing", And((Known(Word("a")), Known(Word("b"), negated=True)))),
        ("iffy=5more", Compare(Word("iffy"), "=", Word("5more"))),
        ('"class" = "if"', Compare(Word("class", quoted=True), "=", Word("if", quoted=True))),
        ("x >= -1.5e-3", Compare(Word("x"), ">=", Word("-1.5e-3"))),
        (r'x = "a \"b\" \\"', Compare(Word("x"), "=", Word('a "b" \\', quoted=True))),
    ],
)
def test_connectives_bind_as_documented(text, formula):
    assert formula_of(text) == formula


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("rule a: x = @", "line 1, column 13", "'@' means nothing here"),
        ('rule a:\n  x = "low', "line 2, column 7", "does not end on its line"),
        ("rule a", "line 1, column 6", "ends in the middle"),
        ("rul a: b = 1", "line 1, column 1", "'rul' cannot stand here"),
        ("rule: a = 1\nrule: if a = 1 because", "line 2, column 16", "'because' cannot stand here"),
        ("rule: class = if", "line 1, column 15", "word of the rule language"),
        ("rule: a == 1", "line 1, column 10", "'=' cannot stand here. One sign compares: = is enough."),
        ("rule: a = 1 && b = 1", "line 1, column 13", "'&' means nothing here. Write and."),
        ("rule: a = 1\r\nrule: b = 1 c", "line 2, column 13", "'c' cannot stand here"),
        ("rule: exactly 3 of (a=1, b=1)", "line 1, column 15", "asks for 3 of 2"),
        ("rule: exactly 1.5 of (a=1, b=1)", "line 1, column 15", "A count is a whole number; got '1.5'"),
        ("rule: a in {}", "line 1, column 13", "'}' cannot stand here"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(text, place, words):
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert caught.value.where == place
    assert words in str(caught.value)
    assert caught.value.do


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rule: a = 1\n" * (MOST_RULES + 1), f"There are {MOST_RULES + 1} rules"),
        ("#" * (MOST_BYTES + 1), "256 KiB is the most"),
        ("rule: " + "a or " * 50_000 + "a", "100,003 words and signs; 50,000 is the most"),
        ("rule: " + "not " * 49_000 + "a = 1", f"nested more than {MOST_DEPTH} deep"),
        ("rule: " + "if a = 1 then " * 9_000 + "a = 1", f"nested more than {MOST_DEPTH} deep"),
        ("rule: " + "a = 1 iff " * 10_000 + "a = 1", f"nested more than {MOST_DEPTH} deep"),
        (f"rule: exactly 1 of ({', '.join(['a=1'] * (MOST_COUNTED + 1))})", f"{MOST_COUNTED} is the most"),
        ("rule: " + "(" * 49_000, "ends in the middle"),
    ],
)
def test_hostile_texts_are_refused_with_a_sentence(text, words):
    with pytest.raises(RuleError, match=words):
        parse(text)


def test_a_rule_may_be_as_deep_as_the_limit_and_brackets_do_not_count():
    text = "rule: " + "not " * (MOST_DEPTH - 1) + "(" * 500 + "a = 1" + ")" * 500
    assert parse(text)[0].formula is not None
    with pytest.raises(RuleError, match="deep"):
        parse("rule: not " + text.removeprefix("rule: "))


def test_no_text_is_no_rules():
    assert parse("") == parse("  \n# nothing\n") == ()


# Round trip

_bare = st.from_regex(r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,6}", fullmatch=True).filter(
    lambda t: t not in RESERVED
)
_text = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=8)
_words = st.builds(Word, _bare) | st.builds(Word, _text, st.just(value=True))
_subjects = st.none() | _words
_atoms = (
    st.builds(Compare, _subjects, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), _words)
    | st.builds(Among, _subjects, st.lists(_words, min_size=1, max_size=3).map(tuple), st.booleans())
    | st.builds(Known, _subjects, st.booleans())
)


def _joined(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    counts = st.builds(Count, st.sampled_from(["exactly", "at most", "at least"]), st.integers(0, 2), several)
    pairs = [st.builds(kind, parts, parts) for kind in (Xor, Iff, Implies)]
    many = [st.builds(kind, several) for kind in (And, Or)]
    return st.one_of(
        st.builds(Not, parts), *many, *pairs, counts, st.builds(IfThen, parts, parts, st.none() | parts)
    )


formulas = st.recursive(_atoms, _joined, max_leaves=12)
statements = st.builds(Statement, st.just("") | _bare | _text, formulas, _text, _text)


@settings(deadline=None, max_examples=100)
@given(st.lists(statements, max_size=3).map(tuple))
def test_what_is_printed_parses_to_the_same(rules):
    assert parse(print_rules(rules)) == rules


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_mutated_text_is_read_or_refused_but_never_crashes(data):
    text = EXAMPLE
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        put = data.draw(
            st.sampled_from([*RESERVED, *'(){},:="<>!\\#\x00é ', " not ", "\n", ""]) | st.text(max_size=3)
        )
        text = text[:at] + put + text[at + length :]
    result = _read(text)
    if isinstance(result, RuleError):
        assert result.where.startswith("line ")
        assert result.do
    else:
        assert parse(print_rules(result)) == result


def _read(text: str) -> tuple[Statement, ...] | RuleError:
    try:
        return parse(text)
    except RuleError as error:
        return error


def test_places_do_not_make_words_differ():
    assert Word("a", place=Place(3, 4)) == Word("a")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "if safety = low and doors > 2 then class != good",
            "if safety is low and doors is above 2, the class is not good",
        ),
        ("x in {a, b, c} implies class in {d}", "if x is a, b or c, the class is d"),
        ("x not in {a, b} or y is missing", "x is neither a nor b or y is missing"),
        ("if a=1 then b=1 else c=1", "if a is 1, b is 1, otherwise c is 1"),
        ("not (a=1 xor b=1)", "it is not so that (either a is 1 or b is 1, not both)"),
        ("a=1 iff at least 1 of (b=1, c=1)", "a is 1 exactly when (at least 1 of these: b is 1; c is 1)"),
    ],
)
def test_rules_are_put_in_words(text, words):
    assert in_words(formula_of(text)) == words


HELD = Vocabulary(
    (
        *(Variable(name, "number", given=True) for name in ("lat1", "lon1", "lat2", "lon2", "hours")),
        *(Variable(name, "integer", least=0, most=4) for name in "abc"),
        *(Variable(name) for name in ("symptom_A", "test_B", "test_C", "diagnosis_D")),
        Variable("log", "events", values=("order", "ship", "payment", "withdrawal", "dose", "triage")),
    )
)


def test_every_example_of_the_help_page_is_bound_or_read():
    page = (Path(__file__).parents[2] / "resources" / "help" / "rules.md").read_text(encoding="utf-8")
    blocks = page.split("```")[1::2]
    texts = [block for block in blocks[1:] if block.lstrip().startswith("rule")]
    bound = [RuleSet.over(text, HELD) for text in texts]
    assert [len(rules.rules) for rules in bound] == [2, 4, 5]
    (pathway, same), *_ = (rules.rules for rules in bound)
    assert (pathway.bound.left, pathway.bound.right) == (same.bound.condition, same.bound.then)
    (clauses,) = (block for block in blocks if "p cnf" in block)
    assert parse_dimacs(clauses).variables == ("fever", "flu", "x3")


def test_the_examples_of_the_help_page_are_read():
    page = (Path(__file__).parents[2] / "resources" / "help" / "rules.md").read_text(encoding="utf-8")
    example = page.split("```")[1]
    assert [rule.name for rule in parse(example)] == ["low_safety", "", "tsh", "", ""]
    for words in ("40 levels", "64 parts", "256 KiB", "2 000 rules", "50 000 words and signs in one"):
        assert words in page
    assert (MOST_DEPTH, MOST_COUNTED, MOST_BYTES, MOST_RULES) == (40, 64, 256 * 1024, 2_000)
