"""Size of a layer at every bit width, counted, with the chosen one marked: it stands under its segments."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.current import theme
from app.theme.figures import size
from app.theme.fonts import CAPTION, font

_HEIGHT = 96
_TOP, _BOTTOM = 22, 20
_RADIUS = 3.0


class SizeChart(QWidget):
    """A line over the bit widths, on a logarithmic axis."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes: dict[str, int] = {}
        self._shorts: Mapping[str, str] = {}
        self._chosen = self._under = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        theme().changed.connect(self.update)

    @property
    def points(self) -> dict[str, int]:
        """Return the sizes shown, in bytes by width."""
        return dict(self._bytes)

    def show_sizes(self, sizes: Mapping[str, int], shorts: Mapping[str, str], chosen: str) -> None:
        """Show sizes in bytes by width, the short name of every width, and which is chosen."""
        self._bytes, self._shorts, self._chosen = dict(sizes), shorts, chosen
        words = ", ".join(f"{shorts[key]}: {size(n)}" for key, n in sizes.items())
        self.setAccessibleName(f"Size by bit width. {words}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, _HEIGHT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        column = int(event.position().x() * max(1, len(self._shorts)) / max(1, self.width()))
        keys = list(self._shorts)
        self._under = keys[column] if column < len(keys) else ""
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._under = ""
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._bytes:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(CAPTION))
        floor = self.height() - _BOTTOM + 0.5
        painter.setPen(QPen(theme().colour("line"), 1))
        painter.drawLine(QPointF(0, floor), QPointF(self.width(), floor))
        places = {key: self._place(key) for key in self._bytes}
        painter.setPen(QPen(theme().colour("low", 0.6), 1.5))
        painter.drawPolyline(QPolygonF(list(places.values())))
        for key, place in places.items():
            self._paint_point(painter, key, place)

    def _paint_point(self, painter: QPainter, key: str, place: QPointF) -> None:
        marked = key == self._chosen
        if marked:
            painter.setPen(QPen(theme().colour("accent", 0.35), 1, Qt.PenStyle.DotLine))
            painter.drawLine(place, QPointF(place.x(), self.height() - _BOTTOM))
        painter.setPen(QPen(theme().colour("panel"), 1.5))
        painter.setBrush(theme().colour("accent" if marked else "mid"))
        radius = _RADIUS + 2 if marked else _RADIUS
        painter.drawEllipse(place, radius, radius)
        column = self.width() / len(self._shorts)
        below = QRectF(place.x() - column / 2, self.height() - _BOTTOM + 4, column, 14)
        painter.setFont(font(CAPTION, 600 if marked else 400))
        painter.setPen(theme().colour("accent" if marked else "low"))
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self._shorts[key])
        if key in self._labelled():
            painter.setPen(theme().colour("hi" if marked else "low"))
            painter.drawText(self._above(place), Qt.AlignmentFlag.AlignCenter, size(self._bytes[key]))

    def _labelled(self) -> set[str]:
        """Return the widths whose size is written: the pointed one, else the chosen, and the ends if free."""
        keys = list(self._bytes)
        centre = self._under if self._under in keys else self._chosen
        if centre not in keys:
            return {keys[0], keys[-1]}
        return {
            centre,
            *(end for end in (keys[0], keys[-1]) if abs(keys.index(end) - keys.index(centre)) > 1),
        }

    def _above(self, place: QPointF) -> QRectF:
        left = min(max(0.0, place.x() - 30), self.width() - 60)
        return QRectF(left, place.y() - 21, 60, 14)

    def _place(self, key: str) -> QPointF:
        column = self.width() / len(self._shorts)
        x = (list(self._shorts).index(key) + 0.5) * column
        logs = [log2(max(1, n)) for n in self._bytes.values()]
        low, high = min(logs), max(logs)
        share = (log2(max(1, self._bytes[key])) - low) / (high - low) if high > low else 0.5
        room = self.height() - _BOTTOM - _TOP - 10
        return QPointF(x, self.height() - _BOTTOM - 10 - share * room)
