"""A text of rules: coloured, completed while it is typed, with signs in its margin and errors underlined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip

from app.editor.colours import Colours
from app.editor.completion import CompletionList
from app.editor.gutter import Gutter
from app.editor.marks import Mark, Truth
from app.editor.words import suggestions
from app.theme.current import theme
from app.theme.fonts import BODY, mono
from engine.logic.completing import Completion
from engine.logic.vocabulary import Vocabulary

_HINT = 'rule NAME:\n  if COLUMN = value\n  then class = NAME\n  because "..."'
_CONTEXT = 4_000  # letters before the cursor that completion looks at
_OPENS = ("=", "{", '"', ",")  # after these the list opens by itself


class RulesText(QPlainTextEdit):
    """A text of rules.

    Signals:
        line_pressed: a line, from 1, whose margin was pressed.
    """

    line_pressed = Signal(int)

    def __init__(self, *, margin: bool = False) -> None:
        """Make it; with a margin where `margin`."""
        super().__init__()
        self.setFont(plain())
        self.setTabChangesFocus(True)
        self.setPlaceholderText(_HINT)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self._colours = Colours(self.document())
        self._vocabulary = Vocabulary(())
        self._error: tuple[int, int, str] = (0, 0, "")
        self._blocks = 1
        self.gutter = Gutter(self, self) if margin else None
        self.completion = CompletionList(self)
        self.completion.taken.connect(self._take)
        self.cursorPositionChanged.connect(self._moved)
        if self.gutter:
            self.gutter.pressed.connect(self.line_pressed)
            self.blockCountChanged.connect(self._make_room)
            self.updateRequest.connect(self._follow)
            self.document().contentsChange.connect(self._keep_marks)
            self._make_room()
        theme().changed.connect(self._dress)

    # What is shown

    @property
    def error(self) -> str:
        """Return the sentence of the error that is underlined, or ""."""
        return self._error[2]

    def show_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Complete from these names."""
        self._vocabulary = vocabulary

    def mark(self, line: int, column: int = 0, words: str = "") -> None:
        """Mark a line, from 1, as wrong, and underline what begins in a column of it; 0 marks none."""
        self._error = (line, column, words)
        block = self.document().findBlockByNumber(line - 1)
        if line < 1 or not block.isValid():
            self._error = (0, 0, "")
            self.setExtraSelections([])
            return
        shown = [_line_shade(QTextCursor(block))]
        if column:
            shown.append(_underline(QTextCursor(block), column))
        self.setExtraSelections(shown)

    def show_marks(self, marks: Mapping[int, Mark]) -> None:
        """Show what is known of each rule in the margin, by the line it begins on."""
        if self.gutter:
            self.gutter.marks = dict(marks)
            self.gutter.update()

    def show_truths(self, truths: Mapping[int, tuple[Truth, str]]) -> None:
        """Show in the margin what each rule says of a record, with a sentence, by the line it begins on."""
        if self.gutter:
            self.gutter.truths = dict(truths)
            self.gutter.update()

    def go_to(self, line: int, column: int = 1) -> None:
        """Put the cursor on a place, both from 1, and the line into the middle."""
        block = self.document().findBlockByNumber(line - 1)
        if block.isValid():
            cursor = QTextCursor(block)
            cursor.movePosition(
                QTextCursor.MoveOperation.Right,
                QTextCursor.MoveMode.MoveAnchor,
                min(column, block.length()) - 1,
            )
            self.setTextCursor(cursor)
            self.centerCursor()
            self.setFocus()

    # Where lines are

    def lines_shown(self) -> Iterator[tuple[int, int, int]]:
        """Yield number (from 1), top and height of the first row of every line in sight, in pixels."""
        block = self.firstVisibleBlock()
        high = self.fontMetrics().lineSpacing()
        while block.isValid():
            top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
            if top > self.viewport().height():
                return
            yield block.blockNumber() + 1, round(top), high
            block = block.next()

    def line_at(self, y: int) -> int:
        """Return the line, from 1, at a height of the margin."""
        return self.cursorForPosition(QPoint(0, y)).blockNumber() + 1

    # Completion

    def complete(self, *, forced: bool = False) -> None:
        """Open the list of what may stand at the cursor, where there is something to say."""
        cursor, before = self.textCursor(), self._before()
        back, found = suggestions(before, self._vocabulary)
        said = bool(back) or forced or before.rstrip(" ").endswith(_OPENS)
        only = len(found) == 1 and (found[0].text == before[len(before) - back :])
        if not found or not said or only:
            self.completion.hide()
            return
        at = self.cursorRect(cursor).translated(self.viewport().pos())
        self.completion.show_suggestions(found, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.completion.isVisible() and self.completion.key(event.key()):
            event.accept()
            return
        if event.key() == Qt.Key.Key_Space and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.complete(forced=True)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._new_line()
            return
        super().keyPressEvent(event)
        letter = bool(event.text()) and event.text().isprintable()
        if letter or (event.key() == Qt.Key.Key_Backspace and self.completion.isVisible()):
            self.complete()
        elif event.text():
            self.completion.hide()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            listing = self.completion.isVisible() and event.key() == Qt.Key.Key_Escape
            if listing or (control and event.key() == Qt.Key.Key_Space):
                event.accept()
                return True
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            tab = event.key() == Qt.Key.Key_Tab
            if tab and self.completion.isVisible():  # else Tab goes to the next widget
                return self.completion.key(event.key())
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            line = self.line_at(event.pos().y())
            words = self._error[2] if line == self._error[0] else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().viewportEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.completion.hide()
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_gutter()

    # Inside

    def _before(self) -> str:
        """Return the text before the cursor, as far back as completion looks."""
        cursor = self.textCursor()
        here = cursor.selectionEnd()
        cursor.setPosition(max(0, here - _CONTEXT))
        cursor.setPosition(here, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText().replace("\u2029", "\n")

    def _take(self, one: Completion) -> None:
        cursor = self.textCursor()
        here = cursor.position()
        back, _ = suggestions(self._before(), self._vocabulary)
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, back)
        after = self.document().characterAt(here)
        text = one.text.removesuffix('"') if one.text.endswith('"') and after == '"' else one.text
        cursor.insertText(text)
        self.completion.hide()

    def _new_line(self) -> None:
        """Begin a line as far in as the last one; after a colon two further."""
        line = self.textCursor().block().text()[: self.textCursor().positionInBlock()]
        indent = line[: len(line) - len(line.lstrip(" "))]
        self.textCursor().insertText("\n" + indent + ("  " if line.rstrip().endswith(":") else ""))
        self.ensureCursorVisible()
        self.completion.hide()

    def _moved(self) -> None:
        if self.gutter:
            self.gutter.update()

    def _make_room(self, _count: int = 0) -> None:
        if self.gutter:
            self.setViewportMargins(self.gutter.wide(), 0, 0, 0)
            self._place_gutter()

    def _place_gutter(self) -> None:
        if self.gutter:
            inside = self.contentsRect()
            self.gutter.setGeometry(QRect(inside.left(), inside.top(), self.gutter.wide(), inside.height()))

    def _follow(self, rect: QRect, by: int) -> None:
        if self.gutter:
            if by:
                self.gutter.scroll(0, by)
            self.gutter.update(0, rect.y(), self.gutter.width(), rect.height())

    def _keep_marks(self, place: int, _removed: int, _added: int) -> None:
        now = self.document().blockCount()
        if self.gutter and now != self._blocks:
            self.gutter.shift(self.document().findBlock(place).blockNumber() + 1, now - self._blocks)
        self._blocks = now

    def _dress(self) -> None:
        self._colours.dress()
        self.mark(*self._error)


def plain(size: int = BODY) -> QFont:
    """Return the face of code without ligatures: >= stays what was typed."""
    made = QFont(mono(size))
    made.setFeature(QFont.Tag("calt"), 0)
    return made


def _line_shade(cursor: QTextCursor) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    made = QTextCharFormat()
    made.setBackground(QColor(theme().colour("error", 0.14)))
    made.setProperty(QTextFormat.Property.FullWidthSelection, True)
    selection.cursor, selection.format = cursor, made
    return selection


def _underline(cursor: QTextCursor, column: int) -> QTextEdit.ExtraSelection:
    """Return a wave under the word that begins in `column`, from 1, of the cursor's line."""
    selection = QTextEdit.ExtraSelection()
    block = cursor.block()
    start = max(0, min(column - 1, block.length() - 2))
    cursor.setPosition(block.position() + start)
    text = block.text()
    end = start + 1
    while end < len(text) and (text[end].isalnum() or text[end] in "_."):
        end += 1
    cursor.setPosition(block.position() + min(end, len(text)), QTextCursor.MoveMode.KeepAnchor)
    made = QTextCharFormat()
    made.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    made.setUnderlineColor(theme().colour("error"))
    selection.cursor, selection.format = cursor, made
    return selection
