"""Repair of sequences against brute force over every sequence, and its engines against one another."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from drawn_sequences import EVENTS, drawn_costs, drawn_rules

from engine.errors import RuleError
from engine.logic.formula import And, Count, Iff, IfThen, Implies, Not, Or, Xor
from engine.logic.pipeline import NONE
from engine.logic.sequences.automaton import Automaton
from engine.logic.sequences.engine import RC2, SEARCH, TOOLS, SequenceEngine
from engine.logic.sequences.product import NEVER, Product, minimal, product_of
from engine.logic.sequences.rule import Call, SequenceRule, automaton_for, words_of
from engine.logic.solver import Solver


def brute(rules, automata, costs) -> int:
    """The least cost over every sequence, -1 where none is allowed."""
    best = -1
    for sequence in itertools.product(range(costs.shape[1]), repeat=len(costs)):
        paid = [int(costs[t, e]) for t, e in enumerate(sequence)]
        if min(paid, default=0) < 0:
            continue
        broken = [r for r, a in zip(rules, automata, strict=True) if not a.holds(sequence)]
        if any(r.weight is None for r in broken):
            continue
        total = sum(paid) + sum(r.weight for r in broken)
        best = total if best < 0 else min(best, total)
    return best


def cost_of(engine, labels, costs, length) -> int:
    """What an answer costs, by the plain walk of each automaton; -1 where it is not allowed."""
    sequence = labels[:length].tolist()
    paid = [int(costs[t, e]) for t, e in enumerate(sequence)]
    broken = [r for r, a in zip(engine.rules, engine.automata, strict=True) if not a.holds(sequence)]
    if min(paid, default=0) < 0 or any(r.weight is None for r in broken):
        return -1
    return sum(paid) + sum(r.weight for r in broken)


@pytest.mark.parametrize("seed", range(60))
def test_that_every_engine_finds_what_brute_force_finds(seed):
    rng, draw = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    rules = drawn_rules(rng, rng.randint(1, 5))
    labels, costs = drawn_costs(draw, 40, 5, 4)
    lengths = draw.integers(0, 6, 40)
    engines = [SequenceEngine(rules, EVENTS, only=only) for only in (None, "groups", "search")]
    wanted = [brute(rules, engines[0].automata, c[:k]) for c, k in zip(costs, lengths, strict=True)]
    for engine in engines:
        done = engine(labels, costs, lengths)
        assert done.costs.tolist() == wanted
        for i, k in enumerate(lengths):
            assert cost_of(engine, done.labels[i], costs[i], k) == wanted[i]
            assert np.array_equal(done.labels[i, k:], labels[i, k:])
            assert done.words(i)[0] == ("none" if wanted[i] < 0 else done.words(i)[0])


@pytest.mark.parametrize("seed", range(4))
def test_that_rc2_finds_the_same(seed):
    rng, draw = random.Random(100 + seed), np.random.default_rng(seed)  # noqa: S311
    rules = drawn_rules(rng, 3)
    labels, costs = drawn_costs(draw, 6, 5, 4)
    lengths = draw.integers(0, 6, 6)
    solver = Solver()
    try:
        done = SequenceEngine(rules, EVENTS, only="rc2", solver=solver)(labels, costs, lengths)
    finally:
        solver.close()
    plain = SequenceEngine(rules, EVENTS)(labels, costs, lengths)
    assert done.costs.tolist() == plain.costs.tolist()
    asked = done.tool != 0
    assert set(done.tool[asked].tolist()) <= {RC2}
    assert np.array_equal(done.status == NONE, plain.status == NONE)


@pytest.mark.parametrize("seed", range(6))
def test_that_longer_sequences_cost_the_same_in_32_and_64_bits_and_in_groups(seed):
    rng, draw = random.Random(200 + seed), np.random.default_rng(seed)  # noqa: S311
    events = tuple("abcdefgh")
    rules = drawn_rules(rng, 8, events, 0.5)
    labels, costs = drawn_costs(draw, 50, 24, 8, 0.01)
    lengths = draw.integers(10, 25, 50)
    engine = SequenceEngine(rules, events)
    done = engine(labels, costs, lengths)
    split = SequenceEngine(rules, events, only="groups", most_states=200_000)(labels, costs, lengths)
    searched = SequenceEngine(rules, events, only="search")(labels, costs, lengths)
    heavy = [SequenceRule(r.name, r.body, None if r.weight is None else r.weight << 30) for r in rules]
    wide = SequenceEngine(heavy, events)(labels, np.where(costs < 0, costs, costs << 30), lengths)
    assert done.costs.tolist() == split.costs.tolist() == searched.costs.tolist()
    assert SEARCH in searched.tool
    assert np.where(done.costs < 0, -1, done.costs << 30).tolist() == wide.costs.tolist()
    assert np.array_equal(done.labels, wide.labels)
    for i, k in enumerate(lengths):
        for answer in (done, split, searched):
            assert cost_of(engine, answer.labels[i], costs[i], k) == done.costs[i]


def test_that_a_sequence_gets_the_same_answer_in_any_batch():
    rng, draw = random.Random(5), np.random.default_rng(5)  # noqa: S311
    rules = drawn_rules(rng, 5)
    labels, costs = drawn_costs(draw, 70, 12, 4)
    lengths = draw.integers(0, 13, 70)
    for only in (None, "groups", "search"):
        engine = SequenceEngine(rules, EVENTS, only=only)
        whole = engine(labels, costs, lengths)
        for i in (0, 13, 69):
            alone = engine(labels[i : i + 1], costs[i : i + 1], lengths[i : i + 1])
            assert np.array_equal(alone.labels[0], whole.labels[i])
            assert alone.costs[0] == whole.costs[i]
            assert alone.words(0) == whole.words(i)


def test_that_rules_too_large_for_a_product_are_searched():
    draw = np.random.default_rng(1)
    events = tuple("abcde")
    calls = [Call("limit", ((e,), 1), (("per", 5),)) for e in events]
    calls += [Call("response", ((a,), (b,)), (("within", 4),)) for a, b in itertools.pairwise(events)]
    rules = [SequenceRule(str(i), c, 20 if i % 3 == 0 else None) for i, c in enumerate(calls)]
    labels, costs = drawn_costs(draw, 16, 6, 5, 0)
    lengths = draw.integers(3, 7, 16)
    engine = SequenceEngine(rules, events, most_states=60)
    done = engine(labels, costs, lengths)
    assert SEARCH in done.tool
    assert set(done.tool[done.status == NONE].tolist()) <= {SEARCH, 2}
    for i, k in enumerate(lengths):
        assert cost_of(engine, done.labels[i], costs[i], k) == done.costs[i] or done.costs[i] < 0
        assert done.costs[i] == plain_least(engine, costs[i, :k])


def plain_least(engine, costs):
    """The least cost over tuples of states, in a dictionary, step by step; -1 where none is allowed."""
    automata, weights = engine.automata, engine.weights
    hard = [i for i, w in enumerate(weights) if w is None]
    ways = {(0,) * len(automata): 0}
    for step in costs.tolist():
        after = {}
        for states, paid in ways.items():
            for event, cost in enumerate(step):
                to = tuple(int(a.moves[s, event]) for a, s in zip(automata, states, strict=True))
                if cost >= 0 and all(automata[i].alive[to[i]] for i in hard):
                    after[to] = min(after.get(to, 1 << 60), paid + cost)
        ways = after
    ends = [
        c + sum(w or 0 for a, q, w in zip(automata, s, weights, strict=True) if not a.accepts[q])
        for s, c in ways.items()
        if all(automata[i].accepts[s[i]] for i in hard)
    ]
    return min(ends, default=-1)


def test_that_an_allowed_sequence_passes_and_ties_keep_what_stands():
    rules = [SequenceRule("r", Call("response", (("a",), ("b",))))]
    engine = SequenceEngine(rules, EVENTS)
    labels = np.array([[0, 2, 1], [0, 2, 3]], np.int32)
    costs = np.full((2, 3, 4), 5, np.int64)
    np.put_along_axis(costs, labels[..., None].astype(np.int64), 0, 2)
    done = engine(labels, costs, np.array([3, 3]))
    assert done.words(0)[:2] == ("allowed", "check")
    assert done.labels[0].tolist() == [0, 2, 1]
    assert done.words(1)[:2] == ("optimal", "automaton")
    assert (done.labels[1] != labels[1]).sum() == 1
    assert done.costs.tolist() == [0, 5]


@pytest.mark.parametrize("seed", range(30))
def test_that_the_minimal_automaton_is_minimal_and_says_the_same(seed):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 40))
    big = Product(
        draw.integers(0, n, (n, 3)).astype(np.int32), draw.choice([0, 3, NEVER], n, p=[0.1, 0.1, 0.8])
    )
    small = minimal(big)
    walks = draw.integers(0, 3, (200, 12))
    at = np.zeros((2, 200), np.int64)
    for column in walks.T:
        assert np.array_equal(big.penalties[at[0]], small.penalties[at[1]])
        at = np.stack([big.moves[at[0], column], small.moves[at[1], column]])
    assert len(small.moves) == _moore(big)


def _moore(product: Product) -> int:
    """How many classes of reachable states there are, by refinement until nothing changes."""
    reached = [0]
    for s in reached:
        reached += [int(q) for q in dict.fromkeys(product.moves[s].tolist()) if q not in reached]
    kind = {s: int(product.penalties[s]) for s in reached}
    while True:
        finer = {s: (kind[s], *(kind[int(q)] for q in product.moves[s])) for s in reached}
        names = {k: i for i, k in enumerate(dict.fromkeys(finer.values()))}
        if len(names) == len(set(kind.values())):
            return len(names)
        kind = {s: names[finer[s]] for s in reached}


def test_that_connectives_join_calls():
    a, b = Call("existence", (("a",),)), Call("existence", (("b",),))
    c = Call("response", (("a",), ("c",)))
    truths = {
        Not(a): lambda x, y, z: not x,
        And((a, b, c)): lambda x, y, z: x and y and z,
        Or((a, b, c)): lambda x, y, z: x or y or z,
        Xor(a, b): lambda x, y, z: x != y,
        Iff(a, c): lambda x, y, z: x == z,
        Implies(b, c): lambda x, y, z: not y or z,
        IfThen(a, b): lambda x, y, z: not x or y,
        IfThen(a, b, c): lambda x, y, z: y if x else z,
        Count("exactly", 2, (a, b, c)): lambda x, y, z: x + y + z == 2,
        Count("at most", 1, (a, b, c)): lambda x, y, z: x + y + z <= 1,
        Count("at least", 2, (a, b, c)): lambda x, y, z: x + y + z >= 2,
    }
    parts = [automaton_for(x, EVENTS) for x in (a, b, c)]
    for body, truth in truths.items():
        made = automaton_for(body, EVENTS)
        for n in range(5):
            for s in itertools.product(range(3), repeat=n):
                assert made.holds(s) == truth(*(p.holds(s) for p in parts))
        assert "a happens" in words_of(body) or "b happens" in words_of(body)


def test_that_a_product_too_large_is_none():
    rules = [Call("limit", (("a",), 3), (("per", 9),)), Call("limit", (("b",), 3), (("per", 9),))]
    automata = [automaton_for(r, EVENTS) for r in rules]
    assert product_of(automata, [None, None], 50) is None
    assert product_of(automata, [None, None]) is not None


def test_that_rules_without_a_common_sequence_are_empty():
    automata = [automaton_for(Call(k, (("a",),)), EVENTS) for k in ("existence", "absence")]
    joint = product_of(automata, [None, None])
    assert joint is not None
    assert joint.empty
    soft = product_of(automata, [None, 3])
    assert soft is not None
    assert not soft.empty


def test_that_places_are_where_nothing_mends():
    rules = [
        SequenceRule("p", Call("precedence", (("a",), ("b",)))),
        SequenceRule("r", Call("response", (("a",), ("b",)))),
        SequenceRule("e", Call("absence", (("d",),))),
    ]
    engine = SequenceEngine(rules, EVENTS)
    labels = np.array([[2, 1, 0, 0], [0, 1, 3, 3]], np.int32)
    assert engine.places(labels, np.array([4, 4])).tolist() == [[1, 4, -1], [-1, -1, 2]]
    assert engine.places(labels, np.array([1, 2])).tolist() == [[-1, -1, -1], [-1, -1, -1]]


def test_that_bad_arrays_are_refused():
    engine = SequenceEngine([], EVENTS)
    labels, costs = np.zeros((2, 3), np.int32), np.zeros((2, 3, 4), np.int64)
    assert engine(labels, costs, np.array([3, 0])).costs.tolist() == [0, 0]
    for bad in (
        (labels, costs[:, :2], np.array([3, 3])),
        (labels, costs, np.array([3, 4])),
        (labels.astype(np.int64), costs, np.array([3, 3])),
        (labels, costs + (1 << 60), np.array([3, 3])),
    ):
        with pytest.raises(ValueError, match=r"expected|lengths|costs"):
            engine(*bad)


def test_that_events_and_templates_must_be_there():
    for body in (Call("response", (("a",), ("z",))), Call("respond", (("a",), ("b",))), "response"):
        with pytest.raises(RuleError) as caught:
            automaton_for(body, EVENTS)
        assert str(caught.value).endswith(".")


def test_that_the_tools_are_named():
    assert TOOLS[RC2] == "rc2"
    assert isinstance(automaton_for(Call("end", (("a",),)), EVENTS), Automaton)
