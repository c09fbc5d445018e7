"""Bind a rule's names to a data set: columns and categories become tests on numbers, classes their indices.

Nothing is guessed: a name that is not there is an error with the nearest names that are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Literal

from ..errors import RuleError
from ..ports import Column
from .formula import Among, ClassIn, Compare, Formula, Known, Not, Tested, Word, parts_of, with_parts

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_NAMED = 8  # names listed in a message


@dataclass(frozen=True)
class Test:
    """One yes-or-no question about one column of facts; a gap answers only `known`.

    Attributes:
        column: index of the column.
        kind: `among` (the fact is one of the numbers), `below`, `at most` (against the one number), `known`.
        numbers: float64 values; for a column of categories, their indices.
    """

    __test__ = False  # not a test case

    column: int
    kind: Literal["among", "below", "at most", "known"]
    numbers: tuple[float, ...] = ()


class Binding:
    """Binds formulas to `classes` and `columns`, collecting the distinct tests they make.

    Attributes:
        tests: the distinct tests so far, in the order of their index.
        notes: sentences about values in quotes that no record of the data file has.
    """

    def __init__(self, classes: tuple[str, ...], columns: tuple[Column, ...]) -> None:
        self._classes = {name: i for i, name in enumerate(classes)}
        self._columns = {column.name: (i, column) for i, column in enumerate(columns)}
        self._tests: dict[Test, int] = {}
        self.notes: list[str] = []

    @property
    def tests(self) -> tuple[Test, ...]:
        """Return the distinct tests of all formulas bound so far."""
        return tuple(self._tests)

    def bind(self, formula: Formula) -> Formula:
        """Return `formula` with its atoms bound.

        Raises:
            RuleError: a column, category or class is not there, or a number is compared with a category.
        """
        match formula:
            case Compare(None, operator, value, place):
                if operator not in ("=", "!="):
                    words = f"The class cannot be compared by {operator}: classes have no order."
                    raise RuleError(words, where=str(place), do="Use =, != or in.")
                return _unless(operator == "!=", ClassIn((self._class(value),)))
            case Among(None, values, negated):
                return _unless(negated, ClassIn(tuple(sorted({self._class(v) for v in values}))))
            case Known(None, _, place):
                raise RuleError("The class is always known.", where=str(place), do="Ask this of a column.")
            case Compare(Word() as subject, operator, value):
                return self._compare(subject, operator, value)
            case Among(Word() as subject, values, negated):
                index, column = self._column(subject)
                numbers = {n for v in values for n in self._values(column, v)}
                return _unless(negated, self._test(Test(index, "among", tuple(sorted(numbers)))))
            case Known(Word() as subject, negated):
                return _unless(negated, self._test(Test(self._column(subject)[0], "known")))
        return with_parts(formula, tuple(self.bind(part) for part in parts_of(formula)))

    # Inside

    def _test(self, test: Test) -> Tested:
        return Tested(self._tests.setdefault(test, len(self._tests)))

    def _compare(self, subject: Word, operator: str, value: Word) -> Formula:
        index, column = self._column(subject)
        if operator in ("=", "!="):
            equal = self._test(Test(index, "among", self._values(column, value)))
            return _unless(operator == "!=", equal)
        number = _number(column, value, f"{operator} needs a number")
        kind: Literal["below", "at most"] = "below" if operator in ("<", ">=") else "at most"
        test = Test(index, kind, (number,))
        if column.categories:
            test = Test(index, "among", _ordered(column, subject, kind, number))
        return _unless(operator in (">", ">="), self._test(test))

    def _class(self, word: Word) -> int:
        if word.text not in self._classes:
            raise _not_there("class", word, tuple(self._classes))
        return self._classes[word.text]

    def _column(self, word: Word) -> tuple[int, Column]:
        if word.text in self._columns:
            return self._columns[word.text]
        if not self._columns:
            words = f"There is no column {word.text!r}: no facts are wired."
            raise RuleError(words, where=str(word.place), do="Wire the facts of the data to this node.")
        raise _not_there("column", word, tuple(self._columns))

    def _values(self, column: Column, value: Word) -> tuple[float, ...]:
        if not column.categories:
            return (_number(column, value, "a value in quotes is text" if value.quoted else "this is none"),)
        found = _category(column, value)
        if found is not None:
            return (float(found),)
        if not value.quoted:
            also = " A value that only other files have goes in quotes."
            raise _not_there(f"value of {column.name}", value, column.categories, also)
        note = f"{value.place}: no record of the data file has {column.name} = {value.text}."
        if note not in self.notes:
            self.notes.append(note)
        return ()


def _unless(negated: bool, formula: Formula) -> Formula:
    return Not(formula) if negated else formula


def _category(column: Column, value: Word) -> int | None:
    if value.text in column.categories:
        return column.categories.index(value.text)
    if value.quoted or not _NUMBER.fullmatch(value.text):
        return None
    number = float(value.text)
    same = [i for i, c in enumerate(column.categories) if _NUMBER.fullmatch(c) and float(c) == number]
    return same[0] if len(same) == 1 else None


def _number(column: Column, value: Word, why: str) -> float:
    if not value.quoted and _NUMBER.fullmatch(value.text) and isfinite(float(value.text)):
        return float(value.text)
    holds = "categories" if column.categories else "numbers"
    words = f"{column.name} holds {holds} and {why}; got {value.text!r}."
    raise RuleError(words, where=str(value.place), do="Write a number like 6 or -0.5, without quotes.")


def _ordered(column: Column, subject: Word, kind: str, limit: float) -> tuple[float, ...]:
    words = [c for c in column.categories if not _NUMBER.fullmatch(c)]
    if words:
        what = f"{column.name} holds categories ({_some(column.categories)}), which have no order."
        raise RuleError(what, where=str(subject.place), do="Use =, != or in.")
    numbers = [float(c) for c in column.categories]
    return tuple(float(i) for i, n in enumerate(numbers) if (n < limit if kind == "below" else n <= limit))


def _not_there(what: str, word: Word, names: tuple[str, ...], also: str = "") -> RuleError:
    near = get_close_matches(word.text, names, 3, 0.6)
    do = f"Nearest: {', '.join(near)}." if near else f"There are {_some(names)}."
    return RuleError(f"There is no {what} {word.text!r}.", where=str(word.place), do=do + also)


def _some(names: tuple[str, ...]) -> str:
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
