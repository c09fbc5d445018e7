"""The CSV table source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..errors import DataError
from ..fields import flag, text
from ..fields import path as file_path
from ..label_sets import MOST_LABELS, joined
from ..ports import I64
from ..records import Header, Records
from ..source import Source
from .classes import class_name, in_order, indices, number
from .columns import Encoder, label_columns
from .opening import located
from .table import GAPS, Table, read_table

_YES, _NO = frozenset({"yes", "true"}), frozenset({"no", "false"})


@dataclass(frozen=True)
class CsvTable(Source):
    """Records from a text table: one row a record, the first row names the columns.

    A column of numbers x becomes one feature x (a gap: the column's median); a column of categories c_1 ...
    c_k becomes k features, feature i = 1 where the cell is c_i, 0 otherwise (a gap: all 0). Medians and
    categories are taken from the whole file. Facts are the columns as they stand. Format: RFC 4180.

    Several label columns hold 0 or 1 (or no or yes, false or true): each is a label of its own, of which a
    record may have several, one, or none. A gap in any of them leaves the labels of that record unknown.

    Attributes:
        path: the file.
        label: the column that holds the class, or several label columns apart by commas; empty: the last one.
        leave_out: names of columns that are not read, apart by commas.
        gap_features: whether a column with gaps gets one more feature, 1 where there is a gap.
    """

    kind: ClassVar[str] = "data.csv"
    title: ClassVar[str] = "CSV table"
    icon: ClassVar[str] = "ph.table"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = "Rows of a text table; categories become one feature each"

    path: str = file_path("The table: UTF-8 text whose first row names the columns", (".csv", ".tsv"))
    label: str = text(
        "", "Column of the class, or label columns apart by commas; left empty, the last column"
    )
    leave_out: str = text("", "Columns that are not read, apart by commas: row numbers, names")
    gap_features: bool = flag(False, "Give every column with gaps one more feature that is 1 at a gap")

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        table = read_table(located(folder, self.path))
        kept = header.encoding if header and header.encoding.startswith("{") else ""
        encoder = Encoder.of(kept) if kept else self._found(table, header)
        samples, facts, notes = encoder.encode(table)
        several, classes, labels = _labels(table, encoder.label, header)
        if header and not kept:
            facts = np.full((len(labels), len(header.columns)), np.nan)
        found = header or Header(
            (encoder.width,), classes, encoder.facts, len(labels), encoder.text(), several
        )
        if encoder.width != math.prod(found.shape):
            words = f"A row gives {encoder.width} features; the graph was built on records of {found.shape}."
            raise DataError(words, where=table.where)
        names = classes if several else (encoder.label,)
        note = _gap_note(labels, has_labels=set(names) <= set(table.names))
        return found, Records(samples.reshape(-1, *found.shape), labels, facts, (*notes, *note))

    def _found(self, table: Table, header: Header | None) -> Encoder:
        """Return the encoder of this file; `header` is that of another kind of source, if there is one."""
        left_out = [name.strip() for name in self.leave_out.split(",") if name.strip()]
        labels = label_columns(self.label, table.names) if self.label else ()
        for name in (*left_out, *labels):
            if name not in table.names:
                there = ", ".join(table.names[:20])
                raise DataError(f"There is no column {name!r}; there are {there}.", where=table.where)
        last = [name for name in table.names if name not in left_out][-1:]
        label = self.label or "".join(last)
        if header and not self.label and len(table.names) - len(left_out) == math.prod(header.shape):
            label = ""
        return Encoder.found(table, label, gap_features=self.gap_features, left_out=left_out)


def _labels(table: Table, label: str, header: Header | None) -> tuple[bool, tuple[str, ...], I64]:
    """Return whether there are several labels a record, their names or those of the classes, and labels."""
    columns = header.classes if header and header.several else label_columns(label, table.names)
    if header.several if header else len(columns) > 1:
        return True, columns, _several(table, columns)
    names = _label_names(table, label)
    known = [name for name in names if name is not None]
    classes = header.classes if header else in_order(known, f"{table.where}, column {label!r}")
    return False, classes, indices(names, classes, lambda row: table.place(row, label))


def _several(table: Table, columns: tuple[str, ...]) -> I64:
    """Return which labels hold, as label_sets.py has them; -1 where a cell is a gap or a column missing."""
    if len(columns) > MOST_LABELS:
        words = f"There are {len(columns)} label columns; at most {MOST_LABELS} are taken."
        raise DataError(words, where=table.where)
    holds = np.zeros((len(table.lines), len(columns)), np.bool_)
    known = np.full(len(table.lines), set(columns) <= set(table.names))
    for i, name in enumerate(columns if known.any() else ()):
        for row, cell in enumerate(table.column(name)):
            if cell in GAPS:
                known[row] = False
            elif cell.lower() in _YES or number(cell) == 1:
                holds[row, i] = True
            elif cell.lower() not in _NO and number(cell) != 0:
                words = f"{cell[:80]!r} is neither 0 nor 1, which a label of several must be."
                do = "Write 0 or 1, no or yes; or name one column of classes."
                raise DataError(words, where=table.place(row, name), do=do)
    return np.where(known, joined(holds), -1)


def _label_names(table: Table, label: str) -> list[str | None]:
    if label not in table.names:
        return [None] * len(table.lines)
    return [None if cell in GAPS else class_name(cell) for cell in table.column(label)]


def _gap_note(labels: I64, *, has_labels: bool) -> tuple[str, ...]:
    unknown = int((labels < 0).sum())
    if not has_labels:
        return ("The file has no label column; its classes are unknown.",)
    return (f"{unknown} rows have no label.",) if unknown else ()
