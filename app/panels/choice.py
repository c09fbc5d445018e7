"""The editor of a choice: a box of few options, a search among many, and what the chosen one computes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy

from app.panels.editors import Editor, only_with_focus
from app.panels.option_card import OptionCard
from app.plots.option_curve import thumbnail
from app.search import Entry, SearchPopup, matches, rank
from engine.fields import About, label
from engine.options import Option, option_of

_FEW = 8  # options up to which the plain list of the box opens


class _Box(QComboBox):
    """A box that hands over to a search where its options are many.

    Signals:
        wanted: the list shall open.
    """

    wanted = Signal()

    def showPopup(self) -> None:
        if self.count() > _FEW:
            self.wanted.emit()
        else:
            super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        only_with_focus(self, event) or super().wheelEvent(event)


class ChoiceEditor(Editor):
    """One of several.

    Attributes:
        card: curve, formula and paper of the chosen one, which the form puts below; None where the options
            are plain words.
        popup: the search that is open, or None.
    """

    def __init__(self, name: str, about: About, colour: str = "accent") -> None:
        super().__init__(name, about)
        self._colour = colour
        self._options: Mapping[str, str] = {}
        self.box = _Box()
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._all = about.options()
        self.offer(tuple(self._all))
        self.hold(self.box)
        known = any(option_of(self._all, key) for key in self._all)
        self.card = OptionCard(colour) if known else None
        self.popup: SearchPopup | None = None
        self.box.activated.connect(lambda place: self.edited.emit(self.box.itemData(place)))
        self.box.wanted.connect(self._open)

    def offer(self, keys: Collection[str]) -> None:
        """Offer these of the options, which are those that serve beside the other fields."""
        if list(self._options) == list(keys):
            return
        self._options = {key: self._all[key] for key in keys}
        self.box.clear()
        for key, title in self._options.items():
            self.box.addItem(title, key)
            explained = _explained(option_of(self._all, key))
            self.box.setItemData(self.box.count() - 1, explained, Qt.ItemDataRole.ToolTipRole)

    def show_value(self, value: Any) -> None:
        if value not in self._options:  # what is chosen stays in sight, though it no longer serves
            self.offer((value, *self._options))
        self.box.setCurrentIndex(self.box.findData(value))
        if self.card:
            self.card.show_option(option_of(self._all, value))

    # The search

    def _open(self) -> None:
        window = self.window()
        self.popup = SearchPopup(window, self._find, f"Search {label(self._name, self.about).lower()}")
        self.popup.closed.connect(self._closed)
        self.popup.open_at(
            self.box.mapTo(window, QPoint(self.box.width() - self.popup.width(), self.box.height() + 4))
        )
        self.popup.begin_at(self.box.currentText())

    def _closed(self) -> None:
        self.popup = None
        self.box.setFocus()

    def _find(self, words: str) -> Sequence[Entry]:
        """Return the choices that match, under the headings of their groups while nothing is typed."""
        found = []
        for key, title in self._options.items():
            option = option_of(self._all, key)
            group, cited = (option.group, option.citation) if option else ("", "")
            if matches(words, title, cited, group, key):
                found.append(self._entry(key, title, group))
        if words:
            return sorted((replace(e, section="") for e in found), key=lambda e: rank(words, e.title))
        groups = dict.fromkeys(entry.section for entry in found)
        return [entry for group in groups for entry in found if entry.section == group]

    def _entry(self, key: str, title: str, group: str) -> Entry:
        option = option_of(self._all, key)
        curve = option.curve if option else None
        return Entry(
            title,
            partial(self.edited.emit, key),
            group,
            aside=option.citation.partition(",")[0] if option else "",
            picture=partial(thumbnail, curve=curve, colour=self._colour) if curve else None,
        )


def _explained(option: Option[Any] | None) -> str:
    return "\n".join(part for part in (option.formula, option.citation) if part) if option else ""
