"""What rules may speak of: facts that are given, classes, labels and numbers that are decided, events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import isfinite
from typing import Literal

from ..errors import RuleError
from ..ports import Column

Kind = Literal["flag", "category", "integer", "number", "events"]
KINDS: tuple[Kind, ...] = ("flag", "category", "integer", "number", "events")
CLASS = "class"  # the name of the decided category that `class` in a rule means
FLAG_VALUES = ("no", "yes")
MOST_VALUES = 1_024  # of one decided integer or number

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NO = ("no", "false", "f", "n", "0", "absent", "off")
_YES = ("yes", "true", "t", "y", "1", "present", "on")
_MOST_NAMED = 8  # names listed in a message
_MOST_COMPARED, _MOST_SEARCHED = 60, 2_000  # letters and names in the search for the nearest


def number_of(text: str) -> Fraction | None:
    """Return the number that `text` writes, exactly, or None; nan, infinities and 1e999 are none."""
    if len(text) > 400 or not _NUMBER.fullmatch(text) or not isfinite(float(text)):
        return None
    return Fraction(text)


def yes_or_no(text: str) -> bool | None:
    """Return what a word says of a flag: yes, true, t, 1 ... or no, false, f, 0 ...; None for others."""
    low = text.lower()
    return True if low in _YES else (False if low in _NO else None)


@dataclass(frozen=True)
class Variable:
    """One thing that rules may name.

    Attributes:
        name: its name.
        kind: `flag` (yes or no), `category` (one of `values`), `integer`, `number`, or `events`, a sequence
            over the event types `values`.
        given: whether records bring it (a fact); the others are decided.
        values: categories or event types; for a decided number that has no `step`, the numbers it may take.
        least: the smallest integer or number; needed where it is decided.
        most: the largest.
        step: how far the values of a decided number lie apart.
        unit: its unit, for people.
        text: what it is, for people.
    """

    name: str
    kind: Kind = "flag"
    given: bool = False
    values: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    step: float | None = None
    unit: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise RuleError(problem, where=f"variable {self.name[:40]!r}")

    @cached_property
    def levels(self) -> tuple[Fraction, ...]:
        """Return the numbers that a decided integer or number may take, rising; () for other kinds."""
        if self.kind not in ("integer", "number") or self.given:
            return ()
        if self.values:
            return tuple(Fraction(value) for value in self.values)
        return _steps(self)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the text of every value that the variable may be decided to have, in order."""
        if self.kind == "flag":
            return FLAG_VALUES
        return self.values or tuple(_decimal(level) for level in self.levels)

    @cached_property
    def numbers(self) -> tuple[Fraction | None, ...]:
        """Return the number that the name of each value writes, None for other names; () for a fact's."""
        if self.kind in ("integer", "number"):
            return self.levels
        return tuple(number_of(name) for name in self.names)

    @cached_property
    def column(self) -> Column:
        """Return the variable as a column of facts: a flag as the categories no and yes."""
        names = {"flag": FLAG_VALUES, "category": self.values}.get(self.kind, ())
        return Column(self.name, names)

    def index_of(self, text: str) -> int | None:
        """Return the index in `names` of the value that `text` writes, None where it is none of them."""
        if self.kind == "flag":
            said = yes_or_no(text)
            return None if said is None else int(said)
        if self.kind in ("integer", "number"):
            number = number_of(text)
            return None if number is None else self._places.get(number)
        return self._places.get(text)

    @cached_property
    def _places(self) -> dict[str | Fraction, int]:
        """Return the number of each value by its number, or by its name."""
        values: tuple[str | Fraction, ...] = self.levels or self.values
        return {value: i for i, value in enumerate(values)}


@dataclass(frozen=True)
class Vocabulary:
    """The variables of a rule set, each name once; a fact may be named `class` beside the decided class."""

    variables: tuple[Variable, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for variable in self.variables:
            if variable.name in seen and variable.name != CLASS:
                words = f"Two variables are named {variable.name!r}."
                raise RuleError(words, do="Give one of them another name.")
            seen.add(variable.name)

    @classmethod
    def of(cls, classes: tuple[str, ...], columns: tuple[Column, ...]) -> Vocabulary:
        """Return the vocabulary of a data set: its columns are given, one category named `class` decided.

        A column whose two categories are a yes and a no stays a category; rules may name it as a flag too.
        """
        names = [c.name for c in columns]
        # Of columns of one name the last has it.
        names = [n if n not in names[i + 1 :] else f"{n} (column {i + 1})" for i, n in enumerate(names)]
        facts = tuple(
            Variable(name, "category" if c.categories else "number", given=True, values=c.categories)
            for name, c in zip(names, columns, strict=True)
        )
        return cls((*facts, Variable(CLASS, "category", values=classes)) if classes else facts)

    @cached_property
    def given(self) -> tuple[Variable, ...]:
        """Return the facts but for sequences; variable i is column i of the facts."""
        return tuple(v for v in self.variables if v.given and v.kind != "events")

    @cached_property
    def decided(self) -> tuple[Variable, ...]:
        """Return what is decided but for sequences."""
        return tuple(v for v in self.variables if not v.given and v.kind != "events")

    @cached_property
    def sequences(self) -> tuple[Variable, ...]:
        """Return the sequences of events, given or decided."""
        return tuple(v for v in self.variables if v.kind == "events")

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the facts as columns."""
        return tuple(variable.column for variable in self.given)

    @cached_property
    def fact_numbers(self) -> dict[str, int]:
        """Return the number of each fact in `given` by its name."""
        return {v.name: i for i, v in enumerate(self.given)}

    @cached_property
    def decided_numbers(self) -> dict[str, int]:
        """Return the number of each decided variable in `decided` by its name."""
        return {v.name: i for i, v in enumerate(self.decided)}


def nearest(word: str, names: tuple[str, ...]) -> str:
    """Return a sentence with the names nearest to `word`, or with what names there are."""
    there = names[:_MOST_SEARCHED]
    near = [name for name in there if _letters(name) == _letters(word)][:3]
    near = near or get_close_matches(word[:_MOST_COMPARED], there, 3, 0.6)
    if near:
        return f"Nearest: {', '.join(near)}."
    return f"There are {some(names)}." if names else ""


def _letters(name: str) -> str:
    """Return a name without what slips of the hand change: capitals, and what stands between its words."""
    return re.sub(r"[\s_.-]", "", name[:_MOST_COMPARED]).casefold()


def some(names: tuple[str, ...]) -> str:
    """Return the first few names and how many more there are."""
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _problem(variable: Variable) -> str:
    if not variable.name or variable.kind not in KINDS:
        return "A variable has a name and is a " + ", ".join(KINDS) + "."
    if len(set(variable.values)) < len(variable.values):
        return "A value is named twice."
    if variable.kind in ("category", "events") and not variable.values:
        return "It has no values."
    if variable.kind == "events" and "" in variable.values:
        return "An event type has no name."
    if variable.kind in ("integer", "number"):
        return _problem_of_number(variable)
    return ""


def _problem_of_number(variable: Variable) -> str:
    least, most = variable.least, variable.most
    if any(x is not None and not isfinite(x) for x in (least, most, variable.step)):
        return "Its limits must be finite."
    if least is not None and most is not None and least > most:
        return f"Its least value {least:g} is above its most {most:g}."
    return "" if variable.given else _problem_of_decided(variable)


def _problem_of_decided(variable: Variable) -> str:
    if variable.values:
        numbers = [number_of(value) for value in variable.values]
        rising = all(a is not None and b is not None and a < b for a, b in pairwise(numbers))
        return "" if rising and None not in numbers else "Its values must be numbers that rise."
    least, most, step = variable.least, variable.most, variable.step
    if least is None or most is None:
        return "What is decided needs a least and a most value."
    if variable.kind == "integer":
        step = 1 if step is None else step
        if not all(x == int(x) for x in (least, most, step)):
            return "The limits of an integer must be whole."
    if step is None or step <= 0:
        return "A decided number needs a step above 0, or values."
    return f"More than {MOST_VALUES:,} values." if (most - least) / step >= MOST_VALUES else ""


def _steps(variable: Variable) -> tuple[Fraction, ...]:
    # Limits and steps come as floats; the decimals that people wrote are the shortest that read back as them.
    least, most = (Fraction(repr(float(x or 0))) for x in (variable.least, variable.most))
    step = Fraction(repr(float(variable.step))) if variable.step else Fraction(1)
    return tuple(least + i * step for i in range(int((most - least) / step) + 1))


def _decimal(level: Fraction) -> str:
    return str(level.numerator) if level.denominator == 1 else f"{float(level):.15g}"
