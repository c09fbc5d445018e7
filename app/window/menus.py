"""The menu bar, the toolbar and the context menu, built from the actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QMenuBar,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from app.panels.elided import Elided
from app.theme.current import MODES, Mode, theme
from app.theme.fonts import BASE, CAPTION, font
from app.theme.icons import icon, pixmap
from app.window.actions import Actions

_MENUS: dict[str, str] = {
    "&File": "new open RECENT example examples - save save_as - quit",
    "&Edit": "undo redo - copy paste duplicate delete - select_all rename search",
    "&View": (
        "fit fit_selection zoom_in zoom_out zoom_full - THEME - "
        "show_palette show_inspector show_tabs grow_tabs"
    ),
    "&Graph": "quick_add filter arrange widen - rules next_broken last_broken - problems",
    "&Train": "train pause stop",
    "&Deploy": "quantize - export predict",
    "&Help": "keys machine - about",
}
_TOOLS = ("new", "open", "save", "|", "undo", "redo", "|", "fit", "arrange", "quick_add", "|")
_THEME_ICONS = {"dark": "ph.moon", "light": "ph.sun"}
_SEARCH = 150, 330  # px across, at least and at most
_NODE_MENU = ("rename", "duplicate", "copy", "-", "fit_selection", "-", "delete")
_EMPTY_MENU = ("quick_add", "paste", "-", "select_all", "arrange", "fit")


def fill_menus(bar: QMenuBar, actions: Actions, recent: QMenu) -> None:
    """Fill the menu bar."""
    bar.setFont(font(BASE))
    for title, names in _MENUS.items():
        menu = bar.addMenu(title)
        for name in names.split():
            if name == "-":
                menu.addSeparator()
            elif name == "RECENT":
                menu.addMenu(recent)
            elif name == "THEME":
                menu.addMenu(_ThemeMenu(menu))
            else:
                menu.addAction(actions[name])


def context_menu(parent: QWidget, actions: Actions, *, node: bool, wire: bool) -> QMenu:
    """Return the menu of the canvas for a node, a wire or empty ground."""
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    for name in _NODE_MENU if node else ("delete", "-", *_EMPTY_MENU) if wire else _EMPTY_MENU:
        if name == "-":
            menu.addSeparator()
        else:
            menu.addAction(actions[name])
    return menu


class _ThemeMenu(QMenu):
    """Chooses the theme; the tick is at what was chosen."""

    def __init__(self, parent: QMenu) -> None:
        super().__init__("&Theme", parent)
        self._group = QActionGroup(self)
        for mode, words in MODES.items():
            action = QAction(words, self._group, checkable=True)
            action.setData(mode)
            self.addAction(action)
        self._group.triggered.connect(lambda action: theme().choose(action.data()))
        self.aboutToShow.connect(self._follow)

    def _follow(self) -> None:
        for action in self._group.actions():
            action.setChecked(action.data() == theme().mode)


class ToolBar(QToolBar):
    """The row under the menus.

    Signals:
        search_wanted: the search field was pressed.
    """

    search_wanted = Signal()

    def __init__(self, window: QMainWindow, actions: Actions) -> None:
        super().__init__("Tools", window)
        self.setObjectName("tools")
        self.setMovable(False)
        self.setIconSize(QSize(20, 20))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        for name in _TOOLS:
            self.addSeparator() if name == "|" else self.addAction(actions[name])
        self._train = _TrainButton(actions["train"])
        self.addWidget(self._train)
        for name in ("pause", "stop"):
            self.addAction(actions[name])
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self.search = _SearchField()
        self.search.pressed.connect(self.search_wanted)
        self.addWidget(self.search)
        self._theme = QToolButton()
        self._theme.clicked.connect(_toggle_theme)
        self.addWidget(self._theme)
        self.addAction(actions["keys"])
        for button in self.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme().changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        other = "light" if theme().tokens.name == "dark" else "dark"
        self._theme.setIcon(icon(_THEME_ICONS[other], "mid"))
        self._theme.setToolTip(f"Change to the {other} theme")
        self._theme.setAccessibleName(f"Change to the {other} theme")


class _TrainButton(QPushButton):
    """The one accented button: it does what its action does."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self._action = action
        self.setProperty("role", "primary")
        self.setFont(font(BASE, 600))
        self.setMinimumWidth(94)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        theme().changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setText(self._action.text().replace("&", ""))
        self.setToolTip(self._action.toolTip())
        self.setEnabled(self._action.isEnabled())
        self.setIcon(icon("ph.play-fill", "on_accent"))


class _SearchField(QFrame):
    """Looks like a field; a press opens the command palette.

    Signals:
        pressed: it was pressed.
    """

    pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "card")
        self.setFixedHeight(32)
        self.setMinimumWidth(_SEARCH[0])
        self.setMaximumWidth(_SEARCH[1])
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setAccessibleName("Search nodes and commands")
        self._mark = QLabel()
        words, keys = Elided("low"), QLabel("Ctrl+K")
        words.setFont(font(BASE))
        words.setText("Search nodes and commands")
        keys.setFont(font(CAPTION))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 10, 0)
        row.addWidget(self._mark)
        row.addWidget(words, 1)
        row.addWidget(keys)
        keys.setProperty("tone", "low")
        theme().changed.connect(self._dress)
        self._dress()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
        else:
            super().keyPressEvent(event)

    def _dress(self) -> None:
        self._mark.setPixmap(pixmap("ph.magnifying-glass", "low", 16, self.devicePixelRatioF()))


def _toggle_theme() -> None:
    other: Mode = "light" if theme().tokens.name == "dark" else "dark"
    theme().choose(other)


def fill_recent(menu: QMenu, names: Sequence[str], run: Callable[[str], object]) -> None:
    """Fill the menu of recent projects."""
    menu.clear()
    for name in names:
        menu.addAction(name).triggered.connect(partial(_run_with, run, name))
    menu.setEnabled(bool(names))


def _run_with(run: Callable[[str], object], name: str, _on: bool = False) -> None:
    run(name)
