"""The editor of a choice: a box of few options, a search among many, and what the chosen one computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy

from app.panels.editors import Editor, only_with_focus, tip
from app.panels.option_card import OptionCard
from app.plots.option_curve import thumbnail
from app.search import Entry, SearchPopup, matches, rank
from engine.fields import About, label
from engine.options import Family, Option

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
        self._options = about.options()
        self.box = _Box()
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for key, title in self._options.items():
            self.box.addItem(title, key)
            self.box.setItemData(
                self.box.count() - 1, explained(self._options, key), Qt.ItemDataRole.ToolTipRole
            )
        self.hold(self.box)
        self.card = OptionCard(self._options, colour) if isinstance(self._options, Family) else None
        self.popup: SearchPopup | None = None
        self.box.activated.connect(lambda place: self.edited.emit(self.box.itemData(place)))
        self.box.wanted.connect(self._open)

    def show_value(self, value: Any) -> None:
        self.box.setCurrentIndex(self.box.findData(value))
        if self.card:
            self.card.show_option(value)
        else:
            self.box.setToolTip(tip(self.about))

    # The search

    def _open(self) -> None:
        window = self.window()
        self.popup = SearchPopup(window, self._find, f"Search {label(self._name).lower()}")
        self.popup.closed.connect(self._closed)
        self.popup.open_at(
            self.box.mapTo(window, QPoint(self.box.width() - self.popup.width(), self.box.height() + 4))
        )

    def _closed(self) -> None:
        self.popup = None
        self.box.setFocus()

    def _find(self, words: str) -> Sequence[Entry]:
        """Return the options that match, under the headings of their groups while nothing is typed."""
        if isinstance(self._options, Family):
            found = [o for o in self._options.all() if matches(words, o.title, o.citation, o.group, o.key)]
            found.sort(key=lambda option: rank(words, option.title) if words else 0)
            return [self._entry(option, "" if words else option.group) for option in _by_group(found, words)]
        return [
            Entry(title, partial(self.edited.emit, key))
            for key, title in self._options.items()
            if matches(words, title, key)
        ]

    def _entry(self, option: Option[Any], heading: str) -> Entry:
        picture = partial(_draw, curve=option.curve, colour=self._colour) if option.curve else None
        return Entry(
            option.title,
            partial(self.edited.emit, option.key),
            heading,
            aside=option.citation.partition(",")[0],
            picture=picture,
        )


def explained(options: Mapping[str, str], key: str) -> str:
    """Return formula and paper of an option, or "" where the options are plain words."""
    if not isinstance(options, Family) or key not in options:
        return ""
    option = options.get_option(key)
    return "\n".join(part for part in (option.formula, option.citation) if part)


def _by_group(options: list[Option[Any]], words: str) -> list[Option[Any]]:
    """Return the options with those of a group together, groups as they come; as they are after a search."""
    if words:
        return options
    groups = dict.fromkeys(option.group for option in options)
    return [option for group in groups for option in options if option.group == group]


def _draw(painter: Any, area: QRectF, curve: Any, colour: str) -> None:
    thumbnail(painter, area, curve, colour)
