"""Templates about how often, first and last an event happens, and which of several do."""

from __future__ import annotations

from .automaton import DEAD, Behaviour, Events
from .template import at_least, distinct, template


@template(
    "existence", "{a} happens at least {times} times", formula="#a >= n", example="existence(admission, 1)"
)
def existence(a: Events, times: int = 1) -> Behaviour:
    """At least so many times, once if no number is given."""
    at_least(times, 1, "times")
    return Behaviour(0, lambda seen, e: min(times, seen + (e in a)), lambda seen: seen == times, a)


@template(
    "absence", "{a} happens fewer than {times} times", formula="#a < n", example="absence(allergy_alert)"
)
def absence(a: Events, times: int = 1) -> Behaviour:
    """Fewer than so many times: never if no number is given."""
    at_least(times, 1, "times")

    def step(seen: int, e: int) -> int | str:
        seen += e in a
        return DEAD if seen == times else seen

    return Behaviour(0, step, lambda _: True, a)


@template("exactly", "{a} happens exactly {times} times", formula="#a = n", example="exactly(signature, 2)")
def exactly(a: Events, times: int = 1) -> Behaviour:
    """So many times, once if no number is given."""

    def step(seen: int, e: int) -> int | str:
        seen += e in a
        return DEAD if seen > times else seen

    return Behaviour(0, step, lambda seen: seen == times, a)


@template("init", "{a} is the first event", formula="a", example="init(admission)", aliases=("first",))
def init(a: Events) -> Behaviour:
    """The first event is an `a`; an empty sequence has none."""
    return Behaviour(False, lambda begun, e: True if begun or e in a else DEAD, bool, a)


@template(
    "end",
    "{a} is the last event",
    formula="F(a & !X true)",
    example="end(discharge)",
    citation="Di Ciccio & Mecella, Discovery of Declarative Control Flows for Artful Processes",
    aliases=("last",),
)
def end(a: Events) -> Behaviour:
    """The last event is an `a`; an empty sequence has none."""
    return Behaviour(False, lambda _, e: e in a, bool, a)


@template("choice", "at least one of {parts} happens", formula="F a | F b", example="choice(card, cash)")
def choice(*parts: Events) -> Behaviour:
    """One of them happens, or several."""
    every = frozenset[int]().union(*parts)
    return Behaviour(False, lambda seen, e: seen or e in every, bool, every)


@template(
    "exclusive choice",
    "exactly one of {parts} happens",
    formula="(F a | F b) & !(F a & F b)",
    example="exclusive choice(accept, reject)",
)
def exclusive_choice(*parts: Events) -> Behaviour:
    """One of them happens, once or more; the others never."""
    every = distinct(*parts)

    def step(taken: int, e: int) -> int | str:
        for number, part in enumerate(parts):
            if e in part:
                return number if taken in (-1, number) else DEAD
        return taken

    return Behaviour(-1, step, lambda taken: taken >= 0, every)
