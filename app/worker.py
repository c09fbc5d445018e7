"""Long work beside the window: the training, and tasks such as reading a file. One thread each.

A thread puts frozen records on a queue; a timer of the window's own thread takes them off, at most 15 times
a second. No widget, signal or document is touched from a thread. The last record is always `Stopped`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol, cast

from PySide6.QtCore import QObject, QTimer, Signal

from engine.data.dataset import open_data
from engine.errors import PolybitError
from engine.files.project import Project
from engine.files.run import read_run
from engine.look import Look, look
from engine.records import Records
from engine.runtime.program import Program
from engine.train.loop import Run, resumed
from engine.train.progress import BatchDone, EpochDone, Finished, Progress, Stopped

State = Literal["idle", "preparing", "running", "paused", "stopping"]
TICK = 66  # ms between two looks at the queue
_NICER = 10  # how much the worker steps back behind the window
_LOOK_SHARE = 0.2  # most of the time that may go into looking inside
_FAULT = "A fault in Polybit ended the work; the terminal it was started from shows what happened."


class HasProject(Protocol):
    """What a trainer needs of a document."""

    @property
    def project(self) -> Project: ...


def spare_cores() -> int:
    """Return how many cores the training may use: all but the one that paints the window."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, there - 1)


class _Line(QObject):
    """Carries what a thread says into the window's thread: a queue and the timer that empties it."""

    def __init__(self, take: Callable[[list[Any]], None], parent: QObject) -> None:
        super().__init__(parent)
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._take = take
        self._timer = QTimer(self, interval=TICK)
        self._timer.timeout.connect(self.empty)
        self._thread: threading.Thread | None = None
        self.say = self._queue.put

    def begin(self, work: Callable[[], None], name: str) -> None:
        """Run `work` in a thread and begin listening."""
        self._thread = threading.Thread(target=work, name=name, daemon=True)
        self._timer.start()
        self._thread.start()

    def empty(self) -> None:
        """Hand on everything that was said since the last time."""
        said: list[Any] = []
        while True:
            try:
                said.append(self._queue.get_nowait())
            except Empty:
                break
        if said:
            self._take(said)

    def end(self) -> None:
        """Wait for the thread and stop listening."""
        if self._thread:
            self._thread.join()
        self._thread = None
        self._timer.stop()


class Trainer(QObject):
    """Trains the project of a document in a thread.

    Signals:
        progress: a list of the engine's progress records, oldest first.
        over: the run's last word, an engine `Stopped`.
        state_changed: the state is another one now.
        looked: there is another look inside.
        restored: an earlier run was read back: its checkpoint.
    """

    progress = Signal(list)
    over = Signal(object)
    state_changed = Signal(str)
    looked = Signal()
    restored = Signal(object)

    def __init__(self, document: HasProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._line = _Line(self._take, self)
        self._state: State = "idle"
        self._stop, self._going = threading.Event(), threading.Event()
        self._scratch: TemporaryDirectory[str] | None = None
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
        self.look = self.program = self.run_file = self.project = None
        self.looked.emit()

    def restore(self, path: Path) -> None:
        """Read an earlier run of this project back from its file, and look into it, in the thread.

        `restored` and `looked` follow, then `over`.
        """
        if self.busy:
            return
        self._stop.clear()
        self._going.set()
        self.project, self.run_file = self._document.project, path
        self._set("preparing")
        project = self.project
        self._line.begin(lambda: _read_back(project, path, self._line.say), "training")

    # Inside

    def _place(self, project: Project) -> Path:
        if project.path and os.access(project.path.parent, os.W_OK):
            return project.path.with_suffix(".run.h5")
        if self._scratch is None:
            self._scratch = TemporaryDirectory(prefix="polybit-", ignore_cleanup_errors=True)
        return Path(self._scratch.name) / "untitled.run.h5"

    def _set(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _take(self, said: list[Any]) -> None:
        looks = [one for one in said if isinstance(one, Look)]
        runs = [one for one in said if not isinstance(one, Look) and not isinstance(one, _RECORDS)]
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
            self.looked.emit()
        last = next((one for one in records if isinstance(one, Stopped)), None)
        if last:
            self._line.end()
            self._set("idle")
            self.over.emit(last)


_RECORDS = (*Progress.__args__,)


class Task(QObject):
    """Other long work in a thread of its own: reading a file, predicting, exporting.

    Signals:
        progressed: share done, 0 to 1, and what happens now.
        done: what the function returned.
        failed: what went wrong, in a sentence.
    """

    progressed = Signal(float, str)
    done = Signal(object)
    failed = Signal(str)

    def __init__(self, work: Callable[[Task], Any], parent: QObject | None = None) -> None:
        """Take what to do; it is handed this task, to call `tell` and to look at `stopped`."""
        super().__init__(parent)
        self._work = work
        self._line = _Line(self._take, self)
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether the work is asked to end; the function looks at it between two pieces."""
        return self._stop.is_set()

    def tell(self, share: float, words: str) -> None:
        """Say how far the work is; called from the function."""
        self._line.say((share, words))

    def start(self) -> None:
        """Begin."""
        self._line.begin(self._run, "task")

    def stop(self) -> None:
        """Ask the work to end; neither `done` nor `failed` follows."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until the thread is gone, and say what it said last."""
        self._line.end()
        self._line.empty()

    def _run(self) -> None:
        _step_back()
        last: Any = _Failure(_FAULT)
        try:
            last = _Result(self._work(self))
        except PolybitError as error:
            last = _Failure(str(error))
        except (OSError, MemoryError) as error:
            last = _Failure(_of_the_system(error))
        finally:
            self._line.say(last)

    def _take(self, said: list[Any]) -> None:
        told = [one for one in said if isinstance(one, tuple)]
        if told and not self.stopped:
            self.progressed.emit(*told[-1])
        last = next((one for one in said if isinstance(one, _Result | _Failure)), None)
        if last is None:
            return
        self._line.end()
        if self.stopped:
            return
        if isinstance(last, _Result):
            self.done.emit(last.value)
        else:
            self.failed.emit(last.words)


class _Result:
    """What a task returned."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Failure:
    """Why a task failed."""

    def __init__(self, words: str) -> None:
        self.words = words


# In the thread


def _train(
    make: Callable[[], Run], stop: threading.Event, going: threading.Event, say: Callable[[Any], None]
) -> None:
    _step_back()
    why, run = _FAULT, None
    try:
        run = make()
        why = _pull(run, stop, going, say)
    except PolybitError as error:
        why = str(error)
    except (OSError, MemoryError) as error:
        why = _of_the_system(error)
    finally:
        say(Stopped(why, run.epoch if run else 0))


def _pull(run: Run, stop: threading.Event, going: threading.Event, say: Callable[[Any], None]) -> str:
    """Take records from the run until it ends or is asked to; return why it ended."""
    steps = cast("Generator[Progress, None, None]", run.steps())
    glance = _Glance(say)
    try:
        for record in steps:
            say(record)
            if isinstance(record, EpochDone | Finished) and record.program:
                glance(record.program, run.validation, last=isinstance(record, Finished))
            going.wait()
            if stop.is_set():
                glance.last()
                return "finished" if isinstance(record, Finished) else "asked"
    finally:
        steps.close()
    return "finished"


class _Glance:
    """Looks inside after an epoch, unless looking would take too much of the time."""

    def __init__(self, say: Callable[[Any], None]) -> None:
        self._say, self._free_at = say, 0.0
        self._missed: tuple[Program, Records] | None = None

    def __call__(self, program: Program, records: Records, *, last: bool) -> None:
        began = time.perf_counter()
        if not last and began < self._free_at:
            self._missed = program, records
            return
        self._missed = None
        self._say(look(program, records))
        now = time.perf_counter()
        self._free_at = now + (now - began) * (1 / _LOOK_SHARE - 1)

    def last(self) -> None:
        """Look at what was passed over: the run is stopped and this is what it leaves."""
        if self._missed:
            self(*self._missed, last=True)


def _read_back(project: Project, path: Path, say: Callable[[Any], None]) -> None:
    _step_back()
    why = _FAULT
    try:
        checkpoint = read_run(path)
        say(checkpoint)
        splits = open_data(checkpoint.project.graph, project.folder)
        records = splits.validation if len(splits.validation) else splits.train
        say(look(checkpoint.program(), records))
        why = "restored"
    except PolybitError as error:
        why = str(error)
    except (OSError, MemoryError) as error:
        why = _of_the_system(error)
    finally:
        say(Stopped(why, 0))


def _of_the_system(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "The memory of this computer does not suffice. Make the batch or the layers smaller."
    return f"{error.filename or 'A file'}: {error.strerror or error}."


def _step_back() -> None:
    """Lower this thread's priority, before its first kernel, so that the window answers at once."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICER)
