"""Template calls over sequences of events as automata, time being one more letter: a tick.

A tick is the greatest common divisor of all lengths of time in the calls, or a fraction of it. That loses
nothing: where n calls in time are denied and the others kept, stamps exist that do it just where some do on
the grid of the n-th part of that divisor. For what is kept compares with <=, and what is denied with < and
from one event alone, so a cycle of differences of stamps holds n strict comparisons at most (compare
Henzinger, Manna & Pnueli 1992, What Good Are Digital Clocks?).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from ...errors import RuleError
from ..durations import Duration, spoken
from ..formula import Happens
from ..sequences.automaton import DEAD, Automaton, Behaviour, automaton_of
from ..sequences.templates import SPEED, find_template
from ..sequences.timed import STILL, Timed

MOST_STATES = 1_500  # of one call in time


@dataclass(frozen=True)
class Ticked:
    """The calls about one sequence as automata over its events, and a tick after them where time matters.

    Attributes:
        kept: where each call holds; None where it has too many states for its lengths of time.
        denied: where it does not.
        tick: how many microseconds a tick is, times `parts`; 0 where no call is in time.
        parts: of how many ticks the divisor of all lengths is made.
    """

    kept: tuple[Automaton | None, ...]
    denied: tuple[Automaton | None, ...]
    tick: int = 0
    parts: int = 1

    def words(self, letters: Sequence[int], names: tuple[str, ...]) -> str:
        """Return a sequence in words: `order, ship 2 days later`."""
        said: list[str] = []
        waited = 0
        for letter in letters:
            if letter == len(names):
                waited += self.tick
                continue
            later = f" {spoken(waited // self.parts)} later" if waited and said else ""
            said.append(f"{names[letter]}{later}")
            waited = 0
        return ", ".join(said) or "nothing"


def ticked(calls: Sequence[Happens], events: int) -> Ticked:
    """Return the automata of calls about a sequence over so many event types.

    Of a speed only this is looked at: events of one place keep it, two far apart break it.

    Raises:
        RuleError: a call that counts steps has too many states.
    """
    found = [_behaviour(call, 1) for call in calls]
    timed = [one for one in found if isinstance(one, Timed) and one.lengths]
    parts, tick = max(len(timed), 1), gcd(*(length for one in timed for length in one.lengths))
    kept: list[Automaton | None] = []
    denied: list[Automaton | None] = []
    for call, one in zip(calls, found, strict=True):
        if call.template == SPEED:
            twice = Happens(call.sequence, "existence", (call.places[0], 2))
            denied.append(_automaton(_behaviour(twice, 1), events, tick))
            kept.append(Automaton(np.zeros((1, events + (tick > 0)), np.int32), np.ones(1, np.bool_)))
            continue
        scaled = _behaviour(call, parts) if isinstance(one, Timed) else one
        kept.append(_automaton(scaled, events, tick))
        denied.append(_opposite(kept[-1]))
    return Ticked(tuple(kept), tuple(denied), tick, parts)


def _automaton(behaviour: Behaviour | Timed, events: int, tick: int) -> Automaton | None:
    if isinstance(behaviour, Behaviour):
        plain = automaton_of(behaviour, events)
        if not tick:
            return plain
        stay = np.arange(len(plain.moves), dtype=np.int32)[:, None]
        return Automaton(np.concatenate([plain.moves, stay], axis=1), plain.accepts)

    # Ticks after the last event change nothing: whether it may end is kept beside what is remembered.
    def step(state: tuple[Any, bool], letter: int) -> Any:
        now, ends = state
        if letter == events:
            return (now if now == DEAD else behaviour.elapse(now, tick)), ends
        now = now if now == DEAD else behaviour.step(now, letter, STILL)
        return DEAD if now == DEAD else (now, behaviour.accepts(now))

    start = behaviour.start, bool(behaviour.accepts(behaviour.start))
    letters = behaviour.speaks_of | {events}
    try:
        return automaton_of(Behaviour(start, step, lambda state: state[1], letters), events + 1, MOST_STATES)
    except RuleError:
        return None


def _opposite(automaton: Automaton | None) -> Automaton | None:
    return None if automaton is None else Automaton(automaton.moves, ~automaton.accepts)


def _behaviour(call: Happens, parts: int) -> Behaviour | Timed:
    """Return the behaviour of a call, its lengths of time so many times as long."""
    template = find_template(call.template)
    if template is None:
        raise ValueError(f"there is no template {call.template!r}")

    def scaled(number: Any) -> Any:
        return Duration(number.micros * parts) if isinstance(number, Duration) else number

    places = tuple(scaled(place) for place in call.places)
    return template.behaviour(places, **{name: scaled(number) for name, number in call.numbers})
