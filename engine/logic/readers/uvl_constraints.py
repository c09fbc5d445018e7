"""Constraints across the tree of a UVL feature model: `!A | (B & C) => D`, `sum(Price) < 5`, `Inch == 22`.

The Boolean and arithmetic levels of the grammar at github.com/Universal-Variability-Language/uvl-parser
(uvl/UVLParser.g4), by a grammar of their own. What the parts of a comparison are, uvl_numbers.py says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ...errors import RuleError, SolverError
from ..formula import Place
from .uvl_numbers import Numbers, Term
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
    | comparison
?comparison: sum (OPERATOR sum)?
?sum: product
    | sum PLUS product -> plus
    | sum MINUS product -> minus
?product: factor
    | product "*" factor -> times
    | product "/" factor -> over
?factor: "(" equivalence ")"
    | CALL "(" NAME ("," NAME)? ")" -> call
    | NUMBER
    | TEXT
    | NAME
OPERATOR.3: /==|!=|>=|>|<=(?!>)|<(?!=>)/
PLUS: "+"
MINUS.3: /-(?=[\s(])/
NUMBER.3: /-?\d+(\.\d+)?(?![^\s()!&|=<>"'+*\/,\[\]{}-])/
TEXT: /'[^'\n]*'/
CALL.4: /(sum|avg|len|floor|ceil)(?=\s*\()/
NAME: /("[^"\n]+"|[^\s()!&|=<>"'+*\/,\[\]{}])+/
%ignore /\s+/
"""

_JOINTS = {"iff": " iff ", "implies": " implies ", "either": " or ", "both": " and "}
_SUMS = {"plus": "+", "minus": "-", "times": "*", "over": "/"}


@dataclass(frozen=True)
class Constraint:
    """One constraint.

    Attributes:
        text: the condition in the rule language.
        names: the features it names as conditions, and where.
    """

    text: str
    names: tuple[tuple[str, Place], ...]


def constraint(text: str, place: Place, numbers: Numbers) -> Constraint:
    """Return one constraint; a name that is a condition is a flag.

    Args:
        text: as written.
        place: where it begins.
        numbers: what names, attributes and calls in comparisons stand for.

    Raises:
        RuleError: it is none, or uses what is not read; `where` is line and column.
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
    reading = _Reading(place, numbers)
    return Constraint(reading.condition(tree), tuple(reading.names))


@cache
def _parser() -> Lark:
    try:
        from lark import Lark
    except ImportError:
        do = "Rules need it: pip install 'polybit[logic]'."
        raise SolverError("lark is not installed.", do=do) from None
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False, propagate_positions=True)


def _wrong(text: str, column: int, place: Place) -> RuleError:
    column = max(column, 1)
    at = str(Place(place.line, place.column + column - 1))
    rest = text[column - 1 :].lstrip()
    what = f"{rest[:20]!r} cannot stand here." if rest else "The constraint ends too early."
    do = "Write features, !, &, |, =>, <=>, brackets, comparisons of numbers and texts."
    return RuleError(what, where=at, do=do)


def _check_depth(tree: Branch, place: Place) -> None:
    look = [(tree, 1)]
    while look:
        here, depth = look.pop()
        if depth > MOST_DEPTH:
            raise RuleError(f"The constraint is nested more than {MOST_DEPTH} deep.", where=str(place))
        look.extend((part, depth + 1) for part in getattr(here, "children", ()))


class _Reading:
    """Turns one tree into a condition."""

    def __init__(self, place: Place, numbers: Numbers) -> None:
        self._place, self._numbers = place, numbers
        self.names: list[tuple[str, Place]] = []

    def condition(self, branch: Branch) -> str:
        if isinstance(branch, str):
            if branch.type != "NAME":
                raise self._error(branch, f"{branch[:40]} is no condition.", "Compare it with something.")
            name = branch.replace('"', "")
            self.names.append((name, self._at(branch)))
            return quoted(name)
        if branch.data == "comparison":
            return self._comparison(branch)
        if branch.data in _SUMS or branch.data == "call":
            raise self._error(branch, "A number is no condition.", "Compare it with something.")
        parts = [self.condition(part) for part in branch.children]
        if branch.data == "negated":
            return f"not ({parts[0]})" if parts[0].startswith("not ") else f"not {parts[0]}"
        return f"({_JOINTS[branch.data].join(parts)})"

    # Inside

    def _comparison(self, branch: Any) -> str:
        left, operator, right = branch.children
        sides = self._term(left), self._term(right)
        try:
            return self._numbers.compared(sides[0], str(operator), sides[1])
        except ValueError as error:
            raise self._error(branch, str(error)) from None

    def _term(self, branch: Branch) -> Term:
        try:
            if isinstance(branch, str):
                return self._leaf(branch)
            if branch.data == "call":
                return self._numbers.called(*map(str, branch.children))
            if branch.data in _SUMS:
                parts = [
                    self._term(part) for part in branch.children if getattr(part, "type", "") not in _SIGNS
                ]
                return self._numbers.joined(_SUMS[branch.data], *parts)
        except ValueError as error:
            raise self._error(branch, str(error)) from None
        raise self._error(branch, "A condition is no number.", "Compare numbers and texts.")

    def _leaf(self, token: Token) -> Term:
        if token.type == "NUMBER":
            return Term.of_number(str(token))
        if token.type == "TEXT":
            return Term.of_text(token[1:-1])
        return self._numbers.named(str(token))

    def _at(self, branch: Any) -> Place:
        where: Any = getattr(branch, "meta", branch)  # a token stands where it is itself
        return Place(self._place.line, self._place.column + int(where.column or 1) - 1)

    def _error(self, branch: Any, words: str, do: str = "") -> RuleError:
        return RuleError(words, where=str(self._at(branch)), do=do)


_SIGNS = ("PLUS", "MINUS")
