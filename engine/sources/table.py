"""The text of a table: bytes into named columns of texts, with the line of every row kept for messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from .classes import number
from .opening import spaced, unreadable

MOST_TEXT = 1 << 30
MOST_COLUMNS = 16_384
MOST_CELL = 65_536
GAPS = frozenset({"", "?", "NA", "nan", "NaN"})
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Table:
    """A table as it stands in its file.

    Attributes:
        where: the file.
        names: the column names.
        cells: one list of texts a column, outer blanks taken off.
        lines: the line each row begins on, from 1.
    """

    where: str
    names: tuple[str, ...]
    cells: tuple[list[str], ...]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """Return the texts of the named column."""
        return self.cells[self.names.index(name)]

    def place(self, row: int, name: str = "") -> str:
        """Return where a cell stands, for a message."""
        column = f", column {name!r}" if name else ""
        return f"{self.where}, line {self.lines[row]}{column}"


def read_table(path: Path) -> Table:
    """Read a table with a header row; the delimiter is the one of , ; tab that parts the header most.

    Raises:
        DataError: the file is not UTF-8 text, has no header, has rows of other lengths than the header, or
            is too large.
    """
    where = str(path)
    text = _text(path, where)
    delimiter = _delimiter(text)
    names: tuple[str, ...] = ()
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in _rows(text, delimiter, where):
        if not names:
            names = _header(row, f"{where}, line {line}")
            continue
        if len(row) != len(names):
            raise DataError(
                f"The row has {len(row)} cells; the header names {len(names)} columns.",
                where=f"{where}, line {line}",
                do="Fill the row, or put texts that hold the delimiter in quotes.",
            )
        rows.append(row)
        lines.append(line)
    if not rows:
        raise DataError("The file holds no rows under a header.", where=where)
    cells = tuple([cell.strip() for cell in column] for column in zip(*rows, strict=True))
    return Table(where, names, cells, lines)


def _text(path: Path, where: str) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_TEXT:
            words = f"The table has {spaced(size)} bytes; at most {spaced(MOST_TEXT)} are read as text."
            raise DataError(words, where=where, do="Convert it to HDF5 or NumPy.")
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(error, where) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = f"{where}, line {line}"
        raise DataError("The file is not UTF-8 text.", where=place, do="Save it as UTF-8.") from error
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        place = f"{where}, line {line}"
        raise DataError("The text holds a NUL byte.", where=place, why="It is no text table.")
    return text


def _delimiter(text: str) -> str:
    first = next((line for line in io.StringIO(text) if line.strip()), "")[: MOST_COLUMNS * 64]

    def parts(delimiter: str) -> int:
        try:
            return len(next(csv.reader([first], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=parts)


def _rows(text: str, delimiter: str, where: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(f"The row cannot be read: {error}.", where=f"{where}, line {line}") from error
        if row is None:
            return
        if len(row) > MOST_COLUMNS:
            words = f"The row has {spaced(len(row))} cells; at most {spaced(MOST_COLUMNS)} are read."
            raise DataError(words, where=f"{where}, line {line}")
        longest = max(map(len, row), default=0)
        if longest > MOST_CELL:
            words = f"A cell holds {spaced(longest)} characters; at most {spaced(MOST_CELL)} are read."
            raise DataError(words, where=f"{where}, line {line}", do="Look for a quote that is not closed.")
        if row:
            yield line, row


def _header(row: list[str], where: str) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in row)
    if all(number(name) == number(name) for name in names):
        raise DataError("The first row holds numbers.", where=where, do="Put a row of column names above it.")
    for at, name in enumerate(names):
        if not name:
            raise DataError(f"Column {at + 1} has no name.", where=where, do="Name it in the first row.")
        if name in names[:at]:
            raise DataError(f"Two columns are named {name!r}.", where=where, do="Name them apart.")
    return names
