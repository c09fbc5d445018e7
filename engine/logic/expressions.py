"""Arithmetic as written: sums, products and functions of names and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .formula import Place, Word


@dataclass(frozen=True)
class Sum:
    """Parts added up; those marked `minus` are taken away, never the first."""

    parts: tuple[Expression, ...]
    minus: tuple[bool, ...]


@dataclass(frozen=True)
class Product:
    """Parts multiplied; those marked `over` divide, never the first."""

    parts: tuple[Expression, ...]
    over: tuple[bool, ...]


@dataclass(frozen=True)
class Negative:
    """The part with the other sign."""

    part: Expression


@dataclass(frozen=True)
class Applied:
    """A function of numbers: `distance(a, b, c, d)`."""

    function: str
    parts: tuple[Expression, ...]
    place: Place = field(default=Place(), compare=False)


Expression = Word | Sum | Product | Negative | Applied


def text_of(expression: Expression) -> str:
    """Return an expression in the rule language."""
    match expression:
        case Word():
            return expression.written()
        case Sum(parts, minus):
            texts = [text_of(p) if isinstance(p, Product) else _inner(p) for p in parts]
            return _joined(texts, [" - " if m else " + " for m in minus])
        case Product(parts, over):
            return _joined([_inner(p) for p in parts], [" / " if o else " * " for o in over])
        case Negative(part):
            return f"- {_inner(part)}"
        case Applied(function, parts):
            return f"{function}({', '.join(map(text_of, parts))})"


def words_of(expression: Expression) -> str:
    """Return an expression for people."""
    if isinstance(expression, Word):
        return expression.text
    return text_of(expression).replace('"', "")


def place_of(expression: Expression) -> Place:
    """Return where an expression begins, or what it applies."""
    return next(leaves(expression)).place if not isinstance(expression, Applied) else expression.place


def leaves(expression: Expression) -> Iterator[Word]:
    """Yield the names and numbers of an expression in order."""
    match expression:
        case Word():
            yield expression
        case Negative(part):
            yield from leaves(part)
        case Sum(parts) | Product(parts) | Applied(_, parts):
            for each in parts:
                yield from leaves(each)


def _inner(expression: Expression) -> str:
    text = text_of(expression)
    return text if isinstance(expression, Word | Applied) else f"({text})"


def _joined(texts: list[str], signs: list[str]) -> str:
    return texts[0] + "".join(sign + text for sign, text in zip(signs[1:], texts[1:], strict=True))
