"""The training panel: curves grow with the run, and figures are those of its records."""

from __future__ import annotations

from dataclasses import replace
from math import log10
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_runs import WAIT, begun, run_to_end
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.panels.durations import duration, percent
from app.panels.metrics import MetricsView
from app.panels.run_figures import RunFigures
from app.panels.training import TrainingPanel
from app.plots.accuracy import AccuracyChart
from app.plots.curves import Curves
from app.plots.following import ahead, fitted, held
from app.worker import Trainer
from engine.train.progress import BatchDone, EpochDone, Finished, StageStarted, Stopped


def _drawn(chart: Curves, key: str) -> list[tuple[float, float]]:
    x, y = chart._items[key].getOriginalDataset()
    return [] if x is None else list(zip(x.tolist(), y.tolist(), strict=True))


def _choose(panel: TrainingPanel, key: str) -> None:
    choice = panel.pictures.choice
    QTest.mouseClick(choice, Qt.MouseButton.LeftButton, pos=choice.rect_of(key).center().toPoint())


def test_the_curves_are_the_records_of_the_run(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=3)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    records: list[object] = []
    trainer.progress.connect(records.extend)
    assert panel.is_empty
    run_to_end(qtbot, trainer)
    epochs = [r for r in records if isinstance(r, EpochDone)]
    batches = [r for r in records if isinstance(r, BatchDone)]
    assert not panel.is_empty
    assert _drawn(panel.accuracy, "validation") == [(r.epoch, 100 * r.accuracy) for r in epochs]
    assert _drawn(panel.accuracy, "train") == [(r.epoch, 100 * r.train_accuracy) for r in epochs]
    assert _drawn(panel.loss, "batch") == [
        (r.epoch - 1 + r.step / r.steps, pytest.approx(log10(r.loss))) for r in batches
    ]
    end = next(r for r in records if isinstance(r, Finished))
    assert panel.figure("test") == percent(end.accuracy)
    assert panel.figure("raw") == percent(end.accuracy_raw)
    assert panel.figure("violations") == f"{end.violations_raw} → {end.violations}"
    assert panel.words == "Finished"


def test_a_new_run_begins_with_empty_curves(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    run_to_end(qtbot, trainer)
    run_to_end(qtbot, trainer)
    assert len(_drawn(panel.accuracy, "validation")) == 1


def test_it_says_which_epoch_and_how_long(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=100_000)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    trainer.start()
    assert panel.words == "Preparing"
    qtbot.waitUntil(lambda: panel.words.startswith("Epoch "), timeout=WAIT)
    assert "of 100\u202f000" in panel.words
    trainer.pause()
    qtbot.wait(150)
    assert panel.words == "Paused"
    trainer.resume()
    assert panel.words.startswith("Epoch ")
    with qtbot.waitSignal(trainer.over, timeout=WAIT):
        trainer.stop()
    assert panel.words == "Stopped"
    assert not panel._paint.isActive()


def test_an_error_is_shown_in_its_words(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    (tmp_path / "data.npz").unlink()
    run_to_end(qtbot, trainer)
    assert not panel.is_empty
    assert "data.npz" in panel._why.text()


def test_stages_after_the_gradient_go_on_to_the_right(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    panel._take(
        [
            StageStarted("gradient", "Training by gradient"),
            EpochDone("gradient", 1, 1, 0.5, 0.6, 0.5, 0.1, 0.0),
            StageStarted("memory", "Filling memory"),
            EpochDone("memory", 1, 2, float("nan"), 0.7, 0.6, 0.1, 0.0),
            EpochDone("memory", 2, 2, float("nan"), 0.8, 0.7, 0.1, 0.0),
        ]
    )
    panel._end(Stopped("finished", 1))
    assert [x for x, _ in _drawn(panel.accuracy, "validation")] == [1.0, 2.0, 3.0]
    assert len(_drawn(panel.loss, "epoch")) == 1
    assert [(x, words) for x, words, _ in panel.accuracy._phases] == [(1.0, "Filling memory")]


def test_a_run_that_was_read_back_shows_its_curves(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=2)
    live = TrainingPanel(document, trainer)
    qtbot.addWidget(live)
    run_to_end(qtbot, trainer)
    other = Trainer(document)
    panel = TrainingPanel(document, other)
    qtbot.addWidget(panel)
    with qtbot.waitSignal(other.over, timeout=WAIT):
        other.restore(tmp_path / "small.run.h5")
    for key in ("train", "validation"):
        assert _drawn(panel.accuracy, key) == _drawn(live.accuracy, key)
    assert panel.figure("test") == live.figure("test")


def test_the_zoom_of_the_user_is_kept_while_points_come(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.accuracy.add("train", 1, 50)
    panel.accuracy.add("train", 2, 60)
    panel.accuracy.show_points()
    panel.accuracy.view.setRange(xRange=(0, 1), yRange=(0, 10), padding=0)
    panel.accuracy.add("train", 3, 70)
    panel.accuracy.show_points()
    (left, right), _ = panel.accuracy.view.viewRange()
    assert (left, right) == (0, 1)


@given(steps=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200), first=st.sampled_from([0.01, 1, 31]))
def test_an_axis_of_epochs_holds_all_and_rarely_changes(steps: list[float], first: float) -> None:
    last, seen = first, []
    for step in steps:
        last += step
        seen.append(ahead(first, last))
        low, high = seen[-1]
        assert low <= first
        assert last <= high <= low + max(1.5 * (last - low), 2)
        assert fitted(first, last)[1] >= last
    grown = max(1.0, (last - seen[0][0]) / max(1.0, first + steps[0] - seen[0][0]))
    assert len(set(seen)) <= 2 + 11 * log10(grown)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_an_axis_of_values_is_kept_while_they_fit_and_fill_it(values: list[float]) -> None:
    now = None
    for at in range(len(values)):
        low, high = min(values[: at + 1]), max(values[: at + 1])
        before, now = now, held(now, low, high)
        assert now[0] <= low <= high <= now[1]
        assert now == before or held(now, low, high) == now


def test_the_axes_move_seldom_and_follow_again_after_a_double_click(qtbot: QtBot) -> None:
    chart = AccuracyChart()
    qtbot.addWidget(chart)
    moved: list[object] = []
    chart.view.sigRangeChanged.connect(lambda *told: moved.append(told))
    for epoch in range(1, 201):
        chart.add("train", epoch, 90 + epoch % 7)
        chart.show_points()
    assert len(moved) < 30
    assert chart.view.viewRange()[0] == [0, 250]
    chart.view.setRange(xRange=(3, 4), padding=0)
    chart.add("train", 201, 90)
    chart.show_points()
    assert chart.view.viewRange()[0] == [3, 4]
    chart.show_all()
    low, high = chart.view.viewRange()[0]
    assert low == 0
    assert 201 < high < 210


def test_a_mark_may_hold_braces(qtbot: QtBot) -> None:
    chart = AccuracyChart()
    qtbot.addWidget(chart)
    chart.mark(1.0, "Filling {memory}")
    (_, _, line) = chart._phases[0]
    assert line.label.toPlainText() == "Filling {memory}"


def test_a_figure_that_comes_late_makes_room_for_itself(qtbot: QtBot) -> None:
    figures = RunFigures({"loss": "Loss", "test": "Test accuracy"}, ("test",))
    qtbot.addWidget(figures)
    before = figures.sizeHint().height()
    figures.show_figure("loss", "0.5")
    assert (figures["loss"], figures["test"]) == ("0.5", "–")
    assert figures.sizeHint().height() == before
    figures.show_figure("test", "98.10 %")
    assert figures.sizeHint().height() == 2 * before
    assert "Test accuracy 98.10 %" in figures.accessibleName()
    figures.clear()
    assert figures["loss"] == "–"


def test_the_empty_state_says_what_to_do(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    assert "Press Train" in panel.empty.words()
    document.edit("Break", document.graph.remove("out"))
    assert "Problems" in panel.empty.words()
    document.new()
    assert "Drag" in panel.empty.words()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.4, "0.4 s"), (8, "8 s"), (72, "1 min 12 s"), (120, "2 min"), (7500, "2 h 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_confusion_takes_the_place_of_the_loss_when_chosen(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.resize(1000, 260)
    panel.show()
    run_to_end(qtbot, trainer)
    assert trainer.look is not None
    assert np.array_equal(panel.classes._counts, trainer.look.confusion)
    assert panel.loss.isVisible()
    _choose(panel, "classes")
    assert panel.classes.isVisible()
    assert not panel.loss.isVisible()


def test_another_project_shows_nothing_of_the_last_run(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    run_to_end(qtbot, trainer)
    document.new()
    trainer.forget()
    assert panel.is_empty


def test_a_teacher_and_the_stages_of_binarization_are_marked_in_words(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=4)
    stages = {"stages": "weights", "float_epochs": 1.0, "middle_epochs": 1.0}
    document.edit_training("Teach", replace(document.training, teacher="self", teacher_epochs=2, **stages))
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    records: list[object] = []
    trainer.progress.connect(records.extend)
    run_to_end(qtbot, trainer)
    epochs = [r for r in records if isinstance(r, EpochDone) and r.stage == "gradient"]
    taught = [r for r in records if isinstance(r, EpochDone) and r.stage == "teacher"]
    assert _drawn(panel.accuracy, "teacher") == [(r.epoch, 100 * r.accuracy) for r in taught]
    assert len(taught) == 2
    marks = [(x, words.lower()) for x, words, _ in panel.accuracy._phases][:3]
    assert marks == [(1, epochs[0].part), (1.5, epochs[1].part), (2.5, epochs[2].part)]
    own = [(r.epoch, 100 * r.own_accuracy) for r in epochs if r.own_accuracy == r.own_accuracy]
    assert own
    assert _drawn(panel.accuracy, "own") == own
    assert panel.accuracy.legend.titles == ["training", "validation", "teacher", "this stage"]
    other = Trainer(document)
    again = TrainingPanel(document, other)
    qtbot.addWidget(again)
    with qtbot.waitSignal(other.over, timeout=WAIT):
        other.restore(tmp_path / "small.run.h5")
    assert [(x, w) for x, w, _ in again.accuracy._phases] == [(x, w) for x, w, _ in panel.accuracy._phases]
    assert _drawn(again.accuracy, "own") == own


def test_the_legend_names_a_teacher_only_where_there_is_one(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    assert panel.accuracy.legend.titles == ["training", "validation"]
    panel._take([EpochDone("teacher", 1, 2, 0.5, 0.6, 0.5, 0.1, 0.0, part="teacher")])
    panel.accuracy.show_points()
    assert panel.accuracy.legend.titles[-1] == "teacher"
    assert panel.figure("validation") == "–"


def test_the_best_epoch_and_an_early_stop_are_said(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    accuracies = (0.5, 0.8, 0.7)
    panel._take(
        [EpochDone("gradient", i, 9, 0.5, 0.9, a, 0.1, 0.0) for i, a in enumerate(accuracies, start=1)]
    )
    assert panel.figure("best") == "2 · 80.0 %"
    words = "Kept epoch 2 of 3 after 1 epochs without a better one: 80.00 %"
    panel._take([StageStarted("gradient", words)])
    panel._end(Stopped("finished", 3))
    assert panel.words == "Finished"
    assert panel._kept.text() == words
    assert not panel._kept.isHidden()
    panel._start()
    assert panel._kept.isHidden()
    assert panel.figure("best") == "–"


def test_the_progress_counts_the_teacher(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    panel._show_batch(BatchDone(2, 5, 3, 4, 0.1, 0.9, 0.1, 100.0, 8.0, stage="teacher", share=0.25))
    assert panel.words == "Teacher: epoch 2 of 5 · 25 %"
    panel._show_batch(BatchDone(2, 5, 3, 4, 0.1, 0.9, 0.1, 100.0, 8.0, share=0.5))
    assert panel.words == "Epoch 2 of 5 · 50 %"
    assert panel._bar.value() == 500


def test_the_figures_of_the_layers_are_those_of_the_run(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=3)
    panel = TrainingPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.resize(1000, 260)
    panel.show()
    records: list[object] = []
    trainer.progress.connect(records.extend)
    run_to_end(qtbot, trainer)
    _choose(panel, "layers")
    assert panel.layers.isVisible()
    done = [r for r in records if isinstance(r, EpochDone) and r.stage == "gradient"]
    layers = panel.layers
    assert layers.kinds.currentData() == "flipped"
    flips = {n: s.y.tolist() for n, s in layers.rows._series.items()}
    assert flips == {
        key.removesuffix(": flipped"): [r.metrics[key] for r in done]
        for key in done[0].metrics
        if key.endswith(": flipped")
    }
    first = next(iter(flips))
    assert layers.rows.words_at(QPointF(5, 5)).startswith(f"{first}: {percent(flips[first][-1])}, from ")
    assert layers.rows.words_at(QPointF(5, 5000)) == ""
    assert not layers.grab().isNull()


def test_another_figure_of_the_layers_is_chosen_by_key(qtbot: QtBot) -> None:
    view = MetricsView()
    qtbot.addWidget(view)
    view.resize(400, 200)
    view.show()
    assert not view.kinds.isVisible()
    view.take(0.5, {"Dense: dead": 0.1, "Dense: flipped": 0.01, "gradient": 3.5}, of_step=True)
    view.take(1.0, {"Dense: flipped": 0.2, "Sign: odd thing": -4.0, "gradient": 2.5})
    view.show_points()
    titles = [view.kinds.itemText(i) for i in range(view.kinds.count())]
    assert titles == [
        "Signs flipped in an epoch",
        "Signs flipped in a step",
        "Dead channels",
        "Length of the gradient",
        "Odd thing",
    ]
    assert view.kinds.currentData() == "flipped"
    view.kinds.setFocus()
    for _ in range(3):
        QTest.keyClick(view.kinds, Qt.Key.Key_Down)
    assert view.rows.words_at(QPointF(5, 5)) == "all layers: 2.5, from 2.5 to 3.5 so far"
    QTest.keyClick(view.kinds, Qt.Key.Key_Down)
    assert view.rows.accessibleName() == "odd thing: Sign −4"
    assert not view.grab().isNull()
    view.clear()
    assert not view.kinds.isVisible()
