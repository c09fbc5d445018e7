"""From a thread into the window: a queue that a thread fills, and a timer of the window that empties it.

A thread puts frozen records on the queue; the timer takes them off, at most 15 times a second. No widget,
signal or document is touched from a thread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from PySide6.QtCore import QObject, QTimer

from engine.errors import PolybitError

TICK = 66  # ms between two looks at the queue
FAULT = "A fault in Polybit ended the work; the terminal it was started from shows what happened."
_NICER = 10  # how much the worker steps back behind the window


class Line(QObject):
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


def of_the_system(error: OSError | MemoryError) -> str:
    """Return what the system refused, in a sentence."""
    if isinstance(error, MemoryError):
        return "The memory of this computer does not suffice. Make the batch or the layers smaller."
    return f"{error.filename or 'A file'}: {error.strerror or error}."


def step_back() -> None:
    """Lower this thread's priority, before its first kernel, so that the window answers at once."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICER)


def carry_out(work: Callable[[], str], end: Callable[[str], None]) -> None:
    """Do the work of a thread; tell `end` why it ended: what it returns, or a sentence of what stopped it."""
    step_back()
    why = FAULT
    try:
        why = work()
    except PolybitError as error:
        why = str(error)
    except (OSError, MemoryError) as error:
        why = of_the_system(error)
    finally:
        end(why)
