"""The rules with how many answers broke each, before repair and after, as a list with small bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.theme.current import theme
from app.theme.figures import whole
from app.theme.fonts import BODY, CAPTION, font
from app.theme.tokens import mixed

_ROW = 36  # px
_ITEM = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class RuleRow:
    """A row.

    Attributes:
        title: what it is called.
        name: the rule's name, "" for the row of all.
        raw, left: answers that broke it before repair and after.
        words: what the rule says, or "".
    """

    title: str
    name: str
    raw: int
    left: int
    words: str = ""


class RuleBars(QListWidget):
    """The rows; one is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(font(BODY))
        self.setUniformItemSizes(True)
        self.setItemDelegate(_Rows(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Rules, with how many answers broke each before repair and after")
        theme().changed.connect(self.viewport().update)

    def show_rows(self, rows: Sequence[RuleRow]) -> None:
        """Show other rows; the one chosen stays chosen where it is still there."""
        before = self.chosen
        self.blockSignals(True)
        self.clear()
        for row in rows:
            said = f"{row.title}: {whole(row.raw)} before repair, {whole(row.left)} after"
            item = QListWidgetItem(said)
            item.setData(_ITEM, row)
            item.setToolTip(f"{said}.\n{row.words}" if row.words else f"{said}.")
            item.setSizeHint(QSize(0, _ROW))
            self.addItem(item)
        names = [row.name for row in rows]
        self.setCurrentRow(names.index(before) if before in names else 0)
        self.blockSignals(False)

    def choose(self, name: str) -> None:
        """Choose a rule by its name, "" for all."""
        if name != self.chosen:
            rows = [self.item(i).data(_ITEM).name for i in range(self.count())]
            self.setCurrentRow(rows.index(name) if name in rows else 0)

    @property
    def chosen(self) -> str:
        """Return the name of the rule that is chosen, "" for all."""
        row = self.currentItem().data(_ITEM) if self.currentItem() else None
        return row.name if isinstance(row, RuleRow) else ""


class _Rows(QStyledItemDelegate):
    """Paints a name, `6 → 0` and a bar."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(80, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row: RuleRow = index.data(_ITEM)
        tokens, area = theme().tokens, option.rect
        most = max((self._row(index, i).raw for i in range(index.model().rowCount())), default=0) or 1
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if chosen or over:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mixed(tokens.accent, tokens.card, 0.22) if chosen else tokens.hover))
            painter.drawRoundedRect(QRectF(area), 4, 4)
        inner = QRectF(area).adjusted(8, 4, -8, -11)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(CAPTION))
        painter.setPen(QColor(tokens.mid if row.raw else tokens.low))
        figures = f"{whole(row.raw)} → {whole(row.left)}"
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | middle, figures)
        taken = painter.fontMetrics().horizontalAdvance(figures) + 8
        painter.setFont(font(BODY))
        painter.setPen(QColor(tokens.hi if row.raw else tokens.mid))
        room = inner.adjusted(0, 0, -taken, 0)
        shown = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, shown)
        self._bar(painter, QRectF(area).adjusted(8, area.height() - 9, -8, -5), row, most)
        painter.restore()

    def _bar(self, painter: QPainter, place: QRectF, row: RuleRow, most: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for count, tone in ((most, "line"), (row.raw, "warn"), (row.left, "error")):
            if count:
                painter.setBrush(theme().colour(tone))
                wide = max(4.0, place.width() * count / most)
                painter.drawRoundedRect(QRectF(place.left(), place.top(), wide, place.height()), 2, 2)

    def _row(self, index: QModelIndex | QPersistentModelIndex, place: int) -> RuleRow:
        row: RuleRow = index.model().index(place, 0).data(_ITEM)
        return row
