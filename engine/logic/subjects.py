"""What a name in a rule stands for once it is looked up: a fact, or something that is decided.

Both answer the same questions with bound formulas; whoever binds a rule need not know which it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..errors import RuleError
from . import advice
from .formula import Formula, Not, Operator, Place, Tested, ValueIn, Word
from .measures import AnyTest, Test
from .vocabulary import CLASS, Variable, nearest, number_of, some, yes_or_no


@dataclass(frozen=True)
class Subject(ABC):
    """A variable that a rule names.

    Attributes:
        number: its number among the facts, or among what is decided.
        variable: the variable.
        place: where the rule names it.
    """

    number: int
    variable: Variable
    place: Place

    @property
    def called(self) -> str:
        """Return how messages call it."""
        return self.variable.name

    @property
    def names(self) -> tuple[str, ...]:
        """Return the texts of its values, () for a fact that is a number."""
        return self.variable.names

    @property
    def numeric(self) -> bool:
        """Whether all its values are numbers."""
        return None not in self.variable.numbers

    @property
    def counts(self) -> bool:
        """Whether its values are numbers, or a yes, which counts 1 beside numbers, and a no."""
        return self.numeric or {yes_or_no(name) for name in self.names} == {True, False}

    @abstractmethod
    def among(self, indices: tuple[int, ...]) -> Formula:
        """Return that it has one of the values numbered `indices`."""

    @abstractmethod
    def one_of(self, words: tuple[Word, ...]) -> Formula:
        """Return that it has one of the values that `words` write."""

    @abstractmethod
    def known(self) -> Formula:
        """Return that the record has it."""

    @abstractmethod
    def limited(self, kind: Literal["below", "at most"], limit: Fraction) -> Formula:
        """Return that its number is below, or at most, `limit`."""

    def compared(self, operator: Operator, value: Word) -> Formula:
        """Return how it compares with one value.

        Raises:
            RuleError: the value is none of its values, or it has no order.
        """
        if operator in ("=", "!="):
            return unless(self.one_of((value,)), negated=operator == "!=")
        self.check_order(operator, value)
        limit = self.number_in(value, f"{operator} needs a number")
        kind: Literal["below", "at most"] = "below" if operator in ("<", ">=") else "at most"
        return unless(self.limited(kind, limit), negated=operator in (">", ">="))

    def check_order(self, operator: Operator, value: Word) -> None:
        """Refuse `operator` where the values have no order."""
        if not self.numeric and (number_of(value.text) is not None and not value.quoted):
            words = f"{self.called} holds categories ({some(self.names)}), which have no order."
            raise RuleError(words, where=str(self.place), do="Use =, != or in.")

    def number_in(self, value: Word, why: str) -> Fraction:
        """Return the number that `value` writes.

        Raises:
            RuleError: it writes none.
        """
        number = None if value.quoted else number_of(value.text)
        if number is None:
            holds = "categories" if self.names and not self.variable.levels else "numbers"
            words = f"{self.called} holds {holds} and {why}; got {value.text[:40]!r}."
            raise RuleError(words, where=str(value.place), do=advice.of_value(value.text))
        return number

    def named(self, value: Word) -> int | None:
        """Return the number of the value that a word writes; 2.0 finds 2 where only that can be meant."""
        found = self.variable.index_of(value.text)
        number = None if value.quoted else number_of(value.text)
        if found is not None or number is None:
            return found
        same = [i for i, n in enumerate(self.variable.numbers) if n == number]
        return same[0] if len(same) == 1 else None

    def within(self, kind: Literal["below", "at most"], limit: Fraction) -> tuple[int, ...]:
        """Return the numbers of the values that are below, or at most, `limit`."""
        return tuple(
            i
            for i, n in enumerate(self.variable.numbers)
            if n is not None and (n < limit if kind == "below" else n <= limit)
        )


@dataclass(frozen=True)
class Fact(Subject):
    """A variable that records bring.

    Attributes:
        test: gives the bound atom of a test.
        note: takes a sentence that the user may want to know.
    """

    test: Callable[[AnyTest], Tested]
    note: Callable[[str], None]

    @property
    def names(self) -> tuple[str, ...]:
        return self.variable.column.categories

    def among(self, indices: tuple[int, ...]) -> Formula:
        return self.test(Test(self.number, "among", tuple(map(float, sorted(set(indices))))))

    def one_of(self, words: tuple[Word, ...]) -> Formula:
        numbers = {n for word in words for n in self._values(word)}
        return self.test(Test(self.number, "among", tuple(sorted(numbers))))

    def known(self) -> Formula:
        return self.test(Test(self.number, "known"))

    def limited(self, kind: Literal["below", "at most"], limit: Fraction) -> Formula:
        if self.names:
            return self.among(self.within(kind, limit))
        return self.test(Test(self.number, kind, (float(limit),)))

    def _values(self, value: Word) -> tuple[float, ...]:
        if not self.names:
            why = "a value in quotes is text" if value.quoted else "this is none"
            return (float(self.number_in(value, why)),)
        found = self.named(value)
        if found is not None:
            return (float(found),)
        if not value.quoted:
            also = " A value that only other files have goes in quotes."
            raise not_there(f"value of {self.called}", value, self.names, also)
        self.note(f"{value.place}: no record of the data file has {self.called} = {value.text}.")
        return ()


@dataclass(frozen=True)
class Decided(Subject):
    """A variable that the answer decides."""

    @property
    def called(self) -> str:
        return "the class" if self.variable.name == CLASS else self.variable.name

    def among(self, indices: tuple[int, ...]) -> Formula:
        return ValueIn(self.number, tuple(sorted(set(indices))))

    def one_of(self, words: tuple[Word, ...]) -> Formula:
        return self.among(tuple(i for word in words for i in self._value(word)))

    def known(self) -> Formula:
        words = f"{self._begin()} is always known."
        raise RuleError(words, where=str(self.place), do="Ask this of a column, a fact that records bring.")

    def limited(self, kind: Literal["below", "at most"], limit: Fraction) -> Formula:
        return self.among(self.within(kind, limit))

    def check_order(self, operator: Operator, value: Word) -> None:
        if not self.numeric:
            have = "classes have" if self.variable.name == CLASS else "its values have"
            words = f"{self._begin()} cannot be compared by {operator}: {have} no order."
            raise RuleError(words, where=str(self.place), do="Use =, != or in.")

    def _begin(self) -> str:
        return "The class" if self.variable.name == CLASS else self.called

    def _value(self, value: Word) -> tuple[int, ...]:
        found = self.named(value)
        if found is not None:
            return (found,)
        if self.variable.levels:  # a number that it never takes
            self.number_in(value, "this is none")
            return ()
        what = "class" if self.variable.name == CLASS else f"value of {self.called}"
        raise not_there(what, value, self.names)


def unless(formula: Formula, *, negated: bool) -> Formula:
    """Return `formula`, or that it does not hold where `negated`."""
    return Not(formula) if negated else formula


def not_there(what: str, word: Word, names: tuple[str, ...], also: str = "") -> RuleError:
    """Return the error that there is no such name, with the nearest that there are."""
    do = (nearest(word.text, names) + also).strip()
    return RuleError(f"There is no {what} {word.text[:60]!r}.", where=str(word.place), do=do)
