"""A typed sequence under the rules of a sequence guard: what each rule says of it, and its repair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import nan
from typing import Literal

import numpy as np

from ..errors import RuleError
from ..guard import Case, Guarded
from ..ports import F64, Array
from .durations import UNITS, duration_of
from .formula import Not
from .sequence import costs_of
from .sequence_guard import SequenceGuard, strict_body_of
from .sequence_showing import Asked, SequenceShowing
from .sequences.clock import Times
from .sequences.engine import SequenceEngine
from .sequences.rule import SequenceRule
from .wording import listed

Said = Literal["true", "false", "unknown"]

MOST_STEPS = 200
_BETWEEN = re.compile(r"[,;\n]")
_STAMPED = re.compile(r"(?P<event>.*?)(?:\s+at\s+|\s*@\s*)(?P<stamp>.+)", re.DOTALL)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)")
_MICROS = 1e6


@dataclass(frozen=True)
class Steps:
    """A typed sequence.

    Attributes:
        events: the number of the event type of each step.
        seconds: when each step is, since any moment; NaN where nothing is said.
    """

    events: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def times(self) -> Times | None:
        """Return when the steps are, None where nothing is said of any."""
        known = np.array([self.seconds], np.float64)
        return Times(known) if np.isfinite(known).any() else None


@dataclass(frozen=True)
class TriedSequence:
    """A sequence under the rules.

    Attributes:
        showing: what a what-if is asked of.
        case: the sequence and its repair, of all steps that differ from it the fewest.
        truths: of every rule, for the sequence as it is typed.
    """

    showing: SequenceShowing
    case: Case
    truths: tuple[Said, ...]


def read_steps(text: str, events: Sequence[str]) -> Steps:
    """Return the sequence that is typed: events with commas or in lines, each with `at` and a time if wanted.

    A time is a length since the beginning (`2 h`, `1 day 4 h`) or a date (`2026-03-01 10:30`).

    Raises:
        RuleError: an event is none of `events`, a time cannot be read, or there are too many steps.
    """
    parts = [part.strip() for part in _BETWEEN.split(text)]
    typed = [part for part in parts if part]
    if len(typed) > MOST_STEPS:
        raise RuleError(f"A sequence to try has at most {MOST_STEPS} steps; these are {len(typed)}.")
    found = [_step(part, events) for part in typed]
    return Steps(tuple(event for event, _ in found), tuple(seconds for _, seconds in found))


def try_steps(guard: SequenceGuard, steps: Steps, facts: F64) -> TriedSequence:
    """Return what the rules of a guard say of a typed sequence, and its repair.

    Args:
        guard: the guard.
        steps: at least one; any other event at a step costs 1 nat.
        facts: float64 (columns,), NaN for what is not known.
    """
    scores = np.zeros((1, len(steps.events), len(guard.events)), np.float32)
    scores[0, np.arange(len(steps.events)), steps.events] = 1
    length = np.array([len(steps.events)], np.int64)

    def asked(given: Array, known: Array | None) -> Asked:
        labels, costs = costs_of(np.asarray(given))
        columns = np.full((1, len(guard.rules.columns)), nan) if known is None else known
        return labels, costs, length, columns, steps.times

    showing = SequenceShowing(guard, asked, guard.events, {})
    (case,) = showing.cases(Guarded((scores, facts[None] if len(facts) else None), {}))
    return TriedSequence(showing, replace(case, title="As typed"), truths(guard, steps, facts))


def truths(guard: SequenceGuard, steps: Steps, facts: F64) -> tuple[Said, ...]:
    """Return what each rule says of a sequence: unknown where facts or times that are open may decide it.

    It is unknown in some cases where every filling of the gaps would come to the same.
    """
    labels, length = np.array([steps.events], np.int32), np.array([len(steps.events)], np.int64)
    (tests,) = guard.rules.outcomes(facts[None])
    bodies = [strict_body_of(rule, tests, guard.events) for rule in guard.rules.rules]
    opposite = SequenceEngine([SequenceRule("not", Not(body)) for body in bodies], guard.events)
    broken = guard.engine_for(tests).broken(labels, length, steps.times)[0]
    kept = opposite.broken(labels, length, steps.times)[0]
    both = zip(broken, kept, strict=True)
    return tuple("false" if no else "true" if yes else "unknown" for no, yes in both)


def _step(part: str, events: Sequence[str]) -> tuple[int, float]:
    stamped = _STAMPED.fullmatch(part)
    if stamped and part not in events:
        return _event(stamped["event"].strip(), events), _seconds(stamped["stamp"].strip())
    return _event(part, events), nan


def _event(name: str, events: Sequence[str]) -> int:
    if name in events:
        return events.index(name)
    low = [event.lower() for event in events]
    if low.count(name.lower()) == 1:
        return low.index(name.lower())
    raise RuleError(f"There is no event {name!r}.", do=f"There are {listed(tuple(events))}.")


def _seconds(stamp: str) -> float:
    lengths = _LENGTH.findall(stamp)
    if lengths and not _LENGTH.sub("", stamp).strip():
        found = [duration_of(*one) for one in lengths]
        if all(found):
            return sum(one.micros for one in found if one) / _MICROS
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        words = f"The time {stamp!r} cannot be read."
        do = f"Write a length like 2 h, in {', '.join(UNITS)}, or a date like 2026-03-01 10:30."
        raise RuleError(words, do=do) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
