"""Looking into data files beside the window: an edit of a source is followed by what its file holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.task import Task
from engine.records import Header
from engine.source import Source

_SETTLE = 350  # ms after the last letter


class Probing(QObject):
    """Reads the headers of data sources whose fields were edited.

    Signals:
        told: what is known of a source's file is another thing now.
    """

    told = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._wanted: dict[str, str] = {}
        self._tasks: list[Task] = []
        self._wrong: dict[str, tuple[dict[str, Any], str]] = {}
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE)
        self._settle.timeout.connect(self._start)

    def want(self, name: str, merge: str) -> None:
        """Look into the file of the named source soon; the edit that follows merges with key `merge`."""
        self._wanted[name] = merge
        self._settle.start()
        self.told.emit()

    def wrong(self, name: str) -> str:
        """Return what is wrong with the file of a source, in a sentence, or ""."""
        node = self._document.graph.nodes.get(name)
        values, words = self._wrong.get(name, ({}, ""))
        return words if node and node.node.values() == values else ""

    def busy(self, name: str) -> bool:
        """Whether the file of a source is being read, or is about to be."""
        return name in self._wanted or any(task.objectName() == name for task in self._tasks)

    def wait(self) -> None:
        """Stop listening and let what is running end."""
        self._settle.stop()
        for task in tuple(self._tasks):
            task.stop()
            task.wait()
        self._tasks.clear()

    def _start(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for name, merge in wanted.items():
            placed = self._document.graph.nodes.get(name)
            if placed and isinstance(placed.node, Source) and getattr(placed.node, placed.node.path_field):
                self._probe(name, placed.node, merge)
        self.told.emit()

    def _probe(self, name: str, node: Source, merge: str) -> None:
        folder = self._document.project.folder
        task = Task(lambda _: node.probe(folder).header, self)
        task.setObjectName(name)
        task.done.connect(lambda header: self._found(task, name, node, header, merge))
        task.failed.connect(lambda words: self._failed(task, name, node, words, merge))
        self._tasks.append(task)
        task.start()

    def _found(self, task: Task, name: str, node: Source, header: Header, merge: str) -> None:
        self._wrong.pop(name, None)
        self._end(task, name, node, header, merge)

    def _failed(self, task: Task, name: str, node: Source, words: str, merge: str) -> None:
        self._wrong[name] = (node.values(), words)
        self._end(task, name, node, None, merge)

    def _end(self, task: Task, name: str, node: Source, header: Header | None, merge: str) -> None:
        self._tasks.remove(task)
        task.deleteLater()
        placed = self._document.graph.nodes.get(name)
        if placed and isinstance(placed.node, Source) and placed.node.values() == node.values():
            after = replace(placed.node, header=header)
            if after != placed.node:
                self._document.edit(
                    f"Read the file of {name}", self._document.graph.change(name, header=header), merge
                )
        self.told.emit()
