"""Rules in time over given stamps: against definitions counted out over pairs, and against enumeration."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from drawn_sequences import drawn_costs
from drawn_timed import EVENTS, TIMED, TWO, drawn, places_of, stamps_of
from timed_oracle import kept

from engine.logic.durations import Duration
from engine.logic.formula import And, Count, Iff, IfThen, Implies, Not, Or, Xor
from engine.logic.pipeline import NONE, UNKNOWN
from engine.logic.sequences.clock import Times
from engine.logic.sequences.engine import RC2, SequenceEngine
from engine.logic.sequences.rule import Call, SequenceRule, automaton_for
from engine.logic.solver import Solver


def test_that_the_templates_in_time_are_these():
    assert set(TIMED) == {*TWO, "limit", "quota", "cooldown", "deadline", "speed"}


@pytest.mark.parametrize("name", TIMED)
def test_that_a_rule_in_time_is_broken_where_its_definition_says(name):
    rng, draw = random.Random(name), np.random.default_rng(len(name))  # noqa: S311
    sequences = np.array(list(itertools.product(range(3), repeat=5)), np.int32)
    n = len(sequences)
    for _ in range(8):
        call, _, asked = drawn(rng, name)
        times = Times(stamps_of(draw, n, 5), places_of(draw, n, 5))
        lengths = draw.integers(0, 6, n)
        engine = SequenceEngine([SequenceRule("r", call)], EVENTS)
        broken = engine.broken(sequences, lengths, times)[:, 0]
        for i, k in enumerate(lengths):
            wanted = not kept(name, sequences[i, :k], times.seconds[i], times.places[i], **asked)
            assert broken[i] == wanted, (call, sequences[i, :k], times.seconds[i] - times.seconds[i, 0])


def enumerated(truth, rules, costs):
    """The least cost over all sequences, -1 where none is allowed."""
    best = -1
    for s in itertools.product(range(costs.shape[1]), repeat=len(costs)):
        paid = [int(costs[t, e]) for t, e in enumerate(s)]
        if min(paid, default=0) < 0:
            continue
        broken = [rule for i, rule in enumerate(rules) if not truth(i, s)]
        if any(rule.weight is None for rule in broken):
            continue
        total = sum(paid) + sum(rule.weight for rule in broken)
        best = total if best < 0 else min(best, total)
    return best


def drawn_rules(rng, count):
    calls = [drawn(rng) for _ in range(count)]
    rules = [
        SequenceRule(f"r{i}", call, rng.randint(1, 80) if rng.random() < 0.4 else None)
        for i, (call, _, _) in enumerate(calls)
    ]
    if rng.random() < 0.6:  # a rule without a clock beside them
        name = rng.choice(["response", "chain precedence", "precedence"])
        rules.append(SequenceRule("plain", Call(name, (("a",), ("c",)))))
    return rules, calls


@pytest.mark.parametrize("seed", range(40))
def test_that_repair_in_time_costs_what_enumeration_finds(seed):
    rng, draw = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    rules, calls = drawn_rules(rng, rng.randint(1, 3))
    n, steps = 25, 5
    labels, costs = drawn_costs(draw, n, steps, 3)
    lengths = draw.integers(0, steps + 1, n)
    times = Times(stamps_of(draw, n, steps), places_of(draw, n, steps))
    engine = SequenceEngine(rules, EVENTS)
    done = engine(labels, costs, lengths, times)
    left = engine.broken(done.labels, lengths, times)
    for r, k in enumerate(lengths):

        def truth(i, s, r=r):
            if i >= len(calls):
                return engine.automata[i].holds(s)
            _, name, asked = calls[i]
            return kept(name, s, times.seconds[r], times.places[r], **asked)

        assert done.costs[r] == enumerated(truth, rules, costs[r, :k])
        assert (done.status[r] == NONE) == (done.costs[r] < 0)
        if done.costs[r] >= 0:
            assert not any(left[r, i] for i, rule in enumerate(rules) if rule.weight is None)
            alone = engine(labels[r : r + 1], costs[r : r + 1], lengths[r : r + 1], times.take([r]))
            assert np.array_equal(alone.labels[0], done.labels[r])
            assert alone.words(0) == done.words(r)


def test_that_rc2_finds_the_same_in_time(monkeypatch):
    rng, draw = random.Random(3), np.random.default_rng(3)  # noqa: S311
    rules, _ = drawn_rules(rng, 3)
    labels, costs = drawn_costs(draw, 6, 4, 3)
    lengths, times = np.full(6, 4), Times(stamps_of(draw, 6, 4), places_of(draw, 6, 4))
    plain = SequenceEngine(rules, EVENTS)(labels, costs, lengths, times)
    monkeypatch.setattr("engine.logic.sequences.search.MOST_TUPLES", 1)
    monkeypatch.setattr("engine.logic.sequences.search._MOST_KEPT", 1)
    solver = Solver()
    try:
        done = SequenceEngine(rules, EVENTS, solver=solver)(labels, costs, lengths, times)
    finally:
        solver.close()
    assert RC2 in done.tool
    assert done.costs.tolist() == plain.costs.tolist()


@pytest.mark.parametrize("seed", range(8))
def test_that_limits_and_quotas_too_large_for_automata_are_counted_by_rc2(seed, monkeypatch):
    rng, draw = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    window = Duration(rng.randint(1, 6) * 1_000_000)
    rules = [
        SequenceRule("most", Call("limit", (("a",), rng.randint(0, 2)), (("per", window),))),
        SequenceRule(
            "least",
            Call("quota", (("b", "c"), rng.randint(1, 2)), (("per", window),)),
            rng.choice([None, 30]),
        ),
        SequenceRule("plain", Call("response", (("a",), ("c",)))),
    ]
    labels, costs = drawn_costs(draw, 8, 6, 3)
    times, lengths = Times(stamps_of(draw, 8, 6)), draw.integers(3, 7, 8)
    plain = SequenceEngine(rules, EVENTS)(labels, costs, lengths, times)
    monkeypatch.setattr("engine.logic.sequences.over_time.MOST_STATES", 5)
    counted = SequenceEngine(rules, EVENTS)(labels, costs, lengths, times)
    assert counted.costs.tolist() == plain.costs.tolist()
    assert set(counted.tool[counted.tool != plain.tool]) <= {RC2}
    assert (counted.status != UNKNOWN).all()


def test_that_a_rule_with_too_many_situations_leaves_a_sequence_unknown(monkeypatch):
    monkeypatch.setattr("engine.logic.sequences.over_time.MOST_STATES", 3)
    rules = [SequenceRule("r", Call("response", (("a",), ("b",)), (("within", Duration(10)),)))]
    labels, costs = np.array([[0, 2, 2, 2]], np.int32), np.zeros((1, 4, 3), np.int64)
    costs[0, 0, 1:] = -1  # the first event stays an a
    done = SequenceEngine(rules, EVENTS)(labels, costs, np.array([4]), Times(np.arange(4.0)[None]))
    assert done.words(0)[0] == "unknown"
    assert "too many situations" in done.words(0)[2]
    assert np.array_equal(done.labels, labels)


def test_that_connectives_join_rules_in_time():
    rng, draw = random.Random(1), np.random.default_rng(1)  # noqa: S311
    sequences = np.array(list(itertools.product(range(3), repeat=4)), np.int32)[::2]
    n = len(sequences)
    lengths, times = np.full(n, 4), Times(stamps_of(draw, n, 4), places_of(draw, n, 4))
    for _ in range(4):
        (x, nx, ax), (y, ny, ay) = drawn(rng), drawn(rng)
        z = Call("existence", (("c",),))
        joined = {
            Not(x): lambda p, q, r: not p,
            And((x, z)): lambda p, q, r: p and r,
            Or((x, y)): lambda p, q, r: p or q,
            Xor(x, z): lambda p, q, r: p != r,
            Iff(x, y): lambda p, q, r: p == q,
            Implies(z, x): lambda p, q, r: not r or p,
            IfThen(x, y, z): lambda p, q, r: q if p else r,
            Count("exactly", 1, (x, y, z)): lambda p, q, r: p + q + r == 1,
            Count("at most", 1, (x, y, z)): lambda p, q, r: p + q + r <= 1,
        }
        rules = [SequenceRule(str(i), body) for i, body in enumerate(joined)]
        engine = SequenceEngine(rules, EVENTS)
        broken = engine.broken(sequences, lengths, times)
        costs = np.ones((n, 4, 3), np.int64)
        np.put_along_axis(costs, sequences[..., None].astype(np.int64), 0, 2)
        for i, truth in enumerate(joined.values()):
            held = [
                truth(
                    kept(nx, s, times.seconds[r], times.places[r], **ax),
                    kept(ny, s, times.seconds[r], times.places[r], **ay),
                    2 in s,
                )
                for r, s in enumerate(sequences)
            ]
            assert broken[:, i].tolist() == [not h for h in held]
            one = SequenceEngine(rules[i : i + 1], EVENTS)
            done = one(sequences[::4], costs[::4], lengths[::4], times.take(np.arange(n)[::4]))
            after = engine.broken(done.labels, lengths[::4], times.take(np.arange(n)[::4]))
            assert not after[done.costs >= 0, i].any()


@pytest.mark.parametrize("seed", range(30))
def test_that_a_missing_stamp_breaks_nothing_that_some_time_would_keep(seed):
    """Broken without a stamp means broken with whatever stamp is put there."""
    rng, draw = random.Random(seed), np.random.default_rng(seed)  # noqa: S311
    call, name, asked = drawn(rng)
    for body, truth in ((call, lambda k: k), (Not(call), lambda k: not k)):
        engine = SequenceEngine([SequenceRule("r", body)], EVENTS)
        sequences = draw.integers(0, 3, (40, 5)).astype(np.int32)
        full = np.cumsum(draw.choice([0, 1, 2, 3], (40, 5)), 1).astype(np.float64)
        gone = draw.integers(0, 5, 40)
        places = places_of(draw, 40, 5)
        holed = full.copy()
        holed[np.arange(40), gone] = np.nan
        broken = engine.broken(sequences, np.full(40, 5), Times(holed, places))[:, 0]
        bare = engine.broken(sequences, np.full(40, 5), Times(np.full((40, 5), np.nan)))[:, 0]
        for r, g in enumerate(gone):
            low = full[r, g - 1] if g else full[r, 1] - 20
            high = full[r, g + 1] if g < 4 else full[r, 3] + 20
            tried = [np.where(np.arange(5) == g, x, full[r]) for x in np.arange(low, high + 0.1, 0.5)]
            could = [truth(kept(name, sequences[r], t, places[r], **asked)) for t in tried]
            assert not (broken[r] and any(could))
            assert not bare[r] or not any(could)
        if not isinstance(body, Call):
            continue
        unstamped = automaton_for(call, EVENTS)
        assert bare.tolist() == [not unstamped.holds(s) for s in sequences.tolist()]


def test_that_a_stamp_before_an_earlier_one_counts_as_missing():
    clock = Times(np.array([[5.0, 9.0, 7.0, 12.0]])).clock(0, 4)
    assert clock.widths == (0, 0, 3_000_000, 0)
    assert clock.gaps == (0, 4_000_000, 0, 3_000_000)
