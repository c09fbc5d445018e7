"""The problems panel: one line a problem, in the words of the graph; a click goes to the node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.document import Document
from app.panels.problems import ProblemsPanel


def test_problems_come_and_go_with_the_edits(tmp_path: Path, qtbot: QtBot) -> None:
    document = Document(hybrid(tmp_path))
    panel = ProblemsPanel(document)
    qtbot.addWidget(panel)
    counts: list[int] = []
    panel.counted.connect(counts.append)
    assert panel.is_empty
    document.edit("Cut", document.graph.unwire(next(w for w in document.graph.wires if w.target == "head")))
    assert not panel.is_empty
    texts = [panel.list.item(i).text() for i in range(panel.list.count())]
    assert texts == [str(problem) for problem in document.problems()]
    document.undo.undo()
    assert panel.is_empty
    assert counts == [1, 0]


def test_a_click_selects_the_node(tmp_path: Path, qtbot: QtBot) -> None:
    document = Document(hybrid(tmp_path))
    panel = ProblemsPanel(document)
    qtbot.addWidget(panel)
    panel.resize(600, 200)
    panel.show()
    document.edit("Cut", document.graph.unwire(next(w for w in document.graph.wires if w.target == "head")))
    place = panel.list.visualItemRect(panel.list.item(0)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert document.selection == ("head",)


def test_notes_about_data_files_are_listed(tmp_path: Path, qtbot: QtBot) -> None:
    project = hybrid(tmp_path)
    document = Document(replace(project, notes=("data: 3 gaps were found.",)))
    panel = ProblemsPanel(document)
    qtbot.addWidget(panel)
    assert panel.count == 1
    assert panel.list.item(0).text() == "data: 3 gaps were found."
