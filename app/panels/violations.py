"""The table of records whose raw answer broke a rule, as Qt wants to read it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.theme.figures import whole
from app.theme.fonts import BASE, CAPTION, font
from engine.violations import Violation

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Record", "True class", "Raw answer", "Repaired", "Broken")
EXPORTED = (
    "record",
    "true_class",
    "raw_answer",
    "repaired",
    "status",
    "engine",
    "rules",
    "facts",
    "reasons",
    "why",
)
_ROOT = QModelIndex()


class ViolationTable(QAbstractTableModel):
    """Violations, one a row."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Violation, ...] = ()

    @property
    def rows(self) -> tuple[Violation, ...]:
        """Return what is shown."""
        return self._rows

    def show_rows(self, rows: tuple[Violation, ...]) -> None:
        """Show other violations."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def violation(self, row: int) -> Violation | None:
        """Return the violation in a row, None where there is none."""
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
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.FontRole:
            return font(BASE)
        shown = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(shown)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            words = "\n".join(f"{rule.name}: {rule.words}." for rule in shown.explained.broken)
            return words if index.column() == len(COLUMNS) - 1 else cells(shown)[index.column()]
        return None


def cells(violation: Violation) -> tuple[str, ...]:
    """Return the texts of one row."""
    told = violation.explained
    broken = ", ".join(rule.name for rule in told.broken)
    return whole(violation.record), violation.label or "unknown", told.said, told.fixed, broken


def exported(violation: Violation) -> tuple[str, ...]:
    """Return the texts of one row of the exported table, by EXPORTED."""
    told = violation.explained
    return (
        str(violation.record),
        violation.label,
        told.said,
        told.fixed,
        told.status,
        violation.engine,
        "; ".join(rule.name for rule in told.broken),
        "; ".join(dict.fromkeys(fact for rule in told.broken for fact in rule.facts)),
        "; ".join(rule.reason for rule in told.broken if rule.reason),
        told.why,
    )
