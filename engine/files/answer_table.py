"""Tables of facts and answers for repair by rules: the vocabulary of a table, and its facts and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..logic.vocabulary import Variable, Vocabulary, nearest, number_of, some, yes_or_no
from ..ports import F32, F64
from ..sources.opening import located
from ..sources.table import GAPS, Table, read_table
from .repairs import CERTAIN

CHANGE = 1.0  # nats that an answer without a probability costs to change, an integer a step
_MOST_LEVELS = 1_000  # between the least and the greatest integer of a decided column


@dataclass(frozen=True)
class AnswerTable:
    """n records of facts and answers.

    Attributes:
        facts: float64 (n, facts), NaN for a gap.
        scores: float32 (n, scores), logits of everything that is decided, as logic/several.py takes them.
        notes: sentences about columns and values that rules do not know.
    """

    facts: F64
    scores: F32
    notes: tuple[str, ...]


def vocabulary_of(path: Path, decides: Sequence[str]) -> Vocabulary:
    """Return what the columns of a table can stand for; those named in `decides` are decided.

    A column of yes and no (or 0 and 1, or probabilities) is a flag, one of whole numbers an integer, one of
    texts a category; a fact that is a number stays one.

    Raises:
        DataError: the file is missing or malformed, a column is not there, or one cannot be decided.
    """
    table = read_table(located(Path(), str(path), what="table"))
    missing = [name for name in decides if name not in table.names]
    if missing:
        words = f"There is no column {missing[0]!r}."
        raise DataError(words, where=table.where, do=nearest(missing[0], table.names))
    return Vocabulary(tuple(_variable(table, name, given=name not in decides) for name in table.names))


def read_answers(path: Path, vocabulary: Vocabulary) -> AnswerTable:
    """Return facts and scores of a table whose columns have the names of variables.

    A flag holds yes or no, or a probability; another decided variable the name of its value. What is not a
    probability costs one nat to change, a number one for every step. An empty cell is a gap, or says nothing.

    Raises:
        DataError: the file is missing or malformed, no decided variable is in it, or a cell holds something
            that its variable cannot be.
    """
    table = read_table(located(Path(), str(path), what="table"))
    given = [v for v in vocabulary.given if v.name in table.names]
    decided = [v for v in vocabulary.decided if v.name in table.names]
    if not decided:
        there = some(tuple(v.name for v in vocabulary.decided))
        what = "No column has the name of what is decided."
        do = f"There are {there}." if there else "The rules decide no variable."
        raise DataError(what, where=table.where, do=do)
    facts = np.full((len(table.lines), len(vocabulary.given)), np.nan)
    notes: list[str] = []
    for variable in given:
        facts[:, vocabulary.fact_numbers[variable.name]], note = _facts(table, variable)
        notes += note
    nothing = [np.zeros((len(table.lines), _width(v))) for v in vocabulary.decided]
    scores = [
        _scores(table, v) if v in decided else zeros
        for v, zeros in zip(vocabulary.decided, nothing, strict=True)
    ]
    for words, known, found in (
        ("a gap, which breaks no rule", vocabulary.given, given),
        ("whatever suits the rules", vocabulary.decided, decided),
    ):
        missing = tuple(v.name for v in known if v not in found)
        if missing:
            notes.append(f"No column: {some(missing)} ({words}).")
    return AnswerTable(facts, np.concatenate(scores, axis=1).astype(np.float32), tuple(notes))


def _width(variable: Variable) -> int:
    return 1 if variable.kind == "flag" else len(variable.names)


def _variable(table: Table, name: str, *, given: bool) -> Variable:
    texts = list(dict.fromkeys(t for t in table.column(name) if t not in GAPS))
    numbers = [number_of(t) for t in texts]
    flag = all(yes_or_no(t) is not None for t in texts)
    if all(x is not None for x in numbers):
        if given:
            return Variable(name, "flag" if flag and texts else "number", given=True)
        values = [x for x in numbers if x is not None]
        if not values or all(0 <= x <= 1 for x in values):
            return Variable(name, "flag")
        least, most = min(values), max(values)
        if all(x.denominator == 1 for x in values) and most - least <= _MOST_LEVELS:
            return Variable(name, "integer", least=float(least), most=float(most))
        words = f"{name} holds numbers that are no small whole ones; they cannot be decided."
        raise DataError(words, where=table.where, do="Decide flags, categories or integers.")
    if flag:
        return Variable(name, "flag", given=given)
    return Variable(name, "category", given=given, values=tuple(sorted(texts)))


def _facts(table: Table, variable: Variable) -> tuple[F64, list[str]]:
    out, unknown = np.full(len(table.lines), np.nan), dict[str, None]()
    for row, text in enumerate(table.column(variable.name)):
        if text in GAPS:
            continue
        value: float | None
        if variable.kind in ("flag", "category"):
            value = variable.index_of(text)
            if value is None:
                unknown[text] = None
                continue
        else:
            number = number_of(text)
            if number is None:
                raise _wrong(table, row, variable, text, "a number")
            value = float(number)
        out[row] = value
    if not unknown:
        return out, []
    return out, [f"{variable.name} cannot be {some(tuple(unknown))}: a gap there."]


def _scores(table: Table, variable: Variable) -> F64:
    texts = table.column(variable.name)
    out = np.zeros((len(texts), _width(variable)))
    if variable.kind == "flag":
        out[:, 0] = _odds(table, variable)
        return out
    levels = np.array([float(x) for x in variable.levels]) if variable.levels else None
    step = np.diff(levels).min() if levels is not None and len(levels) > 1 else 1.0
    for row, text in enumerate(texts):
        if text in GAPS:
            continue
        index = variable.index_of(text)
        if index is None:
            raise _wrong(table, row, variable, text, f"one of {some(variable.names)}")
        if levels is None:
            out[row, index] = CHANGE
        else:
            out[row] = -CHANGE * np.abs(levels - levels[index]) / step
    return out


def _odds(table: Table, variable: Variable) -> F64:
    texts = table.column(variable.name)
    numbers = [number_of(text) for text in texts]
    chances = any(x is not None and 0 < x < 1 for x in numbers)
    out = np.zeros(len(texts))
    for row, (text, number) in enumerate(zip(texts, numbers, strict=True)):
        if text in GAPS:
            continue
        said = yes_or_no(text)
        if number is not None and 0 <= number <= 1 and chances:
            p = float(number)
            with np.errstate(divide="ignore"):
                out[row] = np.clip(np.log(p) - np.log1p(-p), -CERTAIN, CERTAIN)
        elif said is not None:
            out[row] = CHANGE if said else -CHANGE
        else:
            raise _wrong(table, row, variable, text, "yes, no or a probability")
    return out


def _wrong(table: Table, row: int, variable: Variable, text: str, must: str) -> DataError:
    words = f"{variable.name} must be {must}; got {text[:40]!r}."
    return DataError(words, where=table.place(row, variable.name))
