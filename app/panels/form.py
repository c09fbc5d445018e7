"""A form built from declared fields: a row and an editor for each, what is wrong under the one at fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.panels.editors import (
    ChoiceEditor,
    Editor,
    FlagEditor,
    PathEditor,
    RealEditor,
    TextEditor,
    WholeEditor,
    tip,
)
from app.panels.labels import body, caption, note
from app.panels.rules_editor import RulesEditor
from app.theme.fonts import BASE, font
from engine.fields import About, Fields, label

_EDITORS: dict[str, type[Editor]] = {
    "whole": WholeEditor,
    "real": RealEditor,
    "choice": ChoiceEditor,
    "flag": FlagEditor,
    "text": TextEditor,
    "rules": RulesEditor,
}
_WIDE = ("rules", "flag")  # forms whose editor takes the whole row
_NAMES = 88  # px
_BESIDE = 136  # px a title of a choice may take beside the name of its field


class Form(QWidget):
    """Editors of the fields of one value; bit widths are left to the segmented control.

    Signals:
        edited: field name and the value the user made.
    """

    edited = Signal(str, object)

    def __init__(self, kind: type[Fields], folder: Path) -> None:
        """Build the form of a class of fields; `folder` is what paths are relative to."""
        super().__init__()
        self.kind = kind
        self.editors: dict[str, Editor] = {}
        self._wrong: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, _NAMES)
        self._grid.setColumnStretch(1, 1)
        for name, about in kind.about().items():
            if about.form not in ("hidden", "bits"):
                self._add(name, about, folder)

    def show_values(self, value: Fields) -> None:
        """Show the fields of `value`; nothing is emitted."""
        for name, editor in self.editors.items():
            editor.show_value(getattr(value, name))

    def show_wrong(self, wrong: Mapping[str, str]) -> None:
        """Show a sentence under each field at fault, none under the others."""
        for name, words in self._wrong.items():
            said = wrong.get(name, "")
            words.setText(said)
            words.setVisible(bool(said))
            editor = self.editors[name]
            editor.set_wrong(bool(said))
            if isinstance(editor, RulesEditor):
                editor.show_problem(said)

    def wrong(self, name: str) -> str:
        """Return the sentence that stands under a field."""
        return self._wrong[name].text()

    def _add(self, name: str, about: About, folder: Path) -> None:
        editor = (
            PathEditor(name, about, folder) if about.form == "path" else _EDITORS[about.form](name, about)
        )
        self.editors[name] = editor
        editor.edited.connect(lambda value, name=name: self.edited.emit(name, value))
        line = self._grid.rowCount()
        if about.form == "choice" and _longest(about) > _BESIDE:
            self._grid.addWidget(_name(name, about, editor), line, 0, 1, 2)
            line += 1
        if about.form in _WIDE or (about.form == "choice" and _longest(about) > _BESIDE):
            self._grid.addWidget(editor, line, 0, 1, 2)
        else:
            self._grid.addWidget(_name(name, about, editor), line, 0, Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(_with_unit(editor, about), line, 1)
        self._wrong[name] = note("", "error")
        self._wrong[name].hide()
        self._grid.addWidget(self._wrong[name], line + 1, 0, 1, 2)


def _name(name: str, about: About, editor: Editor) -> QLabel:
    made = body(label(name), "mid", wrap=True)
    made.setMinimumWidth(_NAMES)
    made.setToolTip(tip(about))
    made.setBuddy(editor)
    return made


def _longest(about: About) -> int:
    """Return how many pixels the longest title of a choice takes."""
    metrics = QFontMetrics(font(BASE))
    return max((metrics.horizontalAdvance(title) for title in about.options().values()), default=0)


def _with_unit(editor: Editor, about: About) -> QWidget:
    if not about.unit:
        return editor
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(6)
    grid.addWidget(editor, 0, 0)
    unit = caption(about.unit)
    unit.setMinimumWidth(44)
    grid.addWidget(unit, 0, 1)
    grid.setColumnStretch(0, 1)
    return holder
