"""The panes of the workbench: palette, canvas over tabs, inspector; their sizes are kept."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QTabWidget, QWidget

from app.canvas.palette import Palette
from app.canvas.view import CanvasView
from app.document import Document
from app.panels.constraints import ConstraintsPanel
from app.panels.inspector import InspectorPanel
from app.panels.labels import IconButton, row
from app.panels.problems import ProblemsPanel
from app.panels.spikes import SpikesPanel
from app.panels.training import TrainingPanel
from app.panels.weights import WeightsPanel
from app.theme.fonts import BASE, font
from app.worker import Trainer

_LEFT, _RIGHT, _BOTTOM = 244, 304, 268  # px at first
_TIGHT = 560  # px of the panels below which their names are closer
_HIGH = 0.72  # of the height, for panels that are given more room
_KEY = "panes"


class Panes(QSplitter):
    """Holds the panes and everything in them.

    Attributes:
        palette_, canvas, inspector: the panes across.
        tabs: the panels under the canvas.
        panels: every panel by its name in files and on the command line.
    """

    def __init__(self, document: Document, trainer: Trainer) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.palette_, self.canvas = Palette(), CanvasView(document)
        self.inspector = InspectorPanel(document)
        self.constraints = ConstraintsPanel(document, trainer)
        self.panels: dict[str, QWidget] = {
            "training": TrainingPanel(document, trainer),
            "spikes": SpikesPanel(document, trainer),
            "weights": WeightsPanel(document, trainer),
            "constraints": self.constraints,
            "problems": ProblemsPanel(document),
        }
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setFont(font(BASE))
        for name, panel in self.panels.items():
            self.tabs.addTab(panel, name.capitalize())
        self.more = IconButton("ph.arrows-out-line-vertical", "More room for the panels, or less (Ctrl+4)")
        self.more.clicked.connect(self.grow_tabs)
        self.tabs.setCornerWidget(row(self.more))
        self.tabs.setProperty("surface", "panel")
        self.tabs.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tabs.installEventFilter(self)
        self._document = document
        self.middle = _split(Qt.Orientation.Vertical, self.canvas, self.tabs, stretch=0)
        self.side = _scrolled(self.inspector)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        for widget in (self.palette_, self.middle, self.side):
            self.addWidget(widget)
        self.setStretchFactor(1, 1)
        self.palette_.setMinimumWidth(180)
        self.side.setMinimumWidth(280)
        self.tabs.setMinimumHeight(160)
        self.setSizes([_LEFT, 1600 - _LEFT - _RIGHT, _RIGHT])
        self.middle.setSizes([1000 - _BOTTOM, _BOTTOM])
        self.panels["inspector"] = self.side
        self.panels["canvas"] = self.canvas
        self.panels["palette"] = self.palette_
        document.changed.connect(self._count_problems)
        trainer.looked.connect(self._count_broken)
        self._count_problems()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.tabs:
            self._share_tabs()
        return super().eventFilter(watched, event)

    def _share_tabs(self) -> None:
        """Set the names of the panels closer where they would not all be seen."""
        bar, tight = self.tabs.tabBar(), self.tabs.width() < _TIGHT
        if bar.property("tight") != tight:
            bar.setProperty("tight", tight)
            bar.style().unpolish(bar)
            bar.style().polish(bar)

    def show_panel(self, name: str) -> None:
        """Bring a panel of the tabs to the front."""
        self.tabs.show()
        self.tabs.setCurrentWidget(self.panels[name])

    def grow_tabs(self) -> None:
        """Give the panels under the canvas most of the height, or take it back."""
        self.tabs.show()
        whole, now = sum(self.middle.sizes()), self.middle.sizes()[1]
        wanted = _BOTTOM if now > _HIGH * whole / 2 + _BOTTOM / 2 else round(_HIGH * whole)
        self.middle.setSizes([whole - wanted, wanted])

    def keep_sizes(self) -> None:
        """Write the sizes to the settings."""
        QSettings().setValue(f"{_KEY}/across", self.saveState())
        QSettings().setValue(f"{_KEY}/down", self.middle.saveState())

    def take_sizes(self) -> None:
        """Read the sizes from the settings, where there are any."""
        for splitter, name in ((self, "across"), (self.middle, "down")):
            state = QSettings().value(f"{_KEY}/{name}")
            if isinstance(state, QByteArray):
                splitter.restoreState(state)

    def sizeHint(self) -> QSize:
        return QSize(1600, 900)

    def _count_problems(self) -> None:
        self._name_tab("problems", len(self._document.problems()))

    def _count_broken(self) -> None:
        self._name_tab("constraints", self.constraints.count)

    def _name_tab(self, name: str, count: int) -> None:
        words, at = name.capitalize(), self.tabs.indexOf(self.panels[name])
        title = f"{words}  {count}" if count else words
        if title != self.tabs.tabText(at):  # the same one would have every tab laid out anew
            self.tabs.setTabText(at, title)


def _split(way: Qt.Orientation, first: QWidget, second: QWidget, stretch: int) -> QSplitter:
    made = QSplitter(way)
    made.setHandleWidth(1)
    made.addWidget(first)
    made.addWidget(second)
    made.setStretchFactor(stretch, 1)
    made.setCollapsible(stretch, False)
    return made


def _scrolled(panel: QWidget) -> QScrollArea:
    if isinstance(panel, QScrollArea):
        return panel
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setProperty("surface", "panel")
    area.setWidget(panel)
    return area
