"""The document: edits, undo, merging, selection, files and recovery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QLockFile
from pytestqt.qtbot import QtBot

from app.document import Document
from app.recovery import Recovery, left_behind
from engine.catalog import NODES
from engine.errors import ProjectError
from engine.graph import Graph


def _dense() -> Graph:
    return Graph().add("layer", NODES["bnn.dense"]())


def test_an_edit_is_undone_and_redone(qtbot: QtBot) -> None:
    document = Document()
    with qtbot.waitSignal(document.changed):
        document.edit("Add layer", _dense())
    document.undo.undo()
    assert not document.graph.nodes
    document.undo.redo()
    assert set(document.graph.nodes) == {"layer"}


def test_edits_with_the_same_key_are_one_step_and_others_are_not(qtbot: QtBot) -> None:
    document = Document()
    document.edit("Add layer", _dense())
    for units in (10, 11, 12):
        document.edit("Units", document.graph.change("layer", units=units), merge="layer.units")
    assert document.undo.count() == 2
    document.edit("Units", document.graph.change("layer", units=20))
    document.edit("Units", document.graph.change("layer", units=21))
    assert document.undo.count() == 4
    document.undo.setIndex(1)
    assert document.graph.node("layer") == NODES["bnn.dense"]()


def test_an_edit_that_changes_nothing_leaves_no_step(qtbot: QtBot) -> None:
    document = Document()
    document.edit("Nothing", document.graph)
    assert document.undo.count() == 0


def test_merged_edits_that_end_where_they_began_vanish(qtbot: QtBot) -> None:
    document = Document()
    document.edit("Add layer", _dense())
    before = document.graph
    document.edit("Units", before.change("layer", units=9), merge="u")
    document.edit("Units", before, merge="u")
    assert document.undo.count() == 1


def test_training_settings_share_the_undo_history(qtbot: QtBot) -> None:
    document = Document()
    document.edit_training("Epochs", replace(document.training, epochs=3))
    assert document.training.epochs == 3
    document.undo.undo()
    assert document.training.epochs == 20


def test_a_removed_node_is_no_longer_selected(qtbot: QtBot) -> None:
    document = Document()
    document.edit("Add", _dense())
    document.select(["layer", "nobody"])
    assert document.selection == ("layer",)
    with qtbot.waitSignal(document.selection_changed):
        document.edit("Remove", document.graph.remove("layer"))
    assert document.selection == ()


def test_the_estimate_is_counted_once_for_each_graph(qtbot: QtBot) -> None:
    document = Document()
    document.edit("Add", _dense())
    first = document.estimate()
    assert document.estimate() is first
    document.edit("Units", document.graph.change("layer", units=3))
    assert document.estimate() is not first


def test_saving_and_opening_gives_the_same_graph_and_a_clean_state(qtbot: QtBot, tmp_path: Path) -> None:
    document = Document()
    document.edit("Add", _dense())
    assert not document.clean
    path = document.save(tmp_path / "mine")
    assert path == tmp_path / "mine.polybit"
    assert document.clean
    other = Document()
    other.open(path)
    assert other.graph == document.graph
    assert other.title == "mine"


def test_a_broken_file_leaves_the_open_project_alone(qtbot: QtBot, tmp_path: Path) -> None:
    document = Document()
    document.edit("Add", _dense())
    bad = tmp_path / "bad.polybit"
    bad.write_text("{")
    with pytest.raises(ProjectError, match="line 1"):
        document.open(bad)
    assert "layer" in document.graph.nodes


def test_saving_in_another_folder_keeps_data_paths_pointing_at_the_same_file(
    qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    document = Document()
    document.edit("Add", Graph().add("table", NODES["data.csv"](path="records.csv")))
    document.save(tmp_path / "a" / "one.polybit")
    document.undo.clear()
    document.edit("Set", document.graph.change("table", path="records.csv"))
    document.save(tmp_path / "b" / "one.polybit")
    assert document.graph.node("table").values()["path"] == "../a/records.csv"
    assert document.clean


def test_undo_after_saving_elsewhere_keeps_data_paths_pointing_at_the_same_file(
    qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    document = Document()
    document.save(tmp_path / "a" / "one.polybit")
    document.edit("Add", Graph().add("table", NODES["data.csv"](path="records.csv")))
    document.edit("Move", document.graph.move({"table": (24.0, 48.0)}))
    document.save(tmp_path / "b" / "one.polybit")
    for step in (document.undo.undo, document.undo.redo):
        step()
        assert document.graph.node("table").values()["path"] == "../a/records.csv"
    assert document.clean
    assert document.graph.placed("table").x == 24.0


def test_undoing_across_two_save_as_keeps_every_path_at_its_own_file(qtbot: QtBot, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    document = Document()
    document.save(tmp_path / "a" / "one.polybit")
    document.edit("Add", Graph().add("table", NODES["data.csv"](path="in_a.csv")))
    document.save(tmp_path / "b" / "one.polybit")
    document.edit("Set path", document.graph.change("table", path="in_b.csv"), "set table.path")
    document.save(tmp_path / "c" / "one.polybit")
    document.edit("Set path", document.graph.change("table", path="in_c.csv"), "set table.path")

    def path() -> str:
        return str(document.graph.node("table").values()["path"])

    seen = [path()]
    for _ in range(2):
        document.step_back()
        seen.append(path())
    assert seen == ["in_c.csv", "../b/in_b.csv", "../a/in_a.csv"]
    document.save(tmp_path / "b" / "two.polybit")
    document.step_on()
    assert path() == "in_b.csv"
    document.step_on()
    assert path() == "../c/in_c.csv"


def test_the_path_of_a_teacher_goes_along_to_another_folder(qtbot: QtBot, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    document = Document()
    document.save(tmp_path / "a" / "one.polybit")
    document.edit_training("Teacher", replace(document.training, teacher="file", teacher_file="big.h5"))
    document.save(tmp_path / "b" / "one.polybit")
    assert document.training.teacher_file == "../a/big.h5"
    document.undo.undo()
    assert document.training.teacher_file == ""
    document.undo.redo()
    assert document.training.teacher_file == "../a/big.h5"
    assert document.clean


def test_unsaved_work_survives_a_crash_and_saved_work_leaves_no_copy(qtbot: QtBot, tmp_path: Path) -> None:
    recovery = Recovery(tmp_path)
    document = Document(recovery=recovery)
    document.edit("Add", _dense())
    document.keep()
    assert left_behind(tmp_path) == ()  # its window is still running
    recovery.lock.unlock()  # as the system does when the process dies
    (left,) = left_behind(tmp_path)
    assert left.project.graph == document.graph
    left.discard()
    assert left_behind(tmp_path) == ()
    document.forget()


def test_changes_are_kept_after_a_moment(qtbot: QtBot, tmp_path: Path) -> None:
    recovery = Recovery(tmp_path)
    document = Document(recovery=recovery)
    document.edit("Add", _dense())
    qtbot.waitUntil(lambda: bool(list(tmp_path.glob("*.polybit"))), timeout=5000)
    (tmp_path / "saved").mkdir()
    document.save(tmp_path / "saved" / "x.polybit")
    assert not list(tmp_path.glob("*.polybit"))
    recovery.close()


def test_recovered_work_counts_as_unsaved(qtbot: QtBot, tmp_path: Path) -> None:
    document = Document()
    document.edit("Add", _dense())
    other = Document()
    other.load(document.project, clean=False)
    assert not other.clean
    assert other.graph == document.graph


def test_a_lock_of_another_window_is_respected(qtbot: QtBot, tmp_path: Path) -> None:
    recovery = Recovery(tmp_path)
    document = Document(recovery=recovery)
    document.edit("Add", _dense())
    document.keep()
    (copy,) = tmp_path.glob("*.polybit")
    other = QLockFile(str(copy.with_suffix(".lock")))
    other.setStaleLockTime(0)
    assert not other.tryLock(0)
    recovery.close()
