"""From the tree of one rule to its statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ..errors import RuleError
from . import advice
from .expressions import Expression, Negative, Product, Sum, place_of
from .forms import (
    CALLS,
    FORMS,
    Argument,
    Call,
    Cell,
    Labelled,
    Option,
    Relation,
    as_expression,
    as_formula,
    class_alone,
    range_of,
)
from .formula import (
    Among,
    And,
    Compare,
    Count,
    Formula,
    Iff,
    IfThen,
    Implies,
    Known,
    Not,
    Operator,
    Or,
    Place,
    Quantity,
    Statement,
    Word,
    Xor,
)
from .lexicon import unquoted
from .vocabulary import CLASS, number_of

if TYPE_CHECKING:
    from lark import Token, Tree

    Branch = Tree[Token]
    Child = Branch | Token | None

MOST_DEPTH = 40
MOST_COUNTED = 64  # parts of one `k of (...)`
MOST_PARTS = 256  # of one sum, product or call
MOST_LEVEL = 9
OPERATORS = {"≤": "<=", "≥": ">=", "≠": "!="}


def statement_of(tree: Branch) -> Statement:
    """Return the rule that a tree holds.

    Raises:
        RuleError: it is nested too deep, or something in it is not of the kind that is needed there.
    """
    rule, head, body, because, source = cast("list[Any]", tree.children)
    place = _place(rule)
    if _depth(body) > MOST_DEPTH:
        words = f"The rule is nested more than {MOST_DEPTH} deep."
        raise RuleError(words, where=str(place), do="Split it into several rules.")
    name, weight, level = _head([_word(token) for token in head.children])
    return Statement(
        name,
        as_formula(_read(body)),
        unquoted(because.children[0]) if because else "",
        unquoted(source.children[0]) if source else "",
        weight,
        level,
        place,
    )


def _head(words: list[Word]) -> tuple[str, float | None, int]:
    """Return name, weight and level from the words between `rule` and the colon."""
    name = words.pop(0).text if len(words) % 2 else ""
    weight, level = None, 1
    for option, value in zip(words[::2], words[1::2], strict=True):
        number = None if value.quoted else number_of(value.text)
        if option.text.lower() == "weight" and weight is None:
            if number is None or not 0 < float(number) <= 10**9:
                words_ = f"A weight is a number above 0, at most a billion; got {value.text[:40]!r}."
                raise RuleError(words_, where=str(value.place), do="Write weight 3.")
            weight = float(number)
        elif option.text.lower() == "level":
            if number is None or number.denominator > 1 or not 1 <= number <= MOST_LEVEL:
                words_ = f"A level is 1 to {MOST_LEVEL}; got {value.text[:40]!r}."
                raise RuleError(words_, where=str(value.place), do="Write level 2.")
            level = int(number)
        else:
            words_ = f"{option.text[:40]!r} cannot stand here."
            do = "A rule has one name, then weight and level: rule NAME weight 3 level 2."
            raise RuleError(
                words_, where=str(option.place), do=do + " A name of several words goes in quotes."
            )
    if weight is None and level != 1:
        words_ = "Only a rule with a weight has a level."
        raise RuleError(words_, where=str(words[0].place), do="Write weight 1 level 2.")
    return name, weight, level


def _depth(branch: Child) -> int:
    deepest, look = 0, [(branch, 1)]
    while look:
        here, depth = look.pop()
        deepest = max(deepest, depth)
        look.extend((part, depth + 1) for part in getattr(here, "children", ()) if hasattr(part, "children"))
    return deepest


# What a branch says: a condition, or a number


def _read(branch: Child) -> Formula | Expression:
    from lark import Token

    if isinstance(branch, Token):
        if branch.type == "CLASS":
            raise class_alone(_place(branch))
        return _word(branch)
    reader = _READERS.get(str(cast("Branch", branch).data))
    if reader is None:
        return _form(cast("Branch", branch))
    return reader(*cast("Branch", branch).children)


def _formula(branch: Child) -> Formula:
    return as_formula(_read(branch))


def _formulas(*branches: Child) -> tuple[Formula, ...]:
    return tuple(_formula(branch) for branch in branches)


def _number(branch: Child) -> Expression:
    return as_expression(_read(branch), _place_in(branch))


def _form(branch: Branch) -> Formula:
    """Read a form that has a shape of its own: branches are read, signs stay as they are."""
    from lark import Token

    entry = FORMS[str(branch.data).removeprefix("form_").replace("_", " ")]
    parts = [p if isinstance(p, Token) and p.type in _SIGNS else _read(p) for p in branch.children]
    try:
        return cast("Formula", entry.read(*parts))
    except RuleError as error:
        raise (
            error if error.where else RuleError(error.what, where=str(_place_in(branch)), do=error.do)
        ) from None


_SIGNS = ("OPERATOR", "RANGE", "TOLERANCE")


def _compare(left: Child, operator: Token, right: Child) -> Formula:
    place, sign = _place(operator), cast("Operator", OPERATORS.get(str(operator), str(operator)))
    value = _number(right)
    if _is_class(left):
        if not isinstance(value, Word):
            words = "The class is compared with the name of a class."
            raise RuleError(words, where=str(place_of(value)), do="Write class = NAME.")
        return Compare(None, sign, value, place)
    subject = _number(left)
    if isinstance(subject, Word) and isinstance(value, Word):
        return Compare(subject, sign, value, place)
    return Relation(subject, sign, value, place)


def _between(first: Child, low: Token, middle: Child, high: Token, last: Child) -> Formula:
    if {OPERATORS.get(str(sign), str(sign))[0] for sign in (low, high)} not in ({"<"}, {">"}):
        words = "Only < and <=, or > and >=, may follow one another."
        raise RuleError(words, where=str(_place(high)), do="Join two comparisons by and.")
    return And((_compare(first, low, middle), _compare(middle, high, last)))


def _among(subject: Child, *values: Child, negated: bool) -> Formula:
    return Among(_subject(subject), tuple(_word(cast("Token", v)) for v in values), negated)


def _known(subject: Child, *, negated: bool) -> Formula:
    return Known(_subject(subject), negated, _place_in(subject))


def _count(how: Branch, number: Token, *branches: Child) -> Formula:
    place = str(_place(number))
    if not (str(number).isascii() and str(number).isdecimal() and len(number) < 10):
        words = f"A count is a whole number; got {str(number)[:40]!r}."
        said = advice.of_number(str(number)) or f"0 to {len(branches)}"
        raise RuleError(words, where=place, do=f"Write {said}.")
    if len(branches) > MOST_COUNTED:
        words = f"A count is over {len(branches)} parts; {MOST_COUNTED} is the most."
        raise RuleError(words, where=place, do="Split it.")
    if int(number) > len(branches):
        words = f"The count asks for {int(number)} of {len(branches)} parts."
        raise RuleError(words, where=place, do=f"Ask for 0 to {len(branches)}.")
    quantity = cast("Quantity", " ".join(str(word).lower() for word in how.children))
    return Count(quantity, int(number), _formulas(*branches))


def _sum(*children: Child) -> Expression:
    return Sum(*_parts(children, "MINUS"))


def _product(*children: Child) -> Expression:
    return Product(*_parts(children, "OVER"))


def _parts(children: tuple[Child, ...], inverse: str) -> tuple[tuple[Expression, ...], tuple[bool, ...]]:
    parts = tuple(_number(child) for child in children[::2])
    if len(parts) > MOST_PARTS:
        words = f"There are {len(parts)} parts; {MOST_PARTS} is the most."
        raise RuleError(words, where=str(place_of(parts[0])), do="Split it.")
    return parts, (False, *(cast("Token", sign).type == inverse for sign in children[1::2]))


def _call(name: Token, *children: Child) -> Formula | Expression:
    *arguments, block = children
    place = _place(name)
    read = tuple(_argument(argument) for argument in arguments if argument is not None)
    rows = None if block is None else tuple(_row(row) for row in cast("Branch", block).children)
    call = Call(str(name), read, rows, place)
    call.check(0, MOST_PARTS, rows=rows is not None)
    return CALLS[call.name].read(call)


def _argument(branch: Child) -> Argument:
    if _is_class(branch):  # forms that take names take the class too
        return Word(CLASS, place=_place(cast("Token", branch)))
    kind = getattr(branch, "data", "")
    if kind not in ("labelled", "option"):
        return _read(branch)
    name, value, *more = cast("Branch", branch).children
    if kind == "option":
        unit = _word(cast("Token", more[0])) if more and more[0] is not None else None
        return Option(_word(cast("Token", name)), _word(cast("Token", value)), unit)
    return Labelled(_word(cast("Token", name)), _read(value))


def _row(branch: Child) -> tuple[Cell, ...]:
    return tuple(_cell(cast("list[Token]", cell.children)) for cell in cast("list[Branch]", branch.children))  # type: ignore[union-attr]


def _cell(tokens: list[Token]) -> Cell:
    first = tokens[0]
    if first.type == "MINUS":
        return Cell("-")
    if first.type == "RANGE":
        return Cell("..", range_of(str(first), _place(first)))
    if first.type == "OPERATOR":
        return Cell(OPERATORS.get(str(first), str(first)), (_word(tokens[1]),))
    return Cell("in" if len(tokens) > 1 else "=", tuple(map(_word, tokens)))


def _subject(branch: Child) -> Word | None:
    if _is_class(branch):
        return None
    subject = _number(branch)
    if isinstance(subject, Word):
        return subject
    words = "This is asked of one variable, not of a computed number."
    raise RuleError(words, where=str(place_of(subject)), do="Compare the number: a + b <= 3.")


def _is_class(branch: Child) -> bool:
    return getattr(branch, "type", "") == "CLASS"


def _word(token: Token) -> Word:
    if token.type == "STRING":
        return Word(unquoted(token), quoted=True, place=_place(token))
    return Word(str(token), place=_place(token))


def _place(token: Token) -> Place:
    return Place(token.line or 1, token.column or 1)


def _place_in(branch: Child) -> Place:
    while not hasattr(branch, "type"):
        branch = cast("Branch", branch).children[0]
    return _place(cast("Token", branch))


_READERS: dict[str, Callable[..., Formula | Expression]] = {
    "if_then": lambda *parts: IfThen(*_formulas(*parts)),
    "iff": lambda *parts: Iff(*_formulas(*parts)),
    "implies": lambda *parts: Implies(*_formulas(*parts)),
    "either": lambda *parts: Or(_formulas(*parts)),
    "xor": lambda *parts: Xor(*_formulas(*parts)),
    "both": lambda *parts: And(_formulas(*parts)),
    "negated": lambda part: Not(_formula(part)),
    "compare": _compare,
    "between": _between,
    "inside": lambda subject, *values: _among(subject, *values, negated=False),
    "outside": lambda subject, *values: _among(subject, *values, negated=True),
    "known": lambda subject: _known(subject, negated=False),
    "missing": lambda subject: _known(subject, negated=True),
    "count": _count,
    "sum": _sum,
    "product": _product,
    "negative": lambda _, part: Negative(_number(part)),
    "call": _call,
}
