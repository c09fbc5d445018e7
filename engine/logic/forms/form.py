"""What a rule form is, and the list of all there are: a new one is a decorated class in a file of this room.

A form is written either as a call, `name words(arguments)` with rows in braces after it where it wants them,
or in a shape of its own, for which it states a fragment of the grammar. Grammar, printing, words, completion
and the help page find it here. It lowers itself by what `bind` returns: formulas over tests and values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ...errors import RuleError
from .. import advice
from ..expressions import Applied, Expression, Negative, Product, Sum, place_of
from ..formula import Bare, Form, Formula, Place, Word
from ..vocabulary import nearest, number_of

T = TypeVar("T", bound=type[Form])
MOST_ARGUMENTS = 256
_NUMBERS = (Word, Sum, Product, Negative, Applied)


@dataclass(frozen=True)
class Option:
    """An argument of a word and a value, and a unit where one stands: `within 3`, `within 3 days`."""

    name: Word
    value: Word
    unit: Word | None = None


@dataclass(frozen=True)
class Labelled:
    """An argument after a name and a colon: `animal: dog`."""

    name: Word
    part: Formula | Expression


@dataclass(frozen=True)
class Cell:
    """One cell of a row: an operator and a value, `in` and values, `..` and two numbers, or only `-`."""

    operator: str
    values: tuple[Word, ...] = ()


Argument = Formula | Expression | Option | Labelled


@dataclass(frozen=True)
class Call:
    """A call as read.

    Attributes:
        name: the name of the form, lower case, words apart.
        arguments: what stands in brackets.
        rows: what stands in braces after them, None where no braces follow.
        place: where the name begins.
    """

    name: str
    arguments: tuple[Argument, ...]
    rows: tuple[tuple[Cell, ...], ...] | None = None
    place: Place = field(default=Place(), compare=False)

    def wrong(self, words: str) -> RuleError:
        """Return an error about the call, with an example of how it is written."""
        example = CALLS[self.name].example
        return RuleError(f"{self.name}: {words}", where=str(self.place), do=f"Write {example}.")

    def check(self, least: int, most: int = MOST_ARGUMENTS, *, rows: bool = False) -> None:
        """Check how many arguments there are and whether rows follow.

        Raises:
            RuleError: there are too few or too many.
        """
        many = len(self.arguments)
        if not least <= many <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise self.wrong(f"It takes {wanted} argument{'s' * (wanted != '1')}; {many} are given.")
        if rows != (self.rows is not None):
            raise self.wrong("Rows in braces follow it." if rows else "No braces follow it.")

    def formulas(self) -> tuple[Formula, ...]:
        """Return the arguments as conditions."""
        return tuple(self.formula(argument) for argument in self.arguments)

    def formula(self, argument: Argument) -> Formula:
        """Return an argument as a condition."""
        if isinstance(argument, Option | Labelled):
            raise RuleError(
                f"{self.name}: {argument.name.text[:40]!r} has no meaning here.",
                where=str(argument.name.place),
                do=f"Write {CALLS[self.name].example}.",
            )
        return as_formula(argument)

    def names(self) -> tuple[Word, ...]:
        """Return the arguments as names."""
        return tuple(self.name_of(argument) for argument in self.arguments)

    def name_of(self, argument: Argument) -> Word:
        """Return an argument as a name."""
        if isinstance(argument, Word):
            return argument
        raise self.wrong("Its arguments are names.")


@dataclass(frozen=True)
class Entry:
    """One form in the list.

    Attributes:
        key: its name.
        names: what calls name it, () where it has a shape of its own.
        help: one sentence.
        example: a condition that shows it.
        fragment: (rule of the grammar, alternative) where it has a shape of its own.
        form: the class; its `read(call)` or `read(*children)` makes one.
    """

    key: str
    names: tuple[str, ...]
    help: str
    example: str
    fragment: tuple[str, str] | None
    read: Callable[..., Formula | Expression]


FORMS: dict[str, Entry] = {}  # by key, in the order entered
CALLS: dict[str, Entry] = {}  # by name of a call


def enter(entry: Entry) -> None:
    """Enter a form in the list."""
    if entry.key in FORMS or any(name in CALLS for name in entry.names):
        raise ValueError(f"there is a form {entry.key!r} already")
    FORMS[entry.key] = entry
    CALLS.update(dict.fromkeys(entry.names, entry))


def form(
    key: str,
    help: str,
    *,
    example: str,
    names: tuple[str, ...] = (),
    fragment: tuple[str, str] | None = None,
) -> Callable[[T], T]:
    """Return the decorator that enters a class as a form; without a fragment, `key` names its calls."""

    def made(kind: T) -> T:
        called = names if fragment else (key, *names)
        read: Any = kind.read  # type: ignore[attr-defined]
        enter(Entry(key, called, help, example, fragment, read))
        return kind

    return made


def as_formula(read: Formula | Expression) -> Formula:
    """Return what was read as a condition: a name by itself is a flag.

    Raises:
        RuleError: it is a number.
    """
    if isinstance(read, Word):
        if not read.quoted and number_of(read.text) is not None:
            words = f"{read.text[:40]} is a number; a condition is needed here."
            raise RuleError(words, where=str(read.place), do="Compare it: x <= 3.")
        if read.is_class:
            raise class_alone(read.place)
        return Bare(read)
    if isinstance(read, _NUMBERS):
        words = "A number stands where a condition is needed."
        raise RuleError(words, where=str(place_of(read)), do="Compare it: a + b <= 3.")
    return read


def as_expression(read: Argument, place: Place | None = None) -> Expression:
    """Return what was read as a number.

    Raises:
        RuleError: it is a condition.
    """
    if isinstance(read, _NUMBERS):
        return read
    words = "A condition stands where a number is needed."
    raise RuleError(words, where=str(place or ""), do="Take the condition out of the sum.")


def class_alone(place: Place) -> RuleError:
    """Return the error that `class` stands where a condition or a number must."""
    words = "The class is compared with a value."
    return RuleError(words, where=str(place), do="Write class = NAME, or class in {...}.")


def range_of(text: str, place: Place) -> tuple[Word, Word]:
    """Return the two numbers of a range like 3..5."""
    low, high = text.split("..", 1)
    return Word(low, place=place), Word(high, place=Place(place.line, place.column + len(low) + 2))


def unknown_call(name: str, place: Place) -> RuleError:
    """Return the error that no form has this name."""
    do = advice.of_call(name) or nearest(name, tuple(CALLS))
    return RuleError(f"There is no form {name[:60]!r}.", where=str(place), do=do)
