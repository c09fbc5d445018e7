"""logic/semantic.py and gates.py against sums over every answer, and gradients against finite differences."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RuleError
from engine.logic import semantic
from engine.logic.gates import exact
from engine.logic.lowering import lowered
from engine.logic.ruleset import RuleSet
from engine.logic.semantic import Conditioning, SemanticLoss
from engine.logic.vocabulary import Variable, Vocabulary

SEVERAL = Vocabulary(
    (
        Variable("size", "category", given=True, values=("low", "high")),
        Variable("x", "number", given=True),
        Variable("kind", "category", values=("a", "b", "c")),
        Variable("p"),
        Variable("q"),
        Variable("dose", "integer", least=0, most=2),
    )
)
ONE = Vocabulary((*SEVERAL.variables[:2], Variable("class", "category", values=("a", "b", "c"))))
WIDTHS = {"kind": 3, "class": 3, "p": 1, "q": 1, "dose": 3}
ATOMS = [
    "size = low",
    "x < 3",
    "x >= 5",
    "kind = a",
    "kind in {b, c}",
    "p = yes",
    "q = no",
    "dose > 0",
    "dose = 2",
]


def formula(rng, atoms, depth):
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(atoms)
    one, other, third = (formula(rng, atoms, depth - 1) for _ in range(3))
    return rng.choice(
        [
            f"(not {one})",
            f"({one} and {other})",
            f"({one} or {other})",
            f"({one} iff {other})",
            f"({one} xor {other})",
            f"(if {one} then {other} else {third})",
            f"at least 2 of ({one}, {other}, {third})",
            f"exactly 1 of ({one}, {other}, {third})",
        ]
    )


def random_set(rng, vocabulary):
    names = {v.name for v in vocabulary.variables}
    atoms = [a.replace("kind", "class") if "class" in names else a for a in ATOMS]
    atoms = [a for a in atoms if a.split()[0] in names]
    text = "\n".join(f"rule r{i}: {formula(rng, atoms, 3)}" for i in range(rng.randint(1, 4)))
    rules = RuleSet.over(text, vocabulary)
    soft = tuple(replace(r, weight=rng.choice([None, None, 0.7, 2.0])) for r in rules.rules)
    return replace(rules, rules=soft)


def records(rng, vocabulary, n):
    facts = np.stack([rng.choice([0.0, 1.0, np.nan], n), rng.choice([1.0, 4.0, 6.0, np.nan], n)], axis=1)
    width = sum(WIDTHS[v.name] for v in vocabulary.decided)
    return facts, rng.normal(0, 2, (n, width))


def summed(rules, facts, scores):
    """Return compliance, (n,), and the probability of every value given the rules, by every answer."""
    decided = rules.vocabulary.decided
    answers = np.array(list(itertools.product(*(range(len(v.names)) for v in decided))))
    starts = np.cumsum([0, *(WIDTHS[v.name] for v in decided)])
    total, true = np.zeros(len(facts)), np.zeros(scores.shape)
    for answer in answers:
        weight = np.ones(len(facts))
        for v, start, value in zip(decided, starts, answer, strict=False):
            those = scores[:, start : start + WIDTHS[v.name]]
            if v.kind == "flag":
                weight *= 1 / (1 + np.exp(-those[:, 0] * (1 if value else -1)))
            else:
                weight *= np.exp(those[:, value]) / np.exp(those).sum(1)
        broken = rules.broken(facts, np.tile(answer, (len(facts), 1)))
        for i, rule in enumerate(rules.rules):
            weight *= np.where(broken[:, i], 0.0 if rule.weight is None else np.exp(-rule.weight), 1.0)
        total += weight
        for v, start, value in zip(decided, starts, answer, strict=False):
            if v.kind != "flag":
                true[:, start + value] += weight
            elif value:
                true[:, start] += weight
    return total, true


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_probabilities_are_sums_over_every_answer(seed, several):
    rng, chance = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    rules = random_set(rng, SEVERAL if several else ONE)
    facts, scores = records(chance, rules.vocabulary, 6)
    found = Conditioning(rules)(facts, scores)
    total, true = summed(rules, facts, scores)
    assert found.compliance == pytest.approx(total, abs=1e-9)
    sure = total > 1e-12
    # A soft rule costs whole ten-thousandths of a nat.
    assert found.after[sure] == pytest.approx(true[sure] / total[sure, None], abs=1e-4)


@pytest.mark.parametrize("widest", [1, 4_000])
def test_diagrams_and_answers_one_by_one_agree(monkeypatch, widest):
    monkeypatch.setattr(semantic, "WIDEST", widest)
    text = "rule a: if size = low then kind = a or p = yes\n"
    text += "rule b: if x < 3 then exactly 1 of (p = yes, dose = 2)"
    rules = RuleSet.over(text, SEVERAL)
    rules = replace(rules, rules=(rules.rules[0], replace(rules.rules[1], weight=1.5)))
    facts, scores = records(np.random.default_rng(0), SEVERAL, 40)
    conditioning = Conditioning(rules)
    assert type(conditioning._engine).__name__ == ("_Answers" if widest == 1 else "_Diagrams")
    found = conditioning(facts, scores)
    total, true = summed(rules, facts, scores)
    assert found.compliance == pytest.approx(total, abs=1e-9)
    assert found.after == pytest.approx(true / total[:, None], abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_gradient_is_that_of_finite_differences(seed, several):
    rng, chance = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    rules = random_set(rng, SEVERAL if several else ONE)
    facts, scores = records(chance, rules.vocabulary, 4)
    conditioning = Conditioning(rules)
    loss, grad, _ = conditioning.loss(facts, scores)
    assert (loss >= 0).all()
    for v in range(scores.shape[1]):
        step = np.zeros(scores.shape[1])
        step[v] = 1e-5
        up, down = (conditioning.loss(facts, scores + s)[0] for s in (step, -step))
        assert grad[:, v] == pytest.approx((up - down) / 2e-5, abs=1e-6)


def test_helpers_are_true_exactly_where_their_gates_hold():
    text = "rule r: exactly 1 of ((p = yes and q = yes), (kind = a and dose > 0), (p = no and dose = 2))"
    compiled = lowered(RuleSet.over(text, SEVERAL))
    assert compiled.helpers.any()
    form = exact(compiled.form, compiled.helpers)
    every = np.array(list(itertools.product((False, True), repeat=len(form.variables))), bool)
    allowed = every[form.holds(every).all(1)]
    decided = allowed[:, form.given : form.given + compiled.scores]
    assert len(np.unique(decided, axis=0)) == len(decided) > 0


def test_where_the_rules_cannot_be_kept_there_is_nothing_to_learn():
    rules = RuleSet.over("rule a: class = a\nrule b: if size = low then class = b", ONE)
    facts, scores = np.array([[0.0, 1.0], [1.0, 1.0]]), np.zeros((2, 3))
    loss, grad, found = Conditioning(rules).loss(facts, scores)
    assert loss.tolist() == [0.0, pytest.approx(np.log(3))]
    assert not grad[0].any()
    assert grad[1] == pytest.approx([1 / 3 - 1, 1 / 3, 1 / 3])
    assert found.after[0] == pytest.approx([1 / 3] * 3)


def test_the_term_of_a_training_is_the_mean_and_says_how_well_rules_are_kept():
    rules = RuleSet.over("rule a: if size = low then class != a", ONE)
    term = SemanticLoss(rules)
    assert term.figures() == {}
    scores = np.log(np.array([[8, 1, 1], [1, 8, 1], [8, 1, 1], [2, 4, 4]], np.float32))
    facts = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0], [np.nan, 1.0]])
    loss, grad = term(scores, facts, None)
    assert loss == pytest.approx([-np.log(0.2), -np.log(0.9), 0, 0], rel=1e-6, abs=1e-6)
    assert grad.dtype == np.float32
    assert grad[0] == pytest.approx(np.array([0.8, 0.1 - 0.5, 0.1 - 0.5]) / 4, rel=1e-5)
    assert not grad[2:].any()
    assert term.figures() == {"kept": pytest.approx((0.2 + 0.9 + 2) / 4), "broken": 0.25}


def test_rules_that_no_diagram_holds_are_refused(monkeypatch):
    monkeypatch.setattr(semantic, "WIDEST", 1)
    monkeypatch.setattr(semantic, "MOST_ANSWERS", 8)
    text = "rule r: at least 2 of (kind = a, p = yes, q = yes, dose = 1)"
    with pytest.raises(RuleError, match="too closely"):
        Conditioning(RuleSet.over(text, SEVERAL))
