"""The facts of one record as a table whose values can be changed or cleared."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.theme.current import theme
from app.theme.fonts import BODY, font
from engine.ports import F64, Column

Index = QModelIndex | QPersistentModelIndex
MISSING = "missing"
_ROOT = QModelIndex()


class FactsModel(QAbstractTableModel):
    """Facts, one a row: name and value.

    Signals:
        edited: a fact was changed by the user.
    """

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._columns: tuple[Column, ...] = ()
        self._rows: list[int] = []
        self._as_read: F64 = np.zeros(0)
        self.values: F64 = np.zeros(0)

    @property
    def changed(self) -> list[int]:
        """Return the columns whose value is not the record's."""
        same = (self.values == self._as_read) | (np.isnan(self.values) & np.isnan(self._as_read))
        return [int(i) for i in np.flatnonzero(~same)]

    def show_facts(self, columns: tuple[Column, ...], values: F64, used: set[int]) -> None:
        """Show other facts; the columns in `used` come first."""
        self.beginResetModel()
        self._columns = columns
        self._as_read, self.values = values.copy(), values.copy()
        self._rows = sorted(range(len(columns)), key=lambda i: (i not in used, i))
        self._used = used
        self.endResetModel()

    def reset_values(self) -> None:
        """Take every value back to what the record has."""
        self.values = self._as_read.copy()
        self._say()

    def column(self, row: int) -> Column:
        """Return the column in a row."""
        return self._columns[self._rows[row]]

    def row_of(self, name: str) -> int:
        """Return the row of a column by its name, -1 where it is not there."""
        return next((r for r in range(len(self._rows)) if self.column(r).name == name), -1)

    def set_text(self, row: int, text: str) -> bool:
        """Set a fact from text, MISSING or "" for none; return whether it is a value."""
        column, number = self.column(row), np.nan
        if text not in ("", MISSING):
            if column.categories:
                if text not in column.categories:
                    return False
                number = float(column.categories.index(text))
            else:
                try:
                    number = float(text.replace(",", ".").replace("−", "-"))
                except ValueError:
                    return False
                if not np.isfinite(number):
                    return False
        self.values[self._rows[row]] = number
        self._say()
        return True

    def text(self, row: int) -> str:
        """Return a fact as text."""
        column, value = self.column(row), self.values[self._rows[row]]
        if np.isnan(value):
            return MISSING
        return column.categories[int(value)] if column.categories else f"{value:.10g}".replace("-", "−")

    # Qt's calls

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == 1 else flags

    def data(self, index: Index, role: int = 0) -> Any:
        row, place = index.row(), self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self.text(row) if index.column() else self.column(row).name
        if role == Qt.ItemDataRole.FontRole:
            return font(BODY, 600 if place in self.changed and index.column() else 400)
        if role == Qt.ItemDataRole.ForegroundRole:
            if index.column() and place in self.changed:
                return theme().colour("accent")
            faint = (index.column() and self.text(row) == MISSING) or place not in self._used
            return theme().colour("low" if faint else "hi")
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, place)
        return None

    def setData(self, index: Index, value: Any, role: int = 0) -> bool:
        return self.set_text(index.row(), str(value).strip())

    def _tip(self, row: int, place: int) -> str:
        spoken = "Rules speak of it." if place in self._used else "No rule speaks of it."
        was = self._as_read[place]
        column = self.column(row)
        before = (
            MISSING if np.isnan(was) else column.categories[int(was)] if column.categories else f"{was:.10g}"
        )
        changed = f" The record has {before}." if place in self.changed else ""
        return f"{column.name} = {self.text(row)}. {spoken}{changed}"

    def _say(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 1))
        self.edited.emit()


class FactsTable(QTableView):
    """The table; Delete clears the fact that is chosen."""

    def __init__(self, model: FactsModel) -> None:
        super().__init__()
        self.facts = model
        self.setModel(model)
        self.setItemDelegate(_Editors(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(28)
        self.setAccessibleName("Facts of the record; press Enter to change one, Delete to clear it")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and row >= 0:
            self.facts.set_text(row, MISSING)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self.edit(self.facts.index(row, 1))
        else:
            super().keyPressEvent(event)


class _Editors(QStyledItemDelegate):
    """A list of categories, or a line of text."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        model = index.model()
        column = model.column(index.row()) if isinstance(model, FactsModel) else Column("")
        if column.categories:
            box = QComboBox(parent)
            box.addItems([*column.categories, MISSING])
            box.activated.connect(lambda _place: self._commit(box))
            made: QWidget = box
        else:
            made = QLineEdit(parent, placeholderText=MISSING)
        made.setFont(font(BODY))
        made.setStyleSheet("min-height: 22px; padding: 0 4px;")
        made.setAccessibleName(column.name)
        return made

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        text = str(index.data())
        if isinstance(editor, QComboBox):
            editor.setCurrentText(text)
        elif isinstance(editor, QLineEdit):
            editor.setText("" if text == MISSING else text)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        text = editor.currentText() if isinstance(editor, QComboBox) else ""
        text = editor.text() if isinstance(editor, QLineEdit) else text
        model.setData(index, text)

    def _commit(self, editor: QWidget) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)
