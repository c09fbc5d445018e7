"""Curves of options, computed beside the window and kept: a quantizer in plain Python may take a while."""

from __future__ import annotations

from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.options import F64, Curve

Drawn = tuple[F64, F64]  # forward and gradient, each float64 of the shape of XS

XS: F64 = np.linspace(-2.0, 2.0, 161)
XS.setflags(write=False)
THREAD = "curves"  # stays for as long as the program runs
_TICK = 30  # ms between two looks at what is finished


class CurveStore(QObject):
    """Hands out curves over XS; what is not known yet is computed in a thread.

    Signals:
        ready: some more curves are known.
    """

    ready = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Curve, Drawn] = {}
        self._open: set[Curve] = set()
        self._asked: SimpleQueue[Curve] = SimpleQueue()
        self._made: SimpleQueue[tuple[Curve, Drawn | None]] = SimpleQueue()
        self._timer = QTimer(self, interval=_TICK)
        self._timer.timeout.connect(self._take)
        self._thread: Thread | None = None

    def of(self, curve: Curve) -> Drawn | None:
        """Return forward and gradient, or None where they are on their way: `ready` follows."""
        found = self._known.get(curve)
        if found is None and curve not in self._open:
            self._open.add(curve)
            self._asked.put(curve)
            self._timer.start()
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name=THREAD, daemon=True)
                self._thread.start()
        return found

    def _work(self) -> None:
        while True:
            curve, drawn = self._asked.get(), None
            try:
                drawn = curve(XS)
            finally:  # a curve with a fault ends this thread, not the wait for it
                self._made.put((curve, drawn))

    def _take(self) -> None:
        done: dict[Curve, Drawn | None] = {}
        while True:
            try:
                curve, drawn = self._made.get_nowait()
            except Empty:
                break
            done[curve] = drawn
        self._open.difference_update(done)
        self._known.update({curve: drawn for curve, drawn in done.items() if drawn is not None})
        if not self._open:
            self._timer.stop()
        if done:
            self.ready.emit()


@cache
def curve_store() -> CurveStore:
    """Return the one store of the program."""
    return CurveStore()
