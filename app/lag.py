"""How late the window answers while it trains or rules are typed: what `polybit bench window` prints.

A timer that should fire every 10 ms is watched in the window's own event loop; each firing's lateness is one
sample. Curves, canvas and panels live on meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer

from app.__main__ import no_screen_sentence
from app.document import relocated
from app.window.main import MainWindow
from app.window.start import application
from engine.errors import PolybitError, TrainError
from engine.files.project import open_project, save_project
from engine.train.progress import Stopped

_EVERY = 10.0  # ms
_ENDLESS = 100_000  # epochs
_LETTER = 70  # ms between two letters
_LAST_RULE = re.compile(r"^rule\b", re.MULTILINE)

Doing = Literal["train", "type", "nothing"]
DOING: dict[Doing, str] = {
    "train": "while it trains",
    "type": "while its last rule is typed once more",
    "nothing": "while nothing is done",
}


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


def main(arguments: Sequence[str]) -> int:
    """Print what the command line asks for and return the exit status."""
    options = _parser().parse_args(list(arguments))
    if no_screen_sentence():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application()
    lag = measure_lag(options.project, options.seconds, doing=options.doing)
    if options.json:
        said = json.dumps({"project": str(options.project), "while": options.doing, **asdict(lag)})
    else:
        said = (
            f"The window is late by {lag.p50:.1f} ms at the median, {lag.p95:.1f} ms at 95 % and "
            f"{lag.p99:.1f} ms at 99 %, {lag.longest:.0f} ms at most, {DOING[options.doing]}."
        )
    sys.stdout.write(f"{said}\n")
    return 0


def measure_lag(project_path: str | Path, seconds: float = 2.0, *, doing: Doing = "train") -> Lag:
    """Return how late the window of a project answers; a QApplication must be there.

    Args:
        project_path: the project to show; its own run file is left alone.
        seconds: how long to watch, once the kernels are ready.
        doing: what goes on meanwhile; see DOING.

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
            if doing == "train":
                _begin(window)
            with _typing(window, on=doing == "type"):
                return _watched(seconds)
        finally:
            window.trainer.wait()
            window.document.settle()  # what is typed is not worth asking about
            window.document.undo.setClean()
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


@contextmanager
def _typing(window: MainWindow, *, on: bool) -> Iterator[None]:
    """Type the last rule once more, letter by letter, as someone who knows what to write."""
    if not on:
        yield
        return
    window.show_rules()
    page = window.rules
    if not page.name:
        raise PolybitError("There are no rules to type into.", do="Name a project with a rules node.")
    while page.busy:
        _wait(50)
    held = page.text.toPlainText()
    begins = [found.start() for found in _LAST_RULE.finditer(held)]
    rule = held[begins[-1] :] if begins else "rule typed: true"
    cursor = page.text.textCursor()
    cursor.movePosition(cursor.MoveOperation.End)
    page.text.setTextCursor(cursor)
    letters = iter("\n" + re.sub(r"^rule\s+[^:]*:", "rule typed:", rule))
    timer = QTimer(interval=_LETTER)
    timer.timeout.connect(lambda: page.text.insertPlainText(next(letters, " ")))
    timer.start()
    try:
        yield
    finally:
        timer.stop()


def _wait(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="polybit bench window", description="Measure how late the window answers while it works."
    )
    parser.add_argument("project", help="project (.polybit)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to watch (5)")
    parser.add_argument("--while", dest="doing", default="train", choices=tuple(DOING), help="what goes on")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, in ms")
    return parser
