"""The editor of rules: a text in its own face, words of the language coloured, the wrong line marked."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QTextEdit, QVBoxLayout

from app.panels.editors import Editor
from app.panels.labels import IconButton, note, on_theme, row
from app.theme.current import theme
from app.theme.fonts import BODY, mono
from engine.fields import About
from engine.logic.language import RESERVED

_LINES = 12
_WORDS = "|".join(sorted(RESERVED | {"rule"}))
_PATTERNS = {
    "bits": re.compile(rf"\b({_WORDS})\b"),
    "hyper": re.compile(r"\bclass\b"),
    "spikes": re.compile(r"(?<![\w.])[+-]?\d[\d.]*(?:[eE][+-]?\d+)?\b"),
    "logic": re.compile(r'"[^"\n]*"'),
    "low": re.compile(r"#.*$"),
}


class _Colours(QSyntaxHighlighter):
    """Colours the language; later patterns win, so that words in a text or a remark stay plain."""

    def highlightBlock(self, text: str) -> None:
        for token, pattern in _PATTERNS.items():
            made = QTextCharFormat()
            made.setForeground(theme().colour(token))
            for found in pattern.finditer(text):
                self.setFormat(found.start(), found.end() - found.start(), made)


class RulesText(QPlainTextEdit):
    """A text of rules."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(_plain())
        self.setTabChangesFocus(True)
        self.setPlaceholderText('rule NAME:\n  if COLUMN = value\n  then class = NAME\n  because "..."')
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self._colours = _Colours(self.document())
        self._wrong_line = 0
        on_theme(self, self._dress)

    def mark(self, line: int) -> None:
        """Mark a line, from 1, as wrong; 0 marks none."""
        self._wrong_line = line
        block = self.document().findBlockByNumber(line - 1)
        if line < 1 or not block.isValid():
            self.setExtraSelections([])
            return
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(block)
        shade = QColor(theme().colour("error", 0.16))
        made = QTextCharFormat()
        made.setBackground(shade)
        made.setProperty(QTextFormat.Property.FullWidthSelection, True)
        selection.cursor, selection.format = cursor, made
        self.setExtraSelections([selection])

    def _dress(self) -> None:
        self._colours.rehighlight()
        self.mark(self._wrong_line)


def _plain() -> QFont:
    """Return the face of code without ligatures: >= stays what was typed."""
    made = QFont(mono(BODY))
    made.setFeature(QFont.Tag("calt"), 0)
    return made


class RulesEditor(Editor):
    """Rules, edited in the panel or in a window of their own."""

    def __init__(self, name: str, about: About) -> None:
        super().__init__(name, about)
        self.box = RulesText()
        self.box.setFixedHeight(_LINES * QFontMetrics(mono(BODY)).lineSpacing() + 16)
        self.hold(self.box)
        self.box.setFont(_plain())
        self.button = IconButton("ph.arrows-out-simple", "Edit the rules in a window")
        self.button.clicked.connect(self._open)
        self._layout.addWidget(
            row(note("A rule begins with the word rule, a remark with #."), self.button, stretch=0)
        )
        self.box.textChanged.connect(self._typed)
        self._shown = ""

    def show_value(self, value: Any) -> None:
        if value != self.box.toPlainText():
            self._shown = value
            self.box.setPlainText(value)
        self._shown = value

    def show_problem(self, words: str) -> None:
        """Mark the line that a sentence names."""
        found = re.search(r"\bline (\d+)", words)
        self.box.mark(int(found.group(1)) if found else 0)

    def _typed(self) -> None:
        text = self.box.toPlainText()
        if text != self._shown:
            self._shown = text
            self.edited.emit(text)

    def _open(self) -> None:
        window = QDialog(self.window())
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.setWindowTitle("Rules")
        large = RulesText()
        large.setDocument(self.box.document())
        layout = QVBoxLayout(window)
        layout.addWidget(large)
        window.resize(760, 560)
        window.show()
