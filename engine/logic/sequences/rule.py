"""A rule over sequences: calls of templates, joined by the connectives of formula.py, as one automaton."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import RuleError
from ...ports import I64
from ..formula import And, Count, Iff, IfThen, Implies, Not, Or, Xor, parts_of
from ..wording import listed
from .automaton import MOST_STATES, Automaton, Bools, Events, automaton_of
from .product import NEVER, Product, minimal, paired
from .template import Template
from .templates import find_template

Place = tuple[str, ...] | int  # names of events any of which will do, or a number


@dataclass(frozen=True)
class Call:
    """A template with what fills its slots.

    Attributes:
        template: its name, or an alias.
        places: event names and plain numbers in order.
        numbers: those after a word: (("within", 3),).
    """

    template: str
    places: tuple[Place, ...]
    numbers: tuple[tuple[str, int], ...] = ()


Body = Any  # a Call, or a connective of formula.py over bodies


@dataclass(frozen=True)
class SequenceRule:
    """One rule.

    Attributes:
        name: its name.
        body: what must hold of every sequence.
        weight: what breaking it costs, above 0; None where it must not be broken.
        reason: why it holds, or "".
        source: where it comes from, or "".
    """

    name: str
    body: Body
    weight: int | None = None
    reason: str = ""
    source: str = ""


def automaton_for(body: Body, events: tuple[str, ...]) -> Automaton:
    """Return the automaton of a rule's body over event types.

    Raises:
        RuleError: a template or event is not there, a call does not fit, or it has too many states.
    """
    return _automaton(body, events)


@lru_cache(maxsize=4_096)
def _automaton(body: Body, events: tuple[str, ...]) -> Automaton:
    if isinstance(body, Call):
        return _called(body, events)
    parts = parts_of(body)
    if type(body) not in _HOLDS:
        raise RuleError("A sequence rule joins templates of events; this is none.")
    if not parts:  # And(()) is true, Or(()) false
        return Automaton(np.zeros((1, len(events)), np.int32), np.array([isinstance(body, And)]))
    together = _together([automaton_for(part, events) for part in parts])
    held = together.penalties[None] >> np.arange(len(parts))[:, None] & 1 == 1
    accepts = _HOLDS[type(body)](body, held)
    small = minimal(Product(together.moves, np.where(accepts, 0, NEVER).astype(np.int64)))
    return Automaton(small.moves, small.penalties == 0)


def words_of(body: Body) -> str:
    """Return a body in words: a template's sentence, joined where there are several."""
    if isinstance(body, Call):
        return _call_words(body)
    words = [words_of(part) for part in parts_of(body)]
    return _WORDS[type(body)](body, words) if words else str(body)


# Inside


def _called(call: Call, events: tuple[str, ...]) -> Automaton:
    numbers = {name: i for i, name in enumerate(events)}
    places = [_numbered(place, numbers) for place in call.places]
    return automaton_of(_template(call).behaviour(places, **dict(call.numbers)), len(events))


def _numbered(place: Place, numbers: Mapping[str, int]) -> Events | int:
    if isinstance(place, int):
        return place
    missing = [name for name in place if name not in numbers]
    if missing:
        words = f"There is no event {missing[0]!r}."
        raise RuleError(words, do=f"The events are {listed(tuple(numbers))}.")
    return frozenset(numbers[name] for name in place)


def _template(call: Call) -> Template:
    found = find_template(call.template)
    if found is None:
        words = f"There is no template {call.template!r}."
        raise RuleError(words, do="The help page on rules lists all of them.")
    return found


def _together(automata: list[Automaton]) -> Product:
    """Return the product whose penalties say by their bits which automata accept."""
    parts = [Product(a.moves, a.accepts.astype(np.int64) << i) for i, a in enumerate(automata)]
    found = parts[0]
    for part in parts[1:]:
        pairs = paired(found, part, np.add, MOST_STATES)
        if pairs is None:
            words = f"The rule has to tell more than {MOST_STATES:,} situations apart."
            raise RuleError(words, do="Split it, or give it smaller windows.")
        found = minimal(pairs)
    return found


def _call_words(call: Call) -> str:
    template = _template(call)
    names: dict[str, str] = dict.fromkeys((s.name for s in template.slots), "")
    texts = [str(p) if isinstance(p, int) else " or ".join(p) for p in call.places]
    many = next((i for i, slot in enumerate(template.slots) if slot.many), None)
    if many is None:
        plain = [slot for slot in template.slots if not slot.keyword]
        names |= {s.name: str(s.default) for s in plain if s.default not in (None, -1)}
        names |= {s.name: text for s, text in zip(plain, texts, strict=False)}
    else:
        last = "{last}" in template.words
        names |= {template.slots[many].name: listed(tuple(texts[:-1] if last else texts)), "last": texts[-1]}
    for name, number in call.numbers:
        slot = next(s for s in template.slots if s.name == name)
        names[name] = str(number) if slot.needed else f" within {number} steps"
    return template.words.format(**names)


_QUANTITIES: dict[str, Callable[[I64, int], Bools]] = {
    "at least": np.greater_equal,
    "at most": np.less_equal,
    "exactly": np.equal,
}

# Of each connective: whether it holds, of bool (parts, states) whether its parts do; and its words.
_HOLDS: dict[type, Callable[[Any, Bools], Bools]] = {
    Not: lambda _, p: ~p[0],
    And: lambda _, p: np.logical_and.reduce(p),
    Or: lambda _, p: np.logical_or.reduce(p),
    Xor: lambda _, p: p[0] != p[1],
    Iff: lambda _, p: p[0] == p[1],
    Implies: lambda _, p: ~p[0] | p[1],
    IfThen: lambda body, p: np.where(p[0], p[1], True if body.other is None else p[-1]),
    Count: lambda body, p: _QUANTITIES[body.quantity](p.sum(0), body.number),
}
_WORDS: dict[type, Callable[[Any, list[str]], str]] = {
    Not: lambda _, w: f"it is not so that {w[0]}",
    And: lambda _, w: " and ".join(w),
    Or: lambda _, w: " or ".join(w),
    Xor: lambda _, w: f"either {w[0]} or {w[1]}",
    Iff: lambda _, w: f"{w[0]} just where {w[1]}",
    Implies: lambda _, w: f"if {w[0]}, then {w[1]}",
    IfThen: lambda _, w: f"if {w[0]}, then {w[1]}" + "".join(f", else {other}" for other in w[2:]),
    Count: lambda body, w: f"{body.quantity} {body.number} of these hold: " + "; ".join(w),
}
