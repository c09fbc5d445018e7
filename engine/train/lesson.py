"""Where a run's teacher comes from: trained first on the run's own records, or read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Splits
from ..errors import TrainError
from ..files.model import load_program
from ..files.project import SUFFIX, Project, open_project
from ..files.run import Checkpoint
from ..graph import Graph
from ..records import Header
from ..runtime.program import Program
from ..settings import Training
from ..source import Source
from .progress import BatchDone, EpochDone, Progress, StageStarted
from .resume import kept_state
from .teacher import Teacher


@dataclass
class Lesson:
    """A teacher on its way: what is trained, or the model that was read.

    Attributes:
        settings: the student's.
        project: what is trained first, or None.
        floats: whether nothing is quantized in it.
        program: the model that was read, or None.
        digest: SHA-256 of its file, or "" where there is none.
        found: its run so far.
        records: training records of an epoch, the student's as well as its own.
    """

    settings: Training
    project: Project | None = None
    floats: bool = False
    program: Program | None = None
    digest: str = ""
    found: Checkpoint | None = None
    records: int = 0

    @property
    def epochs(self) -> int:
        """Return the epochs that it is trained for."""
        return self.project.training.epochs if self.project else 0

    def run(self, make: Callable[..., Any], splits: Splits, threads: int) -> Any | None:
        """Return the run that trains it on the student's records; None where there is nothing left to do."""
        if self.project is None or (self.found and self.found.finished):
            return None
        inner = make(self.project, threads=threads, resume=self.found, floats=self.floats)
        inner.splits, self.records = splits, len(splits.train)
        return inner

    def steps(self, inner: Any) -> Iterator[Progress]:
        """Train it, yielding progress as steps of a teacher; `found` has every epoch before it is told."""
        inner.start()
        for record in inner.descend():
            if isinstance(record, StageStarted):
                yield StageStarted("teacher", f"Teacher: {record.words}")
            elif isinstance(record, EpochDone):
                self.found = inner.checkpoint()
                accuracy = record.accuracy if np.isnan(record.own_accuracy) else record.own_accuracy
                left = record.seconds_left + record.seconds * self.settings.epochs
                of_teacher = replace(record, stage="teacher", part="teacher", program=None)
                yield replace(of_teacher, accuracy=accuracy, own_accuracy=float("nan"), seconds_left=left)
            elif isinstance(record, BatchDone):
                yield self._of_teacher(record)
        end: Checkpoint = inner.checkpoint(finished=True)
        self.found = replace(end, optimiser={}, average={}, best={})

    def teacher(self) -> Teacher:
        """Return the teacher, once it is trained."""
        if self.program:
            return Teacher.of_program(self.program, self.settings)
        if self.project is None or self.found is None:
            raise TrainError("The teacher has not been trained.", do="Train anew.")
        return Teacher.of_weights(self.project.graph, self.found.weights, self.settings, floats=self.floats)

    def _of_teacher(self, record: BatchDone) -> BatchDone:
        total = self.epochs + self.settings.epochs
        gone = record.epoch - 1 + record.step / record.steps
        # The student's epochs are taken to be as long as the teacher's.
        more = self.settings.epochs * self.records / record.records_per_second
        return replace(record, stage="teacher", share=gone / total, seconds_left=record.seconds_left + more)


def lesson_of(project: Project, resumed: Checkpoint | None) -> Lesson | None:
    """Return the teacher that a project's settings ask for, as far as an earlier run has brought it.

    Raises:
        TrainError: its file is not named, does not fit, or has changed since the run began.
        PolybitError: its file cannot be read.
    """
    settings, found = project.training, resumed.teacher if resumed else None
    if settings.teacher == "none":
        return None
    if settings.teacher == "self":
        lesson = Lesson(settings, replace(project, training=_plain(settings)), floats=True)
    elif settings.teacher_file:
        lesson = _from_file(project.folder / settings.teacher_file, project.graph, settings)
    else:
        raise TrainError("No file of a teacher is chosen.", do="Set Teacher file, or Teacher to none.")
    same = resumed is None or kept_state(resumed).teacher == lesson.digest
    if not same or not _fits(found, lesson.project):
        words = "The teacher has changed since this run began."
        raise TrainError(words, where=settings.teacher_file, do="Train anew, or put the old file back.")
    lesson.found = found
    return lesson


def _fits(found: Checkpoint | None, project: Project | None) -> bool:
    """Whether the teacher's run in a run file, if there is one, is that of the teacher that is asked for."""
    if found is None or project is None:
        return found is None
    return (found.project.graph, found.project.training) == (project.graph, project.training)


def _plain(settings: Training) -> Training:
    """Return the settings by which the float twin of a graph is trained."""
    epochs = settings.teacher_epochs or settings.epochs
    return replace(
        settings, epochs=epochs, teacher="none", stages="none", average=0.0, patience=0, limit="fixed"
    )


def _from_file(path: Path, student: Graph, settings: Training) -> Lesson:
    header = _header(student)
    if path.suffix == SUFFIX:
        project = open_project(path, probe=False)
        graph = project.graph
        for name in graph.order:
            if isinstance(graph.node(name), Source):
                graph = graph.change(name, header=header)
        wrong = [p for p in graph.problems() if p.level == "error"]
        if wrong:
            raise TrainError(f"The teacher's graph cannot be trained on these records. {wrong[0]}")
        training = replace(project.training, teacher="none")
        if settings.teacher_epochs:
            training = replace(training, epochs=settings.teacher_epochs)
        return Lesson(settings, replace(project, graph=graph, training=training), digest=_digest(path))
    program = load_program(path)
    theirs = program.source.header
    if header and theirs and (theirs.shape, theirs.classes) != (header.shape, header.classes):
        words = (
            f"The teacher takes records of shape {theirs.shape} and {len(theirs.classes)} classes; these have"
            f" {header.shape} and {len(header.classes)}, or classes of other names."
        )
        raise TrainError(words, where=path.name, do="Choose a teacher that was trained on such records.")
    return Lesson(settings, program=program, digest=_digest(path))


def _header(graph: Graph) -> Header | None:
    nodes = (graph.node(name) for name in graph.order)
    return next((node.header for node in nodes if isinstance(node, Source)), None)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
