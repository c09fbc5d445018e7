"""Comparisons of computed numbers: `2*a + 3*b - c <= 10`, `a = b + c`, `distance(...) <= 900 * hours`."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..arithmetic import related
from ..binding import Binding
from ..expressions import Applied, Expression, text_of, words_of
from ..formula import Form, Formula, Operator, Place
from ..functions import FUNCTIONS, Function
from ..wording import OPERATORS
from .form import Call, Entry, as_expression, enter


@dataclass(frozen=True)
class Relation(Form):
    """`left operator right`, one of them computed."""

    left: Expression
    operator: Operator
    right: Expression
    place: Place = field(default=Place(), compare=False)

    def text(self) -> str:
        return f"{text_of(self.left)} {self.operator} {text_of(self.right)}"

    def words(self) -> str:
        return f"{words_of(self.left)} {OPERATORS[self.operator]} {words_of(self.right)}"

    def bind(self, binding: Binding) -> Formula:
        return related(binding, self.left, self.operator, self.right)


def _enter(function: Function) -> None:
    def read(call: Call) -> Applied:
        call.check(function.least, function.most)
        parts = tuple(as_expression(argument, call.place) for argument in call.arguments)
        return Applied(function.key, parts, call.place)

    enter(Entry(function.key, (function.key,), function.help, function.example, None, read))


for _function in FUNCTIONS.values():
    _enter(_function)
