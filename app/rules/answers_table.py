"""What is decided of a record, variable by variable: before the rules, after, and what the change costs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from app.theme.current import theme
from app.theme.fonts import BODY, CAPTION, font
from engine.logic.account import Account

_COLUMNS = ("Decided", "Raw", "After the rules", "Nats")


class AnswersTable(QTableWidget):
    """The answers, those that the rules changed first."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(26)
        header = self.horizontalHeader()
        header.setFont(font(CAPTION, 600))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setAccessibleName("What is decided, before the rules and after")
        self._shown: Account | None = None
        theme().changed.connect(self._fill)

    def show_account(self, account: Account) -> None:
        """Show another record."""
        self._shown = account
        self._fill()

    def _fill(self) -> None:
        told = self._shown
        if told is None:
            return
        changed = {change.name: change for change in told.changes}
        names = [*changed, *(name for name in told.answer if name not in changed)]
        self.setRowCount(len(names))
        for row, name in enumerate(names):
            change = changed.get(name)
            cost = f"{change.cost:.2f}" if change else ""
            tip = (
                f"Changing it back would break {', '.join(change.because)}."
                if change and change.because
                else ""
            )
            for column, text in enumerate((name, told.raw[name], told.answer[name], cost)):
                item = QTableWidgetItem(text)
                item.setFont(font(BODY, 600 if change and column == 2 else 400))
                item.setForeground(theme().colour(_tone(column, changed=change is not None)))
                item.setToolTip(tip)
                self.setItem(row, column, item)


def _tone(column: int, *, changed: bool) -> str:
    if not changed:
        return "mid"
    return ("hi", "error", "ok", "mid")[column]
