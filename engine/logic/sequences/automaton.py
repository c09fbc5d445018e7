"""Deterministic finite automata over event types, and how a rule's behaviour becomes one.

Every automaton is complete: each state has a move for each event type. State 0 is the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import RuleError
from ...ports import I32

Bools = npt.NDArray[np.bool_]
Events = frozenset[int]  # event types, any of which will do
DEAD = "dead"  # the state of a behaviour that nothing can mend
MOST_STATES = 4_096  # of one rule


@dataclass(frozen=True)
class Behaviour:
    """A rule as what it remembers of the events so far.

    Attributes:
        start: what it remembers before the first event, of any hashable type.
        step: (remembered, event) -> remembered; DEAD where no continuation keeps the rule.
        accepts: remembered -> whether a sequence may end here. DEAD is never asked.
        speaks_of: the event types it tells apart; all others are one to it.
    """

    start: Any
    step: Callable[[Any, int], Any]
    accepts: Callable[[Any], bool]
    speaks_of: Events


@dataclass(frozen=True, eq=False)
class Automaton:
    """A complete automaton.

    Attributes:
        moves: int32 (states, events), the state after an event.
        accepts: bool (states,), whether a sequence may end there.
    """

    moves: I32
    accepts: Bools

    @cached_property
    def alive(self) -> Bools:
        """Return from which states an accepting one is reached, bool (states,)."""
        return alive(self.moves, self.accepts)

    @property
    def empty(self) -> bool:
        """Whether no sequence at all is accepted."""
        return not self.alive[0]

    def walk(self, sequence: Iterable[int]) -> list[int]:
        """Return the states that a sequence passes, the start first: one more than it has events."""
        states = [0]
        for event in sequence:
            states.append(int(self.moves[states[-1], event]))
        return states

    def holds(self, sequence: Iterable[int]) -> bool:
        """Return whether a sequence of event types is accepted."""
        return bool(self.accepts[self.walk(sequence)[-1]])


def alive(moves: I32, accepts: Bools) -> Bools:
    """Return from which states an accepting one is reached, bool (states,)."""
    reached = accepts.copy()
    while True:
        more = reached | reached[moves].any(1)
        if (more == reached).all():
            return reached
        reached = more


def automaton_of(behaviour: Behaviour, events: int, most: int = MOST_STATES) -> Automaton:
    """Return the automaton of a behaviour over `events` event types.

    Raises:
        RuleError: it has more than `most` states.
    """
    # The event types that it does not tell apart are tried once, as -1.
    symbols = [*sorted(behaviour.speaks_of), -1]
    numbers = {behaviour.start: 0}
    rows: list[list[int]] = []
    for state in (queue := [behaviour.start]):
        row = []
        for symbol in symbols:
            after = DEAD if state == DEAD else behaviour.step(state, symbol)
            if after not in numbers:
                numbers[after] = len(numbers)
                queue.append(after)
            row.append(numbers[after])
        rows.append(row)
        if len(numbers) > most:
            words = f"The rule has to tell more than {most:,} situations apart."
            raise RuleError(words, do="Give it a smaller window or fewer events.")
    column = np.full(events, len(symbols) - 1)
    column[symbols[:-1]] = np.arange(len(symbols) - 1)
    accepts = [state != DEAD and behaviour.accepts(state) for state in numbers]
    return Automaton(np.array(rows, np.int32)[:, column], np.array(accepts, np.bool_))
