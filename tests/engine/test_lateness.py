"""What came too late, too soon or too far away, and by how much; rules in time as explain.py tells them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from drawn_timed import EVENTS, TIMED, drawn, places_of, stamps_of

from engine.logic.durations import Duration, spoken
from engine.logic.formula import Implies, Not
from engine.logic.sequences.automaton import Automaton
from engine.logic.sequences.clock import Times
from engine.logic.sequences.engine import SequenceEngine
from engine.logic.sequences.explain import broken_orders, explain
from engine.logic.sequences.lateness import lateness
from engine.logic.sequences.rule import Call, SequenceRule, automaton_for

H = 3_600_000_000
DAY3 = (("within", Duration(72 * H, "3 days")),)


def told(call, events, hours, places=None):
    numbers = ["abc".index(e) for e in events]
    seconds = np.array([hours], np.float64) * 3600
    clock = Times(seconds, None if places is None else np.array([places], np.float64)).clock(0, len(events))
    return lateness(call, numbers, clock, EVENTS)


A, B = ("a",), ("b",)


@pytest.mark.parametrize(
    ("call", "events", "hours", "words"),
    [
        (
            Call("response", (A, B), DAY3),
            "acb",
            [0, 1, 76],
            "b at step 3 came 3 days 4 h after a at step 1: 4 h too late",
        ),
        (
            Call("response", (A, B), DAY3),
            "bac",
            [0, 1, 9],
            "no b came within 3 days after a at step 2",
        ),
        (
            Call("precedence", (A, B), DAY3),
            "acb",
            [0, 1, 96.5],
            "b at step 3 came 4 days 30 min after a at step 1: 1 day 30 min too late",
        ),
        (
            Call("precedence", (A, B), DAY3),
            "cb",
            [0, 1],
            "no a came within 3 days before b at step 2",
        ),
        (
            Call("chain response", (A, B), DAY3),
            "acb",
            [0, 1, 2],
            "no b came within 3 days after a at step 1",
        ),
        (
            Call("gap", (A, B, Duration(2 * H, "2 h"))),
            "acb",
            [0, 1, 1.75],
            "b at step 3 came 1 h 45 min after a at step 1: 15 min too soon",
        ),
        (
            Call("limit", (A, 2), (("per", Duration(24 * H, "24 h")),)),
            "aaba",
            [0, 5, 6, 20],
            "a at step 4 is number 3 within 24 h: 20 h after a at step 1, 4 h too soon",
        ),
        (
            Call("limit", (A, 0), (("per", Duration(H, "1 h")),)),
            "ca",
            [0, 1],
            "a at step 2 is one too many",
        ),
        (
            Call("quota", (A, 1), (("per", Duration(2 * H, "2 h")),)),
            "abbb",
            [0, 1, 2, 4],
            "only 0 a came in the 2 h from b at step 2 on",
        ),
        (
            Call("deadline", (A, Duration(H, "60 min"))),
            "ba",
            [3, 4.5],
            "a at step 2 came 1 h 30 min after the first event: 30 min too late",
        ),
        (
            Call("deadline", (A, Duration(H, "60 min"))),
            "bb",
            [3, 4.5],
            "no a came within 60 min of the first event",
        ),
        (
            Call("response", (A, B), DAY3),
            "acb",
            [0, np.nan, np.nan],
            "",
        ),
        (
            Call("response", (A, B), DAY3),
            "acb",
            [np.nan, 1, 80],
            "b at step 3 came at least 3 days 7 h after a at step 1: 7 h too late",
        ),
        (
            Implies(Call("existence", (B,)), Call("cooldown", (A, Duration(H, "1 h")))),
            "aab",
            [0, 0.5, 1],
            "a at step 2 came 30 min after a at step 1: 30 min too soon",
        ),
        (
            Call("response", (A, B)),
            "ac",
            [0, 1],
            "",
        ),
    ],
)
def test_that_it_is_said_what_came_when(call, events, hours, words):
    assert told(call, events, hours) == words


def test_that_speed_tells_the_way_and_the_time():
    places = [[52.52, 13.405], [0, 0], [48.8566, 2.3522]]
    words = told(Call("speed", (A, 900)), "aca", [0, 0.1, 0.5], places)
    assert words == "a at step 3 lies 877 km from a at step 1, 30 min later: 1,755 km/h"
    assert told(Call("speed", (A, 900)), "aca", [0, 0.1, 1], places) == ""
    assert told(Call("speed", (A, 900)), "aca", [0, 0, 0], places).endswith("0 s later: no time between")


@pytest.mark.parametrize("name", TIMED)
def test_that_something_is_told_just_where_time_breaks_a_rule(name):
    rng, draw = random.Random(name), np.random.default_rng(3)  # noqa: S311
    for _ in range(30):
        call, _, _ = drawn(rng, name)
        labels = draw.integers(0, 3, (20, 6)).astype(np.int32)
        times, lengths = Times(stamps_of(draw, 20, 6), places_of(draw, 20, 6)), np.full(20, 6)
        engine = SequenceEngine([SequenceRule("r", call)], EVENTS)
        broken, whatever = engine.broken(labels, lengths, times), automaton_for(call, EVENTS)
        for r in range(20):
            words = lateness(call, labels[r].tolist(), times.clock(r, 6), EVENTS)
            if not broken[r, 0]:
                assert words == ""
            elif whatever.holds(labels[r]):
                assert words
            clock = times.clock(r, 6)
            place = engine.timed.place(0, labels[r].tolist(), clock)
            assert (place >= 0) == broken[r, 0]
            if 0 <= place < 6:  # nothing that could follow mends it
                assert not mended(engine, labels[r], place + 1, clock)


def mended(engine, labels, first, clock):
    """Whether some events from a step on keep the rule."""
    automaton: Automaton = engine.timed.automaton(0, clock)
    here = {automaton.walk(labels[:first])[-1]}
    for _ in range(first, len(labels)):
        here = {int(q) for s in here for q in automaton.moves[s]}
    return any(automaton.accepts[s] for s in here)


def test_that_a_sequence_is_explained_with_its_times():
    rules = [
        SequenceRule("ship", Call("response", (A, B), DAY3), reason="customers wait"),
        SequenceRule("not", Not(Call("existence", (("c",),)))),
    ]
    engine = SequenceEngine(rules, EVENTS)
    labels = np.array([[0, 1, 0, 1]], np.int32)
    costs = np.ones((1, 4, 3), np.int64)
    np.put_along_axis(costs, labels[..., None].astype(np.int64), 0, 2)
    times, lengths = Times(np.array([[0.0, 1, 80, 200]]) * 3600), np.array([4])
    done = engine(labels, costs, lengths, times)
    said = explain(engine, labels, costs, lengths, done, 0, times)
    assert said.broken[0].late == "b at step 4 came 5 days after a at step 3: 2 days too late"
    assert said.broken[0].place == 3
    assert said.why == (
        "It breaks ship (ship: customers wait, at step 4, b: b at step 4 came 5 days after a at step 3: "
        "2 days too late); the cheapest repair changes step 3 from a to b."
    )
    costs[0, 2, 1:] = -1  # the second order stands, and nothing after it comes in time
    done = engine(labels, costs, lengths, times)
    assert explain(engine, labels, costs, lengths, done, 0, times).why == (
        "No sequence of 4 of these events keeps ship."
    )
    assert broken_orders(engine, labels[0]) == ()


def test_that_lengths_of_time_are_spoken():
    assert [spoken(x) for x in (0, 1_500_000, 61 * H // 60, 49 * H, -H, 24 * H)] == [
        "0 s", "1.5 s", "1 h 1 min", "2 days 1 h", "-1 h", "1 day",
    ]  # fmt: skip
