"""Handing on what is typed: at once while that is quick, else when the typing pauses."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_QUICK = 0.012  # seconds that handing on may take between two letters
_TIMES, _LONGEST = 12, 700  # how many times as long a pause is waited for, at most so many ms


class Settling(QObject):
    """Calls `act` after typing.

    Args:
        act: hands on what stands there now.
        parent: whose life it shares.
    """

    def __init__(self, act: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._act, self._took = act, 0.0
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._run)

    @property
    def waiting(self) -> bool:
        """Whether something was typed that is not handed on yet."""
        return self._timer.isActive()

    def touch(self) -> None:
        """Something was typed."""
        if self._took <= _QUICK and not self.waiting:
            self._run()
        else:
            self._timer.start(min(_LONGEST, round(1000 * _TIMES * self._took)))

    def settle(self) -> None:
        """Hand on now what waits."""
        if self.waiting:
            self._timer.stop()
            self._run()

    def drop(self) -> None:
        """Forget what waits."""
        self._timer.stop()

    def _run(self) -> None:
        began = time.perf_counter()
        self._act()
        self._took = time.perf_counter() - began
