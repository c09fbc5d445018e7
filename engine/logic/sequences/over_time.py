"""Behaviours in time over one sequence whose stamps are given: whether it keeps them, and as automata.

As the stamps are known, a behaviour can be unrolled along the steps: its states are what may be remembered
after each step, and time needs no place in them. The automaton is exact for sequences of that length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .automaton import DEAD, Automaton
from .clock import Clock
from .timed import Moment, Timed

MOST_STATES = 30_000  # of one rule over one sequence


def lost(timed: Timed, clock: Clock, sequence: Sequence[int]) -> int:
    """Return the place of the event with which nothing keeps a behaviour any more, whenever what comes.

    It is the length of the sequence where it ends too soon, -1 where it keeps the behaviour.
    """
    state, elapse, step = timed.start, timed.elapse, timed.step
    for place, ((gap, moment), event) in enumerate(zip(_moments(clock), sequence, strict=True)):
        if gap and state != DEAD:
            state = elapse(state, gap)
        if state != DEAD:
            state = step(state, event, moment)
        if state == DEAD:
            return place
    return -1 if state != DEAD and timed.accepts(state) else len(sequence)


def unrolled(timed: Timed, clock: Clock, events: int) -> Automaton | None:
    """Return the automaton of a behaviour over the steps of a clock, or None where it has too many states.

    All states but the last are alive for a sequence of that length; the last is where nothing mends it.

    Args:
        timed: the behaviour.
        clock: the stamps.
        events: how many event types there are.
    """
    symbols = [*sorted(timed.speaks_of), -1]
    layer: dict[Any, int] = {timed.start: 0}
    rows: list[list[list[int]]] = []  # of each layer and state, where each symbol leads in the next layer
    count = 1
    for gap, moment in _moments(clock):
        after: dict[Any, int] = {}
        rows.append([_row(timed, state, gap, moment, symbols, after) for state in layer])
        layer = after
        count += len(after)
        if count > MOST_STATES:
            return None
    alive = [[state != DEAD and bool(timed.accepts(state)) for state in layer]]
    for row in reversed(rows):
        alive.append([any(alive[-1][q] for q in moves) for moves in row])
    alive.reverse()
    return _numbered(rows, alive, symbols, events)


def _row(
    timed: Timed, state: Any, gap: int, moment: Moment, symbols: list[int], after: dict[Any, int]
) -> list[int]:
    """Return where each symbol leads from a state, as numbers of what is remembered `after`."""
    if gap and state != DEAD:
        state = timed.elapse(state, gap)
    if state == DEAD:
        return [after.setdefault(DEAD, len(after))] * len(symbols)
    return [after.setdefault(timed.step(state, e, moment), len(after)) for e in symbols]


def _moments(clock: Clock) -> list[tuple[int, Moment]]:
    """Return of each step the time since the one before, and when it is."""
    return [(gap, Moment(i, clock.widths[i], clock)) for i, gap in enumerate(clock.gaps)]


def _numbered(
    rows: list[list[list[int]]], alive: list[list[bool]], symbols: list[int], events: int
) -> Automaton:
    """Return the automaton of the living states, layer after layer, with one for all others at the end."""
    numbers: list[list[int]] = []
    count = 0
    for layer in alive:
        here = []
        for lives in layer:
            here.append(count if lives else -1)
            count += lives
        numbers.append(here)
    if not count:
        return Automaton(np.zeros((1, events), np.int32), np.zeros(1, np.bool_))
    width = len(symbols)
    made: list[list[int]] = []
    for living, row, there in zip(alive, rows, numbers[1:], strict=False):
        made += [
            [there[q] if there[q] >= 0 else count for q in moves]
            for lives, moves in zip(living, row, strict=True)
            if lives
        ]
    accepts = np.zeros(count + 1, np.bool_)
    accepts[len(made) : count] = True
    made += [[count] * width] * (count + 1 - len(made))
    column = np.full(events, width - 1)
    column[symbols[:-1]] = np.arange(width - 1)
    return Automaton(np.array(made, np.int32)[:, column], accepts)
