"""What was found about the rules, a line each; a press goes there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.panels.checks import ICONS, TONES
from app.panels.labels import IconLabel, body, caption, note
from app.rules.checking import Checked, Finding


class ChecksPane(QScrollArea):
    """The findings.

    Signals:
        place_wanted: line and column, from 1.
    """

    place_wanted = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.lines: list[FindingLine] = []
        self._shown: Checked | None = None

    def show_checked(self, checked: Checked) -> None:
        """Show what is known of the rules."""
        if self._shown == checked:
            return
        self._shown = checked
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(4)
        self.lines = [
            FindingLine(Finding(checked.level, checked.summary)),
            *map(FindingLine, checked.findings),
        ]
        if not checked.readable:
            self.lines = self.lines[1:]
        for line in self.lines:
            line.pressed.connect(self.place_wanted)
            column.addWidget(line)
        column.addStretch(1)
        self.setWidget(holder)
        holder.setAutoFillBackground(False)


class FindingLine(QFrame):
    """One finding.

    Signals:
        pressed: line and column, from 1.
    """

    pressed = Signal(int, int)

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self.finding = finding
        across = QHBoxLayout(self)
        across.setContentsMargins(8, 6, 8, 6)
        across.setSpacing(8)
        icon = IconLabel(ICONS[finding.level], TONES[finding.level])
        icon.setAccessibleName(finding.level)
        across.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(body(finding.what, "hi", wrap=True))
        if finding.do:
            words.addWidget(note(finding.do, "mid"))
        if finding.line:
            words.addWidget(caption(f"line {finding.line}", "low"))
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setToolTip("Go there")
            self.setProperty("surface", "pressable")
        across.addLayout(words, 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._press()
        else:
            super().keyPressEvent(event)

    def _press(self) -> None:
        if self.finding.line:
            self.pressed.emit(self.finding.line, max(1, self.finding.column))
