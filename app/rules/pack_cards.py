"""The domain packs as a list of cards, each with a box to tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.rules.pack_match import Match, counted
from app.theme.current import theme
from app.theme.figures import plural
from app.theme.fonts import BASE, BODY, CAPTION, font, section
from app.theme.icons import pixmap
from app.theme.tokens import mixed
from engine.logic.pack import Pack

_CARD, _HEAD, _BOX = 82, 32, 18  # px
_ITEM = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Card:
    """What a card shows: a pack, how the data matches it, and whether it is ticked."""

    pack: Pack
    matches: tuple[Match, ...]
    ticked: bool

    @property
    def figures(self) -> str:
        """Return rules, variables and where they hold, in a line."""
        parts = [plural(len(self.pack.statements), "rule"), plural(len(self.matches), "variable")]
        return " · ".join([*parts, self.pack.jurisdiction] if self.pack.jurisdiction else parts)

    @property
    def fit(self) -> str:
        """Return how the data matches, in a line."""
        here, wanted = counted(self.matches)
        return f"{here} of {plural(wanted, 'fact')} in this data" if wanted else "needs no facts"


class PackCards(QListWidget):
    """The cards, by domain.

    Signals:
        chosen: the key of the pack that is looked at.
        ticked: the key of a pack whose box was pressed.
    """

    chosen = Signal(str)
    ticked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_Cards(self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(self.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Domain packs; Space takes one or leaves it")
        self.currentItemChanged.connect(self._choose)
        theme().changed.connect(self.viewport().update)

    def show_cards(self, cards: Sequence[Card]) -> None:
        """Show other cards; the one looked at stays so where it is still there."""
        before, top = self.current, self.verticalScrollBar().value()
        self.blockSignals(True)
        self.clear()
        domain = ""
        for card in cards:
            if card.pack.domain != domain:
                domain = card.pack.domain
                self._add(domain, domain, _HEAD)
            item = self._add(card.pack.title, card, _CARD)
            state = "taken" if card.ticked else "not taken"
            item.setToolTip(f"{card.pack.title}: {state}. {card.figures}. {card.fit}.")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{card.pack.title}, {state}")
        self.blockSignals(False)
        self.look_at(before)
        self.verticalScrollBar().setValue(top)

    @property
    def current(self) -> str:
        """Return the key of the pack that is looked at, or ""."""
        card = self.currentItem().data(_ITEM) if self.currentItem() else None
        return card.pack.key if isinstance(card, Card) else ""

    def look_at(self, key: str) -> None:
        """Look at a pack; at the first where that is not listed."""
        places = {
            c.pack.key: i for i in range(self.count()) if isinstance(c := self.item(i).data(_ITEM), Card)
        }
        if places:
            self.setCurrentRow(places.get(key, next(iter(places.values()))))
        self._choose()

    def box_of(self, key: str) -> QRect:
        """Return where the box of a card stands in the viewport."""
        for i in range(self.count()):
            card = self.item(i).data(_ITEM)
            if isinstance(card, Card) and card.pack.key == key:
                return _box(self.visualItemRect(self.item(i)))
        return QRect()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        item = self.itemAt(event.position().toPoint())
        card = item.data(_ITEM) if item else None
        if item and isinstance(card, Card):
            room = _box(self.visualItemRect(item)).adjusted(-8, -8, 8, 8)
            if room.contains(event.position().toPoint()):
                self.ticked.emit(card.pack.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.current:
            self.ticked.emit(self.current)
        else:
            super().keyPressEvent(event)

    def _add(self, words: str, shown: object, high: int) -> QListWidgetItem:
        item = QListWidgetItem(words)
        item.setData(_ITEM, shown)
        item.setSizeHint(QSize(0, high))
        if not isinstance(shown, Card):
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.addItem(item)
        return item

    def _choose(self) -> None:
        if self.current:
            self.chosen.emit(self.current)


def _box(area: QRect) -> QRect:
    return QRect(area.left() + 14, area.top() + 12, _BOX, _BOX)


class _Cards(QStyledItemDelegate):
    """Paints a card, or the heading of a domain."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        shown = index.data(_ITEM)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(shown, Card):
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            over = bool(option.state & QStyle.StateFlag.State_MouseOver)
            _paint_card(painter, option.rect, shown, chosen=chosen, over=over)
        else:
            painter.setFont(section())
            painter.setPen(theme().colour("low"))
            side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
            painter.drawText(option.rect.adjusted(4, 0, 0, -8), side, str(shown))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, _CARD if isinstance(index.data(_ITEM), Card) else _HEAD)


def _paint_card(painter: QPainter, area: QRect, card: Card, *, chosen: bool, over: bool) -> None:
    t = theme().tokens
    place = QRectF(area).adjusted(0.5, 0.5, -0.5, -7.5)
    painter.setPen(QColor(t.accent if chosen else t.line))
    fill = mixed(t.accent, t.card, 0.14) if chosen else t.hover if over else t.card
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(place, 8, 8)
    _paint_box(painter, _box(area), ticked=card.ticked)
    left = area.left() + 14 + _BOX + 12
    room = area.right() - left - 12
    here, wanted = counted(card.matches)
    tone = t.ok if here else t.low
    lines = (
        (card.pack.title, font(BASE, 600), t.hi, 11, 20),
        (card.figures, font(BODY), t.mid, 32, 16),
        (card.fit, font(CAPTION), tone if wanted else t.low, 51, 14),
    )
    for words, face, colour, top, high in lines:
        painter.setFont(face)
        painter.setPen(QColor(colour))
        fitted = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room)
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(left, area.top() + top, room, high), side, fitted)


def _paint_box(painter: QPainter, box: QRect, *, ticked: bool) -> None:
    t = theme().tokens
    painter.setPen(QColor(t.accent if ticked else t.low))
    painter.setBrush(QColor(t.accent if ticked else t.field))
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    if ticked:
        ratio = painter.device().devicePixelRatio()
        painter.drawPixmap(box.left() + 3, box.top() + 3, pixmap("ph.check-bold", t.on_accent, 12, ratio))
