"""Ranges and tolerances: `x in 3..5`, `x not in 3..5`, `x = 10 +- 0.1`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...errors import RuleError
from ..arithmetic import related
from ..binding import Binding
from ..expressions import Expression, Sum, text_of, words_of
from ..formula import And, Form, Formula, Not, Place, Word
from ..vocabulary import number_of
from .form import Entry, as_expression, enter, form, range_of

if TYPE_CHECKING:
    from lark import Token


@form(
    "in range",
    "The number lies between two numbers, both included.",
    example="x in 3..5",
    fragment=("condition", "sum _IN RANGE"),
)
@dataclass(frozen=True)
class Within(Form):
    """The number lies from `least` to `most`, both included; or not, where `negated`."""

    number: Expression
    least: Word
    most: Word
    negated: bool = False

    @classmethod
    def read(cls, number: Expression, limits: Token, *, negated: bool = False) -> Within:
        place = Place(limits.line or 1, limits.column or 1)
        return cls(as_expression(number), *range_of(str(limits), place), negated)

    def text(self) -> str:
        return (
            f"{text_of(self.number)} {'not in' if self.negated else 'in'} {self.least.text}..{self.most.text}"
        )

    def words(self) -> str:
        verb = "is not between" if self.negated else "is between"
        return f"{words_of(self.number)} {verb} {self.least.text} and {self.most.text}"

    def bind(self, binding: Binding) -> Formula:
        low, high = number_of(self.least.text), number_of(self.most.text)
        if low is None or high is None or low > high:
            words = f"The range {self.least.text[:30]}..{self.most.text[:30]} holds no number."
            raise RuleError(words, where=str(self.least.place), do="Write the smaller number first: 3..5.")
        limits = (("<=", self.most), (">=", self.least))
        both = And(tuple(related(binding, self.number, sign, limit) for sign, limit in limits))  # type: ignore[arg-type]
        return Not(both) if self.negated else both


enter(
    Entry(
        "not in range",
        (),
        "The number lies outside two numbers.",
        "x not in 3..5",
        ("condition", "sum _NOT _IN RANGE"),
        partial(Within.read, negated=True),
    )
)


@form(
    "tolerance",
    "The number is as said, give or take a tolerance that is included.",
    example="x = 10 +- 0.1",
    fragment=("condition", "sum OPERATOR sum TOLERANCE sum"),
)
@dataclass(frozen=True)
class Near(Form):
    """The number differs from `value` by at most `tolerance`; by more, where `negated`."""

    number: Expression
    value: Expression
    tolerance: Expression
    negated: bool = False

    @classmethod
    def read(cls, number: Expression, sign: str, value: Expression, _: str, tolerance: Expression) -> Near:
        if sign not in ("=", "!=", "≠"):
            raise RuleError(f"A tolerance cannot follow {sign}.", do="Write x = 10 +- 0.1.")
        parts = as_expression(number), as_expression(value), as_expression(tolerance)
        return cls(*parts, negated=sign != "=")

    def text(self) -> str:
        sign = "!=" if self.negated else "="
        return f"{text_of(self.number)} {sign} {text_of(self.value)} +- {text_of(self.tolerance)}"

    def words(self) -> str:
        verb = "is not" if self.negated else "is"
        return f"{words_of(self.number)} {verb} {words_of(self.value)} ± {words_of(self.tolerance)}"

    def bind(self, binding: Binding) -> Formula:
        above = related(binding, self.number, "<=", Sum((self.value, self.tolerance), (False, False)))
        below = related(binding, self.number, ">=", Sum((self.value, self.tolerance), (False, True)))
        return Not(And((above, below))) if self.negated else And((above, below))
