"""Cells of decision tables: the unary tests of FEEL that stand in them, and the values that come out.

From the Friendly Enough Expression Language of DMN 1.x: `-`, values (texts, numbers, booleans, dates, times,
durations), lists of them, comparisons, intervals with open and closed ends, `not(...)`. Whatever else FEEL
can is refused.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast

from ...errors import RuleError, SolverError
from .moments import LITERAL, UNITS, moment
from .writing import both, either, quoted

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

    Branch = Tree[Token]

MOST_LENGTH = 10_000
NUMBER = re.compile(r"-?(\d+(\.\d+)?|\.\d+)", re.ASCII)

_GRAMMAR = (
    r"""
start: "-" -> anything
    | "not" "(" tests ")" -> none_of
    | tests -> one_of
tests: test ("," test)*
?test: value -> equal
    | OPERATOR value -> compared
    | interval
    | "[" value ("," value)* "]" -> listed
!interval: ("[" | "(" | "]") value ".." value ("]" | ")" | "[")
value: STRING | NUMBER | BOOLEAN | MOMENT
OPERATOR: "<=" | ">=" | "<" | ">" | "!=" | "="
MOMENT: /"""
    + LITERAL
    + r"""/
BOOLEAN: "true" | "false"
NUMBER: /-?(\d+(\.\d+)?|\.\d+)(?!\w)/
STRING: /"(?:[^"\\\n]|\\["\\])*"/
%ignore /\s+/
"""
)


def kind_of(text: str) -> str:
    """Return what a value in a cell is: `string`, `number`, `boolean`, a key of UNITS, or "" for none."""
    found = moment(text)
    if found:
        return found.kind
    if text in ("true", "false"):
        return "boolean"
    if NUMBER.fullmatch(text):
        return "number"
    return "string" if re.fullmatch(r'"(?:[^"\\\n]|\\["\\])*"', text) else ""


def plain(text: str) -> str:
    """Return a string of a cell without its quotes."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def values_in(text: str, where: str) -> list[str]:
    """Return the values that a cell names, as written."""
    return _said(_tree(text, where))


_VALUES = ("STRING", "NUMBER", "BOOLEAN", "MOMENT")


def test_of(text: str, subject: str, kind: str, where: str) -> str:
    """Return the condition that a cell states of `subject`, in the rule language; "" for anything.

    Args:
        text: the cell.
        subject: the variable, in quotes.
        kind: `string`, `number`, `boolean` or a key of UNITS.
        where: the line, for errors.

    Raises:
        RuleError: it is no unary test that is read, or its values are of another kind.
    """
    tree = _tree(text, where)
    if tree.data == "anything":
        return ""
    tests = cast("Branch", tree.children[0]).children
    parts = [_test(cast("Branch", test), subject, kind, where) for test in tests]
    return (
        f"not {either(parts) if len(parts) > 1 else f'({parts[0]})'}"
        if tree.data == "none_of"
        else either(parts)
    )


def value_of(text: str, kind: str) -> str:
    """Return a value of a cell in the rule language."""
    if kind == "boolean":
        return "yes" if text == "true" else "no"
    found = moment(text)
    if found:
        return found.text
    return text if kind == "number" else quoted(plain(text))


def _test(test: Branch, subject: str, kind: str, where: str) -> str:
    values = _said(test)
    for value in values:
        if kind_of(value) != kind:
            there = f"{value[:40]} is no {kind}, and {subject} is one."
            words = there if kind_of(value) else f"There is no {value[:40]}."
            raise RuleError(words, where=where, do="Let all cells of a column have one type.")
    said = [value_of(value, kind) for value in values]
    operator = str(test.children[0])
    if test.data in ("equal", "listed"):
        return either([f"{subject} = {each}" for each in said])
    if test.data == "compared" and operator in ("=", "!="):
        return f"{subject} {operator} {said[0]}"
    if kind != "number" and kind not in UNITS:
        do = "Compare numbers, dates, times and durations alone."
        raise RuleError(f"{subject} has no order.", where=where, do=do)
    if test.data == "compared":
        return f"{subject} {operator} {said[0]}"
    opening, closing = operator, str(test.children[-1])
    low = ">=" if opening == "[" else ">"
    high = "<=" if closing == "]" else "<"
    return both([f"{subject} {low} {said[0]}", f"{subject} {high} {said[1]}"])


def _said(tree: Branch) -> list[str]:
    return [str(token) for token in tree.scan_values(lambda t: getattr(t, "type", "") in _VALUES)]


@cache
def _parser() -> Lark:
    try:
        from lark import Lark
    except ImportError:
        do = "Rules need it: pip install 'polybit[logic]'."
        raise SolverError("lark is not installed.", do=do) from None
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


def _tree(text: str, where: str) -> Branch:
    text = text.strip() or "-"
    if len(text) > MOST_LENGTH:
        raise RuleError(f"The cell has more than {MOST_LENGTH:,} characters.", where=where)
    from lark.exceptions import UnexpectedInput

    try:
        return _parser().parse(text)
    except UnexpectedInput:
        words = f"The cell {text[:60]!r} is not read."
        do = "Read are -, values, lists, = != < <= > >=, intervals like [1..5) and not(...)."
        raise RuleError(words, where=where, do=do) from None
