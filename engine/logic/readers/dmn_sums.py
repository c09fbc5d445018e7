"""Tables of DMN that collect numbers and add them up, or count what they collect (C+ and C#)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

from ...errors import RuleError
from ..vocabulary import MOST_VALUES, Variable
from .dmn_table import Table
from .feel import value_of
from .writing import either, quoted, rule_text


def adds(table: Table) -> bool:
    """Whether a table adds up, or counts, what its rows say."""
    return table.policy == "COLLECT" and table.aggregation in ("SUM", "COUNT")


def sum_variables(table: Table) -> Iterator[Variable]:
    """Yield a flag for every row, which says whether it matches, and the number that is decided.

    Raises:
        RuleError: the rows add up to too many numbers.
    """
    for number in range(1, len(table.rows) + 1):
        yield Variable(_flag(table, number), "flag", text=f"row {number} of {table.name} matches")
    said = {"SUM": "added up", "COUNT": "counted"}[table.aggregation]
    values = tuple(map(_decimal, sorted(_reached(table))))
    yield Variable(table.outputs[0].name, "number", values=values, text=f"what matching rows say, {said}")


def sum_rules(table: Table, conditions: list[str]) -> Iterator[str]:
    """Yield the rules of such a table; `conditions` say when each row matches, "" for always."""
    flags = [quoted(_flag(table, number)) for number in range(1, len(conditions) + 1)]
    for row, flag, condition in zip(table.rows, flags, conditions, strict=True):
        says = f"{flag} iff ({condition})" if condition else flag
        yield rule_text(f"{table.name}, row {row.number}", says, row.note or f"{row.where} of the file")
    terms = [f"{_decimal(w)} * {flag}" for w, flag in zip(_weights(table), flags, strict=True)]
    total = f"{quoted(table.outputs[0].name)} = {' + '.join(terms)}"
    what = {"SUM": "The sum of", "COUNT": "How many of"}[table.aggregation]
    yield rule_text(
        f"{table.name}, {table.aggregation.lower()}",
        f"if {either(flags)} then {total}",
        f"{what} the values of the rows that match",
    )


def _flag(table: Table, number: int) -> str:
    return f"{table.name}: row {number}"


def _weights(table: Table) -> list[Fraction]:
    if table.aggregation == "COUNT":
        return [Fraction(1)] * len(table.rows)
    return [Fraction(value_of(row.outputs[0], "number")) for row in table.rows]


def _reached(table: Table) -> set[Fraction]:
    """Return every number that rows can add up to, the default too."""
    found = {Fraction(0)}
    for weight in _weights(table):
        found |= {x + weight for x in found}
        if len(found) > MOST_VALUES - 2:
            words = f"The rows of {table.name} add up to more than {MOST_VALUES - 2:,} numbers."
            raise RuleError(words, where=table.where, do="Round them, or split the table.")
    defaults = (output.default for output in table.outputs if output.default)
    return set(chain(found, map(Fraction, defaults)))


def _decimal(number: Fraction) -> str:
    """Return a number that has an end in decimals as rules write it."""
    places = 0
    while (number * 10**places).denominator > 1:
        places += 1
    return f"{float(number):.{places}f}" if places else str(int(number))
