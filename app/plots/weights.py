"""The weight map: a pixel for each weight, straight from packed rows at 1 bit; densities from far away."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from app.plots.chart import Chart
from app.plots.kernel_tiles import GAP, Tiles, tiles
from app.theme.current import theme
from app.theme.tokens import Tokens, mixed
from engine.look import BLOCK, WeightMap

_DENSE_BELOW = 0.5  # pixels a weight has on screen
_STRONG = 0.7  # opacity of the outermost levels on the panel


class _Bitmap(pg.GraphicsObject):  # type: ignore[misc]
    """Paints an image onto a rectangle of the plot, exact where a weight has a pixel, else its density."""

    def __init__(self) -> None:
        super().__init__()
        self._exact = self._density = self._small = QImage()
        self._rect, self._cover = QRectF(), QRectF()
        self.dense = False

    def show_images(self, exact: QImage, density: QImage, rect: QRectF, cover: QRectF) -> None:
        """Paint `exact` on `rect`, or `density` (may be null) on `cover` where weights are below a pixel."""
        self.prepareGeometryChange()
        self._exact, self._density, self._rect, self._cover = exact, density, rect, cover
        self._small = QImage()
        self.update()

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, option: Any, widget: Any = None) -> None:
        if self._exact.isNull():
            return
        across, down = (abs(s) for s in (painter.worldTransform().m11(), painter.worldTransform().m22()))
        self.dense = max(across, down) < _DENSE_BELOW and not self._density.isNull()
        painter.setClipRect(self._rect)
        if self.dense:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.drawImage(self._cover, self._density)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(self._rect, self._averaged(across, down))

    def _averaged(self, across: float, down: float) -> QImage:
        """Return the exact image, averaged along the axes on which a weight is smaller than a pixel."""
        width = max(1, round(self._exact.width() * min(1.0, across)))
        height = max(1, round(self._exact.height() * min(1.0, down)))
        if (width, height) == (self._exact.width(), self._exact.height()):
            return self._exact
        if (self._small.width(), self._small.height()) != (width, height):
            smooth = Qt.TransformationMode.SmoothTransformation
            self._small = self._exact.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        return self._small


class WeightChart(Chart):
    """The weights of one node: rows are outputs, columns inputs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._map: WeightMap | None = None
        self._tiles: Tiles | None = None
        self._shape: tuple[str, int, int, bool] | None = None
        self._bitmap = _Bitmap()
        self._kept: Any = None  # the bytes that the image looks at
        super().__init__("Weights", "Input", "Output", parent)
        self.plot.showGrid(x=False, y=False)
        self.view.setDefaultPadding(0.0)
        self.view.invertY(True)
        self.plot.addItem(self._bitmap)
        self.dressed.connect(self._draw)

    @property
    def dense(self) -> bool:
        """Whether the density stands in for the single weights at this distance."""
        return self._bitmap.dense

    def show_weights(self, weights: WeightMap, *, kernels: bool = False) -> None:
        """Show the weights of a node as tiles of `kernels` or in rows; the zoom stays for one shape."""
        self._map = weights
        self._tiles = tiles(weights) if kernels and weights.kernel else None
        self._draw()
        down, across = (
            (self._tiles.down, self._tiles.across) if self._tiles else (weights.rows, weights.columns)
        )
        shape = weights.node, down, across, self._tiles is None
        if shape != self._shape:
            self._shape = shape
            self._frame(down, across)

    def _frame(self, down: int, across: int) -> None:
        """Show all of a map; kernels keep their proportions, rows fill the room."""
        free = self._tiles is not None
        self.view.setLimits(
            xMin=None if free else 0,
            yMin=None if free else 0,
            xMax=None if free else across,
            yMax=None if free else down,
            minXRange=2 if free else 4,
            minYRange=1 if free else 2,
        )
        self.view.setAspectLocked(free)
        folded = self._tiles is not None and self._tiles.folded
        for side, count in (("bottom", across), ("left", down)):
            axis = self.plot.getAxis(side)
            axis.counts = count if free else None
            axis.setStyle(showValues=not folded)
        self.name_axes(*self._names())
        self.view.setRange(xRange=(0, across), yRange=(0, down), padding=0)

    def _names(self) -> tuple[str, str]:
        if self._tiles is None:
            return "Input", "Output"
        return ("Filter, row after row", "") if self._tiles.folded else ("Filter", "Input channel")

    def _dress(self) -> None:
        super()._dress()
        self.plot.showGrid(x=False, y=False)

    def _draw(self) -> None:
        if self._map is None:
            return
        shown = self._map
        if self._tiles:
            drawn = self._tiles
            image = _levels(drawn.levels, shown.high, gaps=True)
            rect = QRectF(0, 0, drawn.across, drawn.down)
            self._bitmap.show_images(image, QImage(), rect, rect)
            return
        self._kept = np.ascontiguousarray(shown.levels)
        image = _mono(self._kept, shown.columns) if shown.packed else _levels(self._kept, shown.high)
        density = (
            _levels(np.rint(shown.density * 127).astype(np.int8), 127) if shown.density is not None else None
        )
        self._kept = (self._kept, density)
        rect = QRectF(0, 0, shown.columns, shown.rows)
        cover = rect
        if shown.density is not None:
            rows, columns = shown.density.shape
            cover = QRectF(0, 0, columns * BLOCK, rows * BLOCK)
        self._bitmap.show_images(image, density or QImage(), rect, cover)


def colours(steps: int) -> list[int]:
    """Return colours of levels from -1 to +1 in 2 x steps + 1 steps, as 0xAARRGGBB."""
    return list(_colours(theme().tokens, steps))


@lru_cache(maxsize=16)
def _colours(tokens: Tokens, steps: int) -> tuple[int, ...]:
    made = []
    for i in range(-steps, steps + 1):
        end = tokens.bits if i > 0 else tokens.spikes
        neutral = mixed(tokens.low, tokens.panel, 0.14)
        made.append(QColor(mixed(end, neutral, _STRONG * abs(i) / steps)).rgba())
    return tuple(made)


def _mono(packed: Any, columns: int) -> QImage:
    image = QImage(packed.data, columns, len(packed), packed.strides[0], QImage.Format.Format_Mono)
    image.setColorTable(colours(1)[::2])
    return image


def _levels(levels: Any, high: int, *, gaps: bool = False) -> QImage:
    """Return int8 levels as an image of as many colours, GAP as the ground where there are `gaps`."""
    rows, columns = levels.shape
    padded = np.zeros((rows, -(-columns // 4) * 4), np.int8)
    padded[:, :columns] = levels
    image = QImage(
        padded.view(np.uint8).data, columns, rows, padded.strides[0], QImage.Format.Format_Indexed8
    ).copy()
    table = colours(high)
    by_byte = [table[min(2 * high, max(0, _signed(b) + high))] for b in range(256)]
    if gaps:
        by_byte[GAP & 0xFF] = QColor(theme().tokens.panel).rgba()
    image.setColorTable(by_byte)
    return image


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
