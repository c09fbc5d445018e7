"""Templates that count steps or time: limits in a sliding window, gaps, deadlines, speeds."""

from __future__ import annotations

from typing import Any

from ..durations import Duration, Window
from .automaton import DEAD, Behaviour, Events
from .template import at_least, template
from .timed import Moment, Timed, left_or_dead, length_of, paced

SLIDING = "SLIDE: A Useful Special Case of the CardPath Constraint, arXiv:0903.0471"
NEW, DONE = "new", "done"
Open = tuple[tuple[int, int], ...]


@template(
    "limit",
    "{a} happens at most {times} times in any {per} on end",
    formula="for every window of w steps: #a <= k",
    example="limit(payment, 5, per 24 h)",
    citation=SLIDING,
)
def limit(a: Events, times: int, *, per: Window) -> Behaviour | Timed:
    """At most so many times in any `per` on end, a window of time being open at its end."""
    length = length_of(per)

    # For how much longer each of the latest `a`s shares a window with what comes.
    def step(lefts: tuple[int, ...], e: int, moment: Moment) -> tuple[int, ...] | str:
        if e not in a:
            return lefts
        if sum(left > moment.width for left in lefts) >= times:
            return DEAD
        return (*lefts, length)[-times:] if times else ()

    def elapse(lefts: tuple[int, ...], time: int) -> tuple[int, ...]:
        return tuple(left - time for left in lefts if left > time)

    return paced(per, Timed((), elapse, step, lambda _: True, a, lengths=(length,)))


@template(
    "quota",
    "{a} happens at least {times} times in any {per} on end",
    formula="for every window of w steps: #a >= k",
    example="quota(inspection, 1, per 6)",
    citation=SLIDING,
)
def quota(a: Events, times: int, *, per: Window) -> Behaviour | Timed:
    """At least so many times in any `per` on end; a shorter sequence has no such window.

    A window of time begins at an event, ends are part of it, and it counts where the sequence goes on later.
    """
    length = length_of(per)
    if isinstance(per, Duration):
        return _quota_in_time(a, times, length)

    # The ages of the latest `times` of them, and how many steps a first window still lacks.
    def step(state: tuple[int, tuple[int, ...]], e: int) -> tuple[int, tuple[int, ...]] | str:
        lacks, ages = max(state[0] - 1, 0), tuple(age + 1 for age in state[1])
        ages = (*ages, 0) if e in a else ages
        ages = tuple(age for age in ages if age < length)[-times:] if times else ()
        return DEAD if not lacks and len(ages) < times else (lacks, ages)

    return Behaviour((length, ()), step, lambda _: True, a)


def _quota_in_time(a: Events, times: int, length: int) -> Timed:
    # What is left of the oldest window with each number of `a`s so far, and that number.
    def elapse(windows: Open, time: int) -> Open | str:
        if any(left < time for left, _ in windows):
            return DEAD
        return tuple((left - time, count) for left, count in windows)

    def step(windows: Open, e: int, moment: Moment) -> Open:
        here = int(e in a)
        found: dict[int, int] = {}
        for left, count in (*windows, (length + moment.width, 0)):
            if count + here < times:
                found.setdefault(count + here, left)
        return tuple((left, count) for count, left in found.items())

    return Timed((), elapse, step, lambda _: True, a, lengths=(length,))


@template(
    "gap",
    "between {a} and a later {b} lie at least {steps}",
    formula="a at i, b at j > i: j - i >= k",
    example="gap(dose, test, 3)",
    citation="",
)
def gap(a: Events, b: Events, steps: Window) -> Behaviour | Timed:
    """From an `a` to any later `b` it is at least so long; both may be the same event."""
    length = steps.micros if isinstance(steps, Duration) else steps

    def step(left: int, e: int, moment: Moment) -> int | str:
        if e in b and left > moment.width:
            return DEAD
        return length if e in a else left

    return paced(
        steps,
        Timed(0, lambda left, time: max(left - time, 0), step, lambda _: True, a | b, lengths=(length,)),
    )


@template(
    "cooldown",
    "from one {a} to the next it is at least {steps}",
    formula="a at i, a at j > i: j - i >= k",
    example="cooldown(dose, 4 h)",
    citation="",
)
def cooldown(a: Events, steps: Window) -> Behaviour | Timed:
    """A gap of an event to itself."""
    return gap(a, a, steps)


@template(
    "deadline",
    "{a} happens within the first {steps}",
    formula="a at some i < k",
    example="deadline(triage, 10 min)",
    citation="",
)
def deadline(a: Events, steps: Window) -> Behaviour | Timed:
    """An `a` is among the first so many events, or comes so soon after the first event."""
    length = length_of(steps)
    first = length if isinstance(steps, Duration) else length - 1

    def elapse(left: Any, time: int) -> Any:
        return left if left in (NEW, DONE) else left_or_dead(left, time)

    def step(left: Any, e: int, moment: Moment) -> Any:
        if left == DONE or e in a:
            return DONE
        return first + moment.width if left == NEW else left

    return paced(steps, Timed(NEW, elapse, step, lambda left: left == DONE, a, lengths=(length,)))


@template(
    "speed",
    "from one {a} to the next it goes no faster than {limit} km/h",
    formula="a at i, next a at j: distance(i, j) <= v (t_j - t_i)",
    example="speed(payment, 900)",
    citation="",
)
def speed(a: Events, limit: int) -> Timed:
    """From each `a` to the next the way is no longer than can be gone in the time between."""
    at_least(limit, 1, "km/h")

    # The step of the latest `a`; there is none at first.
    def step(latest: int, e: int, moment: Moment) -> int | str:
        if e not in a:
            return latest
        before = moment.clock is not None and latest >= 0
        if before and moment.clock and moment.clock.too_fast(latest, moment.at, limit):
            return DEAD
        return moment.at

    return Timed(-1, lambda latest, _: latest, step, lambda _: True, a, places=True)
