"""A form built from declared fields: a row and an editor for each, what is wrong under the one at fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.panels.choice import ChoiceEditor
from app.panels.editors import (
    Editor,
    FlagEditor,
    PathEditor,
    RealEditor,
    TextEditor,
    WholeEditor,
    tip,
)
from app.panels.fold import Fold
from app.panels.labels import body, caption, note
from app.panels.option_card import OptionCard
from app.panels.packs_editor import PacksEditor
from app.panels.rules_editor import RulesEditor
from app.theme.fonts import BASE, font
from engine.fields import About, Fields, label
from engine.logic.vocabulary import Vocabulary

_EDITORS: dict[str, type[Editor]] = {
    "whole": WholeEditor,
    "real": RealEditor,
    "flag": FlagEditor,
    "text": TextEditor,
    "rules": RulesEditor,
    "packs": PacksEditor,
}
_WIDE = ("rules", "flag")  # forms whose editor takes the whole row
_NAMES = 88  # px
_BESIDE = 124  # px a title of a choice may take beside the name of its field


class Form(QWidget):
    """Editors of the fields of one value; bit widths are left to the segmented control.

    Fields of a group stand in a section that opens and closes, and a field that does not apply beside the
    values of the others is hidden.

    Signals:
        edited: field name and the value the user made.
        opened: the form of a field, `rules` or `packs`, that is to be edited on a page of its own.
    """

    edited = Signal(str, object)
    opened = Signal(str)

    def __init__(self, kind: type[Fields], folder: Path, colour: str = "accent") -> None:
        """Build the form of a class of fields.

        Args:
            kind: the class.
            folder: what paths are relative to.
            colour: the token of the colour that curves are drawn in.
        """
        super().__init__()
        self.kind = kind
        self.editors: dict[str, Editor] = {}
        self.folds: dict[str, Fold] = {}
        self._rows: dict[str, _Row] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        shown = {k: a for k, a in kind.about().items() if a.form not in ("hidden", "bits")}
        for group in sorted({about.group: None for about in shown.values()}, key=bool):
            grid = _Grid()
            for name, about in shown.items():
                if about.group == group:
                    self._add(grid, name, about, _editor(name, about, folder, colour))
            if group:
                self.folds[group] = Fold(group, f"{kind.title}/{group}", grid)
            column.addWidget(self.folds.get(group, grid))

    def show_values(self, value: Fields) -> None:
        """Show the fields of `value`; nothing is emitted."""
        about, usual = self.kind.about(), self.kind()
        for name, row in self._rows.items():
            editor = self.editors[name]
            if isinstance(editor, ChoiceEditor):
                editor.offer(tuple(about[name].offered(value)))
            editor.show_value(getattr(value, name))
            row.set_visible(value.applies(name))
        for group, fold in self.folds.items():
            inside = [name for name in self._rows if about[name].group == group]
            fold.setVisible(any(value.applies(name) for name in inside))
            differ = sum(getattr(value, name) != getattr(usual, name) for name in inside)
            fold.say(f"{differ} changed" if differ else "")

    def show_wrong(self, wrong: Mapping[str, str]) -> None:
        """Show a sentence under each field at fault, none under the others."""
        about = self.kind.about()
        for name, row in self._rows.items():
            said = wrong.get(name, "")
            row.say(said)
            editor = self.editors[name]
            editor.set_wrong(bool(said))
            if isinstance(editor, RulesEditor):
                editor.show_problem(said)
            if said and about[name].group:
                self.folds[about[name].group].set_open(True)

    def add_under(self, group: str, widget: QWidget) -> None:
        """Add a picture under the fields of a group."""
        content = self.folds[group].content
        if isinstance(content, _Grid):
            content.add_picture(widget)

    def show_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Complete rules from these names."""
        for editor in self.editors.values():
            if isinstance(editor, RulesEditor):
                editor.show_vocabulary(vocabulary)

    def settle(self) -> None:
        """Hand on now what was typed and is waited with."""
        for editor in self.editors.values():
            if isinstance(editor, RulesEditor):
                editor.settle()

    def wrong(self, name: str) -> str:
        """Return the sentence that stands under a field."""
        return self._rows[name].words.text()

    def _add(self, grid: _Grid, name: str, about: About, editor: Editor) -> None:
        self.editors[name] = editor
        editor.edited.connect(lambda value: self.edited.emit(name, value))
        if isinstance(editor, RulesEditor | PacksEditor):
            editor.opened.connect(lambda: self.opened.emit(about.form))
        self._rows[name] = grid.add(name, about, editor)


class _Row:
    """What stands in the form for one field."""

    def __init__(self, widgets: list[QWidget], words: QLabel, card: OptionCard | None) -> None:
        self._widgets, self.words, self._card = widgets, words, card

    def set_visible(self, visible: bool) -> None:
        """Show or hide all of it."""
        for widget in self._widgets:
            widget.setVisible(visible)
        self.words.setVisible(visible and bool(self.words.text()))
        if self._card:
            self._card.setVisible(visible and not self._card.empty)

    def say(self, words: str) -> None:
        """Show a sentence under the field, none where empty."""
        self.words.setText(words)
        self.words.setVisible(bool(words))


class _Grid(QWidget):
    """Names at the left, editors at the right; what is wide takes a row of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, _NAMES)
        self._grid.setColumnStretch(1, 1)

    def add_picture(self, widget: QWidget) -> None:
        """Add a widget across, under all rows."""
        self._grid.addWidget(widget, self._grid.rowCount(), 0, 1, 2)

    def add(self, name: str, about: About, editor: Editor) -> _Row:
        """Add the row of a field."""
        line, widgets = self._grid.rowCount(), [_with_unit(editor, about)]
        card = editor.card if isinstance(editor, ChoiceEditor) else None
        long = about.form == "choice" and (card is not None or _longest(about) > _BESIDE)
        if about.form not in _WIDE:
            widgets.append(_name(name, about, editor))
            if long:
                self._grid.addWidget(widgets[1], line, 0, 1, 2)
                line += 1
            else:
                self._grid.addWidget(widgets[1], line, 0, Qt.AlignmentFlag.AlignVCenter)
        across = (line, 0, 1, 2) if long or about.form in _WIDE else (line, 1, 1, 1)
        self._grid.addWidget(widgets[0], *across)
        if card:
            self._grid.addWidget(card, line + 1, 0, 1, 2)
        words = note("", "error")
        words.hide()
        self._grid.addWidget(words, line + 2, 0, 1, 2)
        return _Row(widgets, words, card)


def _editor(name: str, about: About, folder: Path, colour: str) -> Editor:
    if about.form == "path":
        return PathEditor(name, about, folder)
    if about.form == "choice":
        return ChoiceEditor(name, about, colour)
    return _EDITORS[about.form](name, about)


def _name(name: str, about: About, editor: Editor) -> QLabel:
    made = body(label(name, about), "mid", wrap=True)
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
