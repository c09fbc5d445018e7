"""What a rule says, as values: atoms over facts and classes, joined by connectives.

The same connectives join two kinds of atoms. As written (language.py) an atom names variables by their text;
bound to a vocabulary (binding.py) it names tests of facts and values of decided variables by number.
`And(())` is true and `Or(())` false.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar

from .durations import Window
from .lexicon import RESERVED, written

T = TypeVar("T")

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
Quantity = Literal["exactly", "at most", "at least"]


@dataclass(frozen=True)
class Place:
    """Where in the text something stands, both counted from 1."""

    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"

    def after(self, start: Place) -> Place:
        """Return where this place of a part lies in a whole that has the part at `start`."""
        return Place(self.line + start.line - 1, self.column + (start.column - 1) * (self.line == 1))


@dataclass(frozen=True)
class Word:
    """A name or value as written.

    Attributes:
        text: the text without its quotes.
        quoted: whether it stood in quotes; a quoted value is text even where it looks like a number.
        place: where it stands; two words are equal wherever they stand.
    """

    text: str
    quoted: bool = False
    place: Place = field(default=Place(), compare=False)

    @property
    def is_class(self) -> bool:
        """Whether it is the keyword `class`, which is the class even beside a column of that name."""
        return self.text == "class" and not self.quoted

    def written(self) -> str:
        """Return it as a rule writes it."""
        # A word of the language in capitals stood where only a name may stand, and will again.
        capital = self.text not in RESERVED and self.text.lower() in RESERVED - {"rule"}
        if not self.quoted and (capital or self.is_class):
            return self.text
        return written(self.text, as_text=self.quoted)


# Atoms as written. A subject of None is the class.


@dataclass(frozen=True)
class Compare:
    """`subject operator value`."""

    subject: Word | None
    operator: Operator
    value: Word
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True)
class Among:
    """`subject in {values}`, or `not in` where `negated`."""

    subject: Word | None
    values: tuple[Word, ...]
    negated: bool = False


@dataclass(frozen=True)
class Known:
    """`subject is known`, or `is missing` where `negated`."""

    subject: Word | None
    negated: bool = False
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True)
class Bare:
    """A name by itself: a flag that is yes, or an event type that happens."""

    name: Word


class Form(ABC):
    """A way to write a condition that comes to others when it is bound; every one is a file in forms/.

    Attributes:
        plain: whether it needs no brackets inside another.
    """

    plain: ClassVar[bool] = True

    @property
    def parts(self) -> tuple[Formula, ...]:
        """Return the formulas that it joins."""
        return ()

    @abstractmethod
    def text(self) -> str:
        """Return it in the rule language."""

    @abstractmethod
    def words(self) -> str:
        """Return it in English, no full stop."""

    @abstractmethod
    def bind(self, binding: Any) -> Formula:
        """Return it over tests and values, for a binding.Binding.

        Raises:
            RuleError: what it names is not there, or of the wrong kind.
        """


# Atoms as bound


@dataclass(frozen=True)
class Tested:
    """The outcome of test number `index` of a rule set."""

    index: int


@dataclass(frozen=True)
class ValueIn:
    """Decided variable number `variable` has one of the values numbered `indices`.

    Numbers are those of `Vocabulary.decided` and of `Variable.names`: a flag is 0 (no) or 1 (yes).
    """

    variable: int
    indices: tuple[int, ...]


# Connectives


@dataclass(frozen=True)
class Not:
    """`not part`."""

    part: Formula


@dataclass(frozen=True)
class And:
    """Every part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Or:
    """At least one part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Xor:
    """Either the left or the right holds, not both."""

    left: Formula
    right: Formula


@dataclass(frozen=True)
class Iff:
    """Left and right hold together or fail together."""

    left: Formula
    right: Formula


@dataclass(frozen=True)
class Implies:
    """Where the left holds, the right holds: `(not left) or right`."""

    left: Formula
    right: Formula


@dataclass(frozen=True)
class IfThen:
    """`(condition implies then) and ((not condition) implies other)`; the second only with an else."""

    condition: Formula
    then: Formula
    other: Formula | None = None


@dataclass(frozen=True)
class Count:
    """`exactly`, `at most` or `at least` `number` of the parts hold."""

    quantity: Quantity
    number: int
    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Happens:
    """Sequence number `sequence` of the vocabulary follows a template of sequences/.

    Attributes:
        sequence: number in `Vocabulary.sequences`.
        template: key of the template.
        places: numbers of event types, any of which will do, and plain numbers or lengths of time.
        numbers: (word, number) of those after a word, as in `within 3` or `within 3 days`.
    """

    sequence: int
    template: str
    places: tuple[frozenset[int] | Window, ...]
    numbers: tuple[tuple[str, Window], ...] = ()


@dataclass(frozen=True)
class Weighted:
    """The weights of the parts that hold add up to at least `bound`; bound formulas only.

    Attributes:
        parts: bound formulas.
        weights: whole numbers above 0, one a part.
        bound: what they must reach.
    """

    parts: tuple[Formula, ...]
    weights: tuple[int, ...]
    bound: int


Atom = Compare | Among | Known | Bare | Tested | ValueIn | Happens
Formula = Atom | Not | And | Or | Xor | Iff | Implies | IfThen | Count | Weighted | Form
TRUE, FALSE = And(()), Or(())


@dataclass(frozen=True)
class Statement:
    """One rule as written.

    Attributes:
        name: its name, or "" where it was given none.
        formula: what must hold.
        reason: the text after `because`, or "".
        source: the text after `source`, or "".
        weight: what it costs to break it, above 0; None where it must be kept.
        level: a soft rule of a higher level outweighs all of lower ones.
        place: where the rule begins.
    """

    name: str
    formula: Formula
    reason: str = ""
    source: str = ""
    weight: float | None = None
    level: int = 1
    place: Place = field(default=Place(), compare=False)


def parts_of(formula: Formula) -> tuple[Formula, ...]:
    """Return the formulas that `formula` joins, () for an atom."""
    match formula:
        case Not(part):
            return (part,)
        case And(parts) | Or(parts) | Count(_, _, parts) | Weighted(parts):
            return parts
        case Xor(left, right) | Iff(left, right) | Implies(left, right):
            return (left, right)
        case IfThen(condition, then, other):
            return (condition, then) if other is None else (condition, then, other)
        case Form():
            return formula.parts
    return ()


def with_parts(formula: Formula, parts: tuple[Formula, ...]) -> Formula:
    """Return `formula` with other parts in the place of its own, in the order of `parts_of`."""
    match formula:
        case Not():
            return Not(*parts)
        case And() | Or() | Count() | Weighted():
            return replace(formula, parts=parts)
        case Xor() | Iff() | Implies():
            return type(formula)(*parts)
        case IfThen():
            return IfThen(*parts)
    return formula


def moved(value: T, start: Place) -> T:
    """Return a statement, or a part of one, as it is where its rule begins at `start`."""
    if isinstance(value, Place):
        return value.after(start)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple([moved(each, start) for each in value])  # type: ignore[return-value]
    kind: Any = type(value)
    names = _fields(kind)
    if not names:
        return value
    made: T = object.__new__(kind)
    for name in names:
        object.__setattr__(made, name, moved(getattr(value, name), start))
    return made


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(kind.__dataclass_fields__) if is_dataclass(kind) else ()
