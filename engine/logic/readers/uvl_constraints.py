"""Constraints across the tree of a UVL feature model: `!A | (B & C) => D`, by a grammar of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ...errors import RuleError, SolverError
from ..formula import Place
from .writing import quoted

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

    Branch = Tree[Token] | Token

MOST_LENGTH = 20_000
MOST_DEPTH = 30

_GRAMMAR = r"""
?start: equivalence
?equivalence: equivalence "<=>" implication -> iff
    | implication
?implication: implication "=>" disjunction -> implies
    | disjunction
?disjunction: conjunction ("|" conjunction)+ -> either
    | conjunction
?conjunction: negation ("&" negation)+ -> both
    | negation
?negation: "!" negation -> negated
    | "(" equivalence ")"
    | NAME
NAME: /"[^"\n]+"|[^\s()!&|=<>"+*\/,\[\]{}]+/
%ignore /\s+/
"""

_JOINTS = {"iff": " iff ", "implies": " implies ", "either": " or ", "both": " and "}
_ARITHMETIC = (">", "<", "+", "*", "/", "==", "!=")


@dataclass(frozen=True)
class Constraint:
    """One constraint.

    Attributes:
        text: the condition in the rule language.
        names: the features it names, and where.
    """

    text: str
    names: tuple[tuple[str, Place], ...]


def constraint(text: str, place: Place) -> Constraint:
    """Return one constraint; a name is a flag.

    Raises:
        RuleError: it is none, or of a level that is not read; `where` is line and column.
        SolverError: lark, the parser, is not installed.
    """
    if len(text) > MOST_LENGTH:
        raise RuleError(f"The constraint has more than {MOST_LENGTH:,} characters.", where=str(place))
    parser = _parser()
    from lark.exceptions import UnexpectedInput

    try:
        tree = parser.parse(text)
    except UnexpectedInput as error:
        raise _wrong(text, getattr(error, "column", 1), place) from None
    _check_depth(tree, place)
    names: list[tuple[str, Place]] = []
    return Constraint(_condition(tree, place, names), tuple(names))


@cache
def _parser() -> Lark:
    try:
        from lark import Lark
    except ImportError:
        do = "Rules need it: pip install 'polybit[logic]'."
        raise SolverError("lark is not installed.", do=do) from None
    return Lark(_GRAMMAR, parser="lalr")


def _wrong(text: str, column: int, place: Place) -> RuleError:
    column = max(column, 1)
    at = str(Place(place.line, place.column + column - 1))
    rest = text[column - 1 :].lstrip()
    if rest.startswith(_ARITHMETIC) and not rest.startswith(("<=>", "=>")):
        words = "Arithmetic and comparisons in constraints are not read."
        return RuleError(words, where=at, do="Only features, !, &, |, => and <=> are.")
    what = f"{rest[:20]!r} cannot stand here." if rest else "The constraint ends too early."
    return RuleError(what, where=at, do="Write features, !, &, |, =>, <=> and brackets.")


def _check_depth(tree: Branch, place: Place) -> None:
    look = [(tree, 1)]
    while look:
        here, depth = look.pop()
        if depth > MOST_DEPTH:
            raise RuleError(f"The constraint is nested more than {MOST_DEPTH} deep.", where=str(place))
        look.extend((part, depth + 1) for part in getattr(here, "children", ()))


def _condition(branch: Branch, place: Place, names: list[tuple[str, Place]]) -> str:
    if isinstance(branch, str):
        name = str(branch).strip('"')
        names.append((name, Place(place.line, place.column + (branch.column or 1) - 1)))
        return quoted(name)
    parts = [_condition(part, place, names) for part in cast("Any", branch).children]
    if branch.data == "negated":
        return f"not {parts[0]}"
    return f"({_JOINTS[branch.data].join(parts)})"
