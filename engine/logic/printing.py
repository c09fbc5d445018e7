"""From statements back to text in the rule language: what is printed parses to the same statements."""

from __future__ import annotations

from .formula import (
    Among,
    And,
    Bare,
    Compare,
    Count,
    Form,
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
from .lexicon import quoted, written


def print_rules(statements: tuple[Statement, ...]) -> str:
    """Return the text of `statements`, one rule after the other, reason and source on lines of their own."""
    return "".join(_statement(statement) for statement in statements)


def print_formula(formula: Formula) -> str:  # noqa: C901, PLR0911, PLR0912 - a case a connective
    """Return a formula in the rule language; whatever joins parts inside another is put in brackets."""
    match formula:
        case Compare(subject, operator, value):
            return f"{_subject(subject)} {operator} {value.written()}"
        case Among(subject, values, negated):
            among = "not in" if negated else "in"
            return f"{_subject(subject)} {among} {{{', '.join(map(Word.written, values))}}}"
        case Known(subject, negated):
            return f"{_subject(subject)} is {'missing' if negated else 'known'}"
        case Bare(name):
            return name.written()
        case Form():
            return formula.text()
        case Not(part):
            # In brackets: `not co-existence(a, b)` is a template of its own.
            return f"not ({print_formula(part)})" if isinstance(part, Form) else f"not {inner_text(part)}"
        case And(parts):
            return " and ".join(map(inner_text, parts))
        case Or(parts):
            return " or ".join(map(inner_text, parts))
        case Xor(left, right):
            return f"{inner_text(left)} xor {inner_text(right)}"
        case Iff(left, right):
            return f"{inner_text(left)} iff {inner_text(right)}"
        case Implies(left, right):
            return f"{inner_text(left)} implies {inner_text(right)}"
        case IfThen(condition, then, other):
            tail = f" else {inner_text(other)}" if other is not None else ""
            return f"if {inner_text(condition)} then {inner_text(then)}{tail}"
        case Count(quantity, number, parts):
            return f"{quantity} {number} of ({', '.join(map(print_formula, parts))})"
    raise ValueError(f"{formula} is bound; only a formula as written has a text")


def inner_text(formula: Formula) -> str:
    """Return a formula as it stands inside another."""
    text = print_formula(formula)
    plain = isinstance(formula, Compare | Among | Known | Bare | Count)
    return text if plain or (isinstance(formula, Form) and formula.plain) else f"({text})"


def _statement(statement: Statement) -> str:
    head = ["rule"]
    if statement.name:
        head.append(written(statement.name))
    if statement.weight is not None:
        head.append(f"weight {statement.weight:.17g}")
        if statement.level != 1:
            head.append(f"level {statement.level}")
    lines = [f"{' '.join(head)}: {print_formula(statement.formula)}"]
    if statement.reason:
        lines.append(f"    because {quoted(statement.reason)}")
    if statement.source:
        lines.append(f"    source {quoted(statement.source)}")
    return "\n".join(lines) + "\n"


def _subject(word: Word | None) -> str:
    return "class" if word is None else word.written()
