"""Which event of a sequence came too late, too soon or too far away for a rule in time, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..durations import Duration, spoken
from ..formula import parts_of
from .automaton import Events
from .clock import ANY_TIME, Clock
from .rule import Body, Call, in_time
from .templates import find_template


@dataclass(frozen=True)
class _Seen:
    """A call in time beside a sequence.

    Attributes:
        a: the steps at which its first events happen.
        b: those of its second; the same where it has only one.
        words: what its events are called.
        length: its length of time in microseconds, or the speed in km/h.
        window: the same as written.
        times: the number that stands beside it, 0 where there is none.
        labels: the events.
        names: the names of event types.
        clock: when and where they happen.
    """

    a: list[int]
    b: list[int]
    words: tuple[str, str]
    length: int
    window: str
    times: int
    labels: Sequence[int]
    names: tuple[str, ...]
    clock: Clock

    def event(self, step: int) -> str:
        return f"{self.names[self.labels[step]]} at step {step + 1}"

    def least(self, first: int, then: int) -> int:
        """Return the time between two steps, at least."""
        return self.clock.least(first, then)

    def most(self, first: int, then: int) -> int:
        """Return the time between two steps, at most."""
        return self.clock.between(first, then)

    def since(self, first: int, then: int) -> str:
        """Return the words of the time between two steps."""
        least, most = self.least(first, then), self.most(first, then)
        if least == most:
            return spoken(least)
        return f"at least {spoken(least)}" if most >= ANY_TIME >> 1 else f"{spoken(least)} to {spoken(most)}"


Find = Callable[[_Seen], str]


def lateness(body: Body, labels: Sequence[int], clock: Clock, names: tuple[str, ...]) -> str:
    """Return what came too late, too soon or too far away for a rule, "" if nothing did.

    Args:
        body: the rule.
        labels: the event types of the sequence.
        clock: when and where they happen.
        names: the names of the event types.
    """
    for call in _calls(body):
        found = find_template(call.template)
        tells = _TELLS.get(found.key if found else "", ())
        seen = _seen(call, labels, clock, names)
        for tell in tells:
            words = tell(seen)
            if words:
                return words
    return ""


def _calls(body: Body) -> list[Call]:
    if isinstance(body, Call):
        return [body] if in_time(body) else []
    return [call for part in parts_of(body) for call in _calls(part)]


def _seen(call: Call, labels: Sequence[int], clock: Clock, names: tuple[str, ...]) -> _Seen:
    kinds = [place for place in call.places if isinstance(place, tuple)]
    steps = [_steps(labels, frozenset(names.index(name) for name in kind)) for kind in kinds]
    words = [" or ".join(kind) for kind in kinds]
    plain = next((place for place in call.places if isinstance(place, int)), 0)
    window = next(iter(call.windows), Duration(plain))
    return _Seen(
        steps[0],
        steps[-1],
        (words[0], words[-1]),
        window.micros,
        str(window),
        plain,
        labels,
        names,
        clock,
    )


def _steps(labels: Sequence[int], events: Events) -> list[int]:
    return [i for i, event in enumerate(labels) if event in events]


def _answered(seen: _Seen, *, chain: bool = False) -> str:
    for i in seen.a:
        j = next((j for j in seen.b if j > i and (not chain or j == i + 1)), None)
        if j is None:
            return f"no {seen.words[1]} came within {seen.window} after {seen.event(i)}"
        if seen.least(i, j) > seen.length:
            return _late(seen, i, j)
    return ""


def _prepared(seen: _Seen, *, chain: bool = False) -> str:
    for j in seen.b:
        i = next((i for i in reversed(seen.a) if i < j and (not chain or i == j - 1)), None)
        if i is None:
            return f"no {seen.words[0]} came within {seen.window} before {seen.event(j)}"
        if seen.least(i, j) > seen.length:
            return _late(seen, i, j)
    return ""


def _late(seen: _Seen, i: int, j: int) -> str:
    over = spoken(seen.least(i, j) - seen.length)
    return f"{seen.event(j)} came {seen.since(i, j)} after {seen.event(i)}: {over} too late"


def _soon(seen: _Seen) -> str:
    for j in seen.b:
        for i in reversed([i for i in seen.a if i < j]):
            if seen.most(i, j) < seen.length:
                short = spoken(seen.length - seen.most(i, j))
                return f"{seen.event(j)} came {seen.since(i, j)} after {seen.event(i)}: {short} too soon"
    return ""


def _crowded(seen: _Seen) -> str:
    for place in range(seen.times, len(seen.a)):
        i, j = seen.a[place - seen.times], seen.a[place]
        if seen.times == 0:
            return f"{seen.event(j)} is one too many"
        if seen.most(i, j) < seen.length:
            short = spoken(seen.length - seen.most(i, j))
            many = f"number {seen.times + 1} within {seen.window}"
            return f"{seen.event(j)} is {many}: {seen.since(i, j)} after {seen.event(i)}, {short} too soon"
    return ""


def _sparse(seen: _Seen) -> str:
    last = len(seen.labels) - 1
    for i in range(last):
        if seen.least(i, last) > seen.length:
            count = sum(j >= i and seen.least(i, j) <= seen.length for j in seen.a)
            if count < seen.times:
                return f"only {count} {seen.words[0]} came in the {seen.window} from {seen.event(i)} on"
    return ""


def _due(seen: _Seen) -> str:
    if not seen.a:
        return f"no {seen.words[0]} came within {seen.window} of the first event"
    j = seen.a[0]
    over = seen.least(0, j) - seen.length if j else 0
    if over <= 0:
        return ""
    return f"{seen.event(j)} came {seen.since(0, j)} after the first event: {spoken(over)} too late"


def _fast(seen: _Seen) -> str:
    for i, j in zip(seen.a, seen.a[1:], strict=False):
        if seen.clock.too_fast(i, j, seen.times) and seen.clock.kilometres is not None:
            way, time = float(seen.clock.kilometres[i, j]), seen.most(i, j)
            pace = f"{way * 3.6e9 / time:,.0f} km/h" if time else "no time between"
            return (
                f"{seen.event(j)} lies {way:,.0f} km from {seen.event(i)}, {seen.since(i, j)} later: {pace}"
            )
    return ""


def _answered_next(seen: _Seen) -> str:
    return _answered(seen, chain=True)


def _prepared_next(seen: _Seen) -> str:
    return _prepared(seen, chain=True)


_TELLS: dict[str, tuple[Find, ...]] = {
    "response": (_answered,),
    "precedence": (_prepared,),
    "succession": (_answered, _prepared),
    "alternate response": (_answered,),
    "alternate precedence": (_prepared,),
    "alternate succession": (_answered, _prepared),
    "chain response": (_answered_next,),
    "chain precedence": (_prepared_next,),
    "chain succession": (_answered_next, _prepared_next),
    "gap": (_soon,),
    "cooldown": (_soon,),
    "limit": (_crowded,),
    "quota": (_sparse,),
    "deadline": (_due,),
    "speed": (_fast,),
}
