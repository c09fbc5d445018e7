"""Values that must not repeat: `all different(a, b, c)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from ...errors import RuleError
from ..arithmetic import numbers_of, related, values_of
from ..binding import Binding, same
from ..expressions import Expression, text_of, words_of
from ..formula import TRUE, And, Count, Form, Formula, Not, Place, Word
from ..wording import listed
from .form import Call, as_expression, form

MOST_FACTS = 64


@form(
    "all different",
    "No two of them have the same value.",
    example="all different(a, b, c)",
)
@dataclass(frozen=True)
class AllDifferent(Form):
    """No two of the numbers or categories are the same."""

    members: tuple[Expression, ...]
    place: Place = field(default=Place(), compare=False)

    @classmethod
    def read(cls, call: Call) -> AllDifferent:
        call.check(2)
        return cls(tuple(as_expression(a, call.place) for a in call.arguments), call.place)

    def text(self) -> str:
        return f"all different({', '.join(map(text_of, self.members))})"

    def words(self) -> str:
        return f"{listed(tuple(map(words_of, self.members)))} are all different"

    def bind(self, binding: Binding) -> Formula:
        values = [_values(binding, member) for member in self.members]
        kinds = {isinstance(value, str) for each in values if each for value in each}
        if any(each is None for each in values) or len(kinds) > 1:
            return self._pairwise(binding)
        parts: list[Formula] = []
        for value in dict.fromkeys(v for each in values if each for v in each):
            having = tuple(each[value] for each in values if each and value in each)
            if len(having) > 1:
                parts.append(Count("at most", 1, having))
        return And(tuple(parts))

    def _pairwise(self, binding: Binding) -> Formula:
        if len(self.members) > MOST_FACTS:
            words = (
                f"{len(self.members)} numbers that depend on facts are compared; {MOST_FACTS} is the most."
            )
            raise RuleError(words, where=str(self.place), do="Split it.")
        pairs = [(a, b) for i, a in enumerate(self.members) for b in self.members[i + 1 :]]
        return And(tuple(_differ(binding, a, b) for a, b in pairs))


def _differ(binding: Binding, left: Expression, right: Expression) -> Formula:
    """Return that two of them have different values: names where one has names, else numbers."""
    a, b = (binding.find(x) if isinstance(x, Word) else None for x in (left, right))
    if a is None or b is None or (a.counts and b.counts):
        return related(binding, left, "!=", right)
    return Not(same(a, b)) if set(a.names) & set(b.names) else TRUE


def _values(binding: Binding, member: Expression) -> dict[str | Fraction, Formula] | None:
    """Return that the member has each of its values; None for a number computed from facts."""
    found = binding.find(member) if isinstance(member, Word) else None
    if found is not None and found.names:
        names: tuple[str | Fraction, ...] = numbers_of(found) if found.counts else found.names
        return {name: found.among((i,)) for i, name in enumerate(names)}
    values = values_of(binding, member)
    return None if values is None else {number: formula for number, formula in values.items()}  # noqa: C416
