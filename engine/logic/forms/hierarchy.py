"""Kinds of kinds: `hierarchy(animal: dog, cat)`, where every child is also its parent."""

from __future__ import annotations

from dataclasses import dataclass

from ..binding import Binding
from ..formula import And, Bare, Count, Form, Formula, Implies, Or, Word
from ..printing import print_formula
from ..wording import in_words, listed
from .form import Call, Entry, Labelled, as_formula, enter


@dataclass(frozen=True)
class Hierarchy(Form):
    """Each child implies the parent.

    Attributes:
        parent: the parent, a flag.
        children: conditions.
        exclusive: whether at most one child holds.
        exhaustive: whether the parent implies that a child holds.
    """

    parent: Word
    children: tuple[Formula, ...]
    exclusive: bool = False
    exhaustive: bool = False

    @property
    def parts(self) -> tuple[Formula, ...]:
        return (Bare(self.parent), *self.children)

    def text(self) -> str:
        parent = self.parent.written()
        children = ", ".join(map(print_formula, self.children))
        return f"{_name(exclusive=self.exclusive, exhaustive=self.exhaustive)}({parent}: {children})"

    def words(self) -> str:
        children = tuple(map(in_words, self.children))
        words = f"{listed(children, 'or')} means {self.parent.text}"
        if self.exhaustive:
            words += f", {self.parent.text} means one of them"
        return words + (", and at most one of them holds" if self.exclusive else "")

    def bind(self, binding: Binding) -> Formula:
        parent = binding.bind(Bare(self.parent))
        children = tuple(binding.bind(child) for child in self.children)
        parts: list[Formula] = [Implies(child, parent) for child in children]
        if self.exclusive:
            parts.append(Count("at most", 1, children))
        if self.exhaustive:
            parts.append(Implies(parent, Or(children)))
        return And(tuple(parts))


def _name(*, exclusive: bool, exhaustive: bool) -> str:
    return f"{'exclusive ' * exclusive}{'exhaustive ' * exhaustive}hierarchy"


def _enter(help: str, *, exclusive: bool, exhaustive: bool) -> None:
    key = _name(exclusive=exclusive, exhaustive=exhaustive)

    def read(call: Call) -> Hierarchy:
        call.check(1)
        first, *rest = call.arguments
        if not isinstance(first, Labelled):
            raise call.wrong("It begins with the parent and a colon.")
        children = (as_formula(first.part), *(call.formula(child) for child in rest))
        return Hierarchy(first.name, children, exclusive, exhaustive)

    enter(Entry(key, (key,), help, f"{key}(animal: dog, cat)", None, read))


for _exclusive, _exhaustive, _help in (
    (False, False, "Each child means its parent."),
    (True, False, "Each child means its parent, and at most one child holds."),
    (False, True, "Each child means its parent, and the parent means that a child holds."),
    (True, True, "Each child means its parent, and the parent means exactly one child."),
):
    _enter(_help, exclusive=_exclusive, exhaustive=_exhaustive)
