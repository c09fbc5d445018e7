"""One node on the canvas, painted by itself: no child items, no widgets, cached until its face changes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.face import Face
from app.canvas.ports import draw_port
from app.canvas.shape import EDGE, FOOTER, HEADER, RADIUS, ROW, Shape, shape_of
from app.theme.current import theme
from app.theme.fonts import BODY, CAPTION, font, mono
from app.theme.icons import pixmap
from app.theme.tokens import mixed

_MARGIN = 12.0  # room for ports, ring and shade around the box
_NO_TEXT, _OVERVIEW = 0.5, 0.3  # zooms below which labels, then everything but the box, are left out
_STATES = {"ok": "ph.check-circle-fill", "warning": "ph.warning-fill", "error": "ph.warning-circle-fill"}
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_MIDDLE = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine
_TONES = {"plain": "low", "ok": "ok", "warning": "warn", "error": "error"}


KEPT = 40  # accuracies that are drawn


@dataclass(frozen=True)
class Live:
    """What a run says of a node meanwhile: share done, 0 to 1, and accuracies so far, 0 to 1 each."""

    progress: float = 0.0
    accuracies: tuple[float, ...] = ()


class NodeItem(QGraphicsItem):
    """Paints a face. It moves and is selected only when told: the document decides."""

    def __init__(self, face: Face) -> None:
        super().__init__()
        self.face = face
        self.shape_: Shape = shape_of(face)
        self.selected = False
        self.live: Live | None = None
        self._fits: dict[tuple[str, bool], bool] = {}
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.setZValue(2)

    def show_face(self, face: Face) -> None:
        """Show another face; nothing is repainted where it is equal."""
        if face == self.face:
            return
        shape = shape_of(face)
        if shape != self.shape_:
            self.prepareGeometryChange()
        self.face, self.shape_ = face, shape
        self.update()

    def show_selected(self, selected: bool) -> None:
        """Show whether it is selected."""
        if selected != self.selected:
            self.selected = selected
            self.setZValue(3 if selected else 2)
            self.update()

    def show_live(self, live: Live | None) -> None:
        """Show the progress of a run: only the footer is painted anew."""
        if live != self.live:
            self.live = live
            self.update(self._footer())

    def show_fits(self, fits: dict[tuple[str, bool], bool]) -> None:
        """Mark ports while a wire is dragged: (name, is output) -> whether it fits; {} ends it."""
        if fits != self._fits:
            self._fits = fits
            self.update()

    def port_scene(self, name: str, *, output: bool) -> QPointF:
        """Return where a port stands in the scene."""
        faces = self.face.outputs if output else self.face.inputs
        index = next(i for i, p in enumerate(faces) if p.name == name)
        return self.pos() + self.shape_.port(index, output=output)

    def port_at(self, at: QPointF) -> tuple[str, bool] | None:
        """Return the port near a point of the scene as (name, is output), or None."""
        found = self.shape_.port_at(at - self.pos())
        if found is None:
            return None
        index, output = found
        return (self.face.outputs if output else self.face.inputs)[index].name, output

    def box(self) -> QRectF:
        """Return the box in the scene."""
        return self.shape_.box.translated(self.pos())

    def boundingRect(self) -> QRectF:
        return self.shape_.box.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.shape_.box)
        return path

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_box(painter, zoom)
        if zoom < _OVERVIEW:
            self._paint_ports(painter)
            return
        if not self._footer().contains(option.exposedRect.adjusted(1, 1, -1, -1)):
            self._paint_header(painter)
            if zoom >= _NO_TEXT:
                self._paint_labels(painter)
        if zoom >= _NO_TEXT:
            self._paint_footer(painter)
        self._paint_live(painter)
        self._paint_ports(painter)

    def _footer(self) -> QRectF:
        return self.shape_.box.adjusted(0, self.shape_.height - FOOTER, 0, 0)

    # Parts, back to front

    def _paint_box(self, painter: QPainter, zoom: float) -> None:
        t, box = theme().tokens, self.shape_.box
        if zoom >= _OVERVIEW:
            for grow, alpha in ((4.0, 0.05), (2.5, 0.07), (1.0, 0.10)):
                shade = QColor(t.shadow)
                shade.setAlphaF(alpha * (2.0 if t.name == "dark" else 1.0))
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(shade)
                painter.drawRoundedRect(
                    box.adjusted(-grow, -grow + 2, grow, grow + 2), RADIUS + grow, RADIUS + grow
                )
        if self.selected:
            painter.setPen(QPen(theme().colour("accent", 0.28), 5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-3, -3, 3, 3), RADIUS + 3, RADIUS + 3)
        painter.setPen(self._border())
        share = 0.55 if zoom < _OVERVIEW else 0.0
        painter.setBrush(QColor(mixed(t.family(self.face.family), t.node, share)))
        painter.drawRoundedRect(box, RADIUS, RADIUS)

    def _border(self) -> QPen:
        if self.selected:
            return QPen(theme().colour("accent"), 2)
        if self.face.tone in ("warning", "error"):
            return QPen(theme().colour(_TONES[self.face.tone]), 1.4)
        return QPen(theme().colour("line_strong"), 1)

    def _paint_header(self, painter: QPainter) -> None:
        t, width = theme().tokens, self.shape_.width
        inset = 1.0 if self.selected else 0.7
        clip = QPainterPath()
        clip.addRoundedRect(self.shape_.box.adjusted(inset, inset, -inset, -inset), RADIUS - 1, RADIUS - 1)
        painter.save()
        painter.setClipPath(clip)
        colour = t.family(self.face.family)
        painter.fillRect(QRectF(0, 0, width, HEADER), QColor(mixed(colour, t.node, t.tint)))
        painter.restore()
        drawn = pixmap(self.face.icon, colour, 16, _fine(painter))
        painter.drawPixmap(QRectF(EDGE, HEADER / 2 - 8, 16, 16), drawn, QRectF())
        area = QRectF(EDGE + 24, 0, width - EDGE - 24 - EDGE, HEADER)
        _write(painter, area, self.face.name, font(BODY, 600), t.hi)
        if self.face.chip:
            self._paint_chip(painter, colour)

    def _paint_chip(self, painter: QPainter, colour: str) -> None:
        t, face = theme().tokens, mono(11, 600)
        wide = QFontMetricsF(face).horizontalAdvance(self.face.chip) + 12
        area = QRectF(self.shape_.width - EDGE + 3 - wide, (HEADER - 18) / 2, wide, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mixed(colour, t.node, 0.24 if t.name == "dark" else 0.16)))
        painter.drawRoundedRect(area, 4, 4)
        _write(painter, area, self.face.chip, face, colour, _MIDDLE)

    def _paint_labels(self, painter: QPainter) -> None:
        t, shape = theme().tokens, self.shape_
        for faces, centres, align in (
            (self.face.inputs, shape.inputs, _LEFT),
            (self.face.outputs, shape.outputs, _RIGHT),
        ):
            for port, centre in zip(faces, centres, strict=True):
                area = QRectF(EDGE + 2, centre.y() - ROW / 2, shape.width - 2 * EDGE - 4, ROW)
                _write(painter, area, port.name, font(BODY), t.mid, align)
        for i, (label, value) in enumerate(self.face.rows):
            area = QRectF(EDGE, shape.rows + i * ROW, shape.width - 2 * EDGE, ROW)
            _write(painter, area, label, font(BODY), t.mid)
            _write(painter, area, value, font(BODY, 600), t.hi, _RIGHT)

    def _paint_footer(self, painter: QPainter) -> None:
        t, shape, tone = theme().tokens, self.shape_, self.face.tone
        top = shape.height - FOOTER
        painter.setPen(QPen(QColor(t.line), 1))
        painter.drawLine(QPointF(1, top), QPointF(shape.width - 1, top))
        left = float(EDGE)
        if tone in _STATES:
            area = QRectF(EDGE - 1, top + FOOTER / 2 - 7, 14, 14)
            painter.drawPixmap(area, pixmap(_STATES[tone], _TONES[tone], 14, _fine(painter)), QRectF())
            left += 19
        room = shape.width - left - EDGE - (52 if self.live and self.live.accuracies else 0)
        colour = t.low if tone in ("plain", "ok") else getattr(t, _TONES[tone])
        metrics = QFontMetricsF(font(CAPTION))
        choices = (self.face.footer, self.face.remedy)
        fitting = [words for words in choices if words and metrics.horizontalAdvance(words) <= room]
        words = fitting[0] if fitting else choices[0]
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
        _write(painter, QRectF(left, top, room, FOOTER), words, font(CAPTION), colour)

    def _paint_live(self, painter: QPainter) -> None:
        if self.live is None:
            return
        t, shape = theme().tokens, self.shape_
        if self.live.progress > 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(t.accent))
            long = (shape.width - 2 * RADIUS) * min(1.0, self.live.progress)
            painter.drawRect(QRectF(RADIUS, shape.height - 3, long, 3))
        values = self.live.accuracies[-KEPT:]
        if len(values) > 1:
            low, high = min(values), max(values)
            area = QRectF(shape.width - EDGE - 46, shape.height - FOOTER + 7, 46, FOOTER - 15)
            line = QPainterPath()
            for i, value in enumerate(values):
                x = area.left() + area.width() * i / (len(values) - 1)
                y = area.bottom() - area.height() * ((value - low) / (high - low) if high > low else 0.5)
                line.lineTo(x, y) if i else line.moveTo(x, y)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(t.family(self.face.family)), 1.4))
            painter.drawPath(line)

    def _paint_ports(self, painter: QPainter) -> None:
        t, ground = theme().tokens, QColor(theme().tokens.canvas)
        for output, ports, centres in (
            (False, self.face.inputs, self.shape_.inputs),
            (True, self.face.outputs, self.shape_.outputs),
        ):
            for port, centre in zip(ports, centres, strict=True):
                fits = self._fits.get((port.name, output))
                colour = QColor(t.port(port.type))
                if fits is False:
                    colour = QColor(mixed(t.port(port.type), t.canvas, 0.28))
                if fits:
                    painter.setPen(QPen(theme().colour("accent", 0.9), 2))
                    painter.setBrush(theme().colour("accent", 0.25))
                    painter.drawEllipse(centre, 10, 10)
                draw_port(painter, centre, port.type, colour, ground)


def _fine(painter: QPainter) -> float:
    """Return the pixel ratio for icons: as fine as the zoom needs, in steps of a half."""
    zoom = painter.worldTransform().m11()
    return painter.device().devicePixelRatio() * max(0.5, ceil(zoom * 2) / 2)


def _write(
    painter: QPainter,
    area: QRectF,
    words: str,
    face: QFont,
    colour: str,
    align: int = _LEFT,
) -> None:
    painter.setFont(face)
    painter.setPen(QColor(colour))
    painter.drawText(area, align, words)
