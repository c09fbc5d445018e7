"""The column encoder: texts of a table into samples and facts, the same for every later file.

A column where every cell is a number or a gap is a column of numbers; any other is a column of categories,
one feature a category ("one-hot"). In samples a gap is the column's median, or no category; in facts it is
NaN. The state is kept as JSON text in `Header.encoding`, so a file to predict is encoded as the first was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np

from ..errors import DataError
from ..ports import F32, F64, Column
from .classes import number
from .opening import check_size, spaced
from .table import GAPS, Table

MOST_CATEGORIES = 1000
T = TypeVar("T")
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Encoded:
    """How one column is encoded.

    Attributes:
        name: the column's name.
        categories: the categories in order, () for numbers.
        median: what a gap in numbers is taken for.
        gaps: whether a gap gets a feature of its own, 1 where there is one.
    """

    name: str
    categories: tuple[str, ...] = ()
    median: float = 0.0
    gaps: bool = False

    @property
    def width(self) -> int:
        """Return how many features it becomes."""
        return (len(self.categories) or 1) + self.gaps


@dataclass(frozen=True)
class Encoder:
    """How a whole table is encoded.

    Attributes:
        label: name of the label column, or of several apart by commas; "" where there is none.
        columns: the other columns, in the order of the first file.
    """

    label: str
    columns: tuple[Encoded, ...]

    @classmethod
    def found(cls, table: Table, label: str, *, gap_features: bool, left_out: Sequence[str] = ()) -> Encoder:
        """Return the encoder that fits `table`.

        Raises:
            DataError: a column has too many categories or a number too large, or no column is left.
        """
        labels = label_columns(label, table.names)
        names = [n for n in table.names if n not in labels and n not in left_out]
        if not names:
            raise DataError(f"There is no column beside the label column {label!r}.", where=table.where)
        return cls(label, tuple(_encoded(table, name, gap_features=gap_features) for name in names))

    @classmethod
    def of(cls, text: str) -> Encoder:
        """Return the encoder kept in `Header.encoding`.

        Raises:
            DataError: the text is not one.
        """
        try:
            kept = json.loads(text)
            columns = tuple(
                Encoded(
                    _a(str, c["name"]),
                    tuple(_a(str, name) for name in c["categories"]),
                    float(c["median"]),
                    _a(bool, c["gaps"]),
                )
                for c in kept["columns"]
            )
            encoder = cls(_a(str, kept["label"]), columns)
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            words = "How the table's columns are encoded cannot be read."
            raise DataError(words, where="encoding") from error
        if not columns or not all(math.isfinite(c.median) for c in columns):
            raise DataError("How the table's columns are encoded is not complete.", where="encoding")
        return encoder

    def text(self) -> str:
        """Return the state for `Header.encoding`."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def width(self) -> int:
        """Return how many features a record has."""
        return sum(c.width for c in self.columns)

    @property
    def facts(self) -> tuple[Column, ...]:
        """Return the columns of facts."""
        return tuple(Column(c.name, c.categories) for c in self.columns)

    def encode(self, table: Table) -> tuple[F32, F64, tuple[str, ...]]:
        """Return samples (n, width), facts (n, columns) and notes on what was odd but harmless.

        Raises:
            DataError: a column is missing, or a number column holds something else.
        """
        for column in self.columns:
            if column.name not in table.names:
                words = f"The column {column.name!r} is missing."
                raise DataError(words, where=table.where, why="The graph was built on data that has it.")
        n = len(table.lines)
        check_size(table.where, (n, self.width), 4, n * self.width * 4)
        samples = np.zeros((n, self.width), np.float32)
        facts = np.full((n, len(self.columns)), np.nan)
        notes = [_extra(self, table)]
        at = 0
        for i, column in enumerate(self.columns):
            notes.append(_fill(column, table, samples[:, at : at + column.width], facts[:, i]))
            at += column.width
        return samples, facts, tuple(note for note in notes if note)


def label_columns(label: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the label columns that a text names: one that is called so, or several apart by commas."""
    if label in names or "," not in label:
        return (label,)
    return tuple(dict.fromkeys(name.strip() for name in label.split(",") if name.strip()))


def numbers(table: Table, name: str) -> F64:
    """Return a column of numbers, float64 (n,), NaN where there is a gap.

    Raises:
        DataError: a cell is neither a number nor a gap, or too large for a sample.
    """
    out = np.full(len(table.lines), np.nan)
    for row, cell in enumerate(table.column(name)):
        if cell in GAPS:
            continue
        out[row] = number(cell)
        if not abs(out[row]) <= _LARGEST:
            fault = "not a number" if math.isnan(out[row]) else "too large"
            words = f"{cell[:80]!r} is {fault}."
            comma = not math.isnan(number(cell.replace(",", ".", 1)))
            do = "Write decimals with a point." if comma else "Correct it, or leave the cell empty."
            raise DataError(words, where=table.place(row, name), do=do)
    return out


def _encoded(table: Table, name: str, *, gap_features: bool) -> Encoded:
    cells = table.column(name)
    found = {cell for cell in cells if cell not in GAPS}
    gaps = gap_features and any(cell in GAPS for cell in cells)
    if any(math.isnan(number(cell)) for cell in found):
        if len(found) > MOST_CATEGORIES:
            raise DataError(
                f"The column {name!r} holds {spaced(len(found))} different texts; "
                f"at most {spaced(MOST_CATEGORIES)} categories are taken.",
                where=table.where,
                do="Leave the column out, or turn it into numbers.",
            )
        return Encoded(name, tuple(sorted(found)), gaps=gaps)
    values = numbers(table, name)
    known = values[~np.isnan(values)]
    return Encoded(name, (), float(np.median(known)) if len(known) else 0.0, gaps)


def _fill(column: Encoded, table: Table, samples: F32, facts: F64) -> str:
    """Write the features and facts of one column; return a note, or ""."""
    if not column.categories:
        facts[:] = numbers(table, column.name)
        samples[:, 0] = np.where(np.isnan(facts), column.median, facts)
        if column.gaps:
            samples[:, -1] = np.isnan(facts)
        return ""
    places = {category: i for i, category in enumerate(column.categories)}
    strange: dict[str, int] = {}
    for row, cell in enumerate(table.column(column.name)):
        place = places.get(cell)
        if place is not None:
            samples[row, place] = 1.0
            facts[row] = place
        elif cell in GAPS:
            samples[row, -1] = float(column.gaps)
        else:
            strange[cell] = strange.get(cell, 0) + 1
    if not strange:
        return ""
    some = ", ".join(repr(cell[:40]) for cell in list(strange)[:3])
    rows = spaced(sum(strange.values()))
    return f"Column {column.name!r}: {some} was not seen before; taken for a gap in {rows} rows."


def _extra(encoder: Encoder, table: Table) -> str:
    known = {c.name for c in encoder.columns} | {*label_columns(encoder.label, table.names)}
    more = [name for name in table.names if name not in known]
    some = ", ".join(more[:10]) + (" ..." if len(more) > 10 else "")
    return f"Columns that are not used: {some}." if more else ""


def _a(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return value
