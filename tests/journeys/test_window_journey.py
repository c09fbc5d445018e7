"""One person, one mouse: from an empty canvas to predictions on disk, and all of it undone and redone."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QSpinBox, QStyle, QStyleOptionSpinBox
from pytestqt.qtbot import QtBot

from app.recovery import recovery_folder
from app.theme.current import theme
from app.window.main import MainWindow
from engine.files.model import load_model
from engine.graph import Wire
from engine.train.progress import EpochDone

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
PLACES = {
    "flow.flatten": QPoint(250, 120),
    "bnn.dense": QPoint(420, 120),
    "bnn.batch_norm": QPoint(590, 120),
    "bnn.sign": QPoint(760, 120),
    "flow.output": QPoint(760, 380),
}
WIRES = [
    ("data", "samples", "Flatten", "in"),
    ("Flatten", "out", "Dense layer", "in"),
    ("Dense layer", "out", "Batch norm", "in"),
    ("Batch norm", "out", "Sign", "in"),
    ("Sign", "out", "Dense layer 2", "in"),
    ("Dense layer 2", "out", "Classifier output", "scores"),
    ("data", "labels", "Classifier output", "labels"),
]


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    theme().start("dark")
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Discard)
    shutil.rmtree(recovery_folder(), ignore_errors=True)
    made = MainWindow(remember=False)
    qtbot.addWidget(made)
    made.resize(1600, 1000)
    made.show()
    qtbot.waitExposed(made)
    made.actions_["new"].trigger()
    qtbot.wait(20)  # the empty graph is fitted to the window first
    made.canvas.set_zoom(0.6)
    yield made
    made.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 240)
    x = rng.choice([0.0, 1.0], (3, 6, 6))[y] + 0.25 * rng.standard_normal((240, 6, 6))
    np.savez(tmp_path / "patterns.npz", x=x.astype(np.float32), y=y)
    return tmp_path / "patterns.npz"


def drop_file(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(QDropEvent(QPointF(400, 400), Qt.DropAction.CopyAction, mime, LEFT, NONE))
    window.files.wait()


def drag_kind(window: MainWindow, kind: str, at: QPoint) -> str:
    before = set(window.document.graph.nodes)
    palette, port = window.panes.palette_, window.canvas.viewport()
    start = palette.row_of(kind)
    rows = palette.tree.viewport()
    goal = rows.mapFromGlobal(port.mapToGlobal(at))
    QTest.mousePress(rows, LEFT, NONE, start)
    for i in range(1, 8):
        QTest.mouseMove(rows, start + (goal - start) * i / 7)
    QTest.mouseRelease(rows, LEFT, NONE, goal)
    (name,) = set(window.document.graph.nodes) - before
    return name


def drag_wire(window: MainWindow, source: str, output: str, target: str, into: str) -> None:
    canvas = window.canvas
    items = canvas.graph_scene.nodes
    start = canvas.mapFromScene(items[source].port_scene(output, output=True))
    end = canvas.mapFromScene(items[target].port_scene(into, output=False))
    assert canvas.viewport().rect().contains(start)
    assert canvas.viewport().rect().contains(end)
    QTest.mousePress(canvas.viewport(), LEFT, NONE, start)
    for i in range(1, 6):
        QTest.mouseMove(canvas.viewport(), start + (end - start) * i / 5)
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, end)


def click_node(window: MainWindow, name: str) -> None:
    item = window.canvas.graph_scene.nodes[name]
    at = window.canvas.mapFromScene(item.pos() + QPointF(item.shape_.width / 2, 12))
    QTest.mouseClick(window.canvas.viewport(), LEFT, NONE, at)


def spin_down(window: MainWindow, field: str, goal: int, qtbot: QtBot) -> None:
    def shown() -> list[QSpinBox]:
        boxes = window.panes.inspector.findChildren(QSpinBox)
        return [b for b in boxes if b.accessibleName() == field and b.isVisible()]

    qtbot.waitUntil(lambda: len(shown()) == 1)
    (box,) = shown()
    for _ in range(200):
        if box.value() <= goal:
            break
        option = QStyleOptionSpinBox()
        box.initStyleOption(option)
        part = QStyle.SubControl.SC_SpinBoxDown
        where = box.style().subControlRect(QStyle.ComplexControl.CC_SpinBox, option, part, box)
        QTest.mouseClick(box, LEFT, NONE, where.center())
    assert box.value() == goal


def build(window: MainWindow, data: Path, qtbot: QtBot) -> None:
    drop_file(window, data)
    qtbot.waitUntil(lambda: bool(window.document.graph.nodes))
    (source,) = window.document.graph.nodes
    item = window.canvas.graph_scene.nodes[source]
    start = window.canvas.mapFromScene(item.pos() + QPointF(item.shape_.width / 2, 12))
    goal = QPoint(90, 120)
    QTest.mousePress(window.canvas.viewport(), LEFT, NONE, start)
    for i in range(1, 6):
        QTest.mouseMove(window.canvas.viewport(), start + (goal - start) * i / 5)
    QTest.mouseRelease(window.canvas.viewport(), LEFT, NONE, goal)
    for kind, at in PLACES.items():
        drag_kind(window, kind, at)
    assert drag_kind(window, "bnn.dense", QPoint(500, 380)) == "Dense layer 2"
    for wire in WIRES:
        drag_wire(window, source if wire[0] == "data" else wire[0], *wire[1:])
    click_node(window, "Dense layer 2")
    spin_down(window, "Units", 3, qtbot)
    QTest.mouseClick(window.canvas.viewport(), LEFT, NONE, QPoint(20, 560))


def train_and_stop(window: MainWindow, qtbot: QtBot) -> list[EpochDone]:
    """Train two epochs, see each in the plot, stop; return the epochs that were done."""
    document, trainer = window.document, window.trainer
    document.edit_training("Set epochs", replace(document.training, epochs=50_000))
    epochs: list[EpochDone] = []
    trainer.progress.connect(lambda said: epochs.extend(r for r in said if isinstance(r, EpochDone)))
    chart = window.panes.panels["training"].accuracy
    QTest.mouseClick(window.tools._train, LEFT)
    for wanted in (1, 2):
        qtbot.waitUntil(lambda n=wanted: len(epochs) >= n, timeout=180_000)
        qtbot.waitUntil(lambda n=wanted: chart.points("validation") >= n, timeout=5_000)
    with qtbot.waitSignal(trainer.over, timeout=20_000):
        window.actions_["stop"].trigger()
    return epochs


def test_from_an_empty_canvas_to_predictions_and_back(
    window: MainWindow, data: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    document, trainer = window.document, window.trainer
    build(window, data, qtbot)
    graph = document.graph
    source = next(iter(graph.nodes))
    assert set(graph.wires) == {Wire(source if w[0] == "data" else w[0], *w[1:]) for w in WIRES}
    assert document.problems() == ()

    epochs = train_and_stop(window, qtbot)
    assert document.graph == graph
    assert len(epochs) < 50_000

    while document.undo.canUndo():
        window.actions_["undo"].trigger()
    assert not document.graph.nodes
    while document.undo.canRedo():
        window.actions_["redo"].trigger()
    assert document.graph == graph

    document.save(tmp_path / "mine.polybit")
    assert window.files.open(tmp_path / "mine.polybit")
    assert document.graph.wires == graph.wires
    assert {n: p.node for n, p in document.graph.nodes.items() if n != source} == {
        n: p.node for n, p in graph.nodes.items() if n != source
    }

    document.edit_training("Set epochs", replace(document.training, epochs=3))
    with qtbot.waitSignal(trainer.over, timeout=120_000):
        window.actions_["train"].trigger()
    program = trainer.program
    model, answers = tmp_path / "model.h5", tmp_path / "answers.csv"
    window.deploy.export_to(model)
    window.deploy.wait()
    window.deploy.predict_to(data, answers)
    window.deploy.wait()
    samples = np.load(data)["x"]
    expected = program.predict(samples)
    assert load_model(model).predict(samples).tobytes() == expected.tobytes()
    rows = list(csv.DictReader(answers.read_text().splitlines()))
    assert [r["label"] for r in rows] == [program.classes[i] for i in expected]
