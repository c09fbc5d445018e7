"""What a panel shows while there is nothing: an icon, what is missing, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from app.panels.labels import IconLabel, body, note


class EmptyState(QWidget):
    """Words in the middle of an empty panel."""

    def __init__(self, icon: str, what: str, do: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = IconLabel(icon, "low", 28)
        self._what = body(what, "hi")
        self._do = note(do, "mid")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(24, 12, 24, 12)
        self._layout.setSpacing(6)
        self._layout.addStretch(1)
        self._layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        self._layout.addSpacing(2)
        self._layout.addWidget(self._what, 0, Qt.AlignmentFlag.AlignHCenter)
        self._layout.addWidget(self._do)
        self._do.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._layout.addStretch(1)

    def say(self, what: str, do: str) -> None:
        """Show other words."""
        self._what.setText(what)
        self._do.setText(do)

    def words(self) -> str:
        """Return what it says."""
        return f"{self._what.text()} {self._do.text()}"


class Emptiable(QWidget):
    """A panel that shows its content, or an empty state instead."""

    def __init__(self, empty: EmptyState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.empty = empty
        self._due: Callable[[], None] | None = None  # what to do once it is seen
        self.content = QWidget()
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(self.content)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        due, self._due = self._due, None
        if due:
            due()

    def when_seen(self, act: Callable[[], None]) -> None:
        """Do something now, or, where the panel is out of sight, once when it comes into sight.

        A run looks inside several times a second; only what is in front is drawn anew each time.
        """
        if self.isVisible():
            act()
        else:
            self._due = act

    @property
    def is_empty(self) -> bool:
        """Whether the empty state is what is seen."""
        return self._stack.currentWidget() is self.empty

    def let_scroll(self, holder: QWidget) -> None:
        """Make `holder` the content, which scrolls where the window is too low for it."""
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(holder)
        holder.setAutoFillBackground(False)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)

    def show_empty(self, empty: bool) -> None:
        """Choose between the two."""
        self._stack.setCurrentWidget(self.empty if empty else self.content)
