"""Every sequence template against its published definition: LTL over finite traces, and regular expressions.

The formulas are those of De Giacomo, De Masellis & Montali (AAAI 2014); the regular expressions those of Di
Ciccio & Mecella as MINERful (github.com/cdc08x/MINERful) prints them. What has no formula is counted out.
"""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest
from drawn_sequences import drawn_costs
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RuleError
from engine.logic.sequences.automaton import Automaton, automaton_of
from engine.logic.sequences.engine import SequenceEngine
from engine.logic.sequences.rule import Call, SequenceRule
from engine.logic.sequences.templates import TEMPLATES, find_template

A, B, C, D = (frozenset([i]) for i in range(4))
SHORT = [s for n in range(6) for s in itertools.product(range(3), repeat=n)]

# LTL over finite traces, straight from its definition: a formula is (trace, place) -> bool.


def atom(events):
    return lambda t, i: i < len(t) and t[i] in events


def no(f):
    return lambda t, i: not f(t, i)


def conj(f, g):
    return lambda t, i: f(t, i) and g(t, i)


def implies(f, g):
    return lambda t, i: not f(t, i) or g(t, i)


def following(f):
    return lambda t, i: i + 1 < len(t) and f(t, i + 1)


def weakly_following(f):
    return lambda t, i: i + 1 >= len(t) or f(t, i + 1)


def eventually(f):
    return lambda t, i: any(f(t, j) for j in range(i, len(t)))


def always(f):
    return lambda t, i: all(f(t, j) for j in range(i, len(t)))


def until(f, g):
    return lambda t, i: any(g(t, j) and all(f(t, k) for k in range(i, j)) for j in range(i, len(t)))


def weak_until(f, g):
    return lambda t, i: until(f, g)(t, i) or always(f)(t, i)


a, b = atom(A), atom(B)
RESPONSE = always(implies(a, eventually(b)))
PRECEDENCE = weak_until(no(b), a)
ALT_RESPONSE = always(implies(a, following(until(no(a), b))))
ALT_PRECEDENCE = conj(PRECEDENCE, always(implies(b, weakly_following(PRECEDENCE))))
CHAIN_RESPONSE = always(implies(a, following(b)))
CHAIN_PRECEDENCE = conj(no(b), always(implies(following(b), a)))
BOTH = conj(eventually(a), eventually(b))

FORMULAS = {
    "existence": eventually(a),
    "absence": no(eventually(a)),
    "exactly": conj(eventually(a), always(implies(a, no(following(eventually(a)))))),
    "init": a,
    "end": eventually(conj(a, no(following(lambda t, i: True)))),
    "choice": lambda t, i: eventually(a)(t, i) or eventually(b)(t, i),
    "exclusive choice": lambda t, i: eventually(a)(t, i) != eventually(b)(t, i),
    "responded existence": implies(eventually(a), eventually(b)),
    "co-existence": conj(implies(eventually(a), eventually(b)), implies(eventually(b), eventually(a))),
    "response": RESPONSE,
    "precedence": PRECEDENCE,
    "succession": conj(RESPONSE, PRECEDENCE),
    "alternate response": ALT_RESPONSE,
    "alternate precedence": ALT_PRECEDENCE,
    "alternate succession": conj(ALT_RESPONSE, ALT_PRECEDENCE),
    "chain response": CHAIN_RESPONSE,
    "chain precedence": CHAIN_PRECEDENCE,
    "chain succession": conj(CHAIN_RESPONSE, CHAIN_PRECEDENCE),
    "not co-existence": no(BOTH),
    "not succession": always(implies(a, no(eventually(b)))),
    "not chain succession": always(implies(a, no(following(b)))),
    "before": PRECEDENCE,
}

REGULAR = {
    "existence": "[^a]*(a[^a]*)+[^a]*",
    "init": "a.*",
    "end": ".*a",
    "responded existence": "[^a]*((a.*b.*)|(b.*a.*))*[^a]*",
    "co-existence": "[^ab]*((a.*b.*)|(b.*a.*))*[^ab]*",
    "response": "[^a]*(a.*b)*[^a]*",
    "precedence": "[^b]*(a.*b)*[^b]*",
    "succession": "[^ab]*(a.*b)*[^ab]*",
    "alternate response": "[^a]*(a[^a]*b[^a]*)*[^a]*",
    "alternate precedence": "[^b]*(a[^b]*b[^b]*)*[^b]*",
    "alternate succession": "[^ab]*(a[^ab]*b[^ab]*)*[^ab]*",
    "chain response": "[^a]*(ab[^a]*)*[^a]*",
    "chain precedence": "[^b]*(ab[^b]*)*[^b]*",
    "chain succession": "[^ab]*(ab[^ab]*)*[^ab]*",
    "not co-existence": "[^ab]*((a[^b]*)|(b[^a]*))?",
    "not succession": "[^a]*(a[^b]*)*[^ab]*",
    "not chain succession": "[^a]*(aa*[^ab][^a]*)*([^a]*|a*)",
}
ONE = {"existence", "absence", "exactly", "init", "end"}


def machine(name: str, *places, events: int = 4, **numbers) -> Automaton:
    found = find_template(name)
    assert found
    return automaton_of(found.behaviour(places, **numbers), events)


def plain(name: str) -> Automaton:
    return machine(name, *((A,) if name in ONE else (A, B)), events=3)


@pytest.mark.parametrize("name", FORMULAS)
def test_that_an_automaton_accepts_what_its_formula_says(name):
    automaton = plain(name)
    wrong = [s for s in SHORT if automaton.holds(s) != FORMULAS[name](s, 0)]
    assert not wrong


@pytest.mark.parametrize("name", REGULAR)
def test_that_an_automaton_accepts_what_its_regular_expression_says(name):
    automaton, pattern = plain(name), re.compile(REGULAR[name])
    texts = ["".join("abc"[e] for e in s) for s in SHORT]
    wrong = [t for s, t in zip(SHORT, texts, strict=True) if automaton.holds(s) != bool(pattern.fullmatch(t))]
    assert not wrong


def test_that_every_template_has_a_definition_here():
    counted = {"limit", "quota", "gap", "cooldown", "deadline"}
    in_time = {"speed"}  # test_timed_rules.py
    assert set(TEMPLATES) == set(FORMULAS) | counted | in_time


# With numbers, counted out over the whole sequence

sequences = st.lists(st.integers(0, 3), max_size=14).map(tuple)
small = st.integers(1, 5)


def places(s, events):
    return [i for i, e in enumerate(s) if e in events]


def windows(s, per):
    return [s[i : i + per] for i in range(len(s) - per + 1)] or []


@settings(max_examples=400)
@given(sequences, small)
def test_that_counts_are_counted(s, n):
    count = len(places(s, A))
    assert machine("existence", A, n).holds(s) == (count >= n)
    assert machine("absence", A, n).holds(s) == (count < n)
    assert machine("exactly", A, n).holds(s) == (count == n)
    assert machine("deadline", A, n).holds(s) == bool(places(s[:n], A))


@settings(max_examples=400)
@given(sequences, small)
def test_that_within_counts_steps(s, k):
    answered = all(any(i < j <= i + k for j in places(s, B)) for i in places(s, A))
    prepared = all(any(j - k <= i < j for i in places(s, A)) for j in places(s, B))
    assert machine("response", A, B, within=k).holds(s) == answered
    assert machine("precedence", A, B, within=k).holds(s) == prepared
    assert machine("succession", A, B, within=k).holds(s) == (answered and prepared)


@settings(max_examples=400)
@given(sequences, st.integers(0, 4), st.integers(1, 5))
def test_that_windows_slide(s, k, per):
    short = [s] if len(s) < per else windows(s, per)
    assert machine("limit", A, k, per=per).holds(s) == all(len(places(w, A)) <= k for w in short)
    assert machine("quota", A, k, per=per).holds(s) == all(len(places(w, A)) >= k for w in windows(s, per))


@settings(max_examples=400)
@given(sequences, st.integers(0, 5))
def test_that_a_gap_lies_between(s, k):
    apart = all(j - i >= k for i in places(s, A) for j in places(s, B) if j > i)
    assert machine("gap", A, B, k).holds(s) == apart
    alone = all(j - i >= k for i in places(s, A) for j in places(s, A) if j > i)
    assert machine("cooldown", A, k).holds(s) == alone


@settings(max_examples=400)
@given(sequences)
def test_that_the_last_needs_all_the_others_before_it(s):
    kept = all({0, 1, 2} <= set(s[:j]) for j in places(s, D))
    assert machine("before", A, B, C, D).holds(s) == kept
    assert machine("exclusive choice", A, B, C).holds(s) == (len(set(s) & {0, 1, 2}) == 1)


@settings(max_examples=200)
@given(sequences, st.sampled_from(sorted(set(REGULAR) - ONE)))
def test_that_several_events_stand_for_one(s, name):
    """Branched: where `a` is any of two events, and `b` too, it is as if they were one event each."""
    merged = tuple({0: 0, 1: 0, 2: 1, 3: 1}[e] for e in s)
    assert machine(name, A | B, C | D).holds(s) == machine(name, A, B).holds(merged)


# Repair against enumeration by these definitions: no automaton judges here


def least(costs, weights, truths):
    """The least cost over all sequences of three events, -1 where none is allowed; by formulas alone."""
    best = -1
    for s in itertools.product(range(3), repeat=len(costs)):
        broken = [i for i, truth in enumerate(truths) if not truth(s, 0)]
        if any(weights[i] is None for i in broken):
            continue
        total = sum(int(costs[t, e]) for t, e in enumerate(s)) + sum(weights[i] for i in broken)
        best = total if best < 0 else min(best, total)
    return best


def exchanged(formula):
    """The same formula with the events 0 and 1 exchanged."""
    other = {0: 1, 1: 0, 2: 2}
    return lambda t, i: formula(tuple(other[e] for e in t), i)


@pytest.mark.parametrize("seed", range(40))
def test_that_repair_costs_what_the_formulas_say(seed):
    rng, draw = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    names = [rng.choice(sorted(FORMULAS)) for _ in range(rng.randint(1, 4))]
    turned = [rng.random() < 0.5 for _ in names]
    truths = [exchanged(FORMULAS[n]) if t else FORMULAS[n] for n, t in zip(names, turned, strict=True)]
    weights = [rng.randint(1, 60) if rng.random() < 0.4 else None for _ in names]
    rules = []
    for name, turn, weight in zip(names, turned, weights, strict=True):
        a, b = (("b",), ("a",)) if turn else (("a",), ("b",))
        rules.append(SequenceRule(name, Call(name, (a,) if name in ONE else (a, b)), weight))
    labels, costs = drawn_costs(draw, 20, 5, 3, impossible=0)
    lengths = draw.integers(0, 6, 20)
    done = SequenceEngine(rules, ("a", "b", "c"))(labels, costs, lengths)
    assert done.costs.tolist() == [least(c[:k], weights, truths) for c, k in zip(costs, lengths, strict=True)]
    for r, k in enumerate(lengths):
        answer = tuple(done.labels[r, :k].tolist())
        broken = [i for i, truth in enumerate(truths) if not truth(answer, 0)]
        if done.costs[r] >= 0:
            paid = sum(int(costs[r, t, e]) for t, e in enumerate(answer))
            assert not any(weights[i] is None for i in broken)
            assert done.costs[r] == paid + sum(weights[i] for i in broken)


# What is wrong gets a sentence


@pytest.mark.parametrize(
    ("name", "given_places", "numbers"),
    [
        ("response", (A,), {}),
        ("response", (A, B, C), {}),
        ("response", (A, A), {}),
        ("response", (A, 3), {}),
        ("response", (A, B), {"within": 0}),
        ("response", (A, B), {"per": 3}),
        ("limit", (A, 3), {}),
        ("limit", (A, B), {"per": 3}),
        ("existence", (A, 0), {}),
        ("existence", (A, 10**9), {}),
        ("choice", (A,), {}),
        ("before", (A,), {}),
        ("before", (A, B, A), {}),
        ("exactly", (A, 100_000), {}),
        ("limit", (A, 20), {"per": 40}),
    ],
)
def test_that_a_wrong_call_gets_a_sentence(name, given_places, numbers):
    with pytest.raises(RuleError) as caught:
        machine(name, *given_places, **numbers)
    assert str(caught.value).endswith(".")


def test_that_names_are_found_in_any_case_and_by_alias():
    assert find_template("Not  CoExistence") is TEMPLATES["not co-existence"]
    assert find_template("chain_response") is TEMPLATES["chain response"]
    assert find_template("respond") is None


@pytest.mark.parametrize("name", TEMPLATES)
def test_that_the_example_fits_the_signature(name):
    template = TEMPLATES[name]
    assert template.example.startswith(f"{name}(")
    named = {slot.name for slot in template.slots}
    used = set(re.findall(r"{(\w+)}", template.words))
    assert used <= named | {"last"}
