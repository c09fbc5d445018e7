"""Limits and quotas over given stamps as counts in stretches of steps, where automata would be too large."""

from __future__ import annotations

from dataclasses import dataclass

from .automaton import Events
from .clock import Clock
from .rule import Body, Call
from .templates import find_template


@dataclass(frozen=True)
class Stretch:
    """So many of some event types happen from one step to another, both included.

    Attributes:
        events: the event types.
        first: the step it begins with.
        last: the step it ends with.
        count: how many.
        at_most: whether no more of them happen; else no fewer do.
    """

    events: Events
    first: int
    last: int
    count: int
    at_most: bool

    @property
    def never(self) -> bool:
        """Whether it asks for more events than it has steps."""
        return not self.at_most and self.count > self.last - self.first + 1


def stretches(body: Body, clock: Clock, events: tuple[str, ...]) -> tuple[Stretch, ...] | None:
    """Return what a limit or a quota in time asks of the steps of a clock; None for any other rule."""
    if not isinstance(body, Call) or body.sure or not body.windows:
        return None
    template, length = find_template(body.template), body.windows[0].micros
    if template is None or template.key not in ("limit", "quota"):
        return None
    (names, count), steps = body.places, len(clock.stamps)
    if not isinstance(names, tuple) or not isinstance(count, int):
        return None
    here = frozenset(events.index(name) for name in names)
    found, last = [], 0
    for first in range(steps):
        last = max(last, first)
        if template.key == "limit":
            while last + 1 < steps and clock.between(first, last + 1) < length:
                last += 1
        else:
            while last + 1 < steps and clock.least(first, last + 1) <= length:
                last += 1
            if last + 1 == steps:  # the sequence does not go on after it
                break
        found.append(Stretch(here, first, last, count, template.key == "limit"))
    return tuple(found)
