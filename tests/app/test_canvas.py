"""The canvas, driven by mouse and keys as a person does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.canvas import edits
from app.canvas.palette import Palette
from app.canvas.tooltips import tooltip
from app.canvas.view import CanvasView
from app.document import Document
from app.theme.current import theme
from engine.catalog import NODES
from engine.graph import Graph, Wire
from engine.records import Header

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


class Bench(QWidget):
    """A palette beside a canvas."""

    def __init__(self) -> None:
        super().__init__()
        self.document = Document()
        self.palette_, self.canvas = Palette(), CanvasView(self.document)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.palette_)
        row.addWidget(self.canvas, 1)
        self.palette_.setFixedWidth(220)
        self.palette_.chosen.connect(self.canvas.add_kind)
        self.palette_.dragged.connect(self.canvas.drag_kind)
        self.palette_.dropped.connect(self.canvas.drop_kind)
        self.palette_.given_up.connect(self.canvas.end_drag)
        self.refusals: list[str] = []
        self.canvas.refused.connect(self.refusals.append)
        self.resize(1300, 900)

    def drag(
        self,
        start: QPoint,
        end: QPoint,
        button: Qt.MouseButton = LEFT,
        keys: Qt.KeyboardModifier | None = None,
    ) -> None:
        """Press, move in steps, release on the canvas."""
        port = self.canvas.viewport()
        held = keys or Qt.KeyboardModifier.NoModifier
        QTest.mousePress(port, button, held, start)
        for i in range(1, 6):
            QTest.mouseMove(port, start + (end - start) * i / 5)
        QTest.mouseRelease(port, button, held, end)

    def port(self, node: str, port: str, *, output: bool) -> QPoint:
        """Return where a port is in the viewport."""
        item = self.canvas.graph_scene.nodes[node]
        return self.canvas.mapFromScene(item.port_scene(port, output=output))

    def middle(self, node: str) -> QPoint:
        """Return the middle of a node's header."""
        item = self.canvas.graph_scene.nodes[node]
        return self.canvas.mapFromScene(item.pos() + QPointF(item.shape_.width / 2, 12))

    def empty(self) -> QPoint:
        """Return a point of the viewport with nothing under it."""
        return QPoint(30, 30)

    def put(self, name: str, kind: str, x: float, y: float) -> None:
        """Add a node without the mouse."""
        self.document.edit(f"Add {name}", self.document.graph.add(name, NODES[kind](), x, y))


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    theme().start("dark")
    made = Bench()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.canvas.set_zoom(1.0)
    made.canvas.centerOn(450, 300)
    return made


def test_a_node_is_dragged_from_the_palette_to_where_it_is_let_go(bench: Bench) -> None:
    rows = bench.palette_.tree.viewport()
    start = bench.palette_.row_of("bnn.dense")
    goal = rows.mapFromGlobal(bench.canvas.viewport().mapToGlobal(QPoint(400, 300)))
    QTest.mousePress(rows, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for i in range(1, 8):
        QTest.mouseMove(rows, start + (goal - start) * i / 7)
    QTest.mouseRelease(rows, LEFT, Qt.KeyboardModifier.NoModifier, goal)
    (name,) = bench.document.graph.nodes
    assert bench.document.graph.node(name).kind == "bnn.dense"
    centre = bench.canvas.graph_scene.nodes[name].box().center()
    wanted = bench.canvas.mapToScene(QPoint(400, 300))
    assert (centre - wanted).manhattanLength() <= 2 * edits.GRID
    assert bench.document.selection == (name,)


def test_a_drag_let_go_outside_the_canvas_adds_nothing(bench: Bench) -> None:
    rows = bench.palette_.tree.viewport()
    start = bench.palette_.row_of("bnn.sign")
    QTest.mousePress(rows, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for gap in (6, 12, 20):
        QTest.mouseMove(rows, start + QPoint(0, gap))
    QTest.mouseRelease(rows, LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(0, 20))
    assert not bench.document.graph.nodes


def test_double_clicks_add_nodes_that_do_not_cover_each_other(bench: Bench) -> None:
    rows = bench.palette_.tree.viewport()
    for _ in range(3):
        at = bench.palette_.row_of("flow.flatten")
        QTest.mouseClick(rows, LEFT, Qt.KeyboardModifier.NoModifier, at)
        QTest.mouseDClick(rows, LEFT, Qt.KeyboardModifier.NoModifier, at)
    boxes = [item.box() for item in bench.canvas.graph_scene.nodes.values()]
    assert len(boxes) == 3
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_the_filter_hides_what_does_not_match(bench: Bench) -> None:
    QTest.keyClicks(bench.palette_.filter, "sign")
    assert not bench.palette_._items["bnn.sign"].isHidden()
    assert bench.palette_._items["data.csv"].isHidden()
    QTest.keyClick(bench.palette_.filter, Qt.Key.Key_Return)
    assert [p.node.kind for p in bench.document.graph.nodes.values()] == ["bnn.sign"]


def test_a_wire_is_drawn_from_port_to_port_either_way(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.sign", 400, 60)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    assert bench.document.graph.wires == (Wire("a", "out", "b", "in"),)
    bench.document.undo.undo()
    bench.drag(bench.port("b", "in", output=False), bench.port("a", "out", output=True))
    assert bench.document.graph.wires == (Wire("a", "out", "b", "in"),)


def test_a_wire_let_go_over_a_node_takes_its_free_port_that_fits(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "flow.add", 400, 60)
    for _ in range(2):
        bench.drag(bench.port("a", "out", output=True), bench.middle("b"))
    assert {w.input for w in bench.document.graph.wires} == {"a", "b"}


def test_a_wrong_wire_is_refused_with_its_reason_shown_while_hovering(bench: Bench) -> None:
    bench.put("table", "data.csv", 0, 0)
    bench.put("sign", "bnn.sign", 400, 60)
    start, end = bench.port("table", "labels", output=True), bench.port("sign", "in", output=False)
    viewport = bench.canvas.viewport()
    QTest.mousePress(viewport, LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(viewport, (start + end) / 2)
    QTest.mouseMove(viewport, end)
    reason = "sign 'in' takes real; table gives labels."
    assert bench.canvas._hint.isVisible()
    assert bench.canvas._hint.text() == reason
    fits = bench.canvas.graph_scene.nodes["sign"]._fits
    assert fits["in", False] is False
    QTest.mouseRelease(viewport, LEFT, Qt.KeyboardModifier.NoModifier, end)
    assert bench.refusals == [reason]
    assert not bench.document.graph.wires
    assert not bench.canvas._hint.isVisible()


def test_a_wire_that_closes_a_circle_is_refused(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.dense", 400, 60)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    bench.drag(bench.port("b", "out", output=True), bench.middle("a"))
    assert len(bench.document.graph.wires) == 1
    assert "circle" in bench.refusals[0]


def test_two_outputs_cannot_be_wired(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.dense", 0, 300)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "out", output=True))
    assert "Both are outputs" in bench.refusals[0]


def test_a_wire_picked_up_at_its_input_is_moved_or_removed(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.sign", 400, 0)
    bench.put("c", "bnn.sign", 400, 250)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    bench.drag(bench.port("b", "in", output=False), bench.port("c", "in", output=False))
    assert bench.document.graph.wires == (Wire("a", "out", "c", "in"),)
    bench.drag(bench.port("c", "in", output=False), bench.empty())
    assert bench.document.graph.wires == ()
    bench.document.undo.undo()
    assert len(bench.document.graph.wires) == 1


def test_a_wire_let_go_over_nothing_asks_for_a_node_and_wires_it(bench: Bench, qtbot: QtBot) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.drag(bench.port("a", "out", output=True), bench.port("a", "out", output=True) + QPoint(260, 150))
    popup = bench.canvas.popup
    assert popup is not None
    QTest.keyClicks(popup.field, "sign")
    assert popup.entries()[0].title == NODES["bnn.sign"].title
    QTest.keyClick(popup.field, Qt.Key.Key_Return)
    (wire,) = bench.document.graph.wires
    assert wire.source == "a"
    assert bench.document.graph.node(wire.target).kind == "bnn.sign"
    bench.document.undo.undo()
    assert list(bench.document.graph.nodes) == ["a"]


def test_quick_add_says_why_a_kind_is_hidden(bench: Bench) -> None:
    bench.put("table", "data.csv", 0, 0)
    bench.canvas.ask_for_node(QPointF(300, 200), ("table", "labels", True))
    assert bench.canvas.popup is not None
    QTest.keyClicks(bench.canvas.popup.field, "sign")
    shown = [e for e in bench.canvas.popup.entries() if e.run is None]
    assert "Sign takes real, not labels." in [e.title for e in shown]
    QTest.keyClick(bench.canvas.popup.field, Qt.Key.Key_Escape)
    assert bench.canvas.popup is None


def test_tab_opens_quick_add_on_the_canvas(bench: Bench) -> None:
    bench.canvas.setFocus()
    QTest.keyClick(bench.canvas, Qt.Key.Key_Tab)
    assert bench.canvas.popup is not None
    QTest.keyClicks(bench.canvas.popup.field, "flatten")
    QTest.keyClick(bench.canvas.popup.field, Qt.Key.Key_Return)
    assert len(bench.document.graph.nodes) == 1


def test_dragging_a_node_moves_it_on_the_grid_as_one_step(bench: Bench) -> None:
    bench.put("a", "bnn.sign", 0, 0)
    start = bench.middle("a")
    bench.drag(start, start + QPoint(101, 49))
    placed = bench.document.graph.placed("a")
    assert (placed.x, placed.y) == (96, 48)
    bench.document.undo.undo()
    assert bench.document.graph.placed("a").x == 0
    assert bench.canvas.graph_scene.nodes["a"].pos().x() == 0


def test_escape_gives_a_move_up(bench: Bench) -> None:
    bench.put("a", "bnn.sign", 0, 0)
    start, viewport = bench.middle("a"), bench.canvas.viewport()
    QTest.mousePress(viewport, LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(viewport, start + QPoint(80, 80))
    QTest.keyClick(bench.canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(viewport, LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(80, 80))
    assert bench.canvas.graph_scene.nodes["a"].pos() == QPointF(0, 0)
    assert bench.document.undo.count() == 1


def test_a_box_selects_and_shift_adds(bench: Bench) -> None:
    for i, name in enumerate("abc"):
        bench.put(name, "bnn.sign", i * 260, 0)
    scene = bench.canvas.graph_scene
    first = bench.canvas.mapFromScene(scene.nodes["a"].box().topLeft() - QPointF(24, 24))
    last = bench.canvas.mapFromScene(scene.nodes["b"].box().bottomRight() + QPointF(20, 20))
    bench.drag(first, last)
    assert set(bench.document.selection) == {"a", "b"}
    QTest.mouseClick(bench.canvas.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, bench.middle("c"))
    assert set(bench.document.selection) == {"a", "b", "c"}
    QTest.mouseClick(bench.canvas.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, bench.empty())
    assert bench.document.selection == ()


def test_a_chosen_wire_is_removed_alone(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.sign", 500, 0)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    half = (bench.port("a", "out", output=True) + bench.port("b", "in", output=False)) / 2
    QTest.mouseClick(bench.canvas.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, half)
    chosen = bench.canvas.graph_scene.chosen
    assert chosen == Wire("a", "out", "b", "in")
    edits.remove(bench.document, bench.document.selection, chosen)
    assert bench.document.graph.wires == ()
    assert len(bench.document.graph.nodes) == 2


def test_a_stroke_with_ctrl_cuts_the_wires_it_crosses(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.sign", 500, 0)
    bench.put("c", "bnn.sign", 500, 250)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    bench.drag(bench.port("a", "out", output=True), bench.port("c", "in", output=False))
    top = bench.canvas.mapFromScene(QPointF(350, -60))
    bench.drag(top, top + QPoint(0, 420), keys=Qt.KeyboardModifier.ControlModifier)
    assert bench.document.graph.wires == ()
    bench.document.undo.undo()
    assert len(bench.document.graph.wires) == 2


def test_the_middle_button_moves_what_is_shown(bench: Bench) -> None:
    before = bench.canvas.mapToScene(QPoint(200, 200))
    bench.drag(QPoint(200, 200), QPoint(260, 240), MIDDLE)
    moved = before - bench.canvas.mapToScene(QPoint(200, 200))
    assert (moved - QPointF(60, 40)).manhattanLength() < 2


def test_fit_shows_every_node_and_never_enlarges(bench: Bench) -> None:
    bench.put("a", "bnn.sign", -3000, -2000)
    bench.put("b", "bnn.sign", 3000, 2000)
    bench.canvas.fit()
    shown = bench.canvas.mapToScene(bench.canvas.viewport().rect()).boundingRect()
    assert shown.contains(bench.canvas.graph_scene.extent())
    bench.document.edit("Remove", bench.document.graph.remove("b"))
    bench.canvas.fit()
    assert bench.canvas.zoom() == pytest.approx(1.0)


def test_copies_keep_the_wires_between_them_and_get_free_names(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.sign", 400, 0)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    bench.document.select(["a", "b"])
    edits.duplicate(bench.document)
    assert set(bench.document.graph.nodes) == {"a", "b", "a 2", "b 2"}
    assert Wire("a 2", "out", "b 2", "in") in bench.document.graph.wires
    edits.copy(bench.document)
    edits.paste(bench.document)
    assert len(bench.document.graph.nodes) == 6
    assert bench.document.selection == ("a 3", "b 3")


def test_arrow_keys_nudge_as_one_step(bench: Bench) -> None:
    bench.put("a", "bnn.sign", 0, 0)
    bench.document.select(["a"])
    for _ in range(3):
        QTest.keyClick(bench.canvas, Qt.Key.Key_Right)
    assert bench.document.graph.placed("a").x == 3 * edits.GRID
    bench.document.undo.undo()
    assert bench.document.graph.placed("a").x == 0


def test_an_edit_of_a_parameter_touches_no_other_item(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(12):
        bench.put(f"n{i}", "bnn.dense", i * 260, 0)
    items = dict(bench.canvas.graph_scene.nodes)
    touched = []
    for name, item in items.items():
        monkeypatch.setattr(item, "update", lambda n=name: touched.append(n))
    bench.document.edit("Units", bench.document.graph.change("n3", units=77))
    assert touched == ["n3"]
    assert bench.canvas.graph_scene.nodes == items


def test_problems_are_on_the_node_in_words(bench: Bench) -> None:
    bench.put("a", "bnn.sign", 0, 0)
    face = bench.canvas.graph_scene.nodes["a"].face
    assert face.tone == "error"
    assert face.footer == "Input 'in' is not wired."
    words = tooltip(bench.canvas.graph_scene, QPointF(60, 10), 1.0)
    assert "Input &#x27;in&#x27; is not wired." in words


def test_conversions_are_named_on_the_wire(bench: Bench) -> None:
    graph = Graph().add("a", NODES["bnn.sign"](), 0, 0).add("b", NODES["flow.concatenate"](), 600, 0)
    bench.document.edit("Build", graph.wire("a", "out", "b", "a"))
    (item,) = bench.canvas.graph_scene.wires.values()
    assert item.face.conversion == "read as numbers"
    assert item._label.isVisible()


def test_a_wire_is_as_thick_as_its_elements_are_wide(bench: Bench) -> None:
    header = Header((64,), ("a", "b"), (), 10)
    source = NODES["data.npz"](header=header)
    graph = (
        Graph().add("data", source).add("sign", NODES["bnn.sign"](), 400).add("d", NODES["bnn.dense"](), 800)
    )
    graph = graph.wire("data", "samples", "sign", "in").wire("sign", "out", "d", "in")
    bench.document.edit("Build", graph)
    real, bits = (bench.canvas.graph_scene.wires[w].pen().widthF() for w in graph.wires)
    assert real == pytest.approx(3.6)
    assert bits == pytest.approx(1.8)


def test_everything_can_be_undone_and_redone(bench: Bench) -> None:
    bench.put("a", "bnn.dense", 0, 0)
    bench.put("b", "bnn.sign", 400, 60)
    bench.drag(bench.port("a", "out", output=True), bench.port("b", "in", output=False))
    bench.drag(bench.middle("b"), bench.middle("b") + QPoint(60, 60))
    bench.document.select(["a"])
    edits.remove(bench.document, ["a"])
    after = bench.document.graph
    bench.document.undo.setIndex(0)
    assert not bench.canvas.graph_scene.nodes
    assert not bench.canvas.graph_scene.wires
    bench.document.undo.setIndex(bench.document.undo.count())
    assert bench.document.graph == after
    assert set(bench.canvas.graph_scene.nodes) == {"b"}


def test_a_node_is_renamed_in_place(bench: Bench) -> None:
    bench.put("a", "bnn.sign", 0, 0)
    bench.canvas.rename("a")
    field = bench.canvas.findChild(QWidget, "rename")
    assert field is not None
    QTest.keyClicks(field, "First sign")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert list(bench.document.graph.nodes) == ["First sign"]


def test_a_name_that_is_taken_is_refused(bench: Bench) -> None:
    bench.put("a", "bnn.sign", 0, 0)
    bench.put("b", "bnn.sign", 400, 0)
    bench.canvas.rename("a")
    field = bench.canvas.findChild(QWidget, "rename")
    assert field is not None
    QTest.keyClicks(field, "b")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "there already" in bench.refusals[0]
    assert set(bench.document.graph.nodes) == {"a", "b"}


def test_the_minimap_gives_way_to_nodes_while_the_whole_graph_is_seen(qtbot: QtBot) -> None:
    theme().start("dark")
    document = Document()
    canvas = CanvasView(document)
    qtbot.addWidget(canvas)
    canvas.resize(1000, 700)
    canvas.show()
    document.edit("Add", Graph().add("A", NODES["bnn.dense"](), 0, 0))
    canvas.fit()
    assert canvas.minimap.isVisible()
    corner = canvas.mapToScene(canvas.minimap.geometry().center())
    document.edit("Move", document.graph.move({"A": (corner.x() - 120, corner.y() - 80)}))
    assert not canvas.minimap.isVisible()
    canvas.scroll_by(QPoint(300, 300))
    assert canvas.minimap.isVisible()
    canvas.resize(500, 300)
    assert not canvas.minimap.isVisible()
