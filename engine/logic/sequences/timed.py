"""Behaviours that look at a clock: what is remembered of the events so far changes as time passes.

A window counts steps or time. In steps it is the same behaviour with one unit of time from event to event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...errors import RuleError
from ..durations import Duration, Window
from .automaton import DEAD, Behaviour, Events
from .clock import ANY_TIME, Clock


class Moment(NamedTuple):
    """When an event happens.

    Attributes:
        at: which step it is, from 0.
        width: for how long after the stamp that is reckoned with it may happen: 0 where its stamp is known.
        clock: the stamps and places of the whole sequence; None where there are none.
    """

    at: int = 0
    width: int = 0
    clock: Clock | None = None


STILL = Moment()
UNSTAMPED = Moment(width=ANY_TIME)


@dataclass(frozen=True)
class Timed:
    """A rule as what it remembers of the events so far and of the time since them.

    Attributes:
        start: what it remembers before the first event, of any hashable type.
        elapse: (remembered, time) -> remembered after so much time; DEAD where nothing keeps the rule then.
        step: (remembered, event, moment) -> remembered.
        accepts: remembered -> whether a sequence may end here. No function is given DEAD.
        speaks_of: the event types it tells apart; all others are one to it.
        places: whether it asks where events happen.
        lengths: the lengths of time that it compares with.
    """

    start: Any
    elapse: Callable[[Any, int], Any]
    step: Callable[[Any, int, Moment], Any]
    accepts: Callable[[Any], bool]
    speaks_of: Events
    places: bool = False
    lengths: tuple[int, ...] = ()

    def after(self, state: Any, time: int, event: int, moment: Moment) -> Any:
        """Return what is remembered after some time and an event."""
        if state == DEAD:
            return DEAD
        state = self.elapse(state, time) if time else state
        return DEAD if state == DEAD else self.step(state, event, moment)


def length_of(window: Window) -> int:
    """Return how long a window is, in steps or in microseconds.

    Raises:
        RuleError: it is 0.
    """
    length = window.micros if isinstance(window, Duration) else window
    if length < 1:
        what = "time" if isinstance(window, Duration) else "number of steps"
        raise RuleError(f"The {what} is {window}; it must be more.", do="Write 1 or more, or a longer time.")
    return length


def paced(window: Window, timed: Timed) -> Behaviour | Timed:
    """Return a behaviour over the time that a window counts in: by itself where that is steps."""
    if isinstance(window, Duration):
        return timed
    return Behaviour(
        timed.start, lambda state, e: timed.after(state, 1, e, STILL), timed.accepts, timed.speaks_of
    )


def unstamped(timed: Timed) -> Behaviour:
    """Return what a behaviour asks for whatever the times and places are."""
    return Behaviour(
        timed.start, lambda state, e: timed.after(state, 0, e, UNSTAMPED), timed.accepts, timed.speaks_of
    )


def timeless(behaviour: Behaviour) -> Timed:
    """Return a behaviour that time does not change."""
    return Timed(
        behaviour.start,
        lambda state, _: state,
        lambda state, e, _: behaviour.step(state, e),
        behaviour.accepts,
        behaviour.speaks_of,
    )


def left_or_dead(left: int | None, time: int) -> int | str | None:
    """Return what is left of the time until something is overdue, None where nothing is awaited."""
    if left is None:
        return None
    return left - time if left >= time else DEAD


def left_or_none(left: int | None, time: int) -> int | None:
    """Return for how long something still counts, None where it does not any more."""
    return None if left is None or left < time else left - time


def both(one: Behaviour | Timed, other: Behaviour | Timed) -> Behaviour | Timed:
    """Return the behaviour that keeps two rules at once."""
    if isinstance(one, Behaviour) and isinstance(other, Behaviour):
        found = both(timeless(one), timeless(other))
        return unstamped(found) if isinstance(found, Timed) else found
    first, second = (timeless(b) if isinstance(b, Behaviour) else b for b in (one, other))

    def elapse(state: tuple[Any, Any], time: int) -> Any:
        after = first.elapse(state[0], time), second.elapse(state[1], time)
        return DEAD if DEAD in after else after

    def step(state: tuple[Any, Any], event: int, moment: Moment) -> Any:
        after = first.step(state[0], event, moment), second.step(state[1], event, moment)
        return DEAD if DEAD in after else after

    return Timed(
        (first.start, second.start),
        elapse,
        step,
        lambda state: first.accepts(state[0]) and second.accepts(state[1]),
        first.speaks_of | second.speaks_of,
        first.places or second.places,
        (*first.lengths, *second.lengths),
    )
