"""The run: a generator, so that stopping is closing it, pausing is not asking, and testing needs no thread.

Stages: nodes that are fitted to the data, a teacher where one is trained first, everything that learns by
gradient, then what is fitted to learned features, then the memories, then the rules have their say in the
final figures. The model is scored with the packed program that is exported: what is shown is what is shipped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..data.dataset import Splits, check_trainable, open_data
from ..errors import TrainError
from ..files.atomic import check_writable
from ..files.run import Checkpoint, write_run
from ..files.store import Weights, packed
from ..kernels.threads import workers
from ..node import Node, wired
from ..ports import Array
from ..records import Records
from ..runtime.program import Program
from ..source import Source
from ..stages import Stage, stages
from .average import Patience
from .gradient import Descent, Tally
from .labels import check_several, right_labels
from .lesson import Lesson, lesson_of
from .plan import live
from .progress import LABELS, EpochDone, Finished, Progress, StageStarted
from .resume import kept_state


def train(
    project: Any, out: str | Path | None = None, *, threads: int = 1, resume: Checkpoint | None = None
) -> Iterator[Progress]:
    """Train a project, yielding progress; close the iterator to stop.

    Args:
        project: an `engine.files.project.Project`, as `engine.open_project` returns it.
        out: the run file, written after every epoch; None keeps nothing.
        threads: threads that work together; the host's BLAS runs in each of them.
        resume: a run to go on with, as `engine.train.resume.resumed` returns it.

    Raises:
        TrainError: the graph has problems, or the data cannot train it.
    """
    yield from Run(project, Path(out) if out else None, threads=threads, resume=resume).steps()


class Run:
    """A training in progress.

    Between two records the weights are whole: `program()` and `checkpoint()` may be called at any of them.

    Attributes:
        project: what is trained.
        weights: latent arrays by node.
        epoch: gradient epochs done.
        splits: the data, once the first record was yielded.
    """

    def __init__(
        self,
        project: Any,
        out: Path | None = None,
        *,
        threads: int = 1,
        resume: Checkpoint | None = None,
        floats: bool = False,
    ) -> None:
        """Begin a run.

        Args:
            project: what is trained.
            out: the run file, or None.
            threads: threads that work together; the host's BLAS runs in each of them.
            resume: a run to go on with.
            floats: whether nothing is quantized in it, as in a float teacher.
        """
        self.project, self._out, self._threads = project, out, threads
        self._graph, self._settings = project.graph, project.training
        self._resumed, self._floats = resume, floats
        self.epoch = resume.epoch if resume else 0
        self.weights: Weights = {}
        self.splits: Splits | None = None
        self._history: list[dict[str, Any]] = list(resume.history.get("epochs", [])) if resume else []
        self._final: dict[str, Any] = {}
        self._descent: Descent | None = None
        self._patience = Patience(self._settings.patience)
        self._settled = False  # the gradient stage is over: its weights are those that ship
        self._lesson: Lesson | None = None
        self._stamp: tuple[int, int] | None = None  # of the run file as this run wrote it
        self._began = time.perf_counter()

    @property
    def validation(self) -> Records:
        """Return the records the model is scored on after every epoch."""
        return self._splits.validation if len(self._splits.validation) else self._splits.train

    @property
    def shipped(self) -> Weights:
        """Return the weights as they would be exported now, before packing."""
        return self._descent.shipped() if self._descent and not self._settled else self.weights

    def program(self) -> Program:
        """Return the model as it would be exported now."""
        return Program(self._graph, packed(self._graph, self.shipped))

    def checkpoint(self, *, finished: bool = False) -> Checkpoint:
        """Return the run as it stands."""
        descent = self._descent
        average = descent.average if descent and not self._settled else None
        state: dict[str, Any] = {"settled": self._settled, "patience": self._patience.state()}
        if average:
            state["average_steps"] = average.steps
        if self._lesson:
            state["teacher"] = self._lesson.digest
        return Checkpoint(
            project=self.project,
            weights=self.weights,
            optimiser=descent.state() if descent else {},
            epoch=self.epoch,
            finished=finished,
            history={"epochs": self._history, "final": self._final, "state": state},
            average=average.arrays if average else {},
            best={} if self._settled else self._patience.weights,
            teacher=self._lesson.found if self._lesson else None,
        )

    def steps(self) -> Iterator[Progress]:
        """Train, yielding after every batch, epoch and stage."""
        with threadpool_limits(1), workers(self._threads):
            yield from self._stages()

    # Stages

    def _stages(self) -> Iterator[Progress]:
        self._began = time.perf_counter()
        if self._out:
            check_writable(self._out)
        yield StageStarted("prepare", "Reading data")
        self.prepared()
        yield from self._taught()
        yield from self.descend()
        yield from self._memories()
        yield self._finish()

    def _read(self) -> Splits:
        check_trainable(self._graph, self.project.folder)
        check_several(self._graph, self._settings)
        splits = open_data(self._graph, self.project.folder)
        if not len(splits.train):
            raise TrainError("There are no training records.", do="Give Split a larger training share.")
        if (splits.train.labels < 0).any():
            raise TrainError(
                "Some training records have no class.", do="Choose the labels of the data source."
            )
        return splits

    def prepared(self) -> Records:
        """Read the data, make the weights and return the training records, with nothing trained yet."""
        self.splits = self._read()
        self.start()
        return self._train

    def start(self) -> None:
        """Make fresh weights and fit what is fitted to the data, or take over those of the resumed run."""
        if self._resumed:
            self.weights = self._resumed.weights
            return
        rng = np.random.default_rng([self._settings.seed, 0])
        for name in self._graph.order:
            self.weights[name] = self._graph.node(name).start(rng, *self._graph.input_specs(name))
        late = self._fitted_late()
        for name in self._graph.order:
            if self._graph.node(name).learning == "fit" and name not in late:
                self._fit(name)

    def _taught(self) -> Iterator[Progress]:
        """Get the teacher ready, where there is one; train it where that is due."""
        self._lesson = lesson_of(self.project, self._resumed)
        if self._lesson is None or (self._resumed and self._resumed.finished):
            return
        inner = self._lesson.run(Run, self._splits, self._threads)
        if inner is None:
            return
        for record in self._lesson.steps(inner):
            if isinstance(record, EpochDone):
                yield replace(record, checkpoint=self._save(finished=False))
            else:
                yield record

    def descend(self) -> Iterator[Progress]:
        """Train what learns by gradient, to the end or until the patience is over."""
        yield StageStarted("prepare", "Preparing kernels")
        settings = self._settings
        parts = stages(settings.stages, settings.epochs, settings.float_epochs, settings.middle_epochs)
        if self._floats:
            parts = (Stage("", 0, settings.epochs, weights=False, activations=False),)
        teacher = self._lesson.teacher() if self._lesson else None
        self._descent = descent = Descent(self._graph, self.weights, settings, parts, teacher)
        if self._resumed:
            self._go_on(descent, self._resumed)
        if self._settled or not descent.plan.parameters():
            return
        yield StageStarted("gradient", "Training by gradient")
        while self.epoch < settings.epochs and not self._patience.over:
            if descent.enter(self.epoch) and descent.stage.words:
                yield StageStarted("gradient", f"Training: {descent.stage.words}")
            yield from self._epoch(descent)
        yield from self._settle(descent)

    def _go_on(self, descent: Descent, resumed: Checkpoint) -> None:
        state = kept_state(resumed)
        descent.restore(self.epoch, resumed.optimiser, resumed.average, state.average_steps)
        self._patience = replace(state.patience, most=self._settings.patience, weights=resumed.best)
        self._settled = state.settled
        if self._settings.epochs > resumed.project.training.epochs:
            # It goes on from what it had come to; the schedule and the stages are those of the longer run.
            self._settled, self._patience.waited = False, 0

    def _epoch(self, descent: Descent) -> Iterator[Progress]:
        began, before = time.perf_counter(), self._lesson.epochs if self._lesson else 0
        total = before + self._settings.epochs
        for record in descent.epoch(self.epoch, self._train):
            yield replace(record, share=(before + self.epoch + record.step / record.steps) / total)
        self.epoch += 1
        left = (time.perf_counter() - began) * (self._settings.epochs - self.epoch)
        done = self._scored("gradient", self.epoch, self._settings.epochs, descent.tally, began, left)
        own = float("nan") if descent.stage.whole else descent.accuracy(self.validation)
        done = replace(
            done, metrics={**descent.metrics, **done.metrics}, part=descent.stage.words, own_accuracy=own
        )
        if descent.stage.whole:
            self._patience.see(done.accuracy, self.epoch, self.shipped)
        yield self._kept(done)

    def _settle(self, descent: Descent) -> Iterator[Progress]:
        """Put what ships in the place of the latent weights: the best epoch's, or their running mean."""
        best = self._patience
        chosen = best.weights or (descent.shipped() if descent.average else {})
        for name, arrays in chosen.items():
            for key, array in arrays.items():
                self.weights[name][key][...] = array
        self._settled = True
        if best.weights:
            after = f" after {best.waited} epochs without a better one" if best.over else ""
            words = f"Kept epoch {best.epoch} of {self.epoch}{after}: {100 * best.accuracy:.2f} %"
            yield StageStarted("gradient", words)

    def _memories(self) -> Iterator[Progress]:
        late = self._fitted_late()
        names = [n for n in self._graph.order if n in late or self._graph.node(n).learning == "memory"]
        for name in names:
            node: Node = self._graph.node(name)
            yield StageStarted(
                "memory", f"Filling {name}" if node.learning == "memory" else f"Fitting {name}"
            )
            if node.learning == "fit":
                self._fit(name)
                continue
            rng = np.random.default_rng([self._settings.seed, 1])
            inputs, began = self._inputs_of(name), time.perf_counter()
            for i, share in enumerate(
                node.learn(self.weights[name], self._train.labels, rng, *inputs), start=1
            ):
                tally = Tally(float("nan"), round(share * len(self._train)), len(self._train))
                rounds = int(node.values().get("rounds", i))
                yield self._kept(self._scored("memory", i, max(i, rounds), tally, began, 0.0))
                began = time.perf_counter()

    def _finish(self) -> Finished:
        splits, program = self._splits, self.program()
        held = splits.test if len(splits.test) else self.validation
        answer = program.answer(held)
        accuracy, raw = (_share(labels, held) for labels in (answer.labels, answer.raw_labels))
        validation = _share(program.answer(self.validation).labels, self.validation)
        self._final = {
            "test_accuracy": accuracy,
            "test_accuracy_raw": raw,
            "validation_accuracy": validation,
            "test_records": len(held),
            "violations_raw": answer.violations_raw,
            "violations": answer.violations,
            **({"test_label_accuracy": right_labels(answer, held)} if answer.several else {}),
        }
        seconds = time.perf_counter() - self._began
        path = self._save(finished=True)
        broke = answer.violations_raw, answer.violations
        return Finished(accuracy, raw, validation, *broke, seconds, program, path, right_labels(answer, held))

    # Pieces

    @property
    def _splits(self) -> Splits:
        if self.splits is None:
            raise TrainError("The run has not read its data yet.")
        return self.splits

    @property
    def _train(self) -> Records:
        return self._splits.train

    def _fitted_late(self) -> set[str]:
        """Return the nodes that are fitted after the gradient stage: they stand on what it learns."""
        graph = self._graph
        trained = {n for n in graph.order if graph.node(n).learning == "gradient" and self.weights.get(n)}
        fitted = {n for n in graph.order if graph.node(n).learning == "fit"} - live(graph)
        return {n for n in fitted if graph.upstream(n) & trained}

    def _inputs_of(self, name: str) -> list[Array]:
        """Return what arrives at a node for all training records, its wired inputs in order."""
        if self._untouched(name):
            (spec,) = wired(self._graph.input_specs(name))
            return [self._train.samples.reshape(len(self._train), *spec.shape)]
        program, whole = self.program(), list[Array]()
        at = 0
        for values in program.runs(self._train, only=name):
            parts = [a for a in program.inputs_of(name, values) if a is not None]
            if not whole:
                whole = [np.empty((len(self._train), *a.shape[1:]), a.dtype) for a in parts]
            for array, part in zip(whole, parts, strict=True):
                array[at : at + len(part)] = part
            at += len(parts[0])
        return whole

    def _untouched(self, name: str) -> bool:
        """Whether the one input of a node gets the samples as the source read them."""
        wires = [w for w in self._graph.into(name) if w]
        while len(wires) == 1:
            (wire,) = wires
            node = self._graph.node(wire.source)
            if isinstance(node, Source) or not node.passes:
                return isinstance(node, Source) and wire.output == node.outputs[0].name
            if wire.output != node.outputs[0].name:
                return False
            ends = zip(self._graph.into(wire.source), node.inputs, strict=True)
            wires = [w for w, port in ends if w and port.name == node.passes]
        return False

    def _fit(self, name: str) -> None:
        self.weights[name] = self._graph.node(name).fit(self.weights[name], *self._inputs_of(name))

    def _scored(
        self, stage: Any, epoch: int, epochs: int, tally: Tally, began: float, left: float
    ) -> EpochDone:
        program = self.program()
        answer = program.answer(self.validation)
        (output,) = self._graph.of_kind("flow.output")
        labels = {f"{output}: {LABELS}": right_labels(answer, self.validation)} if answer.several else {}
        return EpochDone(
            stage=stage,
            epoch=epoch,
            epochs=epochs,
            loss=tally.loss / tally.records,
            train_accuracy=tally.right / tally.records,
            accuracy=_share(answer.labels, self.validation),
            seconds=time.perf_counter() - began,
            seconds_left=left,
            metrics=labels,
            program=program,
        )

    def _kept(self, done: EpochDone) -> EpochDone:
        """Enter an epoch in the history and save the run."""
        more = ("part", "own_accuracy") if done.part else ()
        keys = ("stage", "epoch", "loss", "train_accuracy", "accuracy", "seconds", *more)
        entry = {key: getattr(done, key) for key in keys}
        self._history.append({k: None if v != v else v for k, v in entry.items()})  # NaN is not JSON
        return replace(done, checkpoint=self._save(finished=False))

    def _save(self, *, finished: bool) -> str:
        if self._out is None:
            return ""
        if self._stamp and self._out.exists() and self._stamp != _stamp(self._out):
            words = "Another program has written this file since the last epoch."
            do = "Train to a file of its own; what stands there now is the other's."
            raise TrainError(words, where=str(self._out), do=do)
        write_run(self._out, self.checkpoint(finished=finished))
        self._stamp = _stamp(self._out)
        return str(self._out)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def _share(labels: Array, records: Records) -> float:
    return float((labels == records.labels).mean())
