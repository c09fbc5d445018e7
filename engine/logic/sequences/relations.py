"""Templates about two events: which calls for the other, and in what order."""

from __future__ import annotations

from typing import Any

from ...errors import RuleError
from ..durations import Window
from .automaton import DEAD, Behaviour, Events
from .template import distinct, template
from .timed import Moment, Timed, both, left_or_dead, left_or_none, length_of, paced

MOST_BEFORE = 10  # events that one may need before it: 2^10 situations


def _answered(a: Events, b: Events, within: Window, other: Any) -> Behaviour | Timed:
    """Return a response in time; `other` says what any event but `b` makes of what is left, and if it is `a`.

    What is remembered is the time left to the oldest `a` without an answer, for a `b` answers all of them.
    """
    length = length_of(within)

    def step(left: int | None, e: int, moment: Moment) -> Any:
        if e in b:
            return None
        if left is None:
            return length + moment.width if e in a else None
        return other(left, e in a)

    every = distinct(a, b)
    return paced(within, Timed(None, left_or_dead, step, lambda left: left is None, every, lengths=(length,)))


def _prepared(a: Events, b: Events, within: Window, other: Any, *, used: bool = False) -> Behaviour | Timed:
    """Return a precedence in time; `other` says what an event but `a` and `b` makes of what is left.

    What is remembered is for how long the latest `a` still counts. A `b` takes it away where it is `used`.
    """
    length = length_of(within)

    def step(left: int | None, e: int, moment: Moment) -> Any:
        if e in b and left is None:
            return DEAD
        if e in a:
            return length + moment.width
        return None if e in b and used else other(left)

    every = distinct(a, b)
    return paced(within, Timed(None, left_or_none, step, lambda _: True, every, lengths=(length,)))


def _seen(a: Events, b: Events, accepts: Any) -> Behaviour:
    """Return a behaviour that remembers whether an `a` (1) and a `b` (2) have happened."""
    return Behaviour(0, lambda seen, e: seen | (e in a) | 2 * (e in b), accepts, distinct(a, b))


@template(
    "responded existence",
    "where {a} happens, {b} happens too, before or after",
    formula="F a -> F b",
    example="responded existence(surgery, consent)",
)
def responded_existence(a: Events, b: Events) -> Behaviour:
    """Where an `a` happens, a `b` does, in any order."""
    return _seen(a, b, lambda seen: seen != 1)


@template(
    "co-existence",
    "{a} and {b} happen both or neither",
    formula="F a <-> F b",
    example="co-existence(order, invoice)",
    aliases=("coexistence",),
)
def co_existence(a: Events, b: Events) -> Behaviour:
    """Both happen or neither does."""
    return _seen(a, b, lambda seen: seen in (0, 3))


@template(
    "response",
    "every {a} is followed by {b}{within}",
    formula="G(a -> F b)",
    example="response(order, invoice, within 3)",
)
def response(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """After every `a` comes a `b`, at most `within` steps later."""
    every = distinct(a, b)
    if within is None:
        return Behaviour(0, lambda w, e: 0 if e in b else w or int(e in a), lambda w: w == 0, every)
    return _answered(a, b, within, lambda left, _: left)


@template(
    "precedence",
    "{b} happens only after {a}{within}",
    formula="!b W a",
    example="precedence(consent, surgery)",
)
def precedence(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """Before every `b` comes an `a`, at most `within` steps earlier."""
    every = distinct(a, b)
    if within is None:
        return Behaviour(
            False, lambda ok, e: DEAD if e in b and not ok else ok or e in a, lambda _: True, every
        )
    return _prepared(a, b, within, lambda left: left)


@template(
    "succession",
    "every {a} is followed by {b} and every {b} comes after {a}{within}",
    formula="G(a -> F b) & (!b W a)",
    example="succession(request, answer)",
)
def succession(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """Response and precedence."""
    return both(response(a, b, within=within), precedence(a, b, within=within))


@template(
    "alternate response",
    "every {a} is followed by {b} before the next {a}{within}",
    formula="G(a -> X(!a U b))",
    example="alternate response(open, close)",
)
def alternate_response(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """After every `a` comes a `b`, with no further `a` between, at most `within` later."""
    if within is not None:
        return _answered(a, b, within, lambda left, again: DEAD if again else left)

    def step(waiting: bool, e: int) -> bool | str:
        if e in a:
            return DEAD if waiting else True
        return waiting and e not in b

    return Behaviour(False, step, lambda waiting: not waiting, distinct(a, b))


@template(
    "alternate precedence",
    "before every {b} comes {a}{within}, a new one each time",
    formula="(!b W a) & G(b -> WX(!b W a))",
    example="alternate precedence(payment, shipment)",
)
def alternate_precedence(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """Before every `b` comes an `a`, at most `within` earlier, with no further `b` between."""
    if within is not None:
        return _prepared(a, b, within, lambda left: left, used=True)

    def step(ready: bool, e: int) -> bool | str:
        if e in b:
            return False if ready else DEAD
        return ready or e in a

    return Behaviour(False, step, lambda _: True, distinct(a, b))


@template(
    "alternate succession",
    "{a} and {b}{within} take turns, {a} first",
    formula="alternate response & alternate precedence",
    example="alternate succession(lend, give_back)",
)
def alternate_succession(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """Alternate response and alternate precedence."""
    return both(alternate_response(a, b, within=within), alternate_precedence(a, b, within=within))


@template(
    "chain response",
    "directly after every {a} comes {b}{within}",
    formula="G(a -> X b)",
    example="chain response(scan, label)",
)
def chain_response(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """The event after every `a` is a `b`, at most `within` later."""
    if within is not None:
        return _answered(a, b, within, lambda *_: DEAD)

    def step(due: bool, e: int) -> bool | str:
        return DEAD if due and e not in b else e in a

    return Behaviour(False, step, lambda due: not due, distinct(a, b))


@template(
    "chain precedence",
    "directly before every {b} comes {a}{within}",
    formula="!b & G(X b -> a)",
    example="chain precedence(disinfect, inject)",
)
def chain_precedence(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """The event before every `b` is an `a`, at most `within` earlier; a `b` is then not the first event."""
    if within is not None:
        return _prepared(a, b, within, lambda _: None, used=True)

    def step(ready: bool, e: int) -> bool | str:
        return DEAD if e in b and not ready else e in a

    return Behaviour(False, step, lambda _: True, distinct(a, b))


@template(
    "chain succession",
    "{a} and {b} come only as pairs, {b} directly after {a}{within}",
    formula="chain response & chain precedence",
    example="chain succession(lift, lower)",
)
def chain_succession(a: Events, b: Events, *, within: Window | None = None) -> Behaviour | Timed:
    """Chain response and chain precedence."""
    return both(chain_response(a, b, within=within), chain_precedence(a, b, within=within))


@template(
    "before",
    "{last} happens only after all of {parts}",
    formula="for every part p: !last W p",
    example="before(test_b, test_c, diagnosis_d)",
    citation="",
    aliases=("require before",),
)
def before(*parts: Events) -> Behaviour:
    """The last needs all the others before it, in any order: REQUIRE b AND c BEFORE d."""
    *needs, last = parts
    distinct(last, frozenset().union(*needs))
    if len(needs) > MOST_BEFORE:
        raise RuleError(f"before: {len(needs)} events come first; {MOST_BEFORE} is the most.")
    full = (1 << len(needs)) - 1

    def step(seen: int, e: int) -> int | str:
        if e in last:
            return seen if seen == full else DEAD
        return seen | sum(1 << i for i, need in enumerate(needs) if e in need)

    return Behaviour(0, step, lambda _: True, frozenset().union(*parts))
