"""What must come first: `b and c before d`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import RuleError
from ..binding import Binding
from ..expressions import Expression
from ..formula import And, Bare, Form, Formula, Implies, Or, Word, parts_of
from ..printing import inner_text
from ..wording import inner_words
from .form import as_formula, form
from .sequence import Happening, events_in


@form(
    "order",
    "The second needs the first: an event comes only after it, a condition holds only where it does.",
    example="test_B and test_C before diagnosis_D",
    fragment=("order", "disjunction _BEFORE disjunction"),
)
@dataclass(frozen=True)
class Before(Form):
    """`first` comes before every `then`; where these are no events, `then` holds only where `first` does."""

    first: Formula
    then: Formula

    plain = False

    @classmethod
    def read(cls, first: Formula | Expression, then: Formula | Expression) -> Before:
        return cls(as_formula(first), as_formula(then))

    @property
    def parts(self) -> tuple[Formula, ...]:
        return (self.first, self.then)

    def text(self) -> str:
        return f"{inner_text(self.first)} before {inner_text(self.then)}"

    def words(self) -> str:
        return f"{inner_words(self.first)} before {inner_words(self.then)}"

    def bind(self, binding: Binding) -> Formula:
        names = (*_names(self.first), *_names(self.then))
        events = [name for name in names if name is not None and events_in(binding, name)]
        if not events:
            return Implies(binding.bind(self.then), binding.bind(self.first))
        if len(events) < len(names):
            words = f"{events[0].text} is an event; before stands between events, or between conditions."
            raise RuleError(words, where=str(events[0].place), do="Name events on both sides.")
        return And(
            tuple(
                binding.bind(Happening("precedence", (earlier, later)))
                for earlier in _alternatives(self.first)
                for later in _alternatives(self.then)
            )
        )


def _names(formula: Formula) -> list[Word | None]:
    """Return the names that a formula of names, and, or consists of, None for anything else in it."""
    if isinstance(formula, Bare):
        return [formula.name]
    if isinstance(formula, And | Or):
        return [name for part in parts_of(formula) for name in _names(part)]
    return [None]


def _alternatives(formula: Formula) -> list[tuple[Word, ...]]:
    """Return what must each happen, as events of which any will do."""
    if isinstance(formula, And):
        return [each for part in formula.parts for each in _alternatives(part)]
    if isinstance(formula, Or) and any(isinstance(part, And) for part in formula.parts):
        words = "Beside before, or joins events only."
        place = next(name for name in _names(formula) if name is not None).place
        raise RuleError(words, where=str(place), do="Write a rule for each.")
    return [tuple(name for name in _names(formula) if name is not None)]
