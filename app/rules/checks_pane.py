"""What was found about the rules, a line each; a press goes there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.panels.checks import ICONS, TONES
from app.panels.labels import IconLabel, body, caption, note, section_label, strong
from app.rules.checking import Checked, Example, Finding

_MOST = 60  # examples listed


class ChecksPane(QScrollArea):
    """The findings.

    Signals:
        place_wanted: line and column, from 1.
        example_wanted: an Example is to be tried.
    """

    place_wanted = Signal(int, int)
    example_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.lines: list[FindingLine] = []
        self.stranded: list[ExampleLine] = []
        self.examples: list[ExampleLine] = []
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
        self.stranded = [ExampleLine(example, "has no answer") for example in checked.stranded]
        self.examples = [ExampleLine(one, f"breaks {one.rule} alone") for one in checked.examples[:_MOST]]
        self._list(column, "Records without an answer", self.stranded)
        self._list(column, "What breaks each rule and nothing else", self.examples)
        if len(checked.examples) > _MOST:
            column.addWidget(caption(f"{len(checked.examples) - _MOST} more in the margin.", "low"))
        column.addStretch(1)
        self.setWidget(holder)
        holder.setAutoFillBackground(False)

    def _list(self, column: QVBoxLayout, title: str, lines: list[ExampleLine]) -> None:
        if lines:
            column.addSpacing(8)
            column.addWidget(section_label(title))
        for one in lines:
            one.pressed.connect(self.example_wanted)
            column.addWidget(one)


class Pressable(QFrame):
    """A line that is pressed by mouse or key."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "pressable")

    def press(self) -> None:
        """Do what a press does."""
        raise NotImplementedError

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.press()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.press()
        else:
            super().keyPressEvent(event)

    def invite(self, words: str) -> None:
        """Say that it may be pressed, and for what."""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(words)
        self.setAccessibleName(words)


class ExampleLine(Pressable):
    """A record that breaks one rule alone, or that has no answer.

    Args:
        example: the record.
        does: what is said of it.

    Signals:
        pressed: the example.
    """

    pressed = Signal(object)

    def __init__(self, example: Example, does: str) -> None:
        super().__init__()
        self.example = example
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 5, 8, 6)
        column.setSpacing(1)
        column.addWidget(strong(example.rule, "logic", wrap=True))
        column.addWidget(note(example.words, "mid"))
        self.invite(f"Try this record on the rules: it {does}")

    def press(self) -> None:
        self.pressed.emit(self.example)


class FindingLine(Pressable):
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
            self.invite(f"Go to line {finding.line}: {finding.what}")
        across.addLayout(words, 1)

    def press(self) -> None:
        if self.finding.line:
            self.pressed.emit(self.finding.line, max(1, self.finding.column))
