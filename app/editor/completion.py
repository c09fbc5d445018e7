"""The list that opens under the cursor: what may be written there, with a line of help and an example."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.theme.current import theme
from app.theme.fonts import BODY, CAPTION, font, mono
from app.theme.icons import pixmap
from app.theme.tokens import mixed
from engine.logic.completing import Completion

_ROW, _SHOWN, _WIDE = 26, 8, 380  # px, rows, px
_ITEM = Qt.ItemDataRole.UserRole
_SIGNS = {
    "keyword": ("ph.text-t", "bits"),
    "form": ("ph.function", "scores"),
    "name": ("ph.table", "data"),
    "value": ("ph.tag", "logic"),
    "event": ("ph.lightning", "spikes"),
}


class CompletionList(QFrame):
    """Shows suggestions; the editor hands it the keys.

    Signals:
        taken: the suggestion that was taken.
    """

    taken = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setProperty("surface", "popup")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list = QListWidget()
        self.list.setItemDelegate(_Rows(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setStyleSheet("QListWidget { background: transparent; }")
        self.list.setAccessibleName("What may be written here")
        self._help, self._example = _label(font(CAPTION), "mid"), _label(mono(CAPTION), "hi")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 6, 6, 8)
        self._column.setSpacing(4)
        for widget in (self.list, self._help, self._example):
            self._column.addWidget(widget)
        self.list.currentItemChanged.connect(self._explain)
        self.list.itemClicked.connect(lambda item: self.taken.emit(item.data(_ITEM)))
        self.hide()

    @property
    def suggestions(self) -> list[Completion]:
        """Return what is listed."""
        return [self.list.item(i).data(_ITEM) for i in range(self.list.count())]

    @property
    def words(self) -> str:
        """Return the help of the one that is chosen."""
        return f"{self._help.text()}\n{self._example.text()}".strip()

    def show_suggestions(self, found: Sequence[Completion], at: QRect) -> None:
        """List `found` under (or over) the cursor, which stands at `at` in the parent."""
        self.list.clear()
        for one in found:
            item = QListWidgetItem(one.text)
            item.setData(_ITEM, one)
            self.list.addItem(item)
        self.list.setFixedHeight(_ROW * min(len(found), _SHOWN) + 2)
        self.list.setCurrentRow(0)
        room = self._parent.rect()
        self.resize(min(_WIDE, room.width() - 16), self._column.sizeHint().height())
        below = QPoint(at.left() - 30, at.bottom() + 4)
        if below.y() + self.height() > room.bottom():
            below.setY(max(4, at.top() - self.height() - 4))
        self.move(max(4, min(below.x(), room.right() - self.width() - 8)), below.y())
        self.show()
        self.raise_()

    def key(self, key: int) -> bool:
        """Take a key; return whether it was meant for the list."""
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if key == Qt.Key.Key_Down else -1
            self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self.taken.emit(self.list.currentItem().data(_ITEM))
        elif key == Qt.Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def _explain(self, item: QListWidgetItem | None) -> None:
        one = item.data(_ITEM) if item else None
        shown = one if one and one.example else None  # other help stands in the list whole
        for label, words in (
            (self._help, shown.help if shown else ""),
            (self._example, shown.example if shown else ""),
        ):
            label.setText(words)
            label.setVisible(bool(words))


class _Rows(QStyledItemDelegate):
    """Paints a suggestion: its sign, its text, and a few words at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        one: Completion = index.data(_ITEM)
        tokens, area = theme().tokens, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mixed(tokens.accent, tokens.card, 0.22)))
            painter.drawRoundedRect(area, 5, 5)
        name, colour = _SIGNS[one.kind]
        ratio = painter.device().devicePixelRatio()
        painter.drawPixmap(area.left() + 8, area.center().y() - 6, pixmap(name, colour, 14, ratio))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(mono(BODY))
        painter.setPen(QColor(tokens.hi))
        inner = area.adjusted(30, 0, -8, 0)
        shown = painter.fontMetrics().elidedText(one.text, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, left, shown)
        inner.setLeft(inner.left() + painter.fontMetrics().horizontalAdvance(shown) + 16)
        painter.setFont(font(CAPTION))
        painter.setPen(QColor(tokens.mid if option.state & QStyle.StateFlag.State_Selected else tokens.low))
        words = painter.fontMetrics().elidedText(one.help, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


def _label(made: QFont, tone: str) -> QLabel:
    label = QLabel()
    label.setFont(made)
    label.setProperty("tone", tone)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setContentsMargins(8, 0, 8, 0)
    return label
