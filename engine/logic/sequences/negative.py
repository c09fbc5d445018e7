"""Templates that keep two events apart."""

from __future__ import annotations

from .automaton import DEAD, Behaviour, Events
from .template import distinct, template


@template(
    "not co-existence",
    "{a} and {b} never happen both",
    formula="!(F a & F b)",
    example="not co-existence(accept, reject)",
    aliases=("not coexistence", "not responded existence"),
)
def not_co_existence(a: Events, b: Events) -> Behaviour:
    """At most one of them happens."""

    def step(seen: int, e: int) -> int | str:
        seen |= (e in a) | 2 * (e in b)
        return DEAD if seen == 3 else seen

    return Behaviour(0, step, lambda _: True, distinct(a, b))


@template(
    "not succession",
    "{b} never happens after {a}",
    formula="G(a -> !F b)",
    example="not succession(death, discharge)",
    aliases=("not response", "not precedence"),
)
def not_succession(a: Events, b: Events) -> Behaviour:
    """After an `a` there is no `b` any more."""
    return Behaviour(
        False, lambda seen, e: DEAD if seen and e in b else seen or e in a, lambda _: True, distinct(a, b)
    )


@template(
    "not chain succession",
    "{b} never comes directly after {a}",
    formula="G(a -> !X b)",
    example="not chain succession(deposit, withdrawal)",
    aliases=("not chain response", "not chain precedence"),
)
def not_chain_succession(a: Events, b: Events) -> Behaviour:
    """The event after an `a` is no `b`."""
    return Behaviour(
        False, lambda last, e: DEAD if last and e in b else e in a, lambda _: True, distinct(a, b)
    )
