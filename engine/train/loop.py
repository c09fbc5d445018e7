"""The run: a generator, so that stopping is closing it, pausing is not asking, and testing needs no thread.

Stages: nodes that are fitted to the data, then everything that learns by gradient, then what is fitted to
learned features, then the memories, then the rules have their say in the final figures. The model is scored
with the packed program that is exported: what is shown is what is shipped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..data.batches import batches
from ..data.dataset import Splits, open_data
from ..errors import TrainError
from ..files.atomic import check_writable
from ..files.run import Checkpoint, read_run, write_run
from ..files.store import Weights, packed
from ..losses import LOSSES
from ..node import Node, wired
from ..ports import Array
from ..records import Records
from ..runtime.program import Answer, Program
from ..schedules import factor
from ..source import Source
from .optimiser import Grouped
from .plan import Plan, live
from .progress import BatchDone, EpochDone, Finished, Progress, StageStarted


def train(
    project: Any, out: str | Path | None = None, *, threads: int = 1, resume: Checkpoint | None = None
) -> Iterator[Progress]:
    """Train a project, yielding progress; close the iterator to stop.

    Args:
        project: an `engine.files.project.Project`, as `engine.open_project` returns it.
        out: the run file, written after every epoch; None keeps nothing.
        threads: threads for the host's BLAS.
        resume: a run to go on with, as `engine.files.run.read_run` returns it.

    Raises:
        TrainError: the graph has problems, or the data cannot train it.
    """
    yield from Run(project, Path(out) if out else None, threads=threads, resume=resume).steps()


def resumed(project: Any, path: Path) -> Checkpoint:
    """Return the run in `path` for `project` to go on with.

    Raises:
        ModelError: the file is no run, or is damaged.
        TrainError: it was trained from another graph.
    """
    found = read_run(path)
    if found.project.graph != project.graph:
        words = f"{path.name} was trained from another graph."
        raise TrainError(words, do="Train anew, or restore the graph it was started with.")
    return found


@dataclass
class _Tally:
    """Sums over an epoch."""

    loss: float = 0.0
    right: int = 0
    records: int = 0


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
        self, project: Any, out: Path | None = None, *, threads: int = 1, resume: Checkpoint | None = None
    ) -> None:
        self.project, self._out, self._threads = project, out, threads
        self._graph, self._settings = project.graph, project.training
        self._resumed = resume
        self.epoch = resume.epoch if resume else 0
        self.weights: Weights = {}
        self.splits: Splits | None = None
        self._history: list[dict[str, Any]] = list(resume.history.get("epochs", [])) if resume else []
        self._final: dict[str, Any] = {}
        self._optimiser: Grouped | None = None
        self._stamp: tuple[int, int] | None = None  # of the run file as this run wrote it
        self._began = time.perf_counter()

    @property
    def validation(self) -> Records:
        """Return the records the model is scored on after every epoch."""
        if self.splits is None:
            raise TrainError("The run has not read its data yet.")
        return self.splits.validation if len(self.splits.validation) else self.splits.train

    def program(self) -> Program:
        """Return the model as it would be exported now."""
        return Program(self._graph, packed(self._graph, self.weights))

    def checkpoint(self, *, finished: bool = False) -> Checkpoint:
        """Return the run as it stands."""
        state = self._optimiser.state() if self._optimiser else {}
        history = {"epochs": self._history, "final": self._final}
        return Checkpoint(self.project, self.weights, state, self.epoch, finished, history)

    def steps(self) -> Iterator[Progress]:
        """Train, yielding after every batch, epoch and stage."""
        with threadpool_limits(self._threads):
            yield from self._stages()

    # Stages

    def _stages(self) -> Iterator[Progress]:
        self._began = time.perf_counter()
        if self._out:
            check_writable(self._out)
        yield StageStarted("prepare", "Reading data")
        self._prepare()
        yield StageStarted("prepare", "Preparing kernels")
        plan = Plan(self._graph, self.weights, self._settings.batch)
        self._optimiser = Grouped(plan.parameters(), self._settings)
        if self._resumed and self._resumed.optimiser:
            self._optimiser.restore(self._resumed.optimiser)
        if plan.parameters():
            yield StageStarted("gradient", "Training by gradient")
            while self.epoch < self._settings.epochs:
                yield from self._gradient_epoch(plan)
        yield from self._memories()
        yield self._finish()

    def _prepare(self) -> None:
        wrong = [p for p in self._graph.problems() if p.level == "error"]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise TrainError(f"The graph cannot be trained yet. {wrong[0]}{more}")
        self.splits = open_data(self._graph, self.project.folder)
        if not len(self.splits.train):
            raise TrainError("There are no training records.", do="Give Split a larger training share.")
        if (self.splits.train.labels < 0).any():
            raise TrainError(
                "Some training records have no class.", do="Choose the labels of the data source."
            )
        rng = np.random.default_rng([self._settings.seed, 0])
        if self._resumed:
            self.weights = self._resumed.weights
            return
        for name in self._graph.order:
            self.weights[name] = self._graph.node(name).start(rng, *self._graph.input_specs(name))
        late = self._fitted_late()
        for name in self._graph.order:
            if self._graph.node(name).learning == "fit" and name not in late:
                self._fit(name)

    def _gradient_epoch(self, plan: Plan) -> Iterator[Progress]:
        data, settings, began = self._train, self._settings, time.perf_counter()
        tally, flips = _Tally(), _Flips(plan)
        plan.reseed(settings.seed, self.epoch + 1)
        count = -(-len(data) // settings.batch)
        for step, batch in enumerate(batches(data, settings.batch, settings.seed, self.epoch + 1), start=1):
            done = self.epoch * count + step
            rate = settings.rate * self._factor(done / (settings.epochs * count))
            loss, right = self._step(plan, batch, rate)
            tally.loss, tally.right, tally.records = (
                tally.loss + loss * len(batch),
                tally.right + right,
                tally.records + len(batch),
            )
            pace = (time.perf_counter() - began) / step
            yield BatchDone(
                epoch=self.epoch + 1,
                epochs=settings.epochs,
                step=step,
                steps=count,
                loss=loss,
                accuracy=right / len(batch),
                rate=rate,
                records_per_second=tally.records / (time.perf_counter() - began),
                seconds_left=pace * (settings.epochs * count - done),
            )
        self.epoch += 1
        metrics = {**flips.shares(), **_metrics(plan)}
        left = (time.perf_counter() - began) * (settings.epochs - self.epoch)
        yield self._epoch_done("gradient", self.epoch, settings.epochs, tally, began, left, metrics)

    def _step(self, plan: Plan, batch: Records, rate: float) -> tuple[float, int]:
        scores = plan.forward(batch)
        loss, grad = LOSSES.make(self._settings.loss)(scores, batch.labels, self._settings.smoothing)
        if not np.isfinite(loss):
            words = f"The loss is no longer a number in epoch {self.epoch + 1}."
            raise TrainError(words, do="Lower the learning rate, or add a Batch norm.")
        plan.backward(grad)
        if self._optimiser is None:
            raise TrainError("The run has no optimiser yet.")
        self._optimiser.step(rate)
        return loss, int((scores.argmax(axis=1) == batch.labels).sum())

    def _factor(self, share: float) -> float:
        """Return the factor of the learning rate after `share` of the steps."""
        settings = self._settings
        warm = min(1.0, settings.warm_up / settings.epochs)
        return factor(settings.schedule, share, warm=warm, floor=settings.floor)

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
                tally = _Tally(float("nan"), round(share * len(self._train)), len(self._train))
                rounds = int(node.values().get("rounds", i))
                yield self._epoch_done("memory", i, max(i, rounds), tally, began, 0.0, {})
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
        }
        seconds = time.perf_counter() - self._began
        path = self._save(finished=True)
        return Finished(
            accuracy, raw, validation, answer.violations_raw, answer.violations, seconds, program, path
        )

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

    def _epoch_done(
        self,
        stage: Any,
        epoch: int,
        epochs: int,
        tally: _Tally,
        began: float,
        left: float,
        metrics: dict[str, float],
    ) -> EpochDone:
        program = self.program()
        answer: Answer = program.answer(self.validation)
        done = EpochDone(
            stage=stage,
            epoch=epoch,
            epochs=epochs,
            loss=tally.loss / tally.records,
            train_accuracy=tally.right / tally.records,
            accuracy=_share(answer.labels, self.validation),
            seconds=time.perf_counter() - began,
            seconds_left=left,
            metrics=metrics,
            program=program,
        )
        figures = {
            k: getattr(done, k) for k in ("stage", "epoch", "loss", "train_accuracy", "accuracy", "seconds")
        }
        self._history.append({**figures, "loss": None if np.isnan(done.loss) else done.loss})
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


class _Flips:
    """How many signs of 1-bit weights change over an epoch: the flip ratio that Larq watches."""

    def __init__(self, plan: Plan) -> None:
        self._latent = {k: p.value for k, p in plan.parameters().items() if p.binary}
        self._before = {k: v >= 0 for k, v in self._latent.items()}

    def shares(self) -> dict[str, float]:
        return {
            f"{k.split('/')[0]}: flipped": float(((v >= 0) != self._before[k]).mean())
            for k, v in self._latent.items()
        }


def _metrics(plan: Plan) -> dict[str, float]:
    return {f"{n}: {k}": v for n, op in plan.operators.items() for k, v in op.metrics().items()}


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def _share(labels: Array, records: Records) -> float:
    return float((labels == records.labels).mean())
