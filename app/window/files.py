"""New, open, save, recent files, dropped files, and work that a crash left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPointF, QSettings, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.canvas import edits
from app.document import Document, relative_path
from app.recovery import Left
from app.task import Task
from app.theme.figures import plural
from app.window.toast import Toasts
from engine.catalog import NODES
from engine.data.dataset import suffixes
from engine.errors import PolybitError
from engine.files.project import SUFFIX, Project, open_project, probed
from engine.source import Source

_RECENT, _KEPT = "recent", 10
_QUICK = 2_000_000  # bytes of data files that are looked into without a thread
_PROJECTS = f"Polybit projects (*{SUFFIX})"


class FileCommands(QObject):
    """What the File menu does.

    Signals:
        opened: another project is on screen.
    """

    opened = Signal()

    def __init__(self, window: QWidget, document: Document, toasts: Toasts) -> None:
        super().__init__(window)
        self._window, self._document, self._toasts = window, document, toasts
        self._task: Task | None = None

    # Projects

    def new(self) -> None:
        """Start over, after asking about unsaved changes."""
        if self.may_leave():
            self._document.new()
            self.opened.emit()

    def ask_and_open(self) -> None:
        """Ask for a project and open it."""
        folder = str(self._document.project.folder)
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Open a project", folder, _PROJECTS)
        if chosen:
            self.open(Path(chosen))

    def open(self, path: Path) -> bool:
        """Open a project after asking about unsaved changes; say why where it cannot be read.

        Large data files are looked into in a thread; the project is shown when that is done.
        """
        if not self.may_leave():
            return False
        try:
            project = open_project(path, probe=False)
        except PolybitError as error:
            self._toasts.say(str(error), "error")
            self._forget_recent(path)
            return False
        if _data_bytes(project) <= _QUICK:
            self._show(probed(project))
        else:
            self._toasts.say(f"Reading the data of {path.name} …")
            self._run(Task(lambda _task: probed(project), self), self._show)
        return True

    def save(self) -> bool:
        """Write the project to its file, or ask for one."""
        path = self._document.project.path
        return self._save_to(path) if path else self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and write the project to it."""
        start = self._document.project.folder / f"{self._document.title}{SUFFIX}"
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save the project", str(start), _PROJECTS)
        return self._save_to(Path(chosen)) if chosen else False

    def may_leave(self) -> bool:
        """Ask what becomes of unsaved changes, where there are any; whether to go on."""
        self._document.settle()
        if self._document.clean:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"Save the changes to {self._document.title}?")
        box.setInformativeText("What is not saved is lost.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        if answer == buttons.Save:
            return self.save()
        return bool(answer == buttons.Discard)

    def recover(self, left: Left) -> None:
        """Show work that a crash left behind, as unsaved changes."""
        if self.may_leave():
            self._document.load(left.project, clean=False)
            self._document.keep()
            left.discard()
            self.opened.emit()

    # Recent files

    @staticmethod
    def recent() -> list[Path]:
        """Return the projects opened last that are still there, newest first."""
        kept = QSettings().value(_RECENT, [])
        names = [kept] if isinstance(kept, str) else kept if isinstance(kept, list) else []
        return [Path(name) for name in names if Path(name).is_file()]

    # Dropped files

    def take(self, path: Path) -> None:
        """Open a dropped project, or add the data source that reads a dropped file."""
        if path.suffix == SUFFIX:
            self.open(path)
            return
        kind = source_for(path)
        if kind is None:
            known = sorted({s for node in _sources() for s in suffixes(node)})
            self._toasts.say(
                f"{path.name} is neither a project nor data. Drop {SUFFIX}, {', '.join(known)}.", "warning"
            )
        else:
            self._add_source(kind, path)

    def wait(self) -> None:
        """Wait for what is under way; the window calls it when it closes."""
        if self._task:
            self._task.wait()

    def _add_source(self, kind: type[Source], path: Path) -> None:
        document, folder = self._document, self._document.project.folder
        node = kind.of({kind.path_field: relative_path(path.absolute(), folder.absolute())})
        self._toasts.say(f"Reading {path.name} …")

        def done(found: Source) -> None:
            name = document.graph.free_name(path.name.split(".")[0] or kind.title)
            centre = edits.free_place(document, kind.kind, QPointF(0, 0))
            document.edit(f"Add {name}", document.graph.add(name, found, *edits.snapped(centre).toTuple()))
            document.select([name])
            records = found.header.records if found.header else 0
            self._toasts.clear()
            self._toasts.say(f"{path.name}: {plural(records, 'record')}.", "good")

        self._run(Task(lambda _task: node.probe(folder), self), done)

    # Inside

    def _run(self, task: Task, done: Callable[[Any], None]) -> None:
        self.wait()
        self._task = task
        task.done.connect(done)
        task.failed.connect(lambda words: self._toasts.say(words, "error"))
        task.start()

    def _show(self, project: Project) -> None:
        self._toasts.clear()
        self._document.load(project)
        if project.path:
            self._remember(project.path)
        for note in project.notes:
            self._toasts.say(note, "warning")
        self.opened.emit()

    def _save_to(self, path: Path) -> bool:
        try:
            written = self._document.save(path)
        except PolybitError as error:
            self._toasts.say(str(error), "error")
            return False
        self._remember(written)
        return True

    def _remember(self, path: Path) -> None:
        here = str(path.absolute())
        others = [str(p) for p in self.recent() if str(p) != here]
        QSettings().setValue(_RECENT, [here, *others][:_KEPT])

    def _forget_recent(self, path: Path) -> None:
        others = [str(p) for p in self.recent() if p.absolute() != path.absolute()]
        QSettings().setValue(_RECENT, others)


def source_for(path: Path) -> type[Source] | None:
    """Return the data source whose files end as `path` does, or None; the longest ending wins."""
    fits = [
        (len(suffix), node)
        for node in _sources()
        for suffix in suffixes(node)
        if path.name.lower().endswith(suffix)
    ]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def _sources() -> list[type[Source]]:
    return [node for node in NODES.values() if issubclass(node, Source)]


def _data_bytes(project: Project) -> int:
    """Return how large the data files of a project are on disk."""
    nodes = [placed.node for placed in project.graph.nodes.values()]
    names = [getattr(n, k) for n in nodes for k, about in n.about().items() if about.form == "path"]
    files = [project.folder / name for name in names if name]
    return sum(file.stat().st_size for file in files if file.is_file())
