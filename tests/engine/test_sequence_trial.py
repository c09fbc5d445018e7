"""A typed sequence: how it is read, and that what rules say of it holds however gaps are filled."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from engine.errors import RuleError
from engine.guard import Grid
from engine.logic.event_matching import matched_events
from engine.logic.sequence_guard import SequenceGuard
from engine.logic.sequence_trial import read_steps, truths, try_steps
from engine.ports import Column

EVENTS = ("order", "Pay now", "ship")
RULES = """rule paid: response(order, "Pay now")
rule costly: if amount > 100 then not succession(order, ship) else existence(ship)
rule soon: response(order, ship, within 2 h)
rule odd: not (existence(ship) and amount < 50) or absence("Pay now")"""


@pytest.fixture(scope="module")
def guard() -> SequenceGuard:
    return SequenceGuard(matched_events(RULES, EVENTS, (Column("amount"),), ()))


def test_events_and_times_are_read() -> None:
    steps = read_steps("order at 1 day 4 h, pay now\n ship @ 2026-03-01 10:00 ;", EVENTS)
    assert steps.events == (0, 1, 2)
    assert steps.seconds[0] == 28 * 3600
    assert np.isnan(steps.seconds[1])
    assert steps.seconds[2] == 1772359200
    assert read_steps("order, ship", EVENTS).times is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("order, post", "There is no event 'post'. There are order, Pay now"),
        ("order at noon", "The time 'noon' cannot be read"),
        ("order at 5", "The time '5' cannot be read"),
        (", ".join(["order"] * 201), "at most 200 steps"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        read_steps(text, EVENTS)


def test_a_truth_is_open_wherever_a_missing_fact_or_time_decides_it(guard: SequenceGuard) -> None:
    gap = np.array([np.nan])
    for length in (1, 2, 3):
        for events in product(EVENTS, repeat=length):
            open_, hours = ", ".join(events), range(0, 5 * length, 5)
            late = ", ".join(f"{e} at {h} h" for e, h in zip(events, hours, strict=True))
            quick = ", ".join(f"{e} at {i} min" for i, e in enumerate(events))
            said = truths(guard, read_steps(open_, EVENTS), gap)
            whole = [
                truths(guard, read_steps(text, EVENTS), np.array([amount]))
                for text in (late, quick)
                for amount in (10.0, 75.0, 500.0)
            ]
            for rule, truth in enumerate(said):
                filled = {one[rule] for one in whole}
                assert "unknown" not in filled
                assert truth == "unknown" or filled == {truth}
                assert len(filled) == 1 or truth == "unknown"
                assert rule or truth != "unknown"  # nothing of the first is open


def test_the_repair_changes_the_fewest_steps(guard: SequenceGuard) -> None:
    tried = try_steps(guard, read_steps("order, order", EVENTS), np.array([75.0]))
    assert tried.truths[0] == "false"
    assert isinstance(tried.case.picture, Grid)
    fixed = ", ".join(part.fixed for part in tried.case.picture.parts)
    assert "false" not in truths(guard, read_steps(fixed, EVENTS), np.array([75.0]))
    fewest = min(
        sum(a != b for a, b in zip(("order", "order"), other, strict=True))
        for other in product(EVENTS, repeat=2)
        if "false" not in truths(guard, read_steps(", ".join(other), EVENTS), np.array([75.0]))
    )
    assert len(tried.case.picture.changed) == fewest
    again = tried.showing.again(tried.case, np.array([75.0]), {"step 1": "Pay now"})
    assert isinstance(again.picture, Grid)
    assert again.picture.parts[0].fixed == "Pay now"
