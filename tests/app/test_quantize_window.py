"""Quantizing the trained run from the window: what it writes, what it says, what cannot be, and stopping."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.panels.durations import percent
from app.panels.project_page import ProjectPage
from app.panels.training import TrainingPanel
from app.quantizing import GIVEN_UP, QuantizedRun, quantize_beside
from app.window.main import MainWindow
from app.window.quantizing import find_widths, free_place
from engine.files.project import open_project
from engine.files.run import read_run
from engine.graph import Graph
from engine.runtime.program import Program
from engine.train.progress import Stopped
from engine.train.quantizing import Wanted

_WAIT = 120_000  # ms; kernels may have to be compiled first


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(recover=False, remember=False)
    qtbot.addWidget(made)
    made.document.load(hybrid(tmp_path, epochs=1))
    made.show_workbench()
    made.show()
    yield made
    made.document.undo.setClean()
    made.close()


def test_the_trained_run_is_quantized_beside_its_project(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    action = window.actions_["quantize"]
    assert not action.isEnabled()
    with qtbot.waitSignal(window.trainer.over, timeout=_WAIT):
        window.trainer.start()
    assert action.isEnabled()
    before, graph = (tmp_path / "small.run.h5").read_bytes(), window.document.graph
    page = window.panes.inspector.page
    assert isinstance(page, ProjectPage)
    QTest.mouseClick(page.quantize, Qt.MouseButton.LeftButton)
    popup = window.popup
    assert popup is not None
    QTest.keyClicks(popup.field, "4 4")
    assert [one.title for one in popup.entries()] == ["4-bit weights and activations"]
    made: list[QuantizedRun] = []
    window.trainer.quantized.connect(made.append)
    with qtbot.waitSignal(window.trainer.over, timeout=_WAIT) as last:
        QTest.keyClick(popup.field, Qt.Key.Key_Return)
    assert last.args == [Stopped("quantized", 0)]
    path = tmp_path / "small-w4a4.polybit"
    assert made[0].project == path
    found = made[0].found
    words = [w for w in window.toasts.words() if w.startswith("4-bit weights and activations")]
    assert percent(found.before) in words[0]
    assert percent(found.after) in words[0]
    panel = window.panes.panels["training"]
    assert isinstance(panel, TrainingPanel)
    assert f"{percent(found.before)} → {percent(found.after)}" in panel._kept.text()
    assert panel.words == "Quantized"
    assert open_project(path).graph.node("spiking").values()["weight_bits"] == "4"
    assert read_run(tmp_path / "small-w4a4.run.h5").project.graph == open_project(path).graph
    assert (tmp_path / "small.run.h5").read_bytes() == before
    assert window.document.graph == graph
    assert free_place(tmp_path, "small-w4a4").name == "small-w4a4-2.polybit"


def test_widths_are_found_by_typing_and_only_where_there_are_floats(window: MainWindow) -> None:
    graph, chosen = window.document.graph, list[Wanted]()
    first = find_widths("", graph, chosen.append)
    assert [one.title for one in first][:2] == [
        "8-bit weights and activations",
        "4-bit weights, 8-bit activations",
    ]
    (one,) = find_widths("w2a32", graph, chosen.append)
    assert one.title == "2-bit weights, float activations"
    assert one.run is not None
    one.run()
    assert chosen == [Wanted("2", "")]
    narrow = graph.change("spiking", weight_bits="8")
    assert [one.run for one in find_widths("", narrow, chosen.append)] == [None]


def test_what_cannot_be_quantized_is_said(window: MainWindow, tmp_path: Path) -> None:
    window.open_quantizing()
    assert "Press Train first" in window.toasts.words()[-1]
    window.trainer.run_file, window.trainer.program = tmp_path / "small.h5", Program(Graph(), {})
    window.open_quantizing()
    assert "A model holds no float weights" in window.toasts.words()[-1]
    window.trainer.start()
    window.open_quantizing()
    assert "A run is under way" in window.toasts.words()[-1]
    assert window.popup is None


def test_it_ends_where_it_is_asked_to_and_writes_nothing(
    tmp_path: Path, qtbot: QtBot, window: MainWindow
) -> None:
    with qtbot.waitSignal(window.trainer.over, timeout=_WAIT):
        window.trainer.start()
    stop, said, out = threading.Event(), list[object](), tmp_path / "out.polybit"
    stop.set()
    project, run = window.document.project, tmp_path / "small.run.h5"
    quantize_beside(project, run, Wanted(), (out, tmp_path / "out.run.h5"), stop, said.append)
    assert said == [Stopped(GIVEN_UP, 0)]
    assert not out.exists()
    stop.clear()
    changed = project.graph.change("hidden", units=24)
    quantize_beside(replace(project, graph=changed), run, Wanted(), (out, out), stop, said.append)
    assert "another graph" in str(said[-1])
