"""Tables of what is allowed: `table(a, b){(1, x), (2, -)}`."""

from __future__ import annotations

from dataclasses import dataclass

from ..binding import Binding
from ..formula import TRUE, Among, And, Compare, Form, Formula, Operator, Or, Word
from ..wording import OPERATORS, listed
from .form import Call, Cell, form
from .ranges import Within

MOST_CELLS = 8_192


@form(
    "table",
    "One of the rows fits; a cell is a value, {several}, a range, < 3 and the like, or - for any.",
    example="table(a, b){(1, x), (2, -), (3..5, {y, z})}",
)
@dataclass(frozen=True)
class Table(Form):
    """At least one row fits: each of its cells is a condition on the variable of its column."""

    columns: tuple[Word, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def read(cls, call: Call) -> Table:
        call.check(1, rows=True)
        columns, rows = call.names(), call.rows or ()
        for number, row in enumerate(rows, 1):
            if len(row) != len(columns):
                raise call.wrong(f"Row {number} has {len(row)} cells for {len(columns)} variables.")
        if len(rows) * len(columns) > MOST_CELLS:
            raise call.wrong(f"There are {len(rows) * len(columns):,} cells; {MOST_CELLS:,} is the most.")
        return cls(columns, rows)

    def text(self) -> str:
        rows = ", ".join(f"({', '.join(map(_text, row))})" for row in self.rows)
        return f"table({', '.join(map(Word.written, self.columns))}){{{rows}}}"

    def words(self) -> str:
        rows = "; ".join(self._row_words(row) for row in self.rows)
        return f"one of these fits: {rows}"

    def bind(self, binding: Binding) -> Formula:
        binding.spend(len(self.rows) * len(self.columns), self.columns[0].place)
        return Or(tuple(self._row(binding, row) for row in self.rows))

    def _row(self, binding: Binding, row: tuple[Cell, ...]) -> Formula:
        cells = [_cell(binding, column, cell) for column, cell in zip(self.columns, row, strict=True)]
        return And(tuple(cell for cell in cells if cell != TRUE))

    def _row_words(self, row: tuple[Cell, ...]) -> str:
        words = tuple(
            _words(c, cell) for c, cell in zip(self.columns, row, strict=True) if cell.operator != "-"
        )
        return listed(words) or "anything"


def _cell(binding: Binding, column: Word, cell: Cell) -> Formula:
    if cell.operator == "-":
        binding.subject(column, column.place)
        return TRUE
    return binding.bind(_condition(column, cell))


def _condition(column: Word, cell: Cell) -> Formula:
    if cell.operator == "in":
        return Among(column, cell.values)
    if cell.operator == "..":
        return Within(column, cell.values[0], cell.values[1])
    operator: Operator = cell.operator  # type: ignore[assignment]
    return Compare(column, operator, cell.values[0], cell.values[0].place)


def _text(cell: Cell) -> str:
    values = [value.written() for value in cell.values]
    match cell.operator:
        case "-":
            return "-"
        case "=":
            return values[0]
        case "in":
            return f"{{{', '.join(values)}}}"
        case "..":
            return "..".join(values)
    return f"{cell.operator} {values[0]}"


def _words(column: Word, cell: Cell) -> str:
    values = tuple(value.text for value in cell.values)
    if cell.operator == "in":
        return f"{column.text} is {listed(values, 'or')}"
    if cell.operator == "..":
        return f"{column.text} is between {values[0]} and {values[1]}"
    operator: Operator = cell.operator  # type: ignore[assignment]
    return f"{column.text} {OPERATORS[operator]} {values[0]}"
