"""Rules of every form, repaired by the engines and by trying every answer."""

from __future__ import annotations

import numpy as np
import pytest
from form_texts import FACTS, MEANINGS, WORDS
from hypothesis import given, settings
from hypothesis import strategies as st
from random_formulas import check_lowered, softened

from engine.logic.ruleset import RuleSet

TEXTS = [text for text, _ in MEANINGS]
RECORDS = np.array([*FACTS, (np.nan, 1.0, 1.0, 0.0), (0.5, 0.0, np.nan, np.nan)])
SCORES = 4 + 4 + 3 + 1 + 1 + 3  # one a value, one a flag


def check_repaired(texts: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = softened(RuleSet.over("".join(f"rule: {text}\n" for text in texts), WORDS), rng)
    scores = (rng.integers(-6, 7, (len(RECORDS), SCORES)) / 2).astype(np.float32)
    check_lowered(rules, RECORDS, scores)


@pytest.mark.parametrize("text", TEXTS)
def test_a_rule_of_every_form_costs_what_every_answer_tried_costs(text):
    check_repaired([text], 0)
    check_repaired([f"not ({text})"], 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TEXTS), min_size=2, max_size=5), st.integers(0, 2**32))
def test_rules_of_several_forms_cost_what_every_answer_tried_costs(texts, seed):
    check_repaired([*texts[1:], f"if {texts[0]} then {texts[1]}"], seed)
