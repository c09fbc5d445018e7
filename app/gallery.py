"""The first page: example projects drawn from their own graphs, recent projects, and an empty start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.canvas.scene import Scene
from app.document import Document
from app.examples import EXAMPLES, Example, examples, read_example, zoo
from app.theme.current import theme
from app.theme.figures import plural
from app.theme.fonts import BASE, BODY, CAPTION, TITLE, font, section
from app.theme.icons import icon
from app.theme.tokens import mixed
from engine.catalog import SECTIONS
from engine.files.project import Project

_CARD, _PICTURE, _GAP, _WIDEST = 340, 172, 16, 1080  # px
_RECENT_SHOWN = 6
_PAUSE = 30  # ms between two networks that are read


def picture(project: Project, size: QSize, ratio: float = 1.0) -> QPixmap:
    """Return the graph of a project as the canvas draws it, scaled into `size` pixels."""
    scene = Scene(Document(project))
    made = QPixmap(size * ratio)
    made.setDevicePixelRatio(ratio)
    made.fill(QColor(theme().tokens.canvas))
    area = scene.extent().adjusted(-60, -60, 60, 60)
    scale = min(size.width() / area.width(), size.height() / area.height())
    place = QRectF(0, 0, area.width() * scale, area.height() * scale)
    place.moveCenter(QRectF(0, 0, size.width(), size.height()).center())
    painter = QPainter(made)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    scene.render(painter, place, area)
    painter.end()
    scene.deleteLater()
    return made


_SHORT = {"bnn": "BNN", "hdc": "HDC", "snn": "SNN"}  # all four must fit on one line of a card


class Card(QFrame):
    """One example.

    Signals:
        pressed: it was pressed, or Enter was pressed on it.
    """

    pressed = Signal()

    def __init__(self, example: Example) -> None:
        super().__init__()
        self.example = example
        self.setProperty("surface", "card")
        self.setFixedWidth(_CARD)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Open the example {example.project.name}")
        self._picture = QLabel()
        self._picture.setFixedSize(_CARD - 2, _PICTURE)
        title, about = QLabel(example.project.name), QLabel(example.project.about)
        title.setFont(font(TITLE, 600))
        about.setFont(font(BODY))
        about.setProperty("tone", "mid")
        about.setWordWrap(True)
        about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(6)
        nodes = plural(len(example.project.graph.nodes), "node")
        records = f"{plural(example.records, 'record')} · " if example.records else ""
        facts = QLabel(records + nodes)
        facts.setFont(font(CAPTION))
        facts.setProperty("tone", "low")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 14)
        column.setSpacing(0)
        column.addWidget(self._picture)
        words = QVBoxLayout()
        words.setContentsMargins(16, 14, 16, 0)
        words.setSpacing(8)
        for widget in (title, about):
            words.addWidget(widget)
        words.addStretch(1)
        words.addLayout(self._chips)
        words.addWidget(facts)
        column.addLayout(words, 1)
        self.setMinimumHeight(column.totalHeightForWidth(_CARD))  # a page that scrolls asks for no more
        theme().changed.connect(self._dress)
        self._dress()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # or the release would go elsewhere

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
        else:
            super().keyPressEvent(event)

    def _dress(self) -> None:
        t = theme().tokens
        ratio = self.devicePixelRatioF()
        drawn = picture(self.example.project, self._picture.size(), ratio)
        self._picture.setPixmap(_rounded_top(drawn, 7))
        while self._chips.count():
            item = self._chips.takeAt(0)
            if item and (old := item.widget()):
                old.deleteLater()
        for family in self.example.paradigms:
            chip = QLabel(_SHORT.get(family, SECTIONS[family]))
            chip.setToolTip(SECTIONS[family])
            chip.setFont(font(CAPTION, 600))
            colour = t.family(family)
            ground = mixed(colour, t.card, t.tint)
            chip.setStyleSheet(
                f"color: {colour}; background: {ground}; border-radius: 4px; padding: 3px 7px;"
            )
            self._chips.addWidget(chip)
        self._chips.addStretch(1)


class Gallery(QScrollArea):
    """The first page.

    Signals:
        chosen: the path of a project to open.
        new_wanted: an empty project is wanted.
        open_wanted: the file dialog is wanted.
    """

    chosen = Signal(Path)
    new_wanted = Signal()
    open_wanted = Signal()

    def __init__(self, folder: Path = EXAMPLES) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("surface", "panel")
        page = QWidget()
        page.setProperty("surface", "panel")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(page)
        self._column.setSpacing(_GAP)
        self._column.addLayout(self._heading())
        self._column.addSpacing(8)
        self._column.addWidget(_label("Examples"))
        self._grid, self._zoo_grid = QGridLayout(), QGridLayout()
        self._add_grid(self._grid)
        self._none = _words(f"There are no example projects in {folder}.", BASE, "low")
        self._column.addWidget(self._none)
        self._zoo_label = _label("Networks of the literature")
        self._column.addWidget(self._zoo_label)
        self._add_grid(self._zoo_grid)
        self._column.addSpacing(8)
        self._recent_label = _label("Recent")
        self._column.addWidget(self._recent_label)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self._column.addLayout(self._recent)
        self._column.addStretch(1)
        self.setWidget(page)
        self.cards = [self._card(example) for example in examples(folder)]
        self._none.setVisible(not self.cards)
        self.zoo: list[Card] = []
        self._unread = zoo(folder)
        self._zoo_label.setVisible(bool(self._unread))
        self._across = 0
        self._lay()
        self._reading = False

    def show_recent(self, paths: Sequence[Path]) -> None:
        """List the projects opened last."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            if item and (old := item.widget()):
                old.deleteLater()
        self._recent_label.setVisible(bool(paths))
        for path in paths[:_RECENT_SHOWN]:
            button = QPushButton(f"{path.stem}    {path.parent}")
            button.setProperty("role", "flat")
            button.setIcon(icon("ph.clock-counter-clockwise", "low"))
            button.setStyleSheet("text-align: left;")
            button.clicked.connect(lambda _on=False, p=path: self.chosen.emit(p))
            self._recent.addWidget(button)

    @property
    def complete(self) -> bool:
        """Return whether every network is shown."""
        return not self._unread

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._unread and not self._reading:  # one at a time, so that the window is there at once
            self._reading = True
            QTimer.singleShot(_PAUSE, self, self._read_next)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay()

    def _heading(self) -> QHBoxLayout:
        words = QVBoxLayout()
        words.setSpacing(4)
        name = QLabel("Polybit")
        name.setFont(font(22, 600))
        words.addWidget(name)
        about = "Binary networks, hyperdimensional computing, spiking neurons and logic in one graph."
        words.addWidget(_words(about, BASE, "mid"))
        row = QHBoxLayout()
        row.addLayout(words, 1)
        begin, find = QPushButton("New project"), QPushButton("Open…")
        begin.setProperty("role", "primary")
        begin.setFont(font(BASE, 600))
        begin.clicked.connect(self.new_wanted)
        find.clicked.connect(self.open_wanted)
        for button in (find, begin):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    def _add_grid(self, grid: QGridLayout) -> None:
        grid.setSpacing(_GAP)
        self._column.addLayout(grid)

    def _read_next(self) -> None:
        example = read_example(self._unread.pop(0))
        if example:
            self.zoo.append(self._card(example))
            self._put(self._zoo_grid, len(self.zoo) - 1, self.zoo[-1])
        if self._unread:
            QTimer.singleShot(_PAUSE, self, self._read_next)

    def _put(self, grid: QGridLayout, place: int, card: Card) -> None:
        grid.addWidget(card, place // self._across, place % self._across)

    def _card(self, example: Example) -> Card:
        card = Card(example)
        card.pressed.connect(lambda: self.chosen.emit(example.path))
        return card

    def _lay(self) -> None:
        room = min(_WIDEST, self.viewport().width() - 2 * 32)
        margin = max(32, (self.viewport().width() - room) // 2)
        self._column.setContentsMargins(margin, 40, margin, 32)
        across = max(1, (room + _GAP) // (_CARD + _GAP))
        if across != self._across:
            self._across = across
            for grid, cards in ((self._grid, self.cards), (self._zoo_grid, self.zoo)):
                for i, card in enumerate(cards):
                    self._put(grid, i, card)
                grid.setColumnStretch(across, 1)


def _label(words: str) -> QLabel:
    made = QLabel(words)
    made.setFont(section())
    made.setProperty("tone", "low")
    return made


def _words(words: str, size: int, tone: str) -> QLabel:
    made = QLabel(words)
    made.setFont(font(size))
    made.setProperty("tone", tone)
    return made


def _rounded_top(drawn: QPixmap, radius: float) -> QPixmap:
    """Return a picture whose upper corners are round, as the card's are."""
    made = QPixmap(drawn.size())
    made.setDevicePixelRatio(drawn.devicePixelRatio())
    made.fill(Qt.GlobalColor.transparent)
    size = drawn.deviceIndependentSize()
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, size.width(), size.height() + radius), radius, radius)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(path)
    painter.drawPixmap(0, 0, drawn)
    painter.end()
    return made
