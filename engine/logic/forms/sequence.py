"""Templates over sequences of events: `response(a, b, within 3)`, `chain response(a, b)`, `absence(a)`.

Which there are is told by sequences/; each is a form here by its name and aliases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import RuleError
from ..binding import Binding
from ..formula import Bare, Form, Formula, Happens, Or, Place, Word
from ..sequences.templates import TEMPLATES, Template
from ..vocabulary import nearest, number_of
from .form import Argument, Entry, Labelled, Option, enter
from .form import Call as Written

Where = tuple[Word, ...] | int  # events of which any will do, or a number


@dataclass(frozen=True)
class Happening(Form):
    """A template of the given key, what stands in its places, and the numbers after a word."""

    template: str
    places: tuple[Where, ...]
    numbers: tuple[tuple[str, int], ...] = ()
    place: Place = field(default=Place(), compare=False)

    def text(self) -> str:
        places = [str(p) if isinstance(p, int) else " or ".join(map(Word.written, p)) for p in self.places]
        numbers = [f"{name} {number}" for name, number in self.numbers]
        return f"{self.template}({', '.join([*places, *numbers])})"

    def words(self) -> str:
        # The automata's room needs compiled kernels; reading a rule does not.
        from ..sequences.rule import Call, words_of

        places = tuple(p if isinstance(p, int) else tuple(w.text for w in p) for p in self.places)
        return words_of(Call(self.template, places, self.numbers))

    def bind(self, binding: Binding) -> Formula:
        number = _sequence(binding, self)
        values = dict[str, int]()
        for word in (w for place in self.places if not isinstance(place, int) for w in place):
            values[word.text] = next(event for i, event in events_in(binding, word) if i == number)
        return Happens(number, self.template, self.check(values), self.numbers)

    def check(self, events: Mapping[str, int]) -> tuple[frozenset[int] | int, ...]:
        """Return its places over event types by number.

        Raises:
            RuleError: they do not fit the template.
        """
        places = tuple(
            place if isinstance(place, int) else frozenset(events[word.text] for word in place)
            for place in self.places
        )
        try:
            TEMPLATES[self.template].behaviour(places, **dict(self.numbers))
        except RuleError as error:
            raise RuleError(error.what, where=str(self.place), do=error.do) from None
        return places


def events_in(binding: Binding, name: Word) -> tuple[tuple[int, int], ...]:
    """Return (sequence, event type) for every sequence that has an event of that name; flags come first."""
    return () if binding.find(name) is not None else binding.event(name)


def _sequence(binding: Binding, happening: Happening) -> int:
    names = [word for place in happening.places if not isinstance(place, int) for word in place]
    common: set[int] = set(range(len(binding.vocabulary.sequences)))
    for name in names:
        found = {i for i, _ in binding.event(name)}
        if not found:
            known = tuple(e for s in binding.vocabulary.sequences for e in s.values)
            do = nearest(name.text, known) or "Declare a variable of kind events."
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
        places = [_place(call, a) for a in call.arguments if not isinstance(a, Option)]
        numbers = [_option(call, a) for a in call.arguments if isinstance(a, Option)]
        if len(dict(numbers)) < len(numbers):
            raise call.wrong("A word stands twice.")
        made = Happening(template.key, tuple(places), tuple(numbers), call.place)
        names = dict.fromkeys(word.text for place in places if not isinstance(place, int) for word in place)
        made.check({name: i for i, name in enumerate(names)})
        return made

    names = tuple(dict.fromkeys(name.lower() for name in (template.key, *template.aliases)))
    words = template.words.replace("{", "").replace("}", "")
    help = f"Of events: {words}."
    enter(Entry(f"sequence {template.key}", names, help, template.example, None, read))


def _place(call: Written, argument: Argument) -> Where:
    match argument:
        case Word(text, quoted=False) if text.isascii() and text.isdecimal() and len(text) < 10:
            return int(text)
        case Word():
            return (argument,)
        case Or(parts) if all(isinstance(part, Bare) for part in parts):
            return tuple(part.name for part in parts if isinstance(part, Bare))
        case Labelled(name):
            raise RuleError("A colon cannot stand here.", where=str(name.place), do="Write a comma.")
    raise call.wrong("Its arguments are events, joined by or, and whole numbers.")


def _option(call: Written, option: Option) -> tuple[str, int]:
    number = None if option.value.quoted else number_of(option.value.text)
    if number is None or number.denominator != 1 or not 0 <= number < 10**9:
        words = f"After {option.name.text[:40]!r} stands a whole number; got {option.value.text[:40]!r}."
        raise RuleError(words, where=str(option.value.place), do=f"Write {option.name.text[:40]} 3.")
    return option.name.text.lower(), int(number)


for _template in TEMPLATES.values():
    _enter(_template)
