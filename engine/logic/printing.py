"""From statements back to text in the rule language: what is printed parses to the same statements."""

from __future__ import annotations

import re

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
    Or,
    Statement,
    Word,
    Xor,
)
from .language import RESERVED

_BARE = re.compile(r"[+-]?[\w.][\w.+-]*")


def print_rules(statements: tuple[Statement, ...]) -> str:
    """Return the text of `statements`, one rule after the other, reason and source on lines of their own."""
    return "".join(_statement(statement) for statement in statements)


def print_formula(formula: Formula) -> str:  # noqa: C901, PLR0911 - a case a connective
    """Return a formula in the rule language; whatever joins parts inside another is put in brackets."""
    match formula:
        case Compare(subject, operator, value):
            return f"{_subject(subject)} {operator} {_word(value)}"
        case Among(subject, values, negated):
            return f"{_subject(subject)} {'not in' if negated else 'in'} {{{', '.join(map(_word, values))}}}"
        case Known(subject, negated):
            return f"{_subject(subject)} is {'missing' if negated else 'known'}"
        case Not(part):
            return f"not {_inner(part)}"
        case And(parts):
            return " and ".join(map(_inner, parts))
        case Or(parts):
            return " or ".join(map(_inner, parts))
        case Xor(left, right):
            return f"{_inner(left)} xor {_inner(right)}"
        case Iff(left, right):
            return f"{_inner(left)} iff {_inner(right)}"
        case Implies(left, right):
            return f"{_inner(left)} implies {_inner(right)}"
        case IfThen(condition, then, other):
            tail = f" else {_inner(other)}" if other is not None else ""
            return f"if {_inner(condition)} then {_inner(then)}{tail}"
        case Count(quantity, number, parts):
            return f"{quantity} {number} of ({', '.join(map(print_formula, parts))})"
    raise ValueError(f"{formula} is bound; only a formula as written has a text")


def _inner(formula: Formula) -> str:
    text = print_formula(formula)
    return text if isinstance(formula, Compare | Among | Known | Count) else f"({text})"


def _statement(statement: Statement) -> str:
    name = f" {_word(Word(statement.name))}" if statement.name else ""
    lines = [f"rule{name}: {print_formula(statement.formula)}"]
    if statement.reason:
        lines.append(f"    because {_quoted(statement.reason)}")
    if statement.source:
        lines.append(f"    source {_quoted(statement.source)}")
    return "\n".join(lines) + "\n"


def _subject(word: Word | None) -> str:
    return "class" if word is None else _word(word)


def _word(word: Word) -> str:
    bare = not word.quoted and _BARE.fullmatch(word.text) and word.text not in RESERVED
    return word.text if bare else _quoted(word.text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
