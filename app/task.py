"""Long work beside the window that is not training: reading a file, predicting, exporting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.line import FAULT, Line, of_the_system, step_back
from engine.errors import PolybitError


class Task(QObject):
    """Other long work in a thread of its own: reading a file, predicting, exporting.

    Signals:
        progressed: share done, 0 to 1, and what happens now.
        done: what the function returned.
        failed: what went wrong, in a sentence.
        ended: the thread is gone, after `done` or `failed`, or neither where the work was asked to stop.
    """

    progressed = Signal(float, str)
    done = Signal(object)
    failed = Signal(str)
    ended = Signal()

    def __init__(self, work: Callable[[Task], Any], parent: QObject | None = None) -> None:
        """Take what to do; it is handed this task, to call `tell` and to look at `stopped`."""
        super().__init__(parent)
        self._work = work
        self._line = Line(self._take, self)
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
        step_back()
        last: Any = _Failure(FAULT)
        try:
            last = _Result(self._work(self))
        except PolybitError as error:
            last = _Failure(str(error))
        except (OSError, MemoryError) as error:
            last = _Failure(of_the_system(error))
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
        if not self.stopped:
            if isinstance(last, _Result):
                self.done.emit(last.value)
            else:
                self.failed.emit(last.words)
        self.ended.emit()


class Latest(QObject):
    """Work of which only the newest counts: what is asked while older work runs begins when that has ended.

    Signals:
        done: what the newest function returned.
        failed: what went wrong with it, in a sentence.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task: Task | None = None
        self._next: Callable[[Task], Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._task is not None

    def want(self, work: Callable[[Task], Any]) -> None:
        """Do `work` in a thread; what was asked before is asked to stop, and is not heard of again."""
        if self._task is None:
            self._begin(work)
        else:
            self._next = work
            self._task.stop()

    def wait(self) -> None:
        """End what runs and forget what was asked."""
        self._next, task, self._task = None, self._task, None
        if task:
            task.stop()
            task.wait()
            task.deleteLater()

    def _begin(self, work: Callable[[Task], Any]) -> None:
        self._task = Task(work, self)
        self._task.done.connect(self.done)
        self._task.failed.connect(self.failed)
        self._task.ended.connect(self._over)
        self._task.start()

    def _over(self) -> None:
        task, self._task = self._task, None
        if task:
            task.deleteLater()
        work, self._next = self._next, None
        if work and self._task is None:
            self._begin(work)


class _Result:
    """What a task returned."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Failure:
    """Why a task failed."""

    def __init__(self, words: str) -> None:
        self.words = words
