"""Why a sequence was changed: the rules it broke and where, what changed, and what decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...ports import I32, I64
from ..pipeline import ALLOWED, NONE, UNKNOWN
from ..wording import listed
from .clock import Clock, Times
from .engine import Repaired, SequenceEngine
from .examine import core_of
from .lateness import lateness
from .rule import words_of


@dataclass(frozen=True)
class BrokenOrder:
    """One rule that a sequence breaks.

    Attributes:
        name: its name.
        words: what it says.
        reason: why it holds, or "".
        source: where it comes from, or "".
        place: the step, from 0, of the event after which nothing mends it; None where it ends too soon.
        where: the same in words.
        late: of a rule in time, what came too late, too soon or too far away and by how much; "" otherwise.
    """

    name: str
    words: str
    reason: str
    source: str
    place: int | None
    where: str
    late: str = ""

    @property
    def told(self) -> str:
        """Return why it is broken: its reason or what it says, where, and what came too late."""
        late = f": {self.late}" if self.late else ""
        return f"{self.reason or self.words}, {self.where}{late}"


@dataclass(frozen=True)
class ExplainedOrder:
    """What became of one sequence.

    Attributes:
        said: the events as they stood.
        fixed: the events after repair.
        status: a word of STATUS.
        engine: a word of TOOLS.
        broken: the rules that the raw sequence broke.
        left: soft rules that the repaired one breaks still.
        changes: step from 0, event before, event after.
        decisive: names of rules: those that the raw sequence breaks, or, where nothing is allowed, some that
            no sequence of this length and these possible events keeps together, none of them to spare.
        why: one sentence.
    """

    said: tuple[str, ...]
    fixed: tuple[str, ...]
    status: str
    engine: str
    broken: tuple[BrokenOrder, ...]
    left: tuple[BrokenOrder, ...]
    changes: tuple[tuple[int, str, str], ...]
    decisive: tuple[str, ...]
    why: str


def explain(
    engine: SequenceEngine,
    labels: I32,
    costs: I64,
    lengths: I64,
    done: Repaired,
    record: int,
    times: Times | None = None,
) -> ExplainedOrder:
    """Return what became of one sequence of a batch and why.

    Args:
        engine: what repaired it.
        labels: int32 (n, steps), as they stood.
        costs: int64 (n, steps, events).
        lengths: int64 (n,).
        done: what the engine gave.
        record: which sequence.
        times: when and where the events happen, as the engine was told.
    """
    steps = int(lengths[record])
    clock = None if times is None else times.clock(record, steps)
    raw, fixed = labels[record, :steps], done.labels[record, :steps]
    status, tool, _ = done.words(record)
    broken, left = broken_orders(engine, raw, clock), broken_orders(engine, fixed, clock)
    names = engine.events
    changes = tuple(
        (int(t), names[raw[t]], names[fixed[t]])
        for t in np.flatnonzero(raw != fixed)
        if done.status[record] < UNKNOWN
    )
    if done.status[record] == NONE:
        hard = [i for i, rule in enumerate(engine.rules) if rule.weight is None]
        automata = engine.automata_at(clock)
        core = core_of([automata[i] for i in hard], costs[record, :steps] >= 0)
        decisive = tuple(engine.rules[hard[i]].name for i in core)
        why = _nothing_left(decisive, steps)
    elif done.status[record] == UNKNOWN:
        decisive, why = (), "The solver ran out of time before it found any allowed sequence."
    elif done.status[record] == ALLOWED:
        decisive, why = (), "It breaks no rule and stands."
    else:
        decisive = tuple(rule.name for rule in broken)
        why = _changed(broken, left, changes)
    return ExplainedOrder(
        tuple(names[e] for e in raw),
        tuple(names[e] for e in fixed),
        status,
        tool,
        broken,
        left if done.status[record] < UNKNOWN else (),
        changes,
        decisive,
        why,
    )


def broken_orders(
    engine: SequenceEngine, sequence: I32, clock: Clock | None = None
) -> tuple[BrokenOrder, ...]:
    """Return the rules that one sequence, int32 (steps,), breaks, and where."""
    places = engine.places(sequence[None].astype(np.int32), np.array([len(sequence)]))[0].tolist()
    events = sequence.tolist()
    if clock is not None:
        for rule in engine.timed.numbers:
            places[rule] = engine.timed.place(rule, events, clock)
    return tuple(
        BrokenOrder(
            rule.name,
            words_of(rule.body),
            rule.reason,
            rule.source,
            place if place < len(sequence) else None,
            _where(engine, sequence, place),
            "" if clock is None else lateness(rule.body, events, clock, engine.events),
        )
        for rule, place in zip(engine.rules, places, strict=True)
        if place >= 0
    )


def _where(engine: SequenceEngine, sequence: I32, place: int) -> str:
    if place >= len(sequence):
        return "by the end"
    return f"at step {place + 1}, {engine.events[sequence[place]]}"


def _changed(
    broken: tuple[BrokenOrder, ...], left: tuple[BrokenOrder, ...], changes: tuple[tuple[int, str, str], ...]
) -> str:
    said = [f"step {t + 1} from {old} to {new}" for t, old, new in changes]
    kept = f" {_rules(left)} it breaks still: keeping that would cost more." if left else ""
    if not broken:
        return f"Some of its events cannot be; the cheapest sequence changes {listed(tuple(said))}.{kept}"
    first = broken[0]
    head = f"It breaks {_rules(broken)} ({first.name}: {first.told})"
    if not changes:
        return f"{head}; every change would cost more."
    return f"{head}; the cheapest repair changes {listed(tuple(said))}.{kept}"


def _rules(broken: tuple[BrokenOrder, ...]) -> str:
    return listed(tuple(rule.name for rule in broken))


def _nothing_left(decisive: tuple[str, ...], steps: int) -> str:
    if not decisive:
        return f"No sequence of {steps} events is allowed."
    if len(decisive) == 1:
        return f"No sequence of {steps} of these events keeps {decisive[0]}."
    return f"No sequence of {steps} of these events keeps {listed(decisive)} together."
