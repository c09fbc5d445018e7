"""Repaired sequences that RC2 solves once more: it agrees, notices a wrong cost, and is not asked in time."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from engine.guard import Guarded
from engine.logic.event_matching import matched_events
from engine.logic.sequence import costs_of
from engine.logic.sequence_guard import SequenceGuard
from engine.logic.sequence_showing import Asked, SequenceShowing
from engine.logic.sequences.agreement import agreement
from engine.logic.sequences.engine import CHECK
from engine.ports import Array, Column

EVENTS = ("a", "b", "c")
RULES = """rule answered: response(a, b)
rule few: if n > 2 then absence(c, 2)
rule last weight 1.5: end(b)"""


def _guard(text: str) -> SequenceGuard:
    return SequenceGuard(matched_events(text, EVENTS, (Column("n"),), ()))


def _asked(scores: Array, facts: Array | None) -> Asked:
    labels, costs = costs_of(np.asarray(scores))
    assert facts is not None
    return labels, costs, np.full(len(labels), scores.shape[1], np.int64), np.asarray(facts), None


def _drawn(n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 5, 3)).astype(np.float32), rng.choice([0.0, 5.0, np.nan], (n, 1))


@pytest.mark.parametrize("text", [RULES, f"{RULES}\nrule none: absence(b) and existence(b)"])
def test_rc2_agrees_on_every_repaired_sequence(text: str) -> None:
    guard, inputs = _guard(text), _drawn(24)
    showing = SequenceShowing(guard, _asked, EVENTS, {})
    asked = _asked(*inputs)
    done = guard(*asked).repaired
    repaired = int((done.tool != CHECK).sum())
    assert repaired > 10
    assert showing.verified
    assert showing.alone == ""
    found = showing.agreement(Guarded(inputs, {}))
    assert (found.sampled, found.solved, found.agreed) == (repaired,) * 3
    labels, costs, lengths, facts, _ = asked
    engines = [guard.engine_for(tests) for tests in guard.rules.outcomes(facts)]
    again = partial(agreement, engines, labels, costs, lengths, done)
    done.costs[np.flatnonzero(done.tool != CHECK)[0]] += 1
    assert again().agreed == repaired - 1
    assert (again(within=0.0).sampled, again(within=0.0).solved) == (repaired, 0)


def test_rules_in_time_say_why_nobody_else_is_asked() -> None:
    showing = SequenceShowing(_guard("rule soon: response(a, b, within 2 h)"), _asked, EVENTS, {})
    assert not showing.verified
    assert "in time" in showing.alone
