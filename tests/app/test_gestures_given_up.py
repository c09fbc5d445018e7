"""Gestures whose nodes go away under them: an undo or a delete by key while the button is held."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.canvas import edits
from app.canvas.rename import RenameField
from app.canvas.view import CanvasView
from app.document import Document
from app.theme.current import theme
from engine.catalog import NODES
from engine.graph import Graph

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    theme().start("dark")
    document = Document()
    graph = Graph().add("Sign", NODES["bnn.sign"](), 0, 0).add("Dense", NODES["bnn.dense"](), 300, 0)
    document.edit("Add", graph)
    document.edit("Wire", graph.wire("Sign", "out", "Dense", "in"))
    made = CanvasView(document)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.fit()
    return made


def header(canvas: CanvasView, name: str) -> QPoint:
    item = canvas.graph_scene.nodes[name]
    return canvas.mapFromScene(item.pos() + QPointF(item.shape_.width / 2, 12))


def port(canvas: CanvasView, name: str, port_name: str, *, output: bool) -> QPoint:
    return canvas.mapFromScene(canvas.graph_scene.nodes[name].port_scene(port_name, output=output))


def test_deleting_the_nodes_that_are_dragged_ends_the_drag(canvas: CanvasView) -> None:
    start = header(canvas, "Dense")
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(40, 40))
    edits.remove(canvas.document, ["Dense"])
    QTest.mouseMove(canvas.viewport(), start + QPoint(80, 80))
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start + QPoint(80, 80))
    assert list(canvas.document.graph.nodes) == ["Sign"]
    canvas.document.undo.undo()
    assert canvas.document.graph.placed("Dense").x == 300


def test_undoing_while_a_wire_is_drawn_ends_the_drawing(canvas: CanvasView) -> None:
    start = port(canvas, "Dense", "in", output=False)
    items = len(canvas.graph_scene.items())
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(-60, 90))
    while canvas.document.undo.canUndo():
        canvas.document.undo.undo()
    QTest.mouseMove(canvas.viewport(), start + QPoint(-80, 120))
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start + QPoint(-80, 120))
    assert not canvas.document.graph.nodes
    assert canvas.popup is None
    while canvas.document.undo.canRedo():
        canvas.document.undo.redo()
    assert len(canvas.document.graph.wires) == 1
    assert len(canvas.graph_scene.items()) == items


def test_a_drag_goes_on_where_a_change_leaves_its_nodes_alone(canvas: CanvasView) -> None:
    document, start = canvas.document, header(canvas, "Dense")
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(40, 40))
    document.edit("Bits", document.graph.change("Dense", weight_bits="ternary"))
    QTest.mouseMove(canvas.viewport(), start + QPoint(80, 80))
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start + QPoint(80, 80))
    assert document.graph.placed("Dense").x > 300
    assert document.graph.node("Dense").values()["weight_bits"] == "ternary"


def test_undoing_a_move_ends_the_next_drag_of_the_same_node(canvas: CanvasView) -> None:
    document = canvas.document
    document.edit("Move", document.graph.move({"Dense": (300.0, 48.0)}))
    start = header(canvas, "Dense")
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(40, 40))
    document.undo.undo()
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start + QPoint(80, 80))
    assert document.graph.placed("Dense").y == 0
    assert canvas.graph_scene.nodes["Dense"].pos() == QPointF(300, 0)
    assert document.undo.canRedo()


def test_undoing_the_wire_that_is_picked_up_ends_the_drawing(canvas: CanvasView) -> None:
    document, start = canvas.document, port(canvas, "Dense", "in", output=False)
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(-60, 90))
    document.step_back()
    assert not document.graph.wires
    QTest.mouseMove(canvas.viewport(), start + QPoint(-80, 120))
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start + QPoint(-80, 120))
    document.step_on()
    (wire,) = document.graph.wires
    assert canvas.graph_scene.wires[wire].isVisible()
    assert document.graph.placed("Dense").x == 300


def test_undoing_the_node_whose_name_is_being_typed_closes_the_field(canvas: CanvasView) -> None:
    document = canvas.document
    canvas.rename("Dense")
    field = canvas.findChild(RenameField)
    assert field is not None
    field.setText("Wide")
    while document.undo.canUndo():
        document.undo.undo()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert not document.graph.nodes
    while document.undo.canRedo():
        document.undo.redo()
    assert list(document.graph.nodes) == ["Sign", "Dense"]


def test_a_node_wanted_at_the_end_of_a_wire_is_added_though_its_start_is_undone(canvas: CanvasView) -> None:
    document, start = canvas.document, port(canvas, "Dense", "out", output=True)
    QTest.mousePress(canvas.viewport(), LEFT, pos=start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(40, 90))
    QTest.mouseRelease(canvas.viewport(), LEFT, pos=start + QPoint(40, 90))
    assert canvas.popup is not None
    while document.undo.canUndo():
        document.undo.undo()
    QTest.keyClicks(canvas.popup.field, "sign")
    QTest.keyClick(canvas.popup.field, Qt.Key.Key_Return)
    assert list(document.graph.nodes) == ["Sign"]
    assert not document.graph.wires
