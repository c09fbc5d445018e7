"""One person, one mouse and a keyboard: rules written, checked, tried on a record, a pack taken, all undone."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.panels.rules_editor import RulesEditor
from app.recovery import recovery_folder
from app.theme.current import theme
from app.window.main import MainWindow
from engine.logic.matching import pack_keys

LEFT = Qt.MouseButton.LeftButton
WAIT = 240_000  # ms; kernels may have to be compiled first


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    theme().start("dark")
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Discard)
    shutil.rmtree(recovery_folder(), ignore_errors=True)
    project = hybrid(tmp_path, epochs=1)
    made = MainWindow(remember=False)
    qtbot.addWidget(made)
    made.resize(1500, 950)
    made.show()
    qtbot.waitExposed(made)
    assert project.path is not None
    assert made.files.open(project.path)
    qtbot.wait(20)
    yield made
    made.close()


def _settled(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.rules.busy, timeout=WAIT)


def _press(widget: QWidget, at: QPoint | None = None) -> None:
    QTest.mouseClick(widget, LEFT, pos=at or widget.rect().center())


def test_rules_are_written_tried_and_taken_from_a_pack(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    document, page = window.document, window.rules
    before = document.graph
    document.select(["rules"])
    editor = window.panes.inspector.findChild(RulesEditor)
    assert editor is not None
    opener = editor.findChild(QToolButton)
    assert opener is not None
    _press(opener)
    assert window.pages.currentWidget() is page
    _settled(window, qtbot)

    # write a rule, with the list that opens while it is typed
    QTest.keyClick(page.text, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(page.text, Qt.Key.Key_Return)
    QTest.keyClick(page.text, Qt.Key.Key_Home)
    QTest.keyClicks(page.text, "rule mine: if ta")
    qtbot.waitUntil(page.text.completion.isVisible)
    _press(
        page.text.completion.list.viewport(),
        page.text.completion.list.visualItemRect(page.text.completion.list.item(0)).center(),
    )
    QTest.keyClicks(page.text, " < 0.5 then class = 1")
    QTest.keyClick(page.text, Qt.Key.Key_Escape)
    _settled(window, qtbot)
    assert page.text.toPlainText().endswith("rule mine: if tag < 0.5 then class = 1")
    assert page.text.error == ""
    assert document.graph.node("rules").values()["rules"] == page.text.toPlainText()

    # train, look at what broke a rule, export it, and change its fact
    with qtbot.waitSignal(window.trainer.over, timeout=WAIT):
        window.actions_["train"].trigger()
    _press(page.back)
    assert window.pages.currentWidget() is window.panes
    panel = window.panes.constraints
    window.panes.show_panel("constraints")
    assert panel.count > 0
    panel.export_to(tmp_path / "broken.csv")
    rows = list(csv.DictReader((tmp_path / "broken.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == panel.table.rowCount()
    _press(panel.try_)
    assert window.pages.currentWidget() is page
    _settled(window, qtbot)
    record = page.record
    assert record.judged is not None
    assert "false" in record.judged.truths
    row = record.facts.row_of("tag")
    cell = record.table.visualRect(record.facts.index(row, 1)).center()
    _press(record.table.viewport(), cell)
    QTest.keyClick(record.table, Qt.Key.Key_Delete)
    _settled(window, qtbot)
    assert "false" not in record.judged.truths
    _press(record.reset)
    _settled(window, qtbot)
    assert "false" in record.judged.truths

    # take a pack and leave it again
    _press(page.views, page.views.rect_of("packs").center().toPoint())
    qtbot.waitUntil(lambda: bool(page.packs.packs), timeout=WAIT)
    key = next(iter(page.packs.packs))
    page.packs.cards.look_at(key)
    _press(page.packs.cards.viewport(), page.packs.cards.box_of(key).center())
    _settled(window, qtbot)
    assert pack_keys(str(document.graph.node("rules").values()["packs"])) == (key,)

    while document.undo.canUndo():
        window.actions_["undo"].trigger()
    assert document.graph == before
    assert page.packs.keys == ()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert window.pages.currentWidget() is window.panes
