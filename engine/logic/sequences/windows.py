"""Templates that count steps: limits in a sliding window, gaps, deadlines."""

from __future__ import annotations

from .automaton import DEAD, Behaviour, Events
from .template import at_least, template

SLIDING = "SLIDE: A Useful Special Case of the CardPath Constraint, arXiv:0903.0471"


@template(
    "limit",
    "{a} happens at most {times} times in any {per} steps on end",
    formula="for every window of w steps: #a <= k",
    example="limit(payment, 2, per 5)",
    citation=SLIDING,
)
def limit(a: Events, times: int, *, per: int) -> Behaviour:
    """At most so many times in any `per` steps on end."""
    at_least(per, 1, "steps")

    # The ages of the latest `a`s that share a window with the next event.
    def step(ages: tuple[int, ...], e: int) -> tuple[int, ...] | str:
        if e in a:
            if len(ages) >= times:
                return DEAD
            ages = (*ages, 0)
        return tuple(age + 1 for age in ages if age + 1 < per)

    return Behaviour((), step, lambda _: True, a)


@template(
    "quota",
    "{a} happens at least {times} times in any {per} steps on end",
    formula="for every window of w steps: #a >= k",
    example="quota(inspection, 1, per 6)",
    citation=SLIDING,
)
def quota(a: Events, times: int, *, per: int) -> Behaviour:
    """At least so many times in any `per` steps on end; a shorter sequence has no such window."""
    at_least(per, 1, "steps")

    # The ages of the latest `times` of them, and how many steps a first window still lacks.
    def step(state: tuple[int, tuple[int, ...]], e: int) -> tuple[int, tuple[int, ...]] | str:
        lacks, ages = max(state[0] - 1, 0), tuple(age + 1 for age in state[1])
        ages = (*ages, 0) if e in a else ages
        ages = tuple(age for age in ages if age < per)[-times:] if times else ()
        return DEAD if not lacks and len(ages) < times else (lacks, ages)

    return Behaviour((per, ()), step, lambda _: True, a)


@template(
    "gap",
    "between {a} and a later {b} lie at least {steps} steps",
    formula="a at i, b at j > i: j - i >= k",
    example="gap(dose, test, 3)",
    citation="",
)
def gap(a: Events, b: Events, steps: int) -> Behaviour:
    """From an `a` to any later `b` it is at least so many steps; both may be the same event."""

    def step(left: int, e: int) -> int | str:
        if e in b and left:
            return DEAD
        return max(steps - 1, 0) if e in a else max(left - 1, 0)

    return Behaviour(0, step, lambda _: True, a | b)


@template(
    "cooldown",
    "from one {a} to the next it is at least {steps} steps",
    formula="a at i, a at j > i: j - i >= k",
    example="cooldown(dose, 4)",
    citation="",
)
def cooldown(a: Events, steps: int) -> Behaviour:
    """A gap of an event to itself."""
    return gap(a, a, steps)


@template(
    "deadline",
    "{a} happens within the first {steps} steps",
    formula="a at some i < k",
    example="deadline(triage, 3)",
    citation="",
)
def deadline(a: Events, steps: int) -> Behaviour:
    """An `a` is among the first so many events."""
    at_least(steps, 1, "steps")

    def step(left: int, e: int) -> int | str:
        if left == 0 or e in a:
            return 0
        return DEAD if left == 1 else left - 1

    return Behaviour(steps, step, lambda left: left == 0, a)
