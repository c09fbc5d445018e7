"""Explanations of repaired sequences, and what examining rules over sequences finds."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from drawn_sequences import EVENTS, drawn_rules

from engine.logic.sequences.engine import IMPOSSIBLE, SequenceEngine
from engine.logic.sequences.examine import core_of, examined
from engine.logic.sequences.explain import explain
from engine.logic.sequences.rule import Call, SequenceRule


def call(name, *places, **numbers):
    return Call(name, tuple((p,) if isinstance(p, str) else p for p in places), tuple(numbers.items()))


def engine_of(*calls, weight=None):
    rules = [SequenceRule(f"r{i}", c, weight, "because it must", "a book") for i, c in enumerate(calls)]
    return SequenceEngine(rules, EVENTS)


def repaired(engine, *sequences, impossible=()):
    labels = np.array([[EVENTS.index(e) for e in s] for s in sequences], np.int32)
    costs = np.full((*labels.shape, 4), 10, np.int64)
    np.put_along_axis(costs, labels[..., None].astype(np.int64), 0, 2)
    for t, e in impossible:
        costs[:, t, EVENTS.index(e)] = IMPOSSIBLE
    lengths = np.full(len(labels), labels.shape[1])
    done = engine(labels, costs, lengths)
    return [explain(engine, labels, costs, lengths, done, i) for i in range(len(labels))]


def test_that_a_change_says_which_rule_and_where():
    engine = engine_of(call("precedence", "a", "b"), call("response", "c", "d", within=2))
    first, second, third = repaired(engine, "acbd", "cbda", "dcaa")
    assert (first.status, first.changes, first.broken) == ("allowed", (), ())
    assert [(b.name, b.place, b.where) for b in second.broken] == [("r0", 1, "at step 2, b")]
    assert second.decisive == ("r0",)
    assert len(second.changes) == 1
    assert second.broken[0].words == "b happens only after a"
    assert "(r0: because it must, at step 2, b)" in second.why
    assert [(b.name, b.place) for b in third.broken] == [("r1", 3)]
    assert third.left == ()


def test_that_what_ends_too_soon_is_broken_by_the_end():
    engine = engine_of(call("response", "a", "b"))
    (told,) = repaired(engine, "caac")
    assert (told.broken[0].place, told.broken[0].where) == (None, "by the end")
    assert told.broken[0].words == "every a is followed by b"


def test_that_a_soft_rule_may_stay_broken():
    engine = engine_of(call("absence", "a"), weight=3)
    (told,) = repaired(engine, "abcd")
    assert told.status == "optimal"
    assert told.changes == ()
    assert [b.name for b in told.left] == ["r0"]
    assert "every change would cost more" in told.why


def test_that_nothing_left_names_a_minimal_conflict():
    engine = engine_of(call("absence", "c"), call("existence", "a"), call("precedence", "b", "a"))
    (told,) = repaired(engine, "ab", impossible=[(0, "b")])
    assert told.status == "none"
    assert told.decisive == ("r1", "r2")
    assert told.why == "No sequence of 2 of these events keeps r1 and r2 together."
    assert told.fixed == told.said


SHORT = [s for n in range(5) for s in itertools.product(range(4), repeat=n)]


@pytest.mark.parametrize("seed", range(25))
def test_that_examining_agrees_with_every_short_sequence(seed):
    rules = drawn_rules(random.Random(seed), 4, soft=0.25)  # noqa: S311
    engine = SequenceEngine(rules, EVENTS)
    found = examined(engine.automata, engine.weights)
    hard = [i for i, rule in enumerate(rules) if rule.weight is None]
    kept = [{i for i, a in enumerate(engine.automata) if a.holds(s)} for s in SHORT]
    allowed = [s for s, held in zip(SHORT, kept, strict=True) if held >= set(hard)]
    if allowed:
        assert found.satisfiable
        assert found.shortest is not None
        assert len(found.shortest) == min(map(len, allowed))
        assert found.shortest in allowed
    if not found.satisfiable:
        assert not allowed
        core = set(found.core)
        assert core_of([engine.automata[i] for i in core]) == tuple(range(len(core)))
        for one in core:
            assert not core_of([engine.automata[i] for i in core - {one}])
    for i, example in found.witnesses:
        held = {j for j, a in enumerate(engine.automata) if a.holds(example)}
        assert i not in held
        assert held >= set(hard) - {i}
    for i in found.redundant:
        assert all(i in held for held in kept if held >= set(hard) - {i})
    for i in found.impossible:
        assert not any(held >= {*hard, i} for held in kept)
    if found.satisfiable:
        told = {*found.redundant, *(i for i, _ in found.witnesses), *found.open}
        assert told == set(range(len(rules)))


def test_that_too_large_a_product_leaves_rules_open():
    rules = [call("limit", e, 3, per=9) for e in "abc"]
    engine = engine_of(*rules)
    found = examined(engine.automata, engine.weights, most=100)
    assert found.satisfiable is None
    assert found.open == (0, 1, 2)
