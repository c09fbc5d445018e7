"""What a sequence template is, and the list of all there are. A new one is one decorated function.

A template is a function from event types and numbers to a Behaviour; its parameters are read off its
signature: `Events` takes one event type or several any of which will do (branched Declare), `int` a number,
`Window` so many steps or a length of time (`3 days`), a keyword-only number stands after its word
(`within 3`), `*parts: Events` takes as many as are given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import RuleError
from ..durations import Duration, Window
from .automaton import Behaviour, Events
from .timed import Timed

Make = Callable[..., Behaviour | Timed]
LTLF = "De Giacomo, De Masellis & Montali 2014, Reasoning on LTL on Finite Traces (AAAI)"
MOST_NUMBER = 1_000_000


@dataclass(frozen=True)
class Slot:
    """One parameter of a template.

    Attributes:
        name: what the words call it.
        kind: whether it takes event types or a number.
        many: whether it takes any number of them, two at least.
        keyword: whether the number stands after the slot's name: `within 3`.
        default: the number where none is given; None asks for no number, -1 must be given.
        window: whether the number may be a length of time as well.
    """

    name: str
    kind: Literal["events", "number"]
    many: bool = False
    keyword: bool = False
    default: int | None = -1
    window: bool = False

    @property
    def needed(self) -> bool:
        """Whether it must be given."""
        return self.default == -1


@dataclass(frozen=True)
class Template:
    """One template.

    Attributes:
        key: its name in rules: lower case, words apart.
        words: what it says, `{a}` for what its slots hold.
        formula: in linear temporal logic over finite traces, or plain mathematics where that is shorter.
        example: a call, for help and completion.
        citation: where it is defined.
        aliases: further names.
        slots: its parameters in order.
        make: the function itself.
    """

    key: str
    words: str
    formula: str
    example: str
    citation: str
    aliases: tuple[str, ...]
    slots: tuple[Slot, ...]
    make: Make

    def behaviour(self, places: Sequence[Events | Window], **numbers: Window) -> Behaviour | Timed:
        """Return the behaviour of a call; it is timed where a window counts time.

        Args:
            places: event types and plain numbers in the order written.
            numbers: those after a word.

        Raises:
            RuleError: there are too few or too many, or one is of the wrong kind or size.
        """
        self._check(places, numbers)
        return self.make(*places, **numbers)

    @property
    def signature(self) -> str:
        """Return how a call is written: `response(a, b, [within k])`."""
        return f"{self.key}({', '.join(map(_slot_words, self.slots))})"

    @property
    def windows(self) -> bool:
        """Whether it takes lengths of time."""
        return any(slot.window for slot in self.slots)

    def _check(self, places: Sequence[Events | Window], numbers: dict[str, Window]) -> None:
        plain = [slot for slot in self.slots if not slot.keyword]
        if any(slot.many for slot in plain):
            plain = self._spread(plain, len(places))
        least = sum(slot.needed for slot in plain)
        if not least <= len(places) <= len(plain):
            raise self._wrong(f"It takes {_count(least, len(plain))}; {len(places)} are given.")
        for slot, value in zip(plain, places, strict=False):
            self._check_value(slot, value)
        known = {slot.name: slot for slot in self.slots if slot.keyword}
        for name, value in numbers.items():
            if name not in known:
                raise self._wrong(f"It has no {name!r}.")
            self._check_value(known[name], value)
        missing = [s.name for s in self.slots if s.keyword and s.needed and s.name not in numbers]
        if missing:
            raise self._wrong(f"It needs a number after {missing[0]!r}.")

    def _check_value(self, slot: Slot, value: Events | Window) -> None:
        if isinstance(value, frozenset) != (slot.kind == "events"):
            raise self._wrong(f"Its {slot.name} is {'a number' if slot.kind == 'number' else 'an event'}.")
        if isinstance(value, Duration) and not slot.window:
            raise self._wrong(f"Its {slot.name} is a number without a unit; got {value}.")
        if isinstance(value, int) and not 0 <= value <= MOST_NUMBER:
            raise self._wrong(f"Its numbers are 0 to {MOST_NUMBER:,}; got {value}.")

    def _spread(self, plain: list[Slot], count: int) -> list[Slot]:
        at = next(i for i, slot in enumerate(plain) if slot.many)
        times = max(count - len(plain) + 1, 2 if len(plain) == 1 else 1)
        return [*plain[:at], *[plain[at]] * times, *plain[at + 1 :]]

    def _wrong(self, words: str) -> RuleError:
        return RuleError(f"{self.key}: {words}", do=f"Write {self.example}.")


TEMPLATES: dict[str, Template] = {}  # by key, in the order entered
_BY_NAME: dict[str, Template] = {}  # by key and alias


def template(
    key: str, words: str, *, formula: str, example: str, citation: str = LTLF, aliases: tuple[str, ...] = ()
) -> Callable[[Make], Make]:
    """Return the decorator that enters a function as the template `key`."""

    def enter(make: Make) -> Make:
        slots = tuple(map(_slot, inspect.signature(make).parameters.values()))
        made = Template(key, words, formula, example, citation, aliases, slots, make)
        for name in (key, *aliases):
            if name in _BY_NAME:
                raise ValueError(f"there is a template {name!r} already")
            _BY_NAME[name] = made
        TEMPLATES[key] = made
        return make

    return enter


def find_template(name: str) -> Template | None:
    """Return the template of a name or alias, written in any case and with any spaces between its words."""
    return _BY_NAME.get(" ".join(name.lower().replace("_", " ").split()))


def distinct(*parts: Events) -> Events:
    """Return all event types of some parts of a template.

    Raises:
        RuleError: one event type stands in two of them.
    """
    union: frozenset[int] = frozenset().union(*parts)
    if len(union) < sum(map(len, parts)):
        raise RuleError("One event stands in two places of the template.", do="Name different events.")
    return union


def at_least(number: int, least: int, name: str) -> None:
    """Check a number of a template.

    Raises:
        RuleError: it is below `least`.
    """
    if number < least:
        raise RuleError(f"The number of {name} is {number}; it must be {least} or more.")


def _slot(of: inspect.Parameter) -> Slot:
    kind: Literal["events", "number"] = "events" if of.annotation == "Events" else "number"
    default = -1 if of.default is inspect.Parameter.empty else of.default
    many = of.kind is inspect.Parameter.VAR_POSITIONAL
    keyword = of.kind is inspect.Parameter.KEYWORD_ONLY
    return Slot(of.name, kind, many, keyword, default, "Window" in str(of.annotation))


def _slot_words(slot: Slot) -> str:
    words = f"{slot.name}, ..." if slot.many else slot.name
    words = f"{slot.name} k" if slot.keyword else words
    return words if slot.needed else f"[{words}]"


def _count(least: int, most: int) -> str:
    return f"{least} arguments" if least == most else f"{least} to {most} arguments"
