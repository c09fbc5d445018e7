"""The node logic.sequence with stamps and places among the facts."""

from __future__ import annotations

import numpy as np
import pytest
from timed_oracle import kept

from engine.guard import Guarded
from engine.logic.pipeline import NONE, OPTIMAL
from engine.logic.sequence import Sequence
from engine.node import ShapeError
from engine.ports import Column, Spec

COLUMNS = tuple(Column(f"{name}{t}") for name in ("at ", "lat", "lon") for t in (1, 2, 3))
SPECS = Spec("real", (3, 3)), Spec("facts", (9,), columns=COLUMNS)
RULES = "rule soon: response(order, ship, within 2 h)\nrule near: speed(pay, 900)"
NODE = Sequence(events="order, ship, pay", rules=RULES, stamps="at", unit="min", places="lat, lon")


def test_stamps_and_places_are_taken_from_the_facts():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (200, 3, 3)).astype(np.float32)
    stamps = np.cumsum(rng.choice([0, 30, 60, 120, 300], (200, 3)), 1).astype(np.float64)
    north, east = rng.choice([0.0, 10.0], (2, 200, 3))
    facts = np.concatenate([stamps, north, east], axis=1)
    _, events, broken, left, told = NODE.predictor({}, *SPECS)(scores, facts)
    raw = scores.argmax(2)
    for r in range(200):
        seconds, places = stamps[r] * 60, np.stack([north[r], east[r]], axis=1)
        asked = [("response", {"a": {0}, "b": {1}, "d": 7200}), ("speed", {"a": {2}, "times": 900})]
        assert broken[r].tolist() == [not kept(name, raw[r], seconds, places, **a) for name, a in asked]
        if told[r, 0] != NONE:
            assert all(kept(name, events[r].astype(int), seconds, places, **a) for name, a in asked)
    assert not left[told[:, 0] == OPTIMAL].any()
    assert {0.0, 1.0} == set(broken.ravel().tolist())
    gone = np.full((1, 9), np.nan)
    late = np.eye(3, dtype=np.float32)[[0, 2, 1]][None]
    assert NODE.predictor({}, *SPECS)(late, gone)[2].tolist() == [[0, 0]]


def test_what_is_not_told_is_a_note_and_what_is_not_there_a_sentence():
    assert NODE.warnings(*SPECS) == ()
    bare = Sequence(events="order, ship, pay", rules=RULES)
    assert bare.warnings(*SPECS) == (
        "Stamps names no columns: rules in time are broken only where no times could keep them.",
    )
    stamped = Sequence(events="order, ship, pay", rules=RULES, stamps="at")
    assert stamped.warnings(*SPECS) == ("Places names no columns: no rule of speed is broken.",)
    for node, words in (
        (Sequence(stamps="when"), "There is no column of numbers 'when1'"),
        (Sequence(stamps="at", places="lat"), "Places are two rows of columns"),
        (Sequence(stamps="at", places="lat, long"), "There is no column of numbers 'long1'"),
    ):
        with pytest.raises(ShapeError, match=words):
            node.specs(*SPECS)


def test_the_window_shows_what_came_too_late():
    scores = np.eye(3, dtype=np.float32)[[0, 2, 1]][None]
    facts = np.array([[0, 60, 180, 0, 0, 0, 0, 0, 0]], np.float64)
    showing = NODE.showing(*SPECS)
    assert showing.used() == frozenset(range(9))
    (case,) = showing.cases(Guarded((scores, facts), {}))
    assert case.broken[0].facts == (
        "at step 3, ship",
        "ship at step 3 came 3 h after order at step 1: 1 h too late",
    )
    facts[0, 2] = 120
    assert showing.again(case, facts[0], {}).broken == ()
