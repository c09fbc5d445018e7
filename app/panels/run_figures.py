"""The figures of a run, a row each: painted as one, since they change several times a second."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.current import theme
from app.theme.fonts import BASE, BODY, font

_ROW, _GAP = 19, 8  # px
_NONE = "–"
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RunFigures(QWidget):
    """Names at the left, figures at the right; another figure lays nothing out anew."""

    def __init__(self, names: Mapping[str, str], late: tuple[str, ...]) -> None:
        """Take the names of the figures by key, and the keys that are seen only once they have a figure."""
        super().__init__()
        self._names, self._late = dict(names), late
        self._said: dict[str, str] = {}
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)
        self.clear()

    def __getitem__(self, key: str) -> str:
        return self._said.get(key, _NONE)

    def clear(self) -> None:
        """Show no figure."""
        self._said = {}
        self._tell()

    def show_figure(self, key: str, words: str) -> None:
        """Show one figure."""
        if self._said.get(key) == words:
            return
        more = key in self._late and key not in self._said
        self._said[key] = words
        self._tell(anew=more)

    def sizeHint(self) -> QSize:
        return QSize(160, _ROW * len(self._rows()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for place, key in enumerate(self._rows()):
            area = QRectF(0, place * _ROW, self.width(), _ROW)
            painter.setFont(font(BASE))
            painter.setPen(theme().colour("hi"))
            painter.drawText(area, _RIGHT, self[key])
            area.setRight(area.right() - painter.fontMetrics().horizontalAdvance(self[key]) - _GAP)
            painter.setFont(font(BODY))
            painter.setPen(theme().colour("mid"))
            metrics = QFontMetricsF(painter.font())
            words = metrics.elidedText(self._names[key], Qt.TextElideMode.ElideRight, area.width())
            painter.drawText(area, _LEFT, words)

    def _rows(self) -> list[str]:
        return [key for key in self._names if key not in self._late or key in self._said]

    def _tell(self, *, anew: bool = True) -> None:
        if anew:
            self.updateGeometry()
        said = ", ".join(f"{self._names[key]} {self[key]}" for key in self._rows())
        self.setAccessibleName(f"Figures of the run: {said}")
        self.update()
