"""Takes Python's garbage away in the window's own thread, and nowhere else.

Python runs its cycle collector in whichever thread happens to allocate. In the training thread it would take
down scene items and widgets while the window still paints them, which ends the process. So the collector is
switched off while a window is open, and a timer of the window's thread does its work.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY = 500  # ms


class Collector(QObject):
    """Collects garbage by timer from now until `stop`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.collect()
        gc.disable()
        self._timer = QTimer(self, interval=_EVERY)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Collect the generations that are due, the youngest first, as Python itself would."""
        limits = gc.get_threshold()
        for generation, (count, limit) in enumerate(zip(gc.get_count(), limits, strict=True)):
            if count <= limit:
                return
            gc.collect(generation)

    def stop(self) -> None:
        """Hand the work back to Python: the window is closed and nothing runs beside it."""
        self._timer.stop()
        gc.enable()
