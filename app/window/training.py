"""Training from the window: start, pause, stop, and what is said when a run ends."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.canvas.node_item import KEPT, Live
from app.document import Document
from app.quantizing import GIVEN_UP
from app.window.actions import Actions
from app.window.panes import Panes
from app.window.toast import Toasts
from app.worker import Trainer
from engine.errors import PolybitError
from engine.train.progress import BatchDone, EpochDone, Finished, Stopped

_QUIET = ("finished", "restored", "quantized")
_LIVE = 250  # ms between two pictures of the progress on the nodes


class TrainingCommands(QObject):
    """Connects the trainer with actions, canvas and messages."""

    def __init__(
        self, document: Document, trainer: Trainer, panes: Panes, actions: Actions, toasts: Toasts
    ) -> None:
        super().__init__(panes)
        self._document, self._trainer, self._panes = document, trainer, panes
        self._actions, self._toasts = actions, toasts
        self._accuracies: tuple[float, ...] = ()
        self._share = 0.0
        self._live = QTimer(self, singleShot=True, interval=_LIVE)
        self._live.timeout.connect(self._show_live)
        trainer.state_changed.connect(self._show_state)
        trainer.progress.connect(self._show_progress)
        trainer.over.connect(self._say_over)

    def start(self) -> None:
        """Train, or go on after a pause; a graph with errors is explained instead."""
        if self._trainer.state == "paused":
            self._trainer.resume()
            return
        self._document.settle()
        wrong = [p for p in self._document.problems() if p.level == "error"]
        if not self._document.graph.nodes:
            self._toasts.say("There is nothing to train yet. Drag a data source onto the canvas.", "warning")
        elif wrong:
            self._panes.show_panel("problems")
            more = f" There are {len(wrong) - 1} more." if len(wrong) > 1 else ""
            self._toasts.say(f"This cannot be trained yet. {wrong[0]}{more}", "warning")
        else:
            self._begin()

    def go_on(self) -> None:
        """Train on from the last finished epoch of the earlier run."""
        self._begin(go_on=True)

    def _begin(self, *, go_on: bool = False) -> None:
        self._accuracies = ()
        self._panes.show_panel("training")
        try:
            self._trainer.start(go_on=go_on)
        except PolybitError as error:
            self._toasts.say(str(error), "error")

    def toggle_pause(self) -> None:
        """Pause a run that goes on, and the other way round."""
        if self._trainer.state == "paused":
            self._trainer.resume()
        else:
            self._trainer.pause()

    # Inside

    def _show_state(self, state: str) -> None:
        going = state in ("preparing", "running", "paused")
        self._actions.enable(
            train=state in ("idle", "paused"), pause=going, stop=going or state == "quantizing"
        )
        self._actions["train"].setText("Go on" if state == "paused" else "Train")
        self._actions["pause"].setText("Go on" if state == "paused" else "Pause")
        has = self._trainer.program is not None
        free = has and state == "idle"
        self._actions.enable(export=free, predict=free, quantize=free)
        if state == "idle":
            self._live.stop()
            self._show_live()

    def _show_progress(self, records: list[object]) -> None:
        for record in records:
            if isinstance(record, EpochDone) and record.stage != "teacher":
                self._accuracies = (*self._accuracies, record.accuracy)
        last = next((r for r in reversed(records) if isinstance(r, BatchDone)), None)
        if last:
            self._share = last.share
            if not self._live.isActive():
                self._live.start()
        end = next((r for r in records if isinstance(r, Finished)), None)
        if end:
            self._toasts.say(_summary(end), "good")

    def _show_live(self) -> None:
        """Show on the nodes that learn how far the run is; nothing once it is over."""
        live = Live(round(self._share, 3), self._accuracies[-KEPT:]) if self._trainer.busy else None
        graph = self._document.graph
        for name, item in self._panes.canvas.graph_scene.nodes.items():
            learns = name in graph.nodes and graph.node(name).learning == "gradient"
            item.show_live(live if learns else None)

    def _say_over(self, last: Stopped) -> None:
        if last.why == "asked":
            self._toasts.say("The training was stopped. What it learned up to then is kept.", "plain")
        elif last.why == GIVEN_UP:
            self._toasts.say("Quantizing was stopped; nothing was written.", "plain")
        elif last.why not in _QUIET:
            self._toasts.say(last.why, "error")


def _summary(end: Finished) -> str:
    words = f"Trained in {end.seconds:.0f} s: {100 * end.accuracy:.1f} % on the test records."
    if end.violations_raw:
        return f"{words} {end.violations_raw} answers broke a rule before repair, {end.violations} after."
    return words
