"""The window at its smallest size: nothing is wider than the pane it stands in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.examples import EXAMPLES
from app.panels.elided import Elided
from app.panels.labels import note
from app.theme.current import theme
from app.window.main import MainWindow
from app.window.menus import context_menu
from engine.catalog import NODES

FOUR = EXAMPLES / "digits" / "digits.polybit"


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Discard)
    theme().start("dark")
    made = MainWindow(recover=False, remember=False)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.document.open(FOUR)
    made.show_workbench()
    qtbot.waitExposed(made)
    qtbot.wait(20)
    yield made
    made.close()


def test_every_page_of_the_inspector_fits_across(window: MainWindow) -> None:
    def room() -> int:
        inspector = window.panes.inspector
        assert inspector.width() <= window.panes.side.viewport().width()
        return inspector._scroll.viewport().width() - inspector.page.minimumSizeHint().width()

    assert room() >= 0
    for kind in NODES:
        window.document.new()
        window.canvas.add_kind(kind)
        assert room() >= 0, kind


def test_every_panel_under_the_canvas_fits_across(window: MainWindow) -> None:
    room = window.panes.middle.width()
    for name in ("training", "spikes", "weights", "constraints", "problems"):
        assert window.panes.panels[name].minimumSizeHint().width() <= room, name


def test_the_tools_at_the_right_stay_in_the_window(window: MainWindow) -> None:
    shown = [w for w in window.tools.findChildren(QWidget) if w.parent() is window.tools and w.isVisible()]
    assert window.tools.search in shown
    assert window.tools._theme in shown
    assert max(w.geometry().right() for w in shown) < window.tools.width()


def test_the_search_field_is_reached_and_opened_by_keys(window: MainWindow) -> None:
    window.tools.search.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(window.tools.search, Qt.Key.Key_Return)
    assert window.popup is not None
    QTest.keyClick(window.popup.field, Qt.Key.Key_Escape)


def test_a_name_without_room_goes_on_in_the_next_line(qtbot: QtBot) -> None:
    name = "a_name_of_a_rule_that_somebody_wrote_with_care"
    label = note(name)
    qtbot.addWidget(label)
    assert label.text() == name
    assert label.heightForWidth(120) >= 2 * label.heightForWidth(600)


def test_text_without_room_ends_in_dots_and_says_the_rest_by_its_tooltip(qtbot: QtBot) -> None:
    label = Elided()
    qtbot.addWidget(label)
    label.setText("627 spikes · 256 neurons")
    label.resize(60, 20)
    label.show()
    assert label.shown.endswith("…")
    assert label.toolTip() == label.text()
    label.resize(600, 20)
    assert label.shown == label.text()
    assert not label.toolTip()


@pytest.mark.qt_log_ignore("does not support")
def test_a_context_menu_is_gone_after_it_closed(window: MainWindow, qtbot: QtBot) -> None:
    before = len(window.findChildren(QMenu))
    menu = context_menu(window, window.actions_, node=False, wire=False)
    menu.popup(window.mapToGlobal(window.rect().center()))
    menu.close()
    qtbot.waitUntil(lambda: len(window.findChildren(QMenu)) == before)
