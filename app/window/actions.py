"""Every command of the window as a QAction: menus, toolbar and command palette show the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.theme.current import theme
from app.theme.icons import icon


@dataclass(frozen=True)
class Command:
    """What an action is.

    Attributes:
        name: its key in the table.
        words: what it says in menus.
        run: what it does.
        icon: a Phosphor name, or "".
        keys: shortcuts, the first one is shown.
        canvas: whether the shortcut works only while the canvas has the focus.
        hint: tooltip, where the words are not enough.
    """

    name: str
    words: str
    run: Callable[[], object]
    icon: str = ""
    keys: tuple[str | QKeySequence.StandardKey, ...] = ()
    canvas: bool = False
    hint: str = ""


class Actions(QObject):
    """Holds the actions by name and keeps their icons in the colours of the theme."""

    def __init__(self, window: QWidget, canvas: QWidget) -> None:
        super().__init__(window)
        self._window, self._canvas = window, canvas
        self._actions: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        theme().changed.connect(self._dress)

    def add(self, *commands: Command) -> None:
        """Make the actions of some commands."""
        for command in commands:
            action = QAction(command.words, self)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            context = (
                Qt.ShortcutContext.WidgetWithChildrenShortcut
                if command.canvas
                else Qt.ShortcutContext.WindowShortcut
            )
            action.setShortcutContext(context)
            (self._canvas if command.canvas else self._window).addAction(action)
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            plain = command.hint or command.words.replace("&", "").rstrip("…")
            action.setToolTip(f"{plain} ({keys})" if keys else plain)
            action.triggered.connect(lambda _on=False, run=command.run: run())
            self._actions[command.name] = action
            if command.icon:
                self._icons[command.name] = command.icon
                action.setIcon(icon(command.icon, "mid"))
                action.setIconVisibleInMenu(False)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def icon_of(self, name: str) -> str:
        """Return the Phosphor name of an action's icon, or ""."""
        return self._icons.get(name, "")

    def items(self) -> list[tuple[str, QAction]]:
        """Return names and actions, in the order they were added."""
        return list(self._actions.items())

    def enable(self, **states: bool) -> None:
        """Enable and disable actions by name."""
        for name, on in states.items():
            self._actions[name].setEnabled(on)

    def _dress(self) -> None:
        for name, drawn in self._icons.items():
            self._actions[name].setIcon(icon(drawn, "mid"))
