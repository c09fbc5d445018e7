"""Pictures of the window and its panels, drawn without a screen where there is none."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.__main__ import no_screen_sentence
from engine.errors import PolybitError
from engine.files.project import Project, open_project

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.window.main import MainWindow

PANELS = (
    "window",
    "gallery",
    "canvas",
    "palette",
    "inspector",
    "training",
    "spikes",
    "weights",
    "constraints",
    "problems",
    "hardware",
    "rules",
    "packs",
)
_SETTLED_AFTER = 250  # ms
_PAGES = ("gallery", "hardware")  # which need no project
_RULES = ("rules", "packs")  # views of the page of rules
_TABS = ("training", "spikes", "weights", "constraints", "problems")


@dataclass(frozen=True)
class Before:
    """What is done with the window before it is drawn.

    Attributes:
        tab: the panel under the canvas that is in front.
        select: the node that is selected, "" for none.
        epochs: how many epochs are trained, 0 for none. No run file is left behind.
        run: a run file of the project to show, "" for none.
    """

    tab: str = "training"
    select: str = ""
    epochs: int = 0
    run: str = ""


def main(arguments: Sequence[str]) -> int:
    """Draw what the command line asks for and return the exit status."""
    options = _parser().parse_args(list(arguments))
    wide, _, tall = options.size.partition("x")
    if not (wide.isdigit() and tall.isdigit()):
        raise PolybitError(f"--size must read like 1600x1000; got {options.size!r}.")
    shot(
        options.project,
        options.panel,
        options.out,
        options.theme,
        (int(wide), int(tall)),
        before=Before(options.tab, options.select, options.train, options.run),
        scale=options.scale,
    )
    return 0


def shot(
    project_path: str | Path,
    panel: str,
    out: str | Path,
    theme: Literal["dark", "light"] = "dark",
    size: tuple[int, int] = (1600, 1000),
    *,
    before: Before = Before(),
    scale: float = 1.0,
) -> None:
    """Draw the window, or a part of it, with a project open.

    Args:
        project_path: the project; may be "" with the panels `gallery` and `hardware`.
        panel: one of PANELS.
        out: a .png file.
        theme: which theme.
        size: of the window, in pixels.
        before: what is done with the window first.
        scale: device pixels for one pixel.

    Raises:
        PolybitError: the project cannot be opened, or the panel, tab or node is not there.
    """
    tab = panel if panel in _TABS else before.tab
    if panel not in PANELS or tab not in _TABS:
        known = ", ".join(PANELS if panel not in PANELS else _TABS)
        raise PolybitError(f"There is no panel {panel if panel not in PANELS else tab!r}; there are {known}.")
    if no_screen_sentence():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if scale != 1.0:
        os.environ["QT_SCALE_FACTOR"] = str(scale)
    from app.window.main import MainWindow
    from app.window.start import application

    application(theme)
    window = MainWindow(recover=False, remember=False)
    try:
        window.resize(*size)
        window.show()
        if panel not in _PAGES or (panel == "hardware" and project_path):
            _prepare(window, Path(project_path), replace(before, tab=tab))
        if panel == "hardware":
            window.show_machine()
            window.machine.wait()
        if panel in _RULES:
            _show_rules(window, panel, before.select)
        _settle()
        while panel == "gallery" and not window.gallery.complete:
            _settle()
        drawn = _part(window, panel).grab()
        if not drawn.save(str(out)):
            raise PolybitError(f"Cannot write {out}.", do="Give a .png file in a folder that is there.")
    finally:
        window.trainer.wait()
        window.document.undo.setClean()
        window.close()
        window.deleteLater()


def _prepare(window: MainWindow, path: Path, before: Before) -> None:
    window.document.load(_away(open_project(path)) if before.epochs else open_project(path))
    window.show_workbench()
    window.panes.show_panel(before.tab)
    if before.select and before.select not in window.document.graph.nodes:
        there = ", ".join(window.document.graph.nodes)
        raise PolybitError(f"There is no node {before.select!r}; there are {there}.")
    if before.epochs:
        training = replace(window.document.training, epochs=before.epochs)
        window.document.edit_training("Train for a picture", training)
        _wait_for(window, window.trainer.start)
    elif before.run:
        _wait_for(window, partial(window.trainer.restore, Path(before.run)))
    window.panes.show_panel(before.tab)
    window.document.select([before.select] if before.select else [])
    _settle()
    window.canvas.fit()


def _show_rules(window: MainWindow, form: str, name: str) -> None:
    """Show rules or packs of a node, and the first record that broke a rule where a model was looked into."""
    window.show_rules(name, form)
    look = window.trainer.look
    if look and look.guard and look.guard.cases:
        window.rules.show_record(look.guard.cases[0].record)
    _settle()
    while window.rules.busy:
        _settle()


def _away(project: Project) -> Project:
    """Return a project without a file, so that its run leaves nothing beside it."""
    from app.document import relocated

    return replace(relocated(project, Path.cwd()), path=None)


def _wait_for(window: MainWindow, begin: Callable[[], None]) -> None:
    from PySide6.QtCore import QEventLoop

    loop = QEventLoop()
    words: list[str] = []

    def over(last: object) -> None:
        words.append(str(getattr(last, "why", "")))
        loop.quit()

    window.trainer.over.connect(over)
    begin()
    if window.trainer.busy:
        loop.exec()
    _settle()
    window.toasts.clear()
    if words and words[0] not in ("finished", "restored"):
        raise PolybitError(words[0])


def _settle() -> None:
    """Let the window lay itself out and take deleted widgets away, which only a running loop does."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(_SETTLED_AFTER, loop.quit)
    loop.exec()


def _part(window: MainWindow, panel: str) -> QWidget:
    if panel == "window":
        return window
    if panel == "gallery":
        return window.gallery
    if panel == "hardware":
        return window.machine
    if panel in _RULES:
        return window
    return window.panes.panels[panel]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="polybit shot", description="Draw the window or a panel to a picture, without a screen."
    )
    needless = " and ".join(_PAGES)
    parser.add_argument("project", nargs="?", default="", help=f"project (.polybit); not for {needless}")
    parser.add_argument("--panel", default="window", choices=PANELS, help="what to draw")
    parser.add_argument("--out", required=True, help="where to (.png)")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    parser.add_argument("--size", default="1600x1000", help="of the window, in pixels (1600x1000)")
    parser.add_argument("--tab", default="training", choices=_TABS, help="panel in front under the canvas")
    parser.add_argument("--select", default="", help="node that is selected")
    parser.add_argument("--train", type=int, default=0, metavar="EPOCHS", help="train so long before")
    parser.add_argument("--run", default="", metavar="RUN.h5", help="show this run of the project")
    parser.add_argument("--scale", type=float, default=1.0, help="device pixels for one pixel")
    return parser


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except PolybitError as error:
        raise SystemExit(f"polybit: {error}") from None
