"""A search field over a list of things to do: quick add on the canvas, and the window's command palette."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.theme.current import theme
from app.theme.fonts import BASE, BODY, CAPTION, font, section
from app.theme.icons import icon, pixmap
from app.theme.tokens import mixed

_WIDE, _ROW, _SECTION, _SHOWN = 420, 32, 26, 9
_TWO_LINES = 48
_REPAINT = 200  # ms
_PICTURE = 34, _ROW - 10  # px
_ENTRY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Entry:
    """One line of the list.

    Attributes:
        title: what it is called.
        run: what choosing it does; None for a line that only says something.
        section: the heading it stands under.
        icon: a Phosphor name, or "".
        colour: token or `#RRGGBB` of the icon.
        aside: a few words at the right.
        words: further words it is found by.
        below: a sentence in a second line.
        picture: paints a small picture in place of an icon, told where; None for none.
    """

    title: str
    run: Callable[[], object] | None
    section: str = ""
    icon: str = ""
    colour: str = "mid"
    aside: str = ""
    words: str = ""
    below: str = ""
    picture: Callable[[QPainter, QRectF], None] | None = None


class SearchPopup(QFrame):
    """Shows the entries that match what is typed; Enter or a press runs one, Escape closes.

    Signals:
        closed: it is gone, whether anything was chosen or not.
    """

    closed = Signal()
    WIDTH = _WIDE

    def __init__(self, parent: QWidget, find: Callable[[str], Sequence[Entry]], hint: str) -> None:
        super().__init__(parent)
        self._find, self._parent = find, parent
        self.setProperty("surface", "popup")
        self.field = QLineEdit(placeholderText=hint)
        self.field.setAccessibleName(hint)
        self.field.addAction(icon("ph.magnifying-glass", "low"), QLineEdit.ActionPosition.LeadingPosition)
        self.list = QListWidget()
        self.list.setItemDelegate(_Rows(self.list))
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setStyleSheet("QListWidget { background: transparent; }")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.list.itemClicked.connect(self._run)
        self.field.installEventFilter(self)
        self._fill("")
        self._repaint = QTimer(self, interval=_REPAINT)  # pictures may come late
        self._repaint.timeout.connect(self.list.viewport().update)
        self._repaint.start()

    def open_at(self, at: QPoint) -> None:
        """Show it with its corner at a point of the parent, wholly inside."""
        room = self._parent.rect()
        self.move(
            max(8, min(at.x(), room.right() - self.width() - 8)),
            max(8, min(at.y(), room.bottom() - self._tallest() - 8)),
        )
        self.show()
        self.raise_()
        self.field.setFocus()

    def begin_at(self, title: str) -> None:
        """Begin at the entry of this title, which is what holds now."""
        for place in range(self.list.count()):
            entry = self.list.item(place).data(_ENTRY)
            if isinstance(entry, Entry) and entry.title == title:
                self.list.setCurrentRow(place)
                self.list.scrollToItem(self.list.item(place), QAbstractItemView.ScrollHint.PositionAtCenter)

    def entries(self) -> list[Entry]:
        """Return what is listed now, headings left out."""
        found = [self.list.item(i).data(_ENTRY) for i in range(self.list.count())]
        return [entry for entry in found if isinstance(entry, Entry)]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event.key())
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self._close()
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        if key == Qt.Key.Key_Escape:
            self._close()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if item := self.list.currentItem():
                self._run(item)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
        else:
            return False
        return True

    def _step(self, by: int) -> None:
        rows = [i for i in range(self.list.count()) if _runs(self.list.item(i))]
        if rows:
            here = rows.index(self.list.currentRow()) if self.list.currentRow() in rows else -1
            self.list.setCurrentRow(rows[(here + by) % len(rows)])

    def _fill(self, words: str) -> None:
        self.list.clear()
        heading = ""
        for entry in self._find(words.strip()):
            if entry.section and entry.section != heading:
                heading = entry.section
                self._add(heading)
            self._add(entry)
        self._step(1)
        self.resize(_WIDE, self._tall())

    def _add(self, shown: Entry | str) -> None:
        item = QListWidgetItem(shown.title if isinstance(shown, Entry) else shown)
        item.setData(_ENTRY, shown)
        if not isinstance(shown, Entry) or shown.run is None:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(item)

    def _tall(self) -> int:
        rows = sum(self.list.sizeHintForRow(i) for i in range(self.list.count()))
        return min(rows + 66, self._tallest())

    def _tallest(self) -> int:
        return _ROW * _SHOWN + 3 * _SECTION + 58

    def _run(self, item: QListWidgetItem) -> None:
        entry = item.data(_ENTRY)
        if isinstance(entry, Entry) and entry.run is not None:
            self._close()
            entry.run()

    def _close(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()
            self.deleteLater()


class _Rows(QStyledItemDelegate):
    """Paints an entry, or a heading."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        entry = index.data(_ENTRY)
        high = _SECTION if not isinstance(entry, Entry) else _TWO_LINES if entry.below else _ROW
        return QSize(_WIDE - 40, high)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        shown = index.data(_ENTRY)
        area: QRect = option.rect.adjusted(2, 0, -2, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(shown, Entry):
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            _paint_entry(painter, area, shown, chosen=chosen)
        else:
            painter.setFont(section())
            painter.setPen(theme().colour("low"))
            left_bottom = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(area.adjusted(8, 0, 0, 0), left_bottom, str(shown))
        painter.restore()


def _paint_entry(painter: QPainter, area: QRect, entry: Entry, *, chosen: bool) -> None:
    t = theme().tokens
    middle = Qt.AlignmentFlag.AlignVCenter
    if chosen:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mixed(t.accent, t.card, 0.22)))
        painter.drawRoundedRect(area, 6, 6)
    left = 8
    if entry.icon:
        ratio = painter.device().devicePixelRatio()
        painter.drawPixmap(
            area.left() + 10, area.center().y() - 8, pixmap(entry.icon, entry.colour, 16, ratio)
        )
        left = 36
    if entry.picture:
        entry.picture(painter, QRectF(area.left() + 8, area.top() + 5, *_PICTURE))
        left = 22 + _PICTURE[0]
    painter.setFont(font(BASE if entry.run else BODY))
    painter.setPen(QColor(t.hi if entry.run else t.low))
    inner = area.adjusted(left, 0, -10, 0)
    if entry.below:
        inner.setHeight(area.height() // 2 + 4)
        _paint_below(painter, area.adjusted(left, area.height() // 2, -10, -4), entry.below)
        painter.setFont(font(BASE))
        painter.setPen(QColor(t.hi))
    words = painter.fontMetrics().elidedText(entry.title, Qt.TextElideMode.ElideRight, inner.width())
    painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | middle, words)
    taken = painter.fontMetrics().horizontalAdvance(words) + 16
    painter.setFont(font(CAPTION))
    painter.setPen(QColor(t.mid if chosen else t.low))
    aside = painter.fontMetrics().elidedText(entry.aside, Qt.TextElideMode.ElideRight, inner.width() - taken)
    painter.drawText(inner, Qt.AlignmentFlag.AlignRight | middle, aside)


def _paint_below(painter: QPainter, area: QRect, words: str) -> None:
    painter.setFont(font(CAPTION))
    painter.setPen(theme().colour("low"))
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _runs(item: QListWidgetItem) -> bool:
    entry = item.data(_ENTRY)
    return isinstance(entry, Entry) and entry.run is not None


def matches(words: str, *texts: str) -> bool:
    """Whether every word that was typed begins some word of the texts, or stands within the first text."""
    own = " ".join(texts).lower().split()
    whole = texts[0].lower() if texts else ""
    return all(any(o.startswith(w) for o in own) or w in whole for w in words.lower().split())


def rank(words: str, title: str) -> int:
    """Return how well a title fits, 0 best: it begins so, a word of it does, it holds it, it does not."""
    typed, whole = words.lower(), title.lower()
    if whole.startswith(typed):
        return 0
    if any(word.startswith(typed) for word in whole.split()):
        return 1
    return 2 if typed in whole else 3
