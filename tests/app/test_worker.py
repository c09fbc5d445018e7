"""The worker: a training streams, pauses, stops, leaves nothing behind; the window goes on ticking."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.document import Document
from app.line import TICK
from app.task import Task
from app.worker import Trainer
from engine.errors import DataError
from engine.files.project import Project
from engine.files.run import read_run
from engine.train.progress import BatchDone, EpochDone, Finished, StageStarted, Stopped

WAIT = 240_000  # ms; kernels may have to be compiled first


@pytest.fixture
def document(tmp_path: Path, qtbot: QtBot) -> Document:
    return Document(hybrid(tmp_path))


@pytest.fixture
def trainer(document: Document) -> Iterator[Trainer]:
    made = Trainer(document)
    yield made
    made.wait()


def _longer(document: Document, epochs: int = 100_000) -> None:
    training = type(document.training)(epochs=epochs, batch=8)
    document.edit_training("Train longer", training)


def test_a_run_streams_to_its_end(qtbot: QtBot, trainer: Trainer) -> None:
    records: list[object] = []
    states: list[str] = []
    trainer.progress.connect(records.extend)
    trainer.state_changed.connect(states.append)
    with qtbot.waitSignal(trainer.over, timeout=WAIT) as over:
        trainer.start()
    assert over.args == [Stopped("finished", 3)]
    assert isinstance(records[0], StageStarted)
    assert isinstance(records[-1], Stopped)
    assert isinstance(records[-2], Finished)
    assert [r.epoch for r in records if isinstance(r, EpochDone)] == [1, 2, 3]
    assert states == ["preparing", "running", "idle"]
    assert trainer.program is records[-2].program
    assert trainer.look is not None
    assert trainer.look.program is trainer.program


def test_the_run_file_stands_beside_the_project(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    with qtbot.waitSignal(trainer.over, timeout=WAIT):
        trainer.start()
    path = document.project.folder / "small.run.h5"
    assert trainer.run_file == path
    assert read_run(path).finished


def test_an_unsaved_project_trains_into_a_folder_that_goes_away(qtbot: QtBot, tmp_path: Path) -> None:
    project = hybrid(tmp_path, epochs=1)
    graph = project.graph.change("data", path=str(tmp_path / "data.npz"))
    document = Document(Project(graph=graph, training=project.training))
    trainer = Trainer(document)
    with qtbot.waitSignal(trainer.over, timeout=WAIT) as over:
        trainer.start()
    assert over.args[0].why == "finished"
    assert trainer.run_file is not None
    assert trainer.run_file.exists()
    trainer.wait()
    assert not trainer.run_file.exists()


def test_stop_ends_the_run_and_the_thread(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    _longer(document)
    trainer.start()
    qtbot.waitUntil(lambda: trainer.state == "running", timeout=WAIT)
    with qtbot.waitSignal(trainer.over, timeout=WAIT) as over:
        trainer.stop()
        assert trainer.state == "stopping"
    assert over.args[0].why == "asked"
    assert trainer.state == "idle"
    assert not any(t.name == "training" for t in threading.enumerate())


def test_a_stopped_run_keeps_its_last_whole_epoch(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    _longer(document)
    done: list[EpochDone] = []
    trainer.progress.connect(lambda rs: done.extend(r for r in rs if isinstance(r, EpochDone)))
    trainer.start()
    qtbot.waitUntil(lambda: len(done) >= 2, timeout=WAIT)
    with qtbot.waitSignal(trainer.over, timeout=WAIT) as over:
        trainer.stop()
    assert trainer.run_file is not None
    assert trainer.look is not None
    assert trainer.look.program is trainer.program  # the last epoch is looked into, however fast they went
    assert read_run(trainer.run_file).epoch == over.args[0].epoch >= 2


def test_pause_takes_no_step_until_resumed(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    _longer(document)
    batches: list[BatchDone] = []
    trainer.progress.connect(lambda rs: batches.extend(r for r in rs if isinstance(r, BatchDone)))
    trainer.start()
    qtbot.waitUntil(lambda: len(batches) > 3, timeout=WAIT)
    trainer.pause()
    qtbot.wait(3 * TICK)
    before = len(batches)
    qtbot.wait(3 * TICK)
    assert trainer.state == "paused"
    assert len(batches) == before
    trainer.resume()
    qtbot.waitUntil(lambda: len(batches) > before, timeout=WAIT)
    trainer.stop()


def test_waiting_ends_a_paused_run(qtbot: QtBot, document: Document) -> None:
    _longer(document)
    trainer = Trainer(document)
    trainer.start()
    qtbot.waitUntil(lambda: trainer.state == "running", timeout=WAIT)
    trainer.pause()
    trainer.wait()
    assert trainer.state == "idle"


def test_an_error_is_the_last_word_and_is_a_sentence(
    qtbot: QtBot, document: Document, trainer: Trainer
) -> None:
    document.edit("Break it", document.graph.remove("out"))
    with qtbot.waitSignal(trainer.over, timeout=WAIT) as over:
        trainer.start()
    assert over.args[0].why.startswith("The graph cannot be trained yet.")
    assert trainer.state == "idle"


def test_a_missing_data_file_is_said(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    (document.project.folder / "data.npz").unlink()
    with qtbot.waitSignal(trainer.over, timeout=WAIT) as over:
        trainer.start()
    assert "data.npz" in over.args[0].why


def test_records_come_at_most_15_times_a_second(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    _longer(document)
    times: list[float] = []
    trainer.progress.connect(lambda _: times.append(time.perf_counter()))
    trainer.start()
    qtbot.waitUntil(lambda: trainer.state == "running", timeout=WAIT)
    times.clear()
    qtbot.wait(1000)
    trainer.stop()
    assert 2 <= len(times) <= 17


def test_the_window_goes_on_ticking_while_it_trains(
    qtbot: QtBot, document: Document, trainer: Trainer
) -> None:
    _longer(document)
    ticks: list[float] = []
    timer = QTimer(interval=10)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    trainer.start()
    qtbot.waitUntil(lambda: trainer.state == "running", timeout=WAIT)
    timer.start()
    qtbot.wait(800)
    timer.stop()
    trainer.stop()
    assert len(ticks) > 20


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="priorities are those of Linux")
def test_the_thread_steps_back_behind_the_window(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    _longer(document)
    trainer.start()
    qtbot.waitUntil(lambda: trainer.state == "running", timeout=WAIT)
    thread = next(t for t in threading.enumerate() if t.name == "training")
    assert thread.native_id is not None
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id) > own
    trainer.stop()


def test_an_earlier_run_is_read_back(qtbot: QtBot, document: Document, trainer: Trainer) -> None:
    with qtbot.waitSignal(trainer.over, timeout=WAIT):
        trainer.start()
    assert trainer.run_file is not None
    other = Trainer(document)
    with qtbot.waitSignals([other.restored, other.looked, other.over], timeout=WAIT):
        other.restore(trainer.run_file)
    assert other.look is not None
    assert trainer.look is not None
    assert (other.look.confusion == trainer.look.confusion).all()
    other.forget()
    assert other.look is None is other.program


def test_a_task_hands_back_what_it_made(qtbot: QtBot) -> None:
    main = threading.get_ident()

    def work(task: Task) -> bool:
        task.tell(0.5, "half way")
        return threading.get_ident() != main

    task = Task(work)
    told: list[tuple[float, str]] = []
    task.progressed.connect(lambda share, words: told.append((share, words)))
    with qtbot.waitSignal(task.done, timeout=WAIT) as done:
        task.start()
    assert done.args == [True]
    assert told == [(0.5, "half way")]


def test_a_task_that_fails_says_why(qtbot: QtBot) -> None:
    def work(task: Task) -> None:
        raise DataError("It is empty.", where="x.csv")

    task = Task(work)
    with qtbot.waitSignal(task.failed, timeout=WAIT) as failed:
        task.start()
    assert failed.args == ["x.csv: It is empty."]


def test_a_stopped_task_says_nothing(qtbot: QtBot) -> None:
    def work(task: Task) -> None:
        while not task.stopped:
            time.sleep(0.005)

    task = Task(work)
    said: list[object] = []
    task.done.connect(said.append)
    task.failed.connect(said.append)
    task.start()
    task.stop()
    task.wait()
    qtbot.wait(2 * TICK)
    assert said == []


class _Soaked(QWidget):
    ticked = Signal(object)


def test_many_updates_and_signals_leave_the_program_alive(qtbot: QtBot) -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference for each and aborts after about 5,000."""
    widget = _Soaked()
    qtbot.addWidget(widget)
    count = 0

    def count_one(_: object) -> None:
        nonlocal count
        count += 1

    widget.ticked.connect(count_one)
    for _ in range(20_000):
        widget.update()
        widget.ticked.emit(None)
    assert count == 20_000
