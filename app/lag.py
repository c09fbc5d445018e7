"""How late the window answers while it trains, measured: what `polybit bench gui` prints.

A timer that should fire every 10 ms is watched in the window's own event loop; each firing's lateness is one
sample. Curves, canvas and panels live on meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer

from app.document import relocated
from app.window.main import MainWindow
from engine.errors import TrainError
from engine.files.project import open_project, save_project
from engine.train.progress import Stopped

_EVERY = 10.0  # ms
_ENDLESS = 100_000  # epochs


@dataclass(frozen=True)
class Lag:
    """Lateness of the event loop.

    Attributes:
        p50, p95, p99, longest: in ms.
        samples: firings that were watched.
    """

    p50: float
    p95: float
    p99: float
    longest: float
    samples: int


def measure_lag(project_path: str | Path, seconds: float = 2.0, *, training: bool = True) -> Lag:
    """Return how late the window of a project answers; a QApplication must be there.

    Args:
        project_path: the project to show and train; its own run file is left alone.
        seconds: how long to watch, once the kernels are ready.
        training: whether it trains meanwhile.

    Raises:
        PolybitError: the project cannot be opened or trained.
    """
    project = open_project(project_path)
    window = MainWindow(recover=False, remember=False)
    with TemporaryDirectory(prefix="polybit-lag-") as folder:
        copy = relocated(project, Path(folder))
        copy = replace(copy, training=replace(copy.training, epochs=_ENDLESS))
        window.document.load(save_project(copy, Path(folder) / "lag.polybit"))
        try:
            window.show_workbench()
            window.show()
            if training:
                _begin(window)
            return _watched(seconds)
        finally:
            window.trainer.wait()
            window.close()
            window.deleteLater()


def _begin(window: MainWindow) -> None:
    """Train, and return once steps are taken."""
    words: list[str] = []
    loop = QEventLoop()

    def look_at(state: str) -> None:
        if state == "running":
            loop.quit()

    def over(last: Stopped) -> None:
        words.append(last.why)
        loop.quit()

    window.trainer.state_changed.connect(look_at)
    window.trainer.over.connect(over)
    window.trainer.start()
    loop.exec()
    window.trainer.over.disconnect(over)
    if words:
        raise TrainError(words[0])


def _watched(seconds: float) -> Lag:
    late: list[float] = []
    timer = QTimer(interval=int(_EVERY), timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(_sampler(late))
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    timer.start()
    loop.exec()
    timer.stop()
    p50, p95, p99 = (float(p) for p in np.percentile(late, (50, 95, 99)))
    return Lag(p50, p95, p99, max(late), len(late))


def _sampler(late: list[float]) -> Callable[[], None]:
    before = time.perf_counter()

    def sample() -> None:
        nonlocal before
        now = time.perf_counter()
        late.append(max(0.0, 1000 * (now - before) - _EVERY))
        before = now

    return sample
