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
from ..ports import I64
from ..records import Header, Records
from ..source import Source
from .classes import class_name, in_order, indices
from .columns import Encoder
from .opening import located
from .table import GAPS, Table, read_table


@dataclass(frozen=True)
class CsvTable(Source):
    """Records from a text table: one row a record, the first row names the columns.

    A column of numbers x becomes one feature x (a gap: the column's median); a column of categories c_1 ...
    c_k becomes k features, feature i = 1 where the cell is c_i, 0 otherwise (a gap: all 0). Medians and
    categories are taken from the whole file. Facts are the columns as they stand. Format: RFC 4180.

    Attributes:
        path: the file.
        label: the column that holds the class; empty: the last one.
        leave_out: names of columns that are not read, apart by commas.
        gap_features: whether a column with gaps gets one more feature, 1 where there is a gap.
    """

    kind: ClassVar[str] = "data.csv"
    title: ClassVar[str] = "CSV table"
    icon: ClassVar[str] = "ph.table"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = "Rows of a text table; categories become one feature each"

    path: str = file_path("The table: UTF-8 text whose first row names the columns", (".csv", ".tsv"))
    label: str = text("", "Column that holds the class; left empty, the last one")
    leave_out: str = text("", "Columns that are not read, apart by commas: row numbers, names")
    gap_features: bool = flag(False, "Give every column with gaps one more feature that is 1 at a gap")

    def load(self, folder: Path, header: Header | None) -> tuple[Header, Records]:
        table = read_table(located(folder, self.path))
        kept = header.encoding if header and header.encoding.startswith("{") else ""
        encoder = Encoder.of(kept) if kept else self._found(table, header)
        samples, facts, notes = encoder.encode(table)
        names = _label_names(table, encoder.label)
        known = [name for name in names if name is not None]
        classes = header.classes if header else in_order(known, f"{table.where}, column {encoder.label!r}")
        labels = indices(names, classes, lambda row: table.place(row, encoder.label))
        if header and not kept:
            facts = np.full((len(labels), len(header.columns)), np.nan)
        found = header or Header((encoder.width,), classes, encoder.facts, len(labels), encoder.text())
        if encoder.width != math.prod(found.shape):
            words = f"A row gives {encoder.width} features; the graph was built on records of {found.shape}."
            raise DataError(words, where=table.where)
        note = _gap_note(labels, has_labels=encoder.label in table.names)
        return found, Records(samples.reshape(-1, *found.shape), labels, facts, (*notes, *note))

    def _found(self, table: Table, header: Header | None) -> Encoder:
        """Return the encoder of this file; `header` is that of another kind of source, if there is one."""
        left_out = [name.strip() for name in self.leave_out.split(",") if name.strip()]
        for name in (*left_out, *([self.label] if self.label else [])):
            if name not in table.names:
                there = ", ".join(table.names[:20])
                raise DataError(f"There is no column {name!r}; there are {there}.", where=table.where)
        last = [name for name in table.names if name not in left_out][-1:]
        label = self.label or "".join(last)
        if header and not self.label and len(table.names) - len(left_out) == math.prod(header.shape):
            label = ""
        return Encoder.found(table, label, gap_features=self.gap_features, left_out=left_out)


def _label_names(table: Table, label: str) -> list[str | None]:
    if label not in table.names:
        return [None] * len(table.lines)
    return [None if cell in GAPS else class_name(cell) for cell in table.column(label)]


def _gap_note(labels: I64, *, has_labels: bool) -> tuple[str, ...]:
    unknown = int((labels < 0).sum())
    if not has_labels:
        return ("The file has no label column; its classes are unknown.",)
    return (f"{unknown} rows have no label.",) if unknown else ()
