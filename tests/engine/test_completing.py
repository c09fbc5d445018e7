"""What an editor asks of the language: colours of any text, and what may come next."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.logic.completing import HEAD, KEYWORDS, completions, tokens
from engine.logic.grammar import WORDS_OF_TOKENS
from engine.logic.language import parse
from engine.logic.lexicon import RESERVED
from engine.logic.vocabulary import Variable, Vocabulary

WORDS = Vocabulary(
    (
        Variable("safety", "category", given=True, values=("low", "very high")),
        Variable("blood pressure", "number", given=True, unit="mmHg", text="At rest."),
        Variable("fever", "flag", given=True),
        Variable("class", "category", values=("acc", "unacc")),
        Variable("beds", "integer", least=0, most=3),
        Variable("visit", "events", values=("test_b", "biopsy")),
    )
)


def offered(text: str) -> list[str]:
    return [c.text for c in completions(text, len(text), WORDS)]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in tokens(text)]


def test_every_piece_has_a_colour():
    text = (
        'rule "my rule" weight 3: # why\nIF x <= 3 then not chain response(a, b) before "y z" in {-1..2, @} "'
    )
    assert kinds(text) == [
        ("keyword", "rule"),
        ("title", '"my rule"'),
        ("keyword", "weight"),
        ("number", "3"),
        ("mark", ":"),
        ("comment", "# why"),
        ("keyword", "IF"),
        ("name", "x"),
        ("operator", "<="),
        ("number", "3"),
        ("keyword", "then"),
        ("form", "not"),
        ("form", "chain"),
        ("form", "response"),
        ("mark", "("),
        ("name", "a"),
        ("mark", ","),
        ("name", "b"),
        ("mark", ")"),
        ("keyword", "before"),
        ("text", '"y z"'),
        ("keyword", "in"),
        ("mark", "{"),
        ("number", "-1..2"),
        ("mark", ","),
        ("strange", "@"),
        ("mark", "}"),
        ("open text", '"'),
    ]
    assert kinds("CHAIN_RESPONSE(a)")[0] == ("form", "CHAIN_RESPONSE")
    assert kinds("rule weight: a + -3 +- b") == [
        ("keyword", "rule"),
        ("title", "weight"),
        ("mark", ":"),
        ("name", "a"),
        ("operator", "+"),
        ("number", "-3"),
        ("operator", "+-"),
        ("name", "b"),
    ]


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from('rule if(){}:,"#\\\n +-*/=<>.x1é😀\x00\r\t') | st.characters(), max_size=80))
def test_pieces_cover_any_text_but_its_spaces_and_anything_may_be_asked(text):
    spans = tokens(text)
    covered = [False] * len(text)
    for before, after in pairwise(spans):
        assert before.end <= after.start
    for span in spans:
        covered[span.start : span.end] = [True] * (span.end - span.start)
    assert all(here or char in " \t\n\f\r\u00a0" for here, char in zip(covered, text, strict=True))
    for position in range(0, len(text) + 1, 7):
        for offer in completions(text, position, WORDS):
            assert 0 <= offer.start <= position


def test_what_may_come_next_is_offered():
    assert offered("") == ["rule"]
    assert offered("rule x: fever\n ru") == ["rule"]
    first = offered("rule: ")
    assert first[:3] == ["safety", '"blood pressure"', "fever"]
    assert {"beds", "biopsy", "if", "not", "at most", "class", "all different(", "response("} <= set(first)
    assert not {"and", "then", "because", "visit", "in"} & set(first)
    after = offered("rule: fever ")
    assert {"and", "or", "before", "in", "not in", "is known", "because", "rule"} <= set(after)
    assert not {"fever", "if", "then"} & set(after)
    assert offered("rule: if fever th") == ["then"]
    assert offered("rule: if fever TH") == ["THEN"]


def test_values_are_those_of_the_variable_before():
    assert offered("rule: safety = ") == ["low", '"very high"']
    assert offered("rule: safety not in {low, ") == ["low", '"very high"']
    assert offered("rule: class != un") == ["unacc"]
    assert offered("rule: class in {") == ["acc", "unacc"]
    assert offered("rule: beds <= ")[:4] == ["0", "1", "2", "3"]
    assert offered("rule: fever = y") == ["yes"]
    assert offered('rule: "blood pressure" ≤ bed') == ["beds"]


def test_events_are_offered_in_templates_and_in_no_vocabulary_without_them():
    assert offered("rule: chain response(test_b, ")[:2] == ["test_b", "biopsy"]
    assert "fever" not in offered("rule: chain response(test_b, ")
    few = Vocabulary(WORDS.variables[:3])
    texts = {c.text for c in completions("rule: ", 6, few)}
    assert "table(" in texts
    assert not {"response(", "class", "absence("} & texts


def test_what_is_typed_narrows_and_is_replaced():
    (found,) = completions("rule: if pressur", 16, WORDS)
    assert (found.text, found.start, found.kind) == ('"blood pressure"', 9, "name")
    assert found.help == "A fact, a number in mmHg. At rest."
    text = 'rule: "bl'
    assert [(c.text, c.start) for c in completions(text, len(text), WORDS)] == [('"blood pressure"', 6)]
    assert offered("rule x # remark") == []
    assert offered("rule x wei") == ["weight"]
    assert offered("rule: fever fever") == []


def test_every_word_of_the_language_has_help_and_an_example_that_is_read():
    words = {word for offers in KEYWORDS.values() for word, _, _ in offers}
    assert {part for word in words for part in word.split()} == RESERVED | {"before"}
    assert set(KEYWORDS) <= set(WORDS_OF_TOKENS)
    for word, help, example in [*HEAD, *(offer for offers in KEYWORDS.values() for offer in offers)]:
        assert help.endswith(".")
        assert word in example
        parse(example if example.startswith("rule") else f"rule: {example}")


@pytest.mark.parametrize(
    "text", ["rule: if fever then safety = low and beds <= 2 because", "rule x weight 2: ("]
)
def test_every_beginning_of_a_rule_may_go_on_with_something_offered(text):
    for end in range(text.index(":") + 1, len(text) + 1):
        if text[end - 1] == " " and text[end - 2] not in "=<>0123456789":
            assert offered(text[:end])


EVENTS = Vocabulary((Variable("way", "events", values=("order", "ship", "hail")),))


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("rule: response(order, ship, within ", []),
        ("rule: response(order, ship, within 3 ", ["ms", "s", "min", "h", "days", "weeks"]),
        ("rule: response(order, ship, within 3 d", ["days"]),
        ("rule: gap(order, ship, 3 ", ["ms", "s", "min", "h", "days", "weeks"]),
        ("rule: existence(order, 3 ", []),
    ],
)
def test_units_of_time_are_offered_after_numbers_of_windows(text, offered):
    assert [c.text for c in completions(text, len(text), EVENTS)] == offered


def test_words_before_numbers_are_offered_in_a_template():
    text = "rule: response(order, ship, "
    assert [c.text for c in completions(text, len(text), EVENTS)][:4] == ["order", "ship", "hail", "within"]


def test_lengths_of_time_have_the_colour_of_numbers():
    text = "rule: response(s, h, within 3 days) and gap(s, h, 2 h) and cooldown(h, 4h) and days"
    spans = [(text[s.start : s.end], s.kind) for s in tokens(text)]
    assert [piece for piece, kind in spans if kind == "number"] == ["3", "days", "2", "h"]
    assert ("4h", "name") in spans  # an event of that name, as the parser reads it
    joined = "rule: response(s, h, within 3h)"
    assert "3h" in [joined[s.start : s.end] for s in tokens(joined) if s.kind == "number"]
