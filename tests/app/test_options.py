"""Options of a family in the inspector: their curve, their formula, the search among many of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.document import Document
from app.panels.choice import ChoiceEditor
from app.panels.inspector import InspectorPanel
from app.panels.node_page import NodePage
from app.plots.curve_store import XS, CurveStore, curve_store
from app.plots.option_curve import OptionCurve
from app.theme.current import theme
from engine.bnn.weights import WEIGHT_QUANTIZERS
from engine.fields import About
from engine.kernels.estimators import ESTIMATORS
from engine.options import Curve, Family, Part
from engine.snn.surrogates import SURROGATES

LEFT = Qt.MouseButton.LeftButton
WAIT = 20_000  # ms


@pytest.fixture
def document(tmp_path: Path, qtbot: QtBot) -> Document:
    theme().start("dark")
    return Document(hybrid(tmp_path))


@pytest.fixture
def panel(document: Document, qtbot: QtBot) -> Iterator[InspectorPanel]:
    window = QMainWindow()
    qtbot.addWidget(window)
    made = InspectorPanel(document)
    window.setCentralWidget(made)
    window.resize(700, 1200)
    window.show()
    qtbot.waitExposed(window)
    yield made
    window.close()


def editor_of(panel: InspectorPanel, kind: str, field: str) -> ChoiceEditor:
    document = panel._document
    name = next(name for name, placed in document.graph.nodes.items() if placed.node.kind == kind)
    document.select([name])
    assert isinstance(panel.page, NodePage)
    editor = panel.page.form.editors[field]
    assert isinstance(editor, ChoiceEditor)
    return editor


def test_the_curve_formula_and_paper_follow_what_is_chosen(panel: InspectorPanel, qtbot: QtBot) -> None:
    editor = editor_of(panel, "bnn.dense", "estimator")
    assert editor.card is not None
    assert editor.card.curve.isVisible()
    assert editor.card.words() == "dL/dx = g where |x| <= 1, else 0\nHubara et al. 2016, arXiv:1602.02830"
    _wait_for(qtbot, ESTIMATORS.get_option("clipped").curve)
    before = editor.card.curve.grab().toImage()
    editor.box.setFocus()
    QTest.keyClick(editor.box, Qt.Key.Key_Down)
    (name,) = panel._document.selection
    after = list(ESTIMATORS)[1]
    assert panel._document.graph.node(name).values()["estimator"] == after
    assert ESTIMATORS.get_option(after).formula in editor.card.words()
    _wait_for(qtbot, ESTIMATORS.get_option(after).curve)
    assert editor.card.curve.grab().toImage() != before


def test_both_lines_are_said_under_the_pointer(qtbot: QtBot) -> None:
    theme().start("dark")
    curve = OptionCurve("bits")
    qtbot.addWidget(curve)
    curve.resize(260, 124)
    curve.show_curve(ESTIMATORS.get_option("clipped").curve, "Clipped")
    _wait_for(qtbot, ESTIMATORS.get_option("clipped").curve)
    middle = curve._area().center()
    assert curve.words_at(middle + QPointF(2, 0)) == "x 0.025: forward 1, gradient 1"
    assert curve.words_at(QPointF(curve._area().right(), 60)) == "x 2: forward 1, gradient 0"
    assert curve.words_at(QPointF(2, 60)) == ""
    curve.show_curve(None, "Nothing")
    assert curve.words_at(middle) == ""
    assert not curve.grab().isNull()


def test_the_picture_has_the_forward_pass_in_the_colour_of_its_paradigm(qtbot: QtBot) -> None:
    theme().start("dark")
    curve = OptionCurve("spikes")
    qtbot.addWidget(curve)
    curve.resize(260, 124)
    curve.show_curve(SURROGATES.get_option("straight").curve, "Straight")
    _wait_for(qtbot, SURROGATES.get_option("straight").curve)
    image = curve.grab().toImage()
    colours = {image.pixelColor(x, y).name().upper() for x in range(260) for y in range(20, 110)}
    assert theme().tokens.spikes in colours
    assert theme().tokens.bits not in colours


def test_a_curve_is_computed_once_and_beside_the_window(qtbot: QtBot) -> None:
    threads = []

    def curve(xs):  # type: ignore[no-untyped-def]
        threads.append(threading.current_thread().name)
        return np.sign(xs), np.ones_like(xs)

    store = CurveStore()
    with qtbot.waitSignal(store.ready):
        assert store.of(curve) is None
        assert store.of(curve) is None
    found = store.of(curve)
    assert found is not None
    assert (found[0] == np.sign(XS)).all()
    assert store.of(curve) is found
    assert threads == ["curves"]
    assert not store._timer.isActive()


def _wait_for(qtbot: QtBot, curve: Curve | None) -> None:
    """Wait until a curve is there, which is asked for by looking."""
    assert curve is not None
    qtbot.waitUntil(lambda: curve_store().of(curve) is not None, timeout=WAIT)


def test_many_options_are_searched_by_name_and_chosen_by_key(panel: InspectorPanel) -> None:
    editor = editor_of(panel, "snn.lif", "surrogate")
    QTest.mouseClick(editor.box, LEFT, pos=editor.box.rect().center())
    assert editor.popup is not None
    assert [entry.title for entry in editor.popup.entries()] == list(SURROGATES.values())
    assert all(entry.picture for entry in editor.popup.entries())
    assert editor.popup.list.currentItem().text() == editor.box.currentText() == "Arctan"
    QTest.keyClick(editor.popup.field, Qt.Key.Key_Down)
    assert editor.popup.list.currentItem().text() == list(SURROGATES.values())[1]
    assert panel.window().rect().contains(editor.popup.geometry())
    QTest.keyClicks(editor.popup.field, "gauss")
    assert [entry.title for entry in editor.popup.entries()] == ["Gaussian (erf)"]
    QTest.keyClick(editor.popup.field, Qt.Key.Key_Return)
    assert editor.popup is None
    (name,) = panel._document.selection
    assert panel._document.graph.node(name).values()["surrogate"] == "gaussian"
    assert editor.box.currentData() == "gaussian"
    panel._document.undo.undo()
    assert editor.box.currentData() == "arctan"


def test_an_option_is_chosen_with_the_mouse(panel: InspectorPanel) -> None:
    editor = editor_of(panel, "snn.lif", "surrogate")
    QTest.mouseClick(editor.box, LEFT, pos=editor.box.rect().center())
    assert editor.popup is not None
    rows = editor.popup.list
    assert not rows.grab().isNull()  # the pictures are painted
    row = rows.visualItemRect(rows.item(3)).center()
    QTest.mouseClick(rows.viewport(), LEFT, pos=row)
    (name,) = panel._document.selection
    assert panel._document.graph.node(name).values()["surrogate"] == list(SURROGATES)[3]


def test_escape_leaves_the_choice_as_it_was(panel: InspectorPanel) -> None:
    editor = editor_of(panel, "snn.lif", "surrogate")
    QTest.mouseClick(editor.box, LEFT, pos=QPoint(8, 8))
    assert editor.popup is not None
    QTest.keyClick(editor.popup.field, Qt.Key.Key_Escape)
    assert editor.popup is None
    assert editor.box.currentData() == "arctan"


def test_options_stand_under_the_heading_of_their_group(panel: InspectorPanel) -> None:
    family: Family[str] = Family("x", "X")
    for key, group in (("a", "First"), ("b", "Second"), ("c", "First"), *((f"d{i}", "") for i in range(9))):
        family.option(key, key.upper(), formula="y = x", citation="Someone 2020, arXiv", group=group)(key)
    editor = editor_of(panel, "snn.lif", "surrogate")
    editor._all = family
    editor.offer(tuple(family))
    found = editor._find("")
    assert [entry.title for entry in found[:4]] == ["A", "C", "B", "D0"]
    assert [entry.section for entry in found[:4]] == ["First", "First", "Second", ""]
    assert found[0].aside == "Someone 2020"
    assert [entry.title for entry in editor._find("second")] == ["B"]
    assert editor._find("second")[0].section == ""


def test_a_choice_beside_the_options_of_a_family_has_no_card(qtbot: QtBot) -> None:
    family: Family[str] = Family("x", "X")
    family.option("a", "A", formula="y = x")("one")
    family.option("b", "B", formula="y = 2 x")("two")
    part = Part(family, lambda made: made == "two", {"same": "As above"})
    editor = ChoiceEditor("how", About("choice", "How", options=lambda: part))
    qtbot.addWidget(editor)
    assert editor.card is not None
    editor.show_value("same")
    assert editor.card.empty
    editor.show_value("b")
    assert not editor.card.empty
    assert editor.card.words() == "y = 2 x"
    assert dict(part) == {"same": "As above", "b": "B"}


def test_only_the_quantizers_that_serve_the_width_are_offered(panel: InspectorPanel) -> None:
    editor = editor_of(panel, "bnn.dense", "weight_quantizer")
    (name,) = panel._document.selection

    def offered() -> set[str]:
        return {editor.box.itemData(i) for i in range(editor.box.count())}

    assert offered() == set(WEIGHT_QUANTIZERS.serving("1"))
    panel._document.edit("Bits", panel._document.graph.change(name, weight_bits="ternary"))
    assert offered() == set(WEIGHT_QUANTIZERS.serving("ternary")) != set(WEIGHT_QUANTIZERS.serving("1"))
    QTest.mouseClick(editor.box, LEFT, pos=QPoint(8, 8))
    assert editor.popup is not None
    titles = [entry.title for entry in editor.popup.entries()]
    assert sorted(titles) == sorted(WEIGHT_QUANTIZERS.serving("ternary").values())
    QTest.keyClick(editor.popup.field, Qt.Key.Key_Escape)
    own = next(key for key in WEIGHT_QUANTIZERS.serving("1") if key not in offered())
    panel._document.edit("Other", panel._document.graph.change(name, weight_quantizer=own))
    assert editor.box.currentData() == own
