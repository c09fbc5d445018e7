"""The table of answers that broke a rule, as Qt wants to read it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.theme.figures import whole
from app.theme.fonts import BASE, CAPTION, font
from engine.guard import Case, Grid

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Record", "Raw answer", "Repaired", "Broken", "True class")
LABEL = COLUMNS.index("True class")
REPAIRED = COLUMNS.index("Repaired")
BROKEN = COLUMNS.index("Broken")
EXPORTED = (
    "record",
    "case",
    "true_class",
    "raw_answer",
    "repaired",
    "status",
    "engine",
    "rules",
    "left",
    "facts",
    "reasons",
    "why",
)
_ROOT = QModelIndex()


class ViolationTable(QAbstractTableModel):
    """Cases, one a row."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Case, ...] = ()
        self._unit = COLUMNS[0]

    @property
    def rows(self) -> tuple[Case, ...]:
        """Return what is shown."""
        return self._rows

    def show_rows(self, rows: tuple[Case, ...], unit: str = "") -> None:
        """Show other cases; `unit` is what one is called, a record where left out."""
        self.beginResetModel()
        self._rows, self._unit = rows, unit.capitalize() or COLUMNS[0]
        self.endResetModel()

    def case(self, row: int) -> Case | None:
        """Return the case in a row, None where there is none."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.FontRole:
            return font(CAPTION, 600)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section] if section else self._unit
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.FontRole:
            return font(BASE)
        shown = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(shown)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            words = "\n".join(f"{rule.name}: {rule.words}." for rule in shown.broken)
            return words if index.column() == BROKEN else cells(shown)[index.column()]
        return None


def cells(case: Case) -> tuple[str, ...]:
    """Return the texts of one row, by COLUMNS."""
    name = case.title.split()[-1] if case.title else whole(case.record)
    return name, case.said, case.fixed, ", ".join(case.names), case.label or "unknown"


def exported(case: Case) -> tuple[str, ...]:
    """Return the texts of one row of the exported table, by EXPORTED."""
    said, fixed = case.said, case.fixed
    if isinstance(case.picture, Grid):
        said, fixed = case.picture.line(fixed=False), case.picture.line(fixed=True)
    return (
        str(case.record),
        case.title or f"Record {case.record}",
        case.label,
        said,
        fixed,
        case.status,
        case.engine,
        "; ".join(case.names),
        "; ".join(case.left),
        "; ".join(dict.fromkeys(fact for rule in case.broken for fact in rule.facts)),
        "; ".join(rule.reason for rule in case.broken if rule.reason),
        case.why,
    )
