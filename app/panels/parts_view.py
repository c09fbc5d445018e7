"""Both answers of a guard that decides many parts: a board as two grids, a sequence as rows of steps.

What was changed is struck out before and bold after, what breaks a rule is underlined, what a what-if fixes
has a ring: none of it is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.current import theme
from app.theme.fonts import BODY, CAPTION, font
from app.theme.tokens import mixed
from engine.guard import Grid, Part

RAW, AFTER = "Raw answer", "After the rules"
_CELL, _LEAST = 26, 14  # px a side of a cell of a board, and at least
_ROOMY = 17  # px of a cell; in less the values are smaller
_HEAD, _GAP = 20, 16  # px over a board, and between two
_STEP, _WIDEST = 46, 132  # px a step is wide, at least and at most
_LINE, _NUMBER, _BAND = 24, 16, 8  # px: one lane of steps, their numbers, what parts two rows
_LANES = ("Raw", "After")


@dataclass(frozen=True)
class _Box:
    """Where one value of a part stands: before or after the rules."""

    part: int
    after: bool
    place: QRectF


class PartsView(QWidget):
    """Draws the parts; those after the rules can be picked.

    Signals:
        picked: the name of a part, and where a menu of its values may open.
    """

    picked = Signal(str, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.grid = Grid(())
        self._boxes: list[_Box] = []
        self._over = self._current = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme().changed.connect(self.update)

    @property
    def words(self) -> str:
        """Return what it says."""
        return f"{RAW}: {self.grid.line(fixed=False)}\n{AFTER}: {self.grid.line(fixed=True)}"

    def show_grid(self, grid: Grid) -> None:
        """Show other parts."""
        self.grid = grid
        self._current = min(self._current, len(grid.parts) - 1)
        self._lay(self.width())
        changed = ", ".join(f"{p.name} from {p.said or 'none'} to {p.fixed or 'none'}" for p in grid.changed)
        self.setAccessibleName(f"{self.words}\nChanged: {changed or 'nothing'}")
        self.updateGeometry()
        self.update()

    def box_of(self, name: str, *, after: bool = True) -> QRectF:
        """Return where a part stands."""
        return next(b.place for b in self._boxes if b.after == after and self.grid.parts[b.part].name == name)

    # Qt's calls

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(self._boxes_for(width)[1])

    def sizeHint(self) -> QSize:
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(_STEP, self.heightForWidth(max(self.width(), 160)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay(event.size().width())
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        box = self._at(event.position())
        over = box.part if box and self._pinnable(box) else -1
        if over != self._over:
            self._over = over
            self.setCursor(Qt.CursorShape.PointingHandCursor if over >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: object) -> None:
        self._over = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        box = self._at(event.position())
        if box and self._pinnable(box):
            self._pick(box.part)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.grid.columns or 1
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -row, Qt.Key.Key_Down: row}
        if event.key() in steps and self.grid.parts:
            wanted = max(self._current, 0) + steps[Qt.Key(event.key())] * (self._current >= 0)
            self._current = min(max(wanted, 0), len(self.grid.parts) - 1)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current >= 0:
            self._pick(self._current)
        else:
            super().keyPressEvent(event)

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            box = self._at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._tip(box) if box else "", self)
            return True
        return super().event(event)  # type: ignore[arg-type]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for box in self._boxes:
            _paint(painter, box, self.grid.parts[box.part], over=box.after and box.part == self._over)
        if self.grid.columns:
            self._paint_boards(painter)
        else:
            self._paint_numbers(painter)
        if self.hasFocus() and self._current >= 0:
            place = next(b.place for b in self._boxes if b.after and b.part == self._current)
            painter.setPen(QPen(theme().colour("accent"), 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 3, 3)

    # Inside

    def _pick(self, part: int) -> None:
        self._current = part
        name = self.grid.parts[part].name
        self.update()
        self.picked.emit(name, self.mapToGlobal(self.box_of(name).bottomLeft().toPoint()))

    def _pinnable(self, box: _Box) -> bool:
        return box.after and bool(self.grid.parts[box.part].pins)

    def _at(self, where: QPointF) -> _Box | None:
        return next((box for box in self._boxes if box.place.contains(where)), None)

    def _tip(self, box: _Box) -> str:
        part = self.grid.parts[box.part]
        words = [f"{part.name}: {part.said or 'none'}, after the rules {part.fixed or 'none'}"]
        words += [f"breaks {', '.join(part.broken)}"] * bool(part.broken and not box.after)
        words += [f"fixed to {part.pinned}"] * bool(part.pinned)
        words += ["Click to fix it and see the rest change"] * self._pinnable(box)
        return "\n".join(words)

    def _lay(self, width: int) -> None:
        self._boxes = self._boxes_for(width)[0]

    def _boxes_for(self, width: int) -> tuple[list[_Box], float]:
        """Return where everything stands in a width, and how high that is."""
        return self._boards(width) if self.grid.columns else self._steps(width)

    def _boards(self, width: int) -> tuple[list[_Box], float]:
        columns = self.grid.columns
        rows = -(-len(self.grid.parts) // columns)
        beside = (width - _GAP) / 2 >= _LEAST * columns
        room = (width - _GAP) / 2 if beside else width
        side = float(max(_LEAST, min(_CELL, int(room / columns))))
        wide, high = side * columns, side * rows
        boxes = []
        for after in (False, True):
            left = wide + _GAP if after and beside else 0.0
            top = _HEAD + (high + _HEAD + _BAND if after and not beside else 0.0)
            for i in range(len(self.grid.parts)):
                x, y = i % columns, i // columns
                boxes.append(_Box(i, after, QRectF(left + x * side, top + y * side, side, side)))
        return boxes, _HEAD + high + 2 + (0 if beside else high + _HEAD + _BAND)

    def _steps(self, width: int) -> tuple[list[_Box], float]:
        metrics = QFontMetricsF(font(BODY, 600))
        names = {value for part in self.grid.parts for value in (part.said, part.fixed)}
        widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
        step = min(max(_STEP, widest + 16), _WIDEST)
        left = QFontMetricsF(font(CAPTION)).horizontalAdvance(_LANES[1]) + 10
        across = max(1, int((width - left) // step))
        high = _NUMBER + 2 * _LINE + _BAND
        boxes = []
        for i in range(len(self.grid.parts)):
            x, top = left + i % across * step, i // across * high + _NUMBER
            boxes += [_Box(i, a, QRectF(x, top + a * _LINE, step - 3, _LINE - 3)) for a in (False, True)]
        return boxes, float(-(-len(self.grid.parts) // across) * high)

    def _paint_boards(self, painter: QPainter) -> None:
        block = self.grid.block or self.grid.columns
        for after, words in ((False, RAW), (True, AFTER)):
            places = [box.place for box in self._boxes if box.after == after]
            if not places:
                continue
            whole = places[0].united(places[-1])
            side = places[0].width()
            painter.setPen(theme().colour("mid"))
            painter.setFont(font(CAPTION))
            head = QRectF(whole.left(), whole.top() - _HEAD, whole.width() + _GAP, _HEAD - 4)
            painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
            painter.setPen(QPen(theme().colour("low"), 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(whole)
            for n in range(block, self.grid.columns, block):
                x, y = whole.left() + n * side, whole.top() + n * side
                painter.drawLine(QPointF(x, whole.top()), QPointF(x, whole.bottom()))
                if y < whole.bottom():
                    painter.drawLine(QPointF(whole.left(), y), QPointF(whole.right(), y))

    def _paint_numbers(self, painter: QPainter) -> None:
        painter.setFont(font(CAPTION))
        painter.setPen(theme().colour("low"))
        middle = Qt.AlignmentFlag.AlignVCenter
        for box, first in self._lanes():
            lane = QRectF(0, box.place.top(), box.place.left() - 8, box.place.height())
            if first:
                painter.drawText(lane, Qt.AlignmentFlag.AlignLeft | middle, _LANES[box.after])
            if not box.after:
                above = QRectF(box.place.left(), box.place.top() - _NUMBER, box.place.width(), _NUMBER)
                painter.drawText(above, Qt.AlignmentFlag.AlignCenter, str(box.part + 1))

    def _lanes(self) -> Iterator[tuple[_Box, bool]]:
        left = min((box.place.left() for box in self._boxes), default=0.0)
        return ((box, box.place.left() == left) for box in self._boxes)


def _paint(painter: QPainter, box: _Box, part: Part, *, over: bool) -> None:
    """Paint one value of a part: its surface, the value, and what is to be said of it."""
    tokens = theme().tokens
    place, words = box.place, (part.fixed or part.pinned) if box.after else part.said
    state = tokens.ok if box.after else tokens.error
    fill = mixed(state, tokens.card, 0.22) if part.changed else tokens.hover if over else tokens.card
    painter.setPen(QPen(QColor(tokens.line), 1))
    painter.setBrush(QColor(fill))
    painter.drawRect(place)
    strong = part.changed and box.after
    tone = state if part.changed else tokens.hi if part.given or not box.after else tokens.low
    painter.setFont(font(BODY if place.height() >= _ROOMY else CAPTION, 600 if strong else 400))
    painter.setPen(QColor(tone))
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(place.width()) - 4)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, shown)
    wide = min(float(painter.fontMetrics().horizontalAdvance(shown)), place.width() - 4) / 2
    middle = place.center()
    if part.changed and not box.after and words:
        painter.drawLine(
            QPointF(middle.x() - wide - 1, middle.y() + 1), QPointF(middle.x() + wide + 1, middle.y() + 1)
        )
    if part.broken and not box.after:
        thin = place.height() < _ROOMY
        painter.setPen(QPen(QColor(tokens.warn), 1.5 if thin else 2))
        low = place.bottom() - (1.25 if thin else 3)
        painter.drawLine(QPointF(place.left() + 4, low), QPointF(place.right() - 4, low))
    if part.pinned and box.after:
        painter.setPen(QPen(QColor(tokens.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 3, 3)
