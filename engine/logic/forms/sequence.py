"""Templates over sequences of events: `response(a, b, within 3)`, `chain response(a, b)`, `absence(a)`.

Which there are is told by sequences/; each is a form here by its name and aliases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import RuleError
from ..binding import Binding
from ..durations import UNITS, Duration, Window, duration_of, unit_of
from ..formula import Bare, Form, Formula, Happens, Or, Place, Word
from ..sequences.templates import TEMPLATES, Template
from ..vocabulary import nearest, number_of
from .form import Argument, Entry, Labelled, Option, enter
from .form import Call as Written

Where = tuple[Word, ...] | Window  # events of which any will do, or a number


@dataclass(frozen=True)
class Happening(Form):
    """A template of the given key, what stands in its places, and the numbers after a word."""

    template: str
    places: tuple[Where, ...]
    numbers: tuple[tuple[str, Window], ...] = ()
    place: Place = field(default=Place(), compare=False)

    def text(self) -> str:
        places = [" or ".join(map(Word.written, p)) if isinstance(p, tuple) else str(p) for p in self.places]
        numbers = [f"{name} {number}" for name, number in self.numbers]
        return f"{self.template}({', '.join([*places, *numbers])})"

    def words(self) -> str:
        # The automata's room needs compiled kernels; reading a rule does not.
        from ..sequences.rule import Call, words_of

        places = tuple(p if not isinstance(p, tuple) else tuple(w.text for w in p) for p in self.places)
        return words_of(Call(self.template, places, self.numbers))

    def bind(self, binding: Binding) -> Formula:
        number = _sequence(binding, self)
        values = dict[str, int]()
        for word in (w for place in self.places if isinstance(place, tuple) for w in place):
            values[word.text] = next(event for i, event in events_in(binding, word) if i == number)
        return Happens(number, self.template, self.check(values), self.numbers)

    def check(self, events: Mapping[str, int]) -> tuple[frozenset[int] | Window, ...]:
        """Return its places over event types by number.

        Raises:
            RuleError: they do not fit the template.
        """
        places = tuple(
            place if not isinstance(place, tuple) else frozenset(events[word.text] for word in place)
            for place in self.places
        )
        try:
            TEMPLATES[self.template].behaviour(places, **dict(self.numbers))
        except RuleError as error:
            raise RuleError(error.what, where=str(self.place), do=error.do) from None
        return places


_NO_EVENTS = "Rules over events go into a Sequence guard, or into a pack with a variable of kind events."


def events_in(binding: Binding, name: Word) -> tuple[tuple[int, int], ...]:
    """Return (sequence, event type) for every sequence that has an event of that name; flags come first."""
    return () if binding.find(name) is not None else binding.event(name)


def _sequence(binding: Binding, happening: Happening) -> int:
    names = [word for place in happening.places if isinstance(place, tuple) for word in place]
    common: set[int] = set(range(len(binding.vocabulary.sequences)))
    for name in names:
        found = {i for i, _ in binding.event(name)}
        if not found:
            known = tuple(e for s in binding.vocabulary.sequences for e in s.values)
            do = nearest(name.text, known) or _NO_EVENTS
            raise RuleError(f"There is no event {name.text[:60]!r}.", where=str(name.place), do=do)
        common &= found
    if len(common) == 1:
        return common.pop()
    several = [binding.vocabulary.sequences[i].name for i in sorted(common)]
    if not several:
        words, do = "The events are of different sequences.", "Name events of one sequence."
    else:
        words = f"The events are in several sequences: {', '.join(several)}."
        do = f"Write {several[0]}.{names[0].text if names else 'EVENT'}."
    raise RuleError(words, where=str(happening.place), do=do)


def _enter(template: Template) -> None:
    def read(call: Written) -> Happening:
        call.check(1)
        places = [_place(call, a) for a in call.arguments if not _is_number(a)]
        numbers = [_option(a) for a in call.arguments if isinstance(a, Option) and _is_number(a)]
        if len(dict(numbers)) < len(numbers):
            raise call.wrong("A word stands twice.")
        made = Happening(template.key, tuple(places), tuple(numbers), call.place)
        names = dict.fromkeys(word.text for place in places if isinstance(place, tuple) for word in place)
        made.check({name: i for i, name in enumerate(names)})
        return made

    names = tuple(dict.fromkeys(name.lower() for name in (template.key, *template.aliases)))
    words = template.words.replace("{", "").replace("}", "")
    units = " Steps, or time: 3 days, 2 h, 30 min, 10 s." if template.windows else ""
    help = f"Of events: {words}.{units}"
    enter(Entry(f"sequence {template.key}", names, help, template.example, None, read))


def _is_number(argument: Argument) -> bool:
    """Whether an argument is a number after a word, as `within 3 days`; `3 days` by itself is a place."""
    return isinstance(argument, Option) and number_of(argument.name.text) is None


def _place(call: Written, argument: Argument) -> Where:
    match argument:
        case Word(text, quoted=False) if text.isascii() and text.isdecimal() and len(text) < 10:
            return int(text)
        case Word():
            return (argument,)
        case Option(name, value, unit=None):
            return _length(name, value)
        case Or(parts) if all(isinstance(part, Bare) for part in parts):
            return tuple(part.name for part in parts if isinstance(part, Bare))
        case Labelled(name):
            raise RuleError("A colon cannot stand here.", where=str(name.place), do="Write a comma.")
    raise call.wrong("Its arguments are events, joined by or, whole numbers, and times like 3 days.")


def _option(option: Option) -> tuple[str, Window]:
    name, value = option.name.text[:40], option.value
    if option.unit is not None:
        return name.lower(), _length(value, option.unit)
    if not value.quoted and (found := _joined(value.text)) is not None:
        return name.lower(), found
    number = None if value.quoted else number_of(value.text)
    if number is None or number.denominator != 1 or not 0 <= number < 10**9:
        words = f"After {name!r} stands a whole number, or a time like 3 days; got {value.text[:40]!r}."
        raise RuleError(words, where=str(value.place), do=f"Write {name} 3.")
    return name.lower(), int(number)


def _length(number: Word, unit: Word) -> Duration:
    """Return the length of time of a number and a unit.

    Raises:
        RuleError: the unit is none, or the number is no length.
    """
    if unit_of(unit.text) is None or unit.quoted:
        words = f"{unit.text[:40]!r} is no unit of time."
        raise RuleError(words, where=str(unit.place), do=f"There are {', '.join(UNITS)}.")
    found = duration_of(number.text, unit.text)
    if found is None or number.quoted:
        words = f"{number.text[:40]!r} {unit.text[:40]} is no length of time."
        do = "Write a number of 0 or more, of whole microseconds and a century at most."
        raise RuleError(words, where=str(number.place), do=do)
    return found


def _joined(text: str) -> Duration | None:
    """Return the length of time that one word writes, as 3h, or None."""
    digits = re.match(r"[0-9.]+", text)
    return duration_of(digits[0], text[digits.end() :]) if digits else None


for _template in TEMPLATES.values():
    _enter(_template)
