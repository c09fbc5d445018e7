"""The training, in a thread beside the window. The last record is always `Stopped`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol, cast

from PySide6.QtCore import QObject, QTimer, Signal

from app.line import Line, carry_out
from app.quantizing import QuantizedRun, quantize_beside
from engine.data.dataset import open_data
from engine.files.model import load_model
from engine.files.project import Project
from engine.files.run import Checkpoint, read_run
from engine.look import Look, look
from engine.records import Records
from engine.runtime.program import Program
from engine.train.loop import Run
from engine.train.progress import BatchDone, EpochDone, Finished, Progress, Stopped
from engine.train.quantizing import Wanted
from engine.train.resume import resumed

State = Literal["idle", "preparing", "running", "paused", "quantizing", "stopping"]
RUN_SUFFIX = ".run.h5"  # a run, beside its project
_LOOKED = 300  # ms between two looks that panels are told of, but for the last
_LOOK_SHARE = 0.2  # most of the time that may go into looking inside


class HasProject(Protocol):
    """What a trainer needs of a document."""

    @property
    def project(self) -> Project: ...


def spare_cores() -> int:
    """Return how many cores the training may use: all but the one that paints the window."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, there - 1)


class Trainer(QObject):
    """Trains the project of a document in a thread.

    Signals:
        progress: a list of the engine's progress records, oldest first.
        over: the run's last word, an engine `Stopped`.
        state_changed: the state is another one now.
        looked: there is another look inside.
        restored: an earlier run was read back: its checkpoint.
        quantized: the run in the run file was quantized: a `QuantizedRun`.
    """

    progress = Signal(list)
    over = Signal(object)
    state_changed = Signal(str)
    looked = Signal()
    restored = Signal(object)
    quantized = Signal(object)

    def __init__(self, document: HasProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._line = Line(self._take, self)
        self._state: State = "idle"
        self._stop, self._going = threading.Event(), threading.Event()
        self._scratch: TemporaryDirectory[str] | None = None
        self._unsaid = False  # whether there is a look that nobody was told of
        self._rest = QTimer(self, singleShot=True, interval=_LOOKED)
        self._rest.timeout.connect(self._say_look)
        self.threads = spare_cores()
        self.look: Look | None = None
        self.program: Program | None = None
        self.run_file: Path | None = None
        self.project: Project | None = None

    @property
    def state(self) -> State:
        """Return what the trainer does now."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._state != "idle"

    def start(self, *, go_on: bool = False) -> None:
        """Begin to train the project as it is now; nothing happens while a run is under way.

        Args:
            go_on: whether to go on with the run in the run file, from its last finished epoch.
        """
        if self.busy:
            return
        self._stop.clear()
        self._going.set()
        project, path = self._document.project, self._place(self._document.project)
        self.project, self.run_file = project, path
        self._set("preparing")

        def made() -> Run:
            resume = resumed(project, path) if go_on else None
            return Run(project, path, threads=self.threads, resume=resume)

        self._line.begin(lambda: _train(made, self._stop, self._going, self._line.say), "training")

    def pause(self) -> None:
        """Ask for no more steps until `resume`."""
        if self._state in ("preparing", "running"):
            self._going.clear()
            self._set("paused")

    def resume(self) -> None:
        """Go on after a pause."""
        if self._state == "paused":
            self._going.set()
            self._set("running")

    def stop(self) -> None:
        """Ask the run to end after the step in hand; `over` follows."""
        if self.busy:
            self._stop.set()
            self._going.set()
            self._set("stopping")

    def wait(self) -> None:
        """End the run and return when nothing is left running; the window calls it when it closes."""
        self.stop()
        self._line.end()
        self._line.empty()
        if self._scratch:
            self._scratch.cleanup()
            self._scratch = None

    def forget(self) -> None:
        """Show nothing any more: another project is open."""
        self.wait()
        self._unsaid = False
        self.look = self.program = self.run_file = self.project = None
        self.looked.emit()

    def restore(self, path: Path) -> None:
        """Read an earlier run of this project, or a model of it, from its file, and look into it.

        `restored` follows for a run, then `looked` and `over`.
        """
        if self.busy:
            return
        self._stop.clear()
        self._going.set()
        self.project, self.run_file = self._document.project, path
        self._set("preparing")
        project = self.project
        self._line.begin(lambda: _read_back(project, path, self._line.say), "training")

    def quantize(self, wanted: Wanted, out: Path) -> None:
        """Quantize the run in the run file without gradients; `quantized` follows, then `over`.

        Args:
            wanted: widths.
            out: the project to write; its run goes beside it.
        """
        path, project = self.run_file, self._document.project
        if self.busy or path is None:
            return
        self._stop.clear()
        self._set("quantizing")
        both = out, out.with_suffix(RUN_SUFFIX)
        self._line.begin(
            lambda: quantize_beside(project, path, wanted, both, self._stop, self._line.say), "quantizing"
        )

    # Inside

    def _place(self, project: Project) -> Path:
        if project.path and os.access(project.path.parent, os.W_OK):
            return project.path.with_suffix(RUN_SUFFIX)
        if self._scratch is None:
            self._scratch = TemporaryDirectory(prefix="polybit-", ignore_cleanup_errors=True)
        return Path(self._scratch.name) / "untitled.run.h5"

    def _set(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _say_look(self) -> None:
        """Tell of a new look, and then rest: panels draw much for each, and short epochs bring many."""
        if self._unsaid:
            self._unsaid = False
            self._rest.start()
            self.looked.emit()

    def _take(self, said: list[Any]) -> None:
        looks = [one for one in said if isinstance(one, Look)]
        runs = [one for one in said if isinstance(one, Checkpoint)]
        records = [one for one in said if isinstance(one, _RECORDS)]
        programs = [one.program for one in records if isinstance(one, EpochDone | Finished)]
        self.program = next((p for p in reversed(programs) if p), self.program)
        if self._state == "preparing" and any(isinstance(r, BatchDone | EpochDone) for r in records):
            self._set("running")
        for run in runs:
            self.program = run.program()
            self.restored.emit(run)
        if records:
            self.progress.emit(records)
        if looks:
            self.look = looks[-1]
            self.program = self.program or self.look.program
            self._unsaid = True
        last = next((one for one in records if isinstance(one, Stopped)), None)
        if last or not self._rest.isActive():
            self._say_look()
        for made in [one for one in said if isinstance(one, QuantizedRun)]:
            self.quantized.emit(made)
        if last:
            self._line.end()
            self._set("idle")
            self.over.emit(last)


_RECORDS = (*Progress.__args__,)


# In the thread


def _train(
    make: Callable[[], Run], stop: threading.Event, going: threading.Event, say: Callable[[Any], None]
) -> None:
    run: Run | None = None

    def work() -> str:
        nonlocal run
        run = make()
        return _pull(run, stop, going, say)

    carry_out(work, lambda why: say(Stopped(why, run.epoch if run else 0)))


def _pull(run: Run, stop: threading.Event, going: threading.Event, say: Callable[[Any], None]) -> str:
    """Take records from the run until it ends or is asked to; return why it ended."""
    steps = cast("Generator[Progress, None, None]", run.steps())
    glance = _Glance(say)
    try:
        for record in steps:
            say(record)
            if isinstance(record, EpochDone | Finished) and record.program:
                last = isinstance(record, Finished)
                glance(
                    record.program,
                    run.validation,
                    run.splits.test if last and run.splits else None,
                    last=last,
                )
            going.wait()
            if stop.is_set():
                glance.last(_held_back(run))
                return "finished" if isinstance(record, Finished) else "asked"
    finally:
        steps.close()
    return "finished"


def _held_back(run: Run) -> Records | None:
    return run.splits.test if run.splits else None


class _Glance:
    """Looks inside after an epoch, unless looking would take too much of the time."""

    def __init__(self, say: Callable[[Any], None]) -> None:
        self._say, self._free_at = say, 0.0
        self._missed: tuple[Program, Records] | None = None
        self._blank: tuple[Program, Records] | None = None  # where the guard found nothing to decide

    def __call__(self, program: Program, records: Records, others: Records | None, *, last: bool) -> None:
        began = time.perf_counter()
        if not last and began < self._free_at:
            self._missed = program, records
            return
        self._missed = None
        found = look(program, records, others=others)
        self._say(found)
        self._blank = (program, records) if found.guard and not found.guard.total else None
        now = time.perf_counter()
        self._free_at = now + (now - began) * (1 / _LOOK_SHARE - 1)

    def last(self, others: Records | None) -> None:
        """Look at what was passed over: the run is stopped and this is what it leaves."""
        if missed := self._missed or self._blank:
            self(*missed, others, last=True)


def _program(path: Path, say: Callable[[Any], None]) -> Program:
    """Return the program of a model, or of a run, which is handed on."""
    if not path.name.endswith(RUN_SUFFIX):
        return load_model(path)
    checkpoint = read_run(path)
    say(checkpoint)
    return checkpoint.program()


def _read_back(project: Project, path: Path, say: Callable[[Any], None]) -> None:
    def work() -> str:
        program = _program(path, say)
        splits = open_data(program.graph, project.folder)
        records = splits.validation if len(splits.validation) else splits.train
        say(look(program, records, others=splits.test))
        return "restored"

    carry_out(work, lambda why: say(Stopped(why, 0)))
