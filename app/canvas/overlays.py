"""What lies over the canvas: the legend of port shapes, the minimap, a hint beside the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget

from app.canvas.ports import draw_port
from app.canvas.scene import Scene
from app.theme.current import theme
from app.theme.fonts import BODY, font
from engine.ports import PortType

_TYPES: tuple[PortType, ...] = ("real", "bits", "hypervector", "spikes", "scores", "facts", "labels")
_PAD, _MARK, _GAP = 12, 22, 14  # px


class Legend(QWidget):
    """Says which shape and colour is which port type."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Legend of port types")
        theme().changed.connect(self.update)
        self.resize(self.sizeHint())

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(font(BODY))
        wide = sum(_MARK + metrics.horizontalAdvance(t) + _GAP for t in _TYPES)
        return QSize(int(wide) + 2 * _PAD - _GAP + 6, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme().tokens
        painter = QPainter(self)
        _plate(painter, QRectF(self.rect()))
        metrics, x = QFontMetricsF(font(BODY)), float(_PAD)
        painter.setFont(font(BODY))
        for given in _TYPES:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_port(
                painter, QPointF(x + 7, self.height() / 2), given, QColor(t.port(given)), QColor(t.panel)
            )
            painter.setPen(QColor(t.mid))
            wide = metrics.horizontalAdvance(given)
            area = QRectF(x + _MARK - 3, 0, wide + 4, self.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, given)
            x += _MARK + wide + _GAP
        painter.end()


class Minimap(QWidget):
    """The whole graph in small, with what the window shows of it; a press goes there.

    Signals:
        asked: a point of the scene that shall be in the middle.
    """

    asked = Signal(QPointF)

    def __init__(self, parent: QWidget, scene: Scene) -> None:
        super().__init__(parent)
        self._scene = scene
        self._shown = QRectF()
        self.resize(180, 116)
        self.setAccessibleName("Minimap")
        self.setToolTip("The whole graph. Press or drag to move what is shown.")
        scene.laid_out.connect(self.update)
        theme().changed.connect(self.update)

    def show_view(self, area: QRectF) -> None:
        """Outline the area of the scene that the window shows."""
        if area != self._shown:
            self._shown = area
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _plate(painter, QRectF(self.rect()))
        scale, origin = self._scale()
        painter.setPen(Qt.PenStyle.NoPen)
        for item in self._scene.nodes.values():
            colour = QColor(t.family(item.face.family))
            colour.setAlphaF(0.75)
            painter.setBrush(colour)
            box = item.box()
            painter.drawRoundedRect(_mapped(box, scale, origin), 1.5, 1.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(t.low), 1))
        frame = QRectF(self.rect()).adjusted(4, 4, -4, -4)
        painter.drawRoundedRect(_mapped(self._shown, scale, origin).intersected(frame), 3, 3)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._ask(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._ask(event.position())

    def _ask(self, at: QPointF) -> None:
        scale, origin = self._scale()
        if scale > 0:
            self.asked.emit((at - origin) / scale)

    def _scale(self) -> tuple[float, QPointF]:
        extent = self._scene.extent()
        area = extent.united(self._shown) if not extent.isEmpty() else self._shown
        # A view far wider than the graph would shrink it to a dot: show at most twice its size.
        if not extent.isEmpty():
            room = extent.adjusted(-extent.width() / 2, -extent.height(), extent.width() / 2, extent.height())
            area = extent.united(area.intersected(room))
        if area.isEmpty():
            return 0.0, QPointF()
        inner = QRectF(self.rect()).adjusted(10, 10, -10, -10)
        scale = min(inner.width() / area.width(), inner.height() / area.height())
        return scale, inner.center() - area.center() * scale


class Hint(QLabel):
    """A sentence beside the pointer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFont(font(BODY))
        self.setWordWrap(True)
        self.setMaximumWidth(300)
        self.setContentsMargins(10, 7, 10, 7)
        self._parent = parent
        self.hide()

    def say(self, words: str, at: QPoint) -> None:
        """Show `words` beside a point of the parent, or nothing where empty."""
        if not words:
            self.hide()
            return
        t = theme().tokens
        self.setStyleSheet(
            f"background: {t.card}; color: {t.error}; border: 1px solid {t.error}; border-radius: 6px;"
        )
        self.setText(words)
        self.setMinimumWidth(min(300, int(QFontMetricsF(self.font()).horizontalAdvance(words)) + 26))
        self.adjustSize()
        room = self._parent.rect()
        x = min(at.x() + 18, room.right() - self.width() - 8)
        y = min(at.y() + 18, room.bottom() - self.height() - 8)
        self.move(max(8, x), max(8, y))
        self.raise_()
        self.show()


def _plate(painter: QPainter, area: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme().colour("line_strong"), 1))
    painter.setBrush(theme().colour("panel", 0.96))
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


def _mapped(area: QRectF, scale: float, origin: QPointF) -> QRectF:
    corner = area.topLeft() * scale + origin
    return QRectF(corner.x(), corner.y(), area.width() * scale, area.height() * scale)
