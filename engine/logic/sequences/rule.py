"""A rule over sequences: calls of templates, joined by the connectives of formula.py, as one automaton."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import RuleError
from ...ports import I64
from ..durations import Duration, Window
from ..formula import And, Count, Iff, IfThen, Implies, Not, Or, Xor, parts_of, with_parts
from ..wording import listed
from .automaton import DEAD, MOST_STATES, Automaton, Behaviour, Bools, Events, automaton_of
from .product import NEVER, Product, minimal, paired
from .template import Slot, Template
from .templates import SPEED, find_template
from .timed import Moment, Timed, timeless, unstamped

Place = tuple[str, ...] | Window  # names of events any of which will do, or a number
_MOST_TRIED = 20  # truths of parts, before a connective is given up for lost
_NOTHING = Behaviour(DEAD, lambda *_: DEAD, lambda _: False, frozenset())


@dataclass(frozen=True)
class Call:
    """A template with what fills its slots.

    Attributes:
        template: its name, or an alias.
        places: event names and plain numbers in order.
        numbers: those after a word: (("within", 3),).
        sure: whether it counts as false where missing stamps or places leave it open; otherwise as true.
    """

    template: str
    places: tuple[Place, ...]
    numbers: tuple[tuple[str, Window], ...] = ()
    sure: bool = False

    @property
    def windows(self) -> tuple[Duration, ...]:
        """Return the lengths of time in it."""
        every = (*self.places, *(number for _, number in self.numbers))
        return tuple(value for value in every if isinstance(value, Duration))


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
    """Return the automaton of a rule's body over event types: what it asks for whatever the stamps are.

    Raises:
        RuleError: a template or event is not there, a call does not fit, or it has too many states.
    """
    return _automaton(body, events)


def timed_for(body: Body, events: tuple[str, ...], *, known: bool = True) -> Timed | None:
    """Return a rule's body over event types in time; None where neither stamps nor places matter to it.

    Args:
        body: the body.
        events: the event types.
        known: whether all stamps and places that it asks for are known.
    """
    return _timed(body, events, known) if in_time(body) else None


def marked(body: Body, *, lenient: bool = True) -> Body:  # noqa: PLR0911 - a case a connective
    """Return a body in which what is open because of time lets the whole hold: calls say what they count as.

    Connectives that neither rise nor fall in their parts are put by others that do.
    """
    if isinstance(body, Call):
        return Call(body.template, body.places, body.numbers, sure=not lenient)
    if not in_time(body):
        return body
    match body:
        case Not(part):
            return Not(marked(part, lenient=not lenient))
        case Implies(left, right):
            return Implies(marked(left, lenient=not lenient), marked(right, lenient=lenient))
        case And() | Or():
            pass
        case Count(quantity, number, parts) if quantity != "exactly":
            same = lenient is (quantity == "at least")
            return Count(quantity, number, tuple(marked(part, lenient=same) for part in parts))
        case _:
            return marked(plain(body), lenient=lenient)
    return with_parts(body, tuple(marked(part, lenient=lenient) for part in parts_of(body)))


def plain(body: Body) -> Body:
    """Return a connective that is neither rising nor falling in its parts, by others that are.

    Raises:
        RuleError: it is no connective.
    """
    match body:
        case IfThen(condition, then, None):
            return Implies(condition, then)
        case IfThen(condition, then, other) if other is not None:
            return And((Implies(condition, then), Or((condition, other))))
        case Iff(left, right):
            return And((Implies(left, right), Implies(right, left)))
        case Xor(left, right):
            return And((Or((left, right)), Not(And((left, right)))))
        case Count("exactly", number, parts):
            return And((Count("at least", number, parts), Count("at most", number, parts)))
    raise RuleError(
        "A sequence guard decides events alone.",
        do="Leave out classes, labels and decided numbers: a Constraint guard takes them.",
    )


@lru_cache(maxsize=4_096)
def _automaton(body: Body, events: tuple[str, ...]) -> Automaton:
    if isinstance(body, Call):
        found = _behaviour(body, events)
        if isinstance(found, Timed):
            found = _NOTHING if body.sure else unstamped(found)
        return automaton_of(found, len(events))
    return joined(body, len(events), lambda part: _automaton(part, events))


def joined(body: Body, letters: int, automaton: Callable[[Body], Automaton]) -> Automaton:
    """Return the automaton of a connective over so many letters, its parts being what `automaton` says.

    Raises:
        RuleError: it is no connective, or has too many states.
    """
    parts = parts_of(body)
    if type(body) not in _HOLDS:
        raise RuleError("A sequence rule joins templates of events; this is none.")
    if not parts:  # And(()) is true, Or(()) false
        return Automaton(np.zeros((1, letters), np.int32), np.array([isinstance(body, And)]))
    together = _together([automaton(part) for part in parts])
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


@lru_cache(maxsize=4_096)
def _timed(body: Body, events: tuple[str, ...], known: bool) -> Timed:
    if isinstance(body, Call):
        found = _behaviour(body, events)
        if isinstance(found, Timed):
            return found if known or not body.sure else timeless(_NOTHING)
        return timeless(found)
    parts = tuple(_timed(part, events, known) for part in parts_of(body))
    return _connected(body, parts)


def _connected(body: Body, parts: tuple[Timed, ...]) -> Timed:
    """Return a connective over behaviours: what it remembers is what each of them does."""
    holds = _HOLDS[type(body)]

    def held(truths: Sequence[bool]) -> bool:
        return bool(holds(body, np.array(truths, np.bool_)[:, None])[0]) if truths else isinstance(body, And)

    @lru_cache(maxsize=1_024)
    def lost(dead: tuple[bool, ...]) -> bool:
        free = [(False,) if gone else (False, True) for gone in dead]
        return sum(map(len, free)) < _MOST_TRIED and not any(map(held, itertools.product(*free)))

    def settled(states: tuple[Any, ...]) -> Any:
        return DEAD if DEAD in states and lost(tuple(state == DEAD for state in states)) else states

    def elapse(states: tuple[Any, ...], time: int) -> Any:
        moved = zip(parts, states, strict=True)
        return settled(tuple(s if s == DEAD else part.elapse(s, time) for part, s in moved))

    def step(states: tuple[Any, ...], event: int, moment: Moment) -> Any:
        moved = zip(parts, states, strict=True)
        return settled(tuple(s if s == DEAD else part.step(s, event, moment) for part, s in moved))

    def accepts(states: tuple[Any, ...]) -> bool:
        return held([s != DEAD and part.accepts(s) for part, s in zip(parts, states, strict=True)])

    return Timed(
        tuple(part.start for part in parts),
        elapse,
        step,
        accepts,
        frozenset[int]().union(*(part.speaks_of for part in parts)),
        any(part.places for part in parts),
        tuple(length for part in parts for length in part.lengths),
    )


def in_time(body: Body) -> bool:
    """Whether stamps or places matter to a body."""
    if isinstance(body, Call):
        return bool(body.windows) or _template(body).key == SPEED
    return any(map(in_time, parts_of(body)))


def _behaviour(call: Call, events: tuple[str, ...]) -> Behaviour | Timed:
    numbers = {name: i for i, name in enumerate(events)}
    places = [_numbered(place, numbers) for place in call.places]
    return _template(call).behaviour(places, **dict(call.numbers))


def _numbered(place: Place, numbers: Mapping[str, int]) -> Events | Window:
    if not isinstance(place, tuple):
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
    many = next((i for i, slot in enumerate(template.slots) if slot.many), None)
    if many is None:
        plain_slots = [slot for slot in template.slots if not slot.keyword]
        names |= {s.name: str(s.default) for s in plain_slots if s.default not in (None, -1)}
        names |= {s.name: _said(s, p) for s, p in zip(plain_slots, call.places, strict=False)}
    else:
        texts = tuple(_said(template.slots[many], place) for place in call.places)
        last = "{last}" in template.words
        names |= {template.slots[many].name: listed(texts[:-1] if last else texts), "last": texts[-1]}
    for name, number in call.numbers:
        slot = next(s for s in template.slots if s.name == name)
        names[name] = _said(slot, number) if slot.needed else f" {name} {_said(slot, number)}"
    return template.words.format(**names)


def _said(slot: Slot, place: Place) -> str:
    if isinstance(place, tuple):
        return " or ".join(place)
    if slot.window and isinstance(place, int):
        return f"{place} step{'s' * (place != 1)}"
    return str(place)


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
