"""The list of kinds: sections that open and close, a filter by name, paradigm and paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.canvas.blocks import PREFIX, SHELF, block_of
from app.canvas.palette import Palette
from app.canvas.view import CanvasView
from app.document import Document
from app.theme.current import theme
from app.window.actions import Actions
from app.window.command_palette import find_commands
from engine.catalog import NODES, shelf_of
from engine.templates import TEMPLATES

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def palette(qtbot: QtBot) -> Palette:
    theme().start("dark")
    QSettings().remove("palette")
    made = Palette()
    qtbot.addWidget(made)
    made.resize(244, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


def shown(palette: Palette) -> list[str]:
    there = {k: item for k, item in palette._items.items() if block_of(k) is None}
    return [k for k, item in there.items() if not item.isHidden() and item.parent().isExpanded()]


def press_heading(palette: Palette, title: str) -> None:
    (head,) = [h for h in palette._heads if h.text(0).startswith(title)]
    palette.tree.scrollToItem(head)
    at = palette.tree.visualItemRect(head).center()
    QTest.mouseClick(palette.tree.viewport(), LEFT, pos=at)


def test_a_press_on_a_heading_closes_and_opens_its_section(palette: Palette) -> None:
    assert set(shown(palette)) == set(NODES)
    press_heading(palette, "Data")
    assert not any(NODES[kind].family == "data" for kind in shown(palette))
    count = sum(node.family == "data" for node in NODES.values())
    assert palette._heads[0].text(0) == f"Data · {count}"
    press_heading(palette, "Data")
    assert set(shown(palette)) == set(NODES)


def test_closed_sections_stay_closed_in_the_next_window_and_theme(palette: Palette, qtbot: QtBot) -> None:
    press_heading(palette, "Graph")
    theme().choose("light")
    assert not any(NODES[kind].family == "flow" for kind in shown(palette))
    other = Palette()
    qtbot.addWidget(other)
    assert not any(NODES[kind].family == "flow" for kind in shown(other))
    theme().choose("dark")


def test_a_search_opens_what_it_finds_and_closes_it_after(palette: Palette) -> None:
    press_heading(palette, "Binary")
    QTest.keyClicks(palette.filter, "batch")
    assert "bnn.batch_norm" in shown(palette)
    palette.filter.clear()
    assert not any(shelf_of(NODES[kind]) == "Binary networks" for kind in shown(palette))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("dense", "bnn.dense"),
        ("spiking", "snn.lif"),
        ("1502.03167", "bnn.batch_norm"),
        ("hubara", "bnn.sign"),
    ],
)
def test_kinds_are_found_by_name_paradigm_and_paper(palette: Palette, words: str, kind: str) -> None:
    QTest.keyClicks(palette.filter, words)
    assert kind in shown(palette)
    assert len(shown(palette)) < len(NODES)


def test_what_is_not_there_is_said(palette: Palette) -> None:
    QTest.keyClicks(palette.filter, "zzz")
    assert not shown(palette)
    assert palette._none.isVisible()


def test_no_title_is_cut_at_the_width_of_the_pane(palette: Palette) -> None:
    metrics = palette.tree.fontMetrics()
    for kind, item in palette._items.items():
        room = palette.tree.visualItemRect(item).width() - 17 - 4 - 12  # its icon, the gap, the padding
        assert metrics.horizontalAdvance(item.text(0)) <= room, kind


def test_long_sections_stand_on_shelves_in_the_order_of_the_catalogue(palette: Palette) -> None:
    titles = [head.data(0, Qt.ItemDataRole.UserRole + 1) for head in palette._heads]
    assert [t for t in titles if t != SHELF] == list(dict.fromkeys(map(shelf_of, NODES.values())))
    assert titles.index(SHELF) == titles.index("Codes and attention") + 1
    assert {"Data", "Binary networks", "Activations and scales", "Logic"} <= set(titles)
    assert max(head.childCount() for head in palette._heads) <= 20
    press_heading(palette, "Activations")
    assert "bnn.prelu" not in shown(palette)
    assert "bnn.dense" in shown(palette)


def test_a_block_is_inserted_as_one_step_and_fed_by_the_selected_node(palette: Palette, qtbot: QtBot) -> None:
    document = Document()
    canvas = CanvasView(document)
    qtbot.addWidget(canvas)
    canvas.resize(900, 600)
    palette.chosen.connect(canvas.add_kind)
    QTest.keyClicks(palette.filter, "binary dense block")
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    first = document.selection
    assert len(first) == len(document.graph.nodes) == 3
    places = [(document.graph.placed(n).x, document.graph.placed(n).y) for n in first]
    assert len(set(places)) == 3
    document.undo.undo()
    assert not document.graph.nodes
    document.undo.redo()
    kinds = {document.graph.node(n).kind for n in document.graph.nodes}
    assert kinds == {"bnn.dense", "bnn.batch_norm", "bnn.sign"}


def test_every_block_is_dropped_where_the_pointer_is_and_covers_nothing(qtbot: QtBot) -> None:
    theme().start("dark")
    document = Document()
    canvas = CanvasView(document)
    qtbot.addWidget(canvas)
    canvas.resize(900, 600)
    canvas.show()
    for key in TEMPLATES:
        at = canvas.viewport().mapToGlobal(canvas.viewport().rect().center())
        assert canvas.drag_kind(PREFIX + key, at)
        assert canvas.drop_kind(PREFIX + key, at)
    boxes = [item.box() for item in canvas.graph_scene.nodes.values()]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert document.undo.count() == len(TEMPLATES)


def test_a_selected_node_feeds_the_block_that_is_added(qtbot: QtBot, tmp_path: Path) -> None:
    theme().start("dark")
    document = Document(hybrid(tmp_path))
    canvas = CanvasView(document)
    qtbot.addWidget(canvas)
    document.select(["flat"])
    first = canvas.add_kind(PREFIX + "binary_dense")
    names = document.selection
    assert first == names[0]
    assert any(w.source == "flat" and w.target in names for w in document.graph.wires)
    assert document.graph.placed(first).x > document.graph.placed("flat").x
    document.select(["out"])  # gives nothing that a block could take
    canvas.add_kind(PREFIX + "bireal")
    assert not any(w.source == "out" for w in document.graph.wires)


def test_blocks_are_found_in_the_command_palette_too(qtbot: QtBot) -> None:
    theme().start("dark")
    document = Document()
    canvas = CanvasView(document)
    qtbot.addWidget(canvas)
    (found,) = find_commands("real-to-binary block", document, canvas, Actions(canvas, canvas))
    assert found.title == "Add Real-to-binary block"
    assert found.run is not None
    found.run()
    assert len(document.graph.nodes) > 4
