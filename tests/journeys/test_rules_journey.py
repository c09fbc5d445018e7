"""One person with mouse and keyboard: rules written, checked, tried on a record, a pack taken, all undone."""

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


def open_page(window: MainWindow, qtbot: QtBot) -> None:
    """Open the page of rules by the button under the rules in the inspector."""
    window.document.select(["rules"])
    editor = window.panes.inspector.findChild(RulesEditor)
    assert editor is not None
    opener = editor.findChild(QToolButton)
    assert opener is not None
    _press(opener)
    assert window.pages.currentWidget() is window.rules
    _settled(window, qtbot)


def write_a_rule(window: MainWindow, qtbot: QtBot) -> None:
    """Type a rule, one name taken from the list that opens."""
    text = window.rules.text
    QTest.keyClick(text, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(text, Qt.Key.Key_Return)
    for _ in range(2):
        QTest.keyClick(text, Qt.Key.Key_Backspace)
    QTest.keyClicks(text, "rule mine: if ta")
    qtbot.waitUntil(text.completion.isVisible)
    listed = text.completion.list
    _press(listed.viewport(), listed.visualItemRect(listed.item(0)).center())
    QTest.keyClicks(text, " < 0.5 then class = 1")
    QTest.keyClick(text, Qt.Key.Key_Escape)
    _settled(window, qtbot)
    assert text.toPlainText().endswith("\nrule mine: if tag < 0.5 then class = 1")
    assert text.error == ""
    assert window.document.graph.node("rules").values()["rules"] == text.toPlainText()


def export_violations(window: MainWindow, path: Path, qtbot: QtBot) -> None:
    """Train, look at what broke a rule, export it, and let RC2 check the answers."""
    with qtbot.waitSignal(window.trainer.over, timeout=WAIT):
        window.actions_["train"].trigger()
    _press(window.rules.back)
    assert window.pages.currentWidget() is window.panes
    panel = window.panes.constraints
    window.panes.show_panel("constraints")
    assert panel.count > 0
    panel.export_to(path)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == panel.table.rowCount()
    with qtbot.waitSignal(panel.said, timeout=WAIT) as caught:
        _press(panel.verify)
    words, tone = caught.args
    assert tone == "good"
    assert words.startswith("RC2 agrees on ")


def change_a_fact(window: MainWindow, qtbot: QtBot) -> None:
    """Clear the fact that a broken rule turns on, and take it back."""
    _press(window.panes.constraints.try_)
    assert window.pages.currentWidget() is window.rules
    _settled(window, qtbot)
    record = window.rules.record
    assert record.judged is not None
    assert "false" in record.judged.truths
    cell = record.table.visualRect(record.facts.index(record.facts.row_of("tag"), 1)).center()
    _press(record.table.viewport(), cell)
    QTest.keyClick(record.table, Qt.Key.Key_Delete)
    _settled(window, qtbot)
    assert "false" not in record.judged.truths
    _press(record.reset)
    _settled(window, qtbot)
    assert "false" in record.judged.truths


def take_a_pack(window: MainWindow, qtbot: QtBot) -> None:
    """Tick the box of the first pack."""
    page = window.rules
    _press(page.views, page.views.rect_of("packs").center().toPoint())
    qtbot.waitUntil(lambda: bool(page.packs.packs), timeout=WAIT)
    key = next(iter(page.packs.packs))
    page.packs.cards.look_at(key)
    _press(page.packs.cards.viewport(), page.packs.cards.box_of(key).center())
    _settled(window, qtbot)
    assert pack_keys(str(window.document.graph.node("rules").values()["packs"])) == (key,)


def test_rules_are_written_tried_and_taken_from_a_pack(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    before = window.document.graph
    open_page(window, qtbot)
    write_a_rule(window, qtbot)
    export_violations(window, tmp_path / "broken.csv", qtbot)
    change_a_fact(window, qtbot)
    take_a_pack(window, qtbot)
    while window.document.undo.canUndo():
        window.actions_["undo"].trigger()
    assert window.document.graph == before
    assert window.rules.packs.keys == ()
    QTest.keyClick(window.rules, Qt.Key.Key_Escape)
    assert window.pages.currentWidget() is window.panes
