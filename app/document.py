"""The open project: the only object of the app that changes, and the only one that says so."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import ref

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.recovery import Recovery
from engine.estimate import Estimate, estimate
from engine.fields import Fields
from engine.files.project import SUFFIX, Project, new_project, open_project, save_project
from engine.graph import Graph, Problem
from engine.settings import Training

_AUTOSAVE_AFTER = 800  # ms without a further change


class _Edit(QUndoCommand):
    """Swap one project for another; projects are values, so one command serves every edit.

    It does not hold its document: Qt deletes commands with their stack, and Python's collector, coming upon a
    cycle of both, could take a command first, which Qt then deletes once more.
    """

    def __init__(self, document: Document, words: str, after: Project, merge: str) -> None:
        super().__init__(words)
        self._document, self._before, self.after = ref(document), document.project, after
        self.merge_key = merge

    def redo(self) -> None:
        self._show(self.after)

    def undo(self) -> None:
        self._show(self._before)

    def id(self) -> int:
        return 1 if self.merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other.merge_key != self.merge_key:
            return False
        self.after = other.after
        self.setObsolete(_content(self.after) == _content(self._before))
        return True

    def _show(self, project: Project) -> None:
        document = self._document()
        if document is not None:
            document.show(project)


class Document(QObject):
    """Holds the project, its undo stack and what is selected.

    Signals:
        about_to_change: the graph that is about to take the place of the present one, for what holds on to
            nodes of that.
        changed: the project value (graph or training settings) is another one now.
        selection_changed: other nodes are selected now.
        file_changed: the path or the clean state is another one now.
        settling: the project is about to be used; what was typed and is waited with is to be handed on now.
    """

    about_to_change = Signal(object)
    changed = Signal()
    selection_changed = Signal()
    file_changed = Signal()
    settling = Signal()

    def __init__(self, project: Project | None = None, recovery: Recovery | None = None) -> None:
        super().__init__()
        self._project = project or new_project()
        self._selection: tuple[str, ...] = ()
        self._estimate: tuple[Graph, Estimate] | None = None
        self._recovery = recovery
        self.undo = QUndoStack(self)
        self.undo.cleanChanged.connect(self.file_changed)
        self._autosave = QTimer(self, singleShot=True, interval=_AUTOSAVE_AFTER)
        self._autosave.timeout.connect(self.keep)

    @property
    def project(self) -> Project:
        """Return the project as it is now."""
        return self._project

    @property
    def graph(self) -> Graph:
        """Return the graph as it is now."""
        return self._project.graph

    @property
    def training(self) -> Training:
        """Return the training settings as they are now."""
        return self._project.training

    @property
    def selection(self) -> tuple[str, ...]:
        """Return the names of the selected nodes, in the order they were selected."""
        return self._selection

    @property
    def clean(self) -> bool:
        """Whether the project is as its file has it."""
        return self.undo.isClean()

    @property
    def title(self) -> str:
        """Return what the project is called on screen: its file, else its name."""
        return self._project.path.stem if self._project.path else self._project.name

    # Edits

    def settle(self) -> None:
        """Take in what was typed and is waited with, because the project is about to be used."""
        self.settling.emit()

    def step_back(self) -> None:
        """Undo the last edit, which may be what is being typed."""
        self.settle()
        self.undo.undo()

    def step_on(self) -> None:
        """Do again what was undone last."""
        self.settle()
        self.undo.redo()

    def edit(self, words: str, after: Graph, merge: str = "") -> None:
        """Make `after` the graph, undoable as `words`.

        Args:
            words: what is done, as the Edit menu shows it.
            after: the graph from now on.
            merge: edits in a row with the same key that is not empty are undone as one.
        """
        self._push(words, replace(self._project, graph=after), merge)

    def edit_training(self, words: str, after: Training, merge: str = "") -> None:
        """Make `after` the training settings, undoable as `words`; `merge` as for `edit`."""
        self._push(words, replace(self._project, training=after), merge)

    def select(self, names: Iterable[str]) -> None:
        """Select these nodes and no others; names that are not there are left out."""
        wanted = tuple(dict.fromkeys(name for name in names if name in self.graph.nodes))
        if wanted != self._selection:
            self._selection = wanted
            self.selection_changed.emit()

    def show(self, project: Project) -> None:
        """Make `project` the one on screen, at the path the document has; only undo commands call this.

        Its data paths go on pointing at the same files where the project was saved elsewhere since.
        """
        moved = relocated(project, self._project.folder)
        self.about_to_change.emit(moved.graph)
        self._project = replace(moved, path=self._project.path, notes=self._project.notes)
        self._keep_soon()
        self.changed.emit()
        self.select(self._selection)

    # Files

    def new(self) -> None:
        """Start over with an empty project."""
        self.load(new_project())

    def open(self, path: str | Path) -> None:
        """Open a project file.

        Raises:
            ProjectError: the file is missing, broken, not ours, or of a newer program.
        """
        self.load(open_project(path))

    def load(self, project: Project, *, clean: bool = True) -> None:
        """Show another project; `clean` is False for one that differs from its file (a recovered one)."""
        self.settle()
        self.forget()
        self.about_to_change.emit(project.graph)
        self._project, self._selection = project, ()
        self.undo.clear()
        if not clean:
            self.undo.resetClean()
            self._keep_soon()
        self.changed.emit()
        self.selection_changed.emit()
        self.file_changed.emit()

    def save(self, path: str | Path | None = None) -> Path:
        """Write the project to `path`, or to its own file, and return where it went.

        Data paths are kept pointing at the same files when the folder changes.

        Raises:
            PolybitError: the place cannot be written to.
            ValueError: there is no path yet.
        """
        self.settle()
        target = Path(path) if path else self._project.path
        if target is None:
            raise ValueError("a project without a file needs a path")
        if not target.suffix:
            target = target.with_suffix(SUFFIX)
        target = target.absolute()
        moved = relocated(self._project, target.parent)
        elsewhere = moved != self._project
        self._project = save_project(moved, target)
        self.undo.setClean()
        self.forget()
        if elsewhere:
            self.changed.emit()
        self.file_changed.emit()
        return target

    def keep(self) -> None:
        """Write the recovery file now, if there is anything that its own file does not hold."""
        self._autosave.stop()
        if self._recovery and not self.clean:
            self._recovery.keep(self._project)

    def forget(self) -> None:
        """Remove the recovery file: everything is saved, or is not wanted any more."""
        self._autosave.stop()
        if self._recovery:
            self._recovery.forget()

    # Questions

    def estimate(self) -> Estimate:
        """Return the figures of the graph, counted once for each graph value."""
        if self._estimate is None or self._estimate[0] is not self.graph:
            self._estimate = (self.graph, estimate(self.graph))
        return self._estimate[1]

    def problems(self) -> tuple[Problem, ...]:
        """Return everything wrong with the graph."""
        return self.graph.problems()

    # Inside

    def _keep_soon(self) -> None:
        if self._recovery:
            self._autosave.start()

    def _push(self, words: str, after: Project, merge: str) -> None:
        if _content(after) != _content(self._project):
            self.undo.push(_Edit(self, words, after, merge))


def _content(project: Project) -> Project:
    return replace(project, path=None, notes=())


def rebased(graph: Graph, before: Path, after: Path) -> Graph:
    """Return `graph` with relative paths in its fields that were relative to `before` relative to `after`."""
    for name, placed in graph.nodes.items():
        moved = _moved(placed.node, before, after)
        graph = graph.change(name, **moved) if moved else graph
    return graph


def relocated(project: Project, folder: Path) -> Project:
    """Return `project` with the relative paths of its data and its teacher relative to another folder."""
    training = project.training
    moved = _moved(training, project.folder, folder)
    return replace(
        project,
        graph=rebased(project.graph, project.folder, folder),
        training=replace(training, **moved) if moved else training,
    )


def _moved(fields: Fields, before: Path, after: Path) -> dict[str, Any]:
    """Return the relative paths among some fields, relative to `after` in place of `before`."""
    if before.absolute() == after.absolute():
        return {}
    held = {k: getattr(fields, k) for k, about in fields.about().items() if about.form == "path"}
    return {
        key: relative_path((before / value).absolute(), after.absolute())
        for key, value in held.items()
        if value and not Path(value).is_absolute()
    }


def relative_path(path: Path, folder: Path) -> str:
    """Return `path` as a project in `folder` keeps it: relative, with slashes; both must be absolute."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
