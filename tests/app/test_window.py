"""The window: pages, commands, files, messages, training from the toolbar, dropped files."""

from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.canvas import edits
from app.recovery import recovery_folder
from app.theme.current import theme
from app.theme.tokens import LIGHT
from app.window.files import source_for
from app.window.main import MainWindow
from engine.catalog import NODES
from engine.files.model import load_model
from engine.files.project import Project, save_project
from engine.graph import Graph
from engine.templates.widen import widened
from engine.train.progress import EpochDone


def small_graph(data: Path) -> Graph:
    """Return a graph that trains in a moment on the records in `data`."""
    source = NODES["data.npz"](path=data.name).probe(data.parent)  # type: ignore[attr-defined]
    graph = (
        Graph()
        .add("Data", source, 0, 0)
        .add("Split", NODES["flow.split"](), 250, 0)
        .add("Dense", NODES["bnn.dense"](units=3, weight_bits="1"), 500, 0)
        .add("Output", NODES["flow.output"](), 750, 0)
    )
    for wire in (
        ("Data", "samples", "Split", "samples"),
        ("Data", "labels", "Split", "labels"),
        ("Split", "samples", "Dense", "in"),
        ("Dense", "out", "Output", "scores"),
        ("Split", "labels", "Output", "labels"),
    ):
        graph = graph.wire(*wire)
    return graph


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a file of 120 records of three separable classes."""
    chance = np.random.default_rng(0)
    labels = np.arange(120) % 3
    samples = chance.normal(size=(120, 8)).astype(np.float32)
    samples[np.arange(120), labels] += 6
    path = tmp_path / "points.npz"
    np.savez(path, x=samples, y=labels)
    return path


@pytest.fixture
def project(data: Path) -> Path:
    """Return a project on that file."""
    path = data.with_name("small.polybit")
    save_project(Project(graph=small_graph(data), name="Small"), path)
    return path


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    theme().start("dark")
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Discard)
    shutil.rmtree(recovery_folder(), ignore_errors=True)
    made = MainWindow(remember=False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def test_the_window_opens_on_the_gallery_and_new_shows_the_workbench(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.gallery
    window.actions_["new"].trigger()
    assert window.pages.currentWidget() is window.panes
    assert window.windowTitle().startswith("Untitled")


def test_a_project_is_opened_changed_saved_and_opened_again(window: MainWindow, project: Path) -> None:
    assert window.files.open(project)
    assert window.windowTitle().startswith("small")
    window.document.edit("Units", window.document.graph.change("Dense", weight_bits="ternary"))
    assert window.isWindowModified()
    window.actions_["save"].trigger()
    assert not window.isWindowModified()
    window.files.open(project)
    assert window.document.graph.node("Dense").values()["weight_bits"] == "ternary"
    assert window.files.recent()[0] == project


def test_a_broken_project_is_said_in_a_message_and_nothing_else_happens(
    window: MainWindow, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.polybit"
    bad.write_text('{"format": ')
    assert not window.files.open(bad)
    (words,) = window.toasts.words()
    assert "bad.polybit, line 1" in words
    assert window.pages.currentWidget() is window.gallery


def test_leaving_unsaved_changes_asks_and_cancel_keeps_the_window(
    window: MainWindow, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.files.open(project)
    window.document.edit("Remove", window.document.graph.remove("Output"))
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Cancel)
    assert not window.close()
    assert window.isVisible()
    monkeypatch.setattr(QMessageBox, "exec", lambda _self: QMessageBox.StandardButton.Save)
    assert window.close()
    assert "Output" not in project.read_text()


def test_undo_and_redo_name_what_they_do(window: MainWindow, project: Path) -> None:
    window.files.open(project)
    edits.remove(window.document, ["Dense"])
    assert window.actions_["undo"].text() == "&Undo remove Dense"
    window.actions_["undo"].trigger()
    assert "Dense" in window.document.graph.nodes
    assert window.actions_["redo"].text() == "&Redo remove Dense"
    assert not window.actions_["undo"].isEnabled()


def test_delete_and_select_all_work_by_keys_on_the_canvas(window: MainWindow, project: Path) -> None:
    window.files.open(project)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(window.document.selection) == 4
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert not window.document.graph.nodes


def test_the_command_palette_finds_commands_nodes_and_kinds(window: MainWindow, project: Path) -> None:
    window.files.open(project)
    window.open_palette()
    assert window.popup is not None
    QTest.keyClicks(window.popup.field, "dense")
    titles = [entry.title for entry in window.popup.entries()]
    assert titles[0] == "Dense"
    assert f"Add {NODES['bnn.dense'].title}" in titles
    QTest.keyClick(window.popup.field, Qt.Key.Key_Return)
    assert window.document.selection == ("Dense",)
    assert window.popup is None


def test_the_theme_changes_everywhere_and_back(window: MainWindow, project: Path) -> None:
    window.files.open(project)
    theme().choose("light")
    QTest.qWait(20)
    image = window.canvas.viewport().grab().toImage()
    assert image.pixelColor(2, 2).name().upper() == LIGHT.canvas
    theme().choose("dark")


def test_a_graph_with_errors_is_not_trained_but_explained(window: MainWindow) -> None:
    window.actions_["new"].trigger()
    window.document.edit("Add", window.document.graph.add("Sign", NODES["bnn.sign"]()))
    window.actions_["train"].trigger()
    assert not window.trainer.busy
    assert "Input 'in' is not wired." in window.toasts.words()[0]
    assert window.panes.tabs.currentWidget() is window.panes.panels["problems"]


def test_training_ends_with_a_summary_and_a_model_that_can_be_exported(
    window: MainWindow, project: Path, qtbot: QtBot
) -> None:
    window.files.open(project)
    assert not window.actions_["export"].isEnabled()
    lives: list[object] = []
    item = window.canvas.graph_scene.nodes["Dense"]
    window.trainer.progress.connect(lambda _: lives.append(item.live))
    with qtbot.waitSignal(window.trainer.over, timeout=120_000):
        window.actions_["train"].trigger()
    assert any(lives)  # the layer showed how far the run was
    assert item.live is None
    assert "% on the test records" in window.toasts.words()[-1]
    assert window.actions_["export"].isEnabled()
    model = project.with_name("model.h5")
    window.deploy.export_to(model)
    window.deploy.wait()
    program = window.trainer.program
    assert program is not None
    samples = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    assert np.array_equal(load_model(model).predict(samples), program.predict(samples))
    answers = project.with_name("answers.csv")
    window.deploy.predict_to(project.with_name("points.npz"), answers)
    window.deploy.wait()
    assert len(answers.read_text().splitlines()) == 121


def test_an_earlier_run_is_offered_when_its_project_is_opened(
    window: MainWindow, project: Path, qtbot: QtBot
) -> None:
    window.files.open(project)
    with qtbot.waitSignal(window.trainer.over, timeout=120_000):
        window.actions_["train"].trigger()
    window.toasts.clear()
    window.files.open(project)
    assert window.trainer.program is None
    assert window.toasts.words() == ["This project was trained before."]
    with qtbot.waitSignal(window.trainer.over, timeout=240_000):
        window.toasts._shown[0]._row.itemAt(2).widget().click()  # type: ignore[union-attr]
    assert window.actions_["export"].isEnabled()


def test_a_stopped_run_is_gone_on_with_from_its_last_epoch(
    window: MainWindow, project: Path, qtbot: QtBot
) -> None:
    window.files.open(project)
    document, trainer = window.document, window.trainer
    document.edit_training("Set epochs", replace(document.training, epochs=100_000))
    epochs: list[int] = []
    trainer.progress.connect(lambda said: epochs.extend(r.epoch for r in said if isinstance(r, EpochDone)))
    window.actions_["train"].trigger()
    qtbot.waitUntil(lambda: len(epochs) >= 2, timeout=240_000)
    with qtbot.waitSignal(trainer.over, timeout=120_000):
        window.actions_["stop"].trigger()
    done = len(epochs)
    document.edit_training("Set epochs", replace(document.training, epochs=done + 1))
    with qtbot.waitSignal(trainer.over, timeout=240_000) as over:
        window.training.go_on()
    assert "Epochs was 100000" in over.args[0].why  # a shorter run has another schedule
    document.undo.undo()
    window.training.go_on()
    qtbot.waitUntil(lambda: len(epochs) > done, timeout=240_000)
    assert epochs[done] == done + 1
    with qtbot.waitSignal(trainer.over, timeout=120_000):
        window.actions_["stop"].trigger()


def test_a_run_of_another_graph_is_not_gone_on_with(window: MainWindow, project: Path, qtbot: QtBot) -> None:
    window.files.open(project)
    with qtbot.waitSignal(window.trainer.over, timeout=120_000):
        window.actions_["train"].trigger()
    graph = window.document.graph
    window.document.edit("Change", graph.change("Dense", weight_bits="2"))
    with qtbot.waitSignal(window.trainer.over, timeout=240_000) as over:
        window.training.go_on()
    assert "was trained from another graph" in over.args[0].why


def test_large_data_is_looked_into_beside_the_window(
    window: MainWindow, project: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.window.files._QUICK", 0)
    with qtbot.waitSignal(window.files.opened, timeout=120_000):
        assert window.files.open(project)
        assert not window.document.graph.nodes
    assert window.document.problems() == ()


def test_nothing_to_export_is_said(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    window.deploy.export()
    assert "no trained model" in window.toasts.words()[0]


def test_save_as_asks_for_a_place(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.actions_["new"].trigger()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    assert window.files.save()
    assert (tmp_path / "mine.polybit").is_file()


def test_a_dropped_data_file_becomes_its_source(window: MainWindow, data: Path, qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(data))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(600, 400), action, mime, button, keys))
    qtbot.waitUntil(lambda: bool(window.document.graph.nodes), timeout=120_000)
    window.files.wait()
    (placed,) = window.document.graph.nodes.values()
    assert placed.node.kind == "data.npz"
    assert placed.node.header.records == 120  # type: ignore[attr-defined]


def test_a_dropped_file_of_no_known_kind_is_refused_in_words(window: MainWindow, tmp_path: Path) -> None:
    window.files.take(tmp_path / "song.mp3")
    assert "song.mp3 is neither a project nor data" in window.toasts.words()[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", "data.csv"), ("a.npz", "data.npz"), ("t-idx3-ubyte.gz", "data.idx"), ("a.h5", "data.hdf5")],
)
def test_files_find_their_source_by_their_ending(name: str, kind: str) -> None:
    found = source_for(Path(name))
    assert found is not None
    assert found.kind == kind


def test_work_left_behind_by_a_crash_is_offered_and_recovered(
    window: MainWindow, project: Path, qtbot: QtBot
) -> None:
    window.files.open(project)
    window.document.edit("Remove", window.document.graph.remove("Output"))
    window.document.keep()
    assert window._recovery is not None
    window._recovery.lock.unlock()  # as the system does when the process dies
    other = MainWindow(remember=False)
    qtbot.addWidget(other)
    qtbot.waitUntil(lambda: bool(other.toasts.words()))
    assert "survived a crash" in other.toasts.words()[0]
    other.toasts._shown[0]._row.itemAt(2).widget().click()  # type: ignore[union-attr]
    assert "Output" not in other.document.graph.nodes
    assert not other.document.clean
    other.document.undo.setClean()
    other.close()


def test_every_command_has_words_and_no_two_share_a_key(window: MainWindow) -> None:
    seen: dict[str, str] = {}
    for name, action in window.actions_.items():
        assert action.text()
        for key in action.shortcuts():
            assert key.toString() not in seen, f"{name} and {seen[key.toString()]}: {key.toString()}"
            seen[key.toString()] = name


def test_messages_stack_without_covering_each_other_and_can_be_closed(window: MainWindow) -> None:
    for words in ("one", "two", "three", "four"):
        window.toasts.say(words, "error")
    assert window.toasts.words() == ["two", "three", "four"]
    shown = window.toasts._shown
    assert not any(a.geometry().intersects(b.geometry()) for i, a in enumerate(shown) for b in shown[:i])
    shown[0].leave()
    assert window.toasts.words() == ["three", "four"]


def test_the_search_field_opens_the_command_palette(window: MainWindow) -> None:
    QTest.mouseClick(window.tools.search, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert window.popup is not None
    QTest.keyClick(window.popup.field, Qt.Key.Key_Escape)


def test_garbage_is_taken_away_in_the_window_s_own_thread(window: MainWindow) -> None:
    class Knot:
        def __init__(self) -> None:
            self.own = self

        def __del__(self) -> None:
            threads.append(threading.current_thread())

    threads: list[threading.Thread] = []
    other = threading.Thread(target=lambda: [Knot() for _ in range(5000)])
    other.start()
    other.join()
    assert not gc.isenabled()
    window._collector.collect()
    assert len(threads) == 5000
    assert set(threads) == {threading.main_thread()}
    window.close()
    assert gc.isenabled()


def test_an_example_is_opened_from_the_empty_canvas_by_typing(window: MainWindow) -> None:
    window.actions_["new"].trigger()
    assert window.canvas.empty.button.isVisible()
    QTest.mouseClick(window.canvas.empty.button, Qt.MouseButton.LeftButton)
    assert window.popup is not None
    assert window.popup.list.grab().width() > 0
    QTest.keyClicks(window.popup.field, "car acc")
    QTest.keyClick(window.popup.field, Qt.Key.Key_Return)
    assert window.document.project.name == "Car acceptability"
    assert window.popup is None
    assert not window.canvas.empty.isVisible()


def test_the_examples_stand_in_the_file_menu(window: MainWindow) -> None:
    window.actions_["example"].trigger()
    assert window.popup is not None
    titles = [entry.title for entry in window.popup.entries()]
    assert "Handwritten digits, all four paradigms" in titles
    assert window.rect().contains(window.popup.geometry())
    QTest.keyClick(window.popup.field, Qt.Key.Key_Escape)


def test_hidden_layers_are_widened_by_a_factor_that_is_typed(window: MainWindow, projects: Path) -> None:
    window.files.open(projects / "digits" / "digits-binary.polybit")
    graph = window.document.graph
    window.actions_["widen"].trigger()
    assert window.popup is not None
    assert [entry.title for entry in window.popup.entries()][:2] == ["0.5 times as wide", "1.5 times as wide"]
    QTest.keyClicks(window.popup.field, "2")
    QTest.keyClick(window.popup.field, Qt.Key.Key_Return)
    assert window.document.graph == widened(graph, 2.0) != graph
    assert window.document.undo.undoText() == "Make hidden layers 2 times as wide"
    window.actions_["undo"].trigger()
    assert window.document.graph == graph
