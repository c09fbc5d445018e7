"""A rule in plain words, for people who did not write it."""

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
    Operator,
    Or,
    Word,
    Xor,
)

OPERATORS: dict[Operator, str] = {
    "=": "is",
    "!=": "is not",
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
}


def in_words(formula: Formula) -> str:  # noqa: C901, PLR0911 - a case a connective
    """Return `formula` in English, no full stop: `if safety is low, the class is unacc`."""
    match formula:
        case Compare() | Among() | Known():
            return _atom(formula)
        case Bare(name):
            return name.text
        case Form():
            return formula.words()
        case Not(part):
            return f"it is not so that {inner_words(part)}"
        case And(parts):
            return " and ".join(map(inner_words, parts))
        case Or(parts):
            return " or ".join(map(inner_words, parts))
        case Xor(left, right):
            return f"either {inner_words(left)} or {inner_words(right)}, not both"
        case Iff(left, right):
            return f"{inner_words(left)} exactly when {inner_words(right)}"
        case Implies(left, right):
            return f"if {inner_words(left)}, {inner_words(right)}"
        case IfThen(condition, then, other):
            tail = f", otherwise {inner_words(other)}" if other is not None else ""
            return f"if {inner_words(condition, and_too=True)}, {inner_words(then)}{tail}"
        case Count(quantity, number, parts):
            return f"{quantity} {number} of these: {'; '.join(map(in_words, parts))}"
    raise ValueError(f"{formula} is bound; only a formula as written has words")


def listed(words: tuple[str, ...], joint: str = "and") -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return f"{', '.join(words[:-1])} {joint} {words[-1]}" if len(words) > 1 else "".join(words)


def _atom(atom: Compare | Among | Known) -> str:
    subject = _subject(atom.subject)
    if isinstance(atom, Compare):
        return f"{subject} {OPERATORS[atom.operator]} {atom.value.text}"
    if isinstance(atom, Known):
        return f"{subject} is {'missing' if atom.negated else 'known'}"
    values = tuple(word.text for word in atom.values)
    if len(values) == 1:
        return f"{subject} {'is not' if atom.negated else 'is'} {values[0]}"
    if atom.negated:
        return f"{subject} is neither {listed(values, 'nor')}"
    return f"{subject} is {listed(values, 'or')}"


def inner_words(formula: Formula, *, and_too: bool = False) -> str:
    """Return a formula in words as it stands inside another."""
    plain = isinstance(formula, Compare | Among | Known | Bare) or (and_too and isinstance(formula, And))
    plain = plain or (isinstance(formula, Form) and formula.plain)
    return in_words(formula) if plain else f"({in_words(formula)})"


def _subject(word: Word | None) -> str:
    return "the class" if word is None else word.text
