"""A rule in plain words, for people who did not write it."""

from __future__ import annotations

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
    Word,
    Xor,
)

_OPERATORS: dict[Operator, str] = {
    "=": "is",
    "!=": "is not",
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
}


def in_words(formula: Formula) -> str:  # noqa: PLR0911 - a case a connective
    """Return `formula` in English, no full stop: `if safety is low, the class is unacc`."""
    match formula:
        case Compare() | Among() | Known():
            return _atom(formula)
        case Not(part):
            return f"it is not so that {_inner(part)}"
        case And(parts):
            return " and ".join(map(_inner, parts))
        case Or(parts):
            return " or ".join(map(_inner, parts))
        case Xor(left, right):
            return f"either {_inner(left)} or {_inner(right)}, not both"
        case Iff(left, right):
            return f"{_inner(left)} exactly when {_inner(right)}"
        case Implies(left, right):
            return f"if {_inner(left)}, {_inner(right)}"
        case IfThen(condition, then, other):
            tail = f", otherwise {_inner(other)}" if other is not None else ""
            return f"if {_inner(condition, and_too=True)}, {_inner(then)}{tail}"
        case Count(quantity, number, parts):
            return f"{quantity} {number} of these: {'; '.join(map(in_words, parts))}"
    raise ValueError(f"{formula} is bound; only a formula as written has words")


def listed(words: tuple[str, ...], joint: str = "and") -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return f"{', '.join(words[:-1])} {joint} {words[-1]}" if len(words) > 1 else "".join(words)


def _atom(atom: Compare | Among | Known) -> str:
    subject = _subject(atom.subject)
    if isinstance(atom, Compare):
        return f"{subject} {_OPERATORS[atom.operator]} {atom.value.text}"
    if isinstance(atom, Known):
        return f"{subject} is {'missing' if atom.negated else 'known'}"
    values = tuple(word.text for word in atom.values)
    if len(values) == 1:
        return f"{subject} {'is not' if atom.negated else 'is'} {values[0]}"
    if atom.negated:
        return f"{subject} is neither {listed(values, 'nor')}"
    return f"{subject} is {listed(values, 'or')}"


def _inner(formula: Formula, *, and_too: bool = False) -> str:
    plain = isinstance(formula, Compare | Among | Known) or (and_too and isinstance(formula, And))
    return in_words(formula) if plain else f"({in_words(formula)})"


def _subject(word: Word | None) -> str:
    return "the class" if word is None else word.text
