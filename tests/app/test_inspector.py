"""The inspector: what is clicked and typed becomes one edit of the document, and figures follow at once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.document import Document
from app.panels.choice import ChoiceEditor
from app.panels.editors import PathEditor, RealEditor, WholeEditor, kept_path
from app.panels.inspector import InspectorPanel
from app.panels.node_page import NodePage, formula_of
from app.panels.packs_editor import PacksEditor
from app.panels.project_page import ProjectPage
from app.panels.rules_editor import RulesEditor
from app.panels.segments import Segments
from app.panels.several_page import SeveralPage
from app.panels.widths import costs
from app.theme.current import theme
from engine.catalog import NODES
from engine.estimate import estimate
from engine.graph import Graph
from engine.precision import PRECISIONS

WAIT = 20_000
ROOM = 304 - 10  # px: the narrowest the window gives, less the bar that scrolls it


@pytest.fixture(autouse=True)
def _dressed(qtbot: QtBot) -> None:
    theme().start("dark")


@pytest.fixture
def document(tmp_path: Path, qtbot: QtBot) -> Document:
    return Document(hybrid(tmp_path))


@pytest.fixture
def panel(document: Document, qtbot: QtBot) -> InspectorPanel:
    made = InspectorPanel(document)
    qtbot.addWidget(made)
    made.resize(330, 900)
    made.show()
    qtbot.waitExposed(made)
    return made


def _click(segments: Segments, key: str) -> None:
    QTest.mouseClick(segments, Qt.MouseButton.LeftButton, pos=segments.rect_of(key).center().toPoint())


def _node_page(panel: InspectorPanel) -> NodePage:
    assert isinstance(panel.page, NodePage)
    return panel.page


def test_nothing_selected_shows_the_training_settings(panel: InspectorPanel) -> None:
    assert isinstance(panel.page, ProjectPage)
    assert set(panel.page.form.editors) == set(panel.page.form.kind.about())
    assert {"Optimiser", "Schedule", "Loss"} <= set(panel.page.form.folds)
    assert "can be trained" in panel.page.checks.words()


def test_a_training_setting_shows_once_another_gives_it_a_meaning(
    document: Document, panel: InspectorPanel
) -> None:
    assert isinstance(panel.page, ProjectPage)
    form = panel.page.form
    form.folds["Optimiser"].set_open(True)
    chosen = form.editors["optimiser"]
    assert isinstance(chosen, ChoiceEditor)
    assert chosen.card is not None
    assert "arXiv:1711.05101" in chosen.card.words()
    assert not form.editors["momentum"].isVisible()
    chosen.box.setFocus()
    QTest.keyClick(chosen.box, Qt.Key.Key_End)
    while document.training.optimiser != "sgd":
        QTest.keyClick(chosen.box, Qt.Key.Key_Up)
    assert form.editors["momentum"].isVisible()
    document.undo.undo()
    assert not form.editors["momentum"].isVisible()


def test_a_bit_width_click_changes_graph_and_estimate_and_is_undone(
    document: Document, panel: InspectorPanel
) -> None:
    document.select(["hidden"])
    page = _node_page(panel)
    assert page.widths is not None
    assert page.costs is not None
    before, shown = document.estimate(), page.costs.storage.text
    _click(page.widths.segments["weight_bits"], "8")
    assert document.graph.node("hidden").values()["weight_bits"] == "8"
    assert document.estimate().total.weight_bits > before.total.weight_bits
    assert page.costs.storage.text != shown
    document.undo.undo()
    assert document.estimate() == before
    assert page.costs.storage.text == shown
    assert page.widths.segments["weight_bits"].value == "1"


def test_arrow_keys_move_along_the_widths(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    page = _node_page(panel)
    assert page.widths is not None
    QTest.keyClick(page.widths.segments["weight_bits"], Qt.Key.Key_Right)
    assert document.graph.node("hidden").values()["weight_bits"] == "ternary"


def test_sizes_at_every_width_are_those_of_the_estimate(document: Document) -> None:
    found = costs(document.graph, ("hidden",))
    assert found is not None
    assert set(found.sizes) == set(PRECISIONS)
    for width, size in found.sizes.items():
        tried = document.graph.change("hidden", weight_bits=width)
        assert size == estimate(tried).by_node["hidden"].weight_bytes


def test_a_number_is_typed_and_undone_as_one(document: Document, panel: InspectorPanel, qtbot: QtBot) -> None:
    document.select(["hidden"])
    editor = _node_page(panel).form.editors["units"]
    assert isinstance(editor, WholeEditor)
    editor.box.selectAll()
    QTest.keyClicks(editor.box, "1200")
    assert document.graph.node("hidden").values()["units"] == 1200
    assert document.undo.count() == 1
    document.undo.undo()
    assert editor.box.value() == 40
    document.undo.redo()
    assert editor.box.text() == "1\u202f200"


def test_numbers_beyond_the_limits_cannot_be_entered(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    editor = _node_page(panel).form.editors["units"]
    assert isinstance(editor, WholeEditor)
    editor.box.selectAll()
    QTest.keyClicks(editor.box, "99999999")
    assert document.graph.node("hidden").values()["units"] <= 65_536


@pytest.mark.parametrize(("typed", "number"), [("0,05", 0.05), ("1e-4", 0.0001), ("0.5", 0.5)])
def test_reals_are_read_in_any_notation(
    document: Document, panel: InspectorPanel, typed: str, number: float
) -> None:
    assert isinstance(panel.page, ProjectPage)
    editor = panel.page.form.editors["rate"]
    assert isinstance(editor, RealEditor)
    editor.box.selectAll()
    QTest.keyClicks(editor.box, typed)
    assert document.training.rate == number


def test_a_step_of_a_real_is_one_in_the_second_figure(document: Document, panel: InspectorPanel) -> None:
    assert isinstance(panel.page, ProjectPage)
    editor = panel.page.form.editors["rate"]
    assert isinstance(editor, RealEditor)
    editor.box.stepBy(1)
    assert document.training.rate == pytest.approx(0.011)
    editor.box.stepBy(-2)
    assert document.training.rate == pytest.approx(0.009)
    assert document.undo.count() == 1


def test_the_wheel_scrolls_past_an_editor_without_focus(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    editor = _node_page(panel).form.editors["units"]
    assert isinstance(editor, WholeEditor)
    editor.box.clearFocus()
    QApplication.sendEvent(editor.box, _wheel(editor.box))
    assert document.undo.count() == 0


def _wheel(widget: QWidget) -> QWheelEvent:
    place = QPointF(widget.rect().center())
    return QWheelEvent(
        place,
        widget.mapToGlobal(place),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )


def test_a_choice_says_its_formula_and_is_set(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    editor = _node_page(panel).form.editors["estimator"]
    assert isinstance(editor, ChoiceEditor)
    place = editor.box.findData("identity")
    assert editor.box.itemData(place, Qt.ItemDataRole.ToolTipRole)
    editor.box.setFocus()
    editor.box.setCurrentIndex(place)
    editor.box.activated.emit(place)
    assert document.graph.node("hidden").values()["estimator"] == "identity"


def test_a_wrong_rule_is_said_under_it_at_once(document: Document, panel: InspectorPanel) -> None:
    document.select(["rules"])
    page = _node_page(panel)
    editor = page.form.editors["rules"]
    assert isinstance(editor, RulesEditor)
    editor.box.selectAll()
    QTest.keyClicks(editor.box, "rule a: if tog > 0 then class = 1")
    document.settle()
    assert "tog" in page.form.wrong("rules")
    assert editor.box.extraSelections()
    assert document.undo.count() == 1
    editor.box.setPlainText("rule a: if tag > 0 then class = 1")
    document.settle()
    assert page.form.wrong("rules") == ""
    assert not editor.box.extraSelections()


def test_typing_a_rule_keeps_the_cursor_where_it_is(document: Document, panel: InspectorPanel) -> None:
    document.select(["rules"])
    editor = _node_page(panel).form.editors["rules"]
    assert isinstance(editor, RulesEditor)
    cursor = editor.box.textCursor()
    cursor.setPosition(3)
    editor.box.setTextCursor(cursor)
    QTest.keyClicks(editor.box, "xyz")
    assert editor.box.textCursor().position() == 6


def test_a_chosen_file_is_read_and_undone_with_its_path(
    document: Document, panel: InspectorPanel, qtbot: QtBot
) -> None:
    folder = document.project.folder
    (folder / "data.npz").rename(folder / "other.npz")
    document.select(["data"])
    before = document.graph
    page = _node_page(panel)
    editor = page.form.editors["path"]
    assert isinstance(editor, PathEditor)
    editor.take(folder / "other.npz")
    qtbot.waitUntil(lambda: not panel.probing.busy("data"), timeout=WAIT)
    after = document.graph.node("data")
    assert after.values()["path"] == "other.npz"
    assert not document.problems()
    document.undo.undo()
    assert document.graph == before


def test_a_file_that_cannot_be_read_says_why_under_its_path(
    document: Document, panel: InspectorPanel, qtbot: QtBot
) -> None:
    (document.project.folder / "bad.npz").write_bytes(b"not an archive")
    document.select(["data"])
    page = _node_page(panel)
    editor = page.form.editors["path"]
    assert isinstance(editor, PathEditor)
    editor.take(document.project.folder / "bad.npz")
    qtbot.waitUntil(lambda: not panel.probing.busy("data"), timeout=WAIT)
    assert "bad.npz" in page.form.wrong("path")
    assert "bad.npz" in page.checks.words()


def test_paths_below_the_project_are_kept_relative(tmp_path: Path) -> None:
    assert kept_path(tmp_path / "sub" / "x.csv", tmp_path) == "sub/x.csv"
    assert kept_path(tmp_path / "x.csv", tmp_path / "sub") == (tmp_path / "x.csv").as_posix()


def test_a_node_is_renamed_in_its_title(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    title = _node_page(panel).title
    title.setText("first layer")
    title.editingFinished.emit()
    assert "first layer" in document.graph.nodes
    assert document.selection == ("first layer",)
    assert _node_page(panel).name == "first layer"


def test_a_name_that_is_taken_is_refused_with_its_reason(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    page = _node_page(panel)
    page.title.setText("head")
    page.title.editingFinished.emit()
    assert "hidden" in document.graph.nodes
    assert document.undo.count() == 0


def test_several_layers_take_a_width_together_and_undo_together(
    document: Document, panel: InspectorPanel
) -> None:
    document.select(["hidden", "head", "count"])
    assert isinstance(panel.page, SeveralPage)
    assert panel.page.widths is not None
    segments = panel.page.widths.segments["weight_bits"]
    assert segments.value == ""  # they differ
    before = document.graph
    _click(segments, "4")
    widths = [document.graph.node(n).values()["weight_bits"] for n in ("hidden", "head")]
    assert widths == ["4", "4"]
    assert segments.value == "4"
    document.undo.undo()
    assert document.graph == before


def test_problems_of_the_node_are_among_its_checks(document: Document, panel: InspectorPanel) -> None:
    document.select(["head"])
    assert "Shapes agree." in _node_page(panel).checks.words()
    wire = next(w for w in document.graph.wires if w.target == "head")
    document.edit("Cut", document.graph.unwire(wire))
    assert "not wired" in _node_page(panel).checks.words()
    costs_shown = _node_page(panel).costs
    assert costs_shown is not None
    assert costs_shown.storage.text == "–"


def test_a_removed_node_leaves_the_inspector(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    document.edit("Remove", document.graph.remove("hidden"))
    assert isinstance(panel.page, ProjectPage)


@pytest.mark.parametrize("kind", list(NODES))
def test_every_kind_has_a_page_that_fits(kind: str, qtbot: QtBot) -> None:
    document = Document()
    document.edit("Add", Graph().add("it", NODES[kind]()))
    panel = InspectorPanel(document)
    qtbot.addWidget(panel)
    panel.resize(304, 400)
    panel.show()
    document.select(["it"])
    page = _node_page(panel)
    shown = {name for name, about in NODES[kind].about().items() if about.form not in ("hidden", "bits")}
    assert set(page.form.editors) == shown
    assert page.minimumSizeHint().width() <= ROOM
    formula, rest = formula_of(NODES[kind])
    assert formula or rest


def test_no_figure_is_too_wide_for_the_panel(tmp_path: Path, qtbot: QtBot) -> None:
    document = Document(hybrid(tmp_path, units=60_000))
    panel = InspectorPanel(document)
    qtbot.addWidget(panel)
    panel.resize(304, 400)
    panel.show()
    qtbot.waitExposed(panel)
    for names in (["hidden"], ["lif"], ["hidden", "head"], []):
        document.select(names)
        assert panel.page.minimumSizeHint().width() <= ROOM


def test_an_edit_is_shown_in_less_than_50_ms_of_work(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    spent = []
    for units in range(100, 110):
        began = time.thread_time()
        document.edit("Units", document.graph.change("hidden", units=units))
        QApplication.processEvents()
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.05


def test_a_quantizer_is_offered_for_the_width_it_serves(document: Document, panel: InspectorPanel) -> None:
    document.select(["hidden"])
    page = _node_page(panel)
    assert page.widths is not None
    editor = page.form.editors["weight_quantizer"]
    assert isinstance(editor, ChoiceEditor)

    def offered() -> set[str]:
        return {editor.box.itemData(place) for place in range(editor.box.count())}

    assert {"standard", "xnor"} <= offered()
    assert "lsq" not in offered()
    editor.box.activated.emit(editor.box.findData("xnor"))
    _click(page.widths.segments["weight_bits"], "4")
    assert {"standard", "lsq"} <= offered()
    assert "adabin" not in offered()
    assert editor.box.currentData() == "xnor"  # in sight still, with what to do about it
    assert "does not serve 4 bits" in page.form.wrong("weight_quantizer")
    editor.box.activated.emit(editor.box.findData("lsq"))
    assert page.form.wrong("weight_quantizer") == ""
    assert "xnor" not in offered()


def test_the_schedule_is_drawn_with_its_warm_up_and_floor(document: Document, panel: InspectorPanel) -> None:
    page = panel.page
    assert isinstance(page, ProjectPage)
    settings = replace(document.training, epochs=10, rate=0.5, schedule="linear", warm_up=2.0, floor=0.1)
    document.edit_training("Set schedule", settings)
    curve = page.schedule
    curve.resize(216, 92)
    assert curve.words_at(QPointF(8, 40)) == "epoch 0: 0"
    assert curve.words_at(QPointF(208, 40)) == "epoch 10: 0.05"
    assert curve.words_at(QPointF(2, 40)) == ""
    assert curve.accessibleName().startswith("Learning rate over 10 epochs, 0 to 0.4")


def test_packs_are_chosen_in_the_picker(document: Document, panel: InspectorPanel, qtbot: QtBot) -> None:
    document.select(["rules"])
    editor = _node_page(panel).form.editors["packs"]
    assert isinstance(editor, PacksEditor)
    assert editor.words.text() == "None is taken."
    with qtbot.waitSignal(panel.rules_wanted) as caught:
        QTest.mouseClick(editor.button, Qt.MouseButton.LeftButton)
    assert caught.args == ["rules", "packs"]
    document.edit("Take", document.graph.change("rules", packs="stairs, allergens"))
    assert editor.words.text() == "stairs, allergens"
