"""The gradient stage: a step, an epoch, and where one stage of binarization meets the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..augmentations import Batch, parse
from ..bnn.flips import Labelled
from ..data.batches import batches
from ..errors import TrainError
from ..files.store import Weights
from ..graph import Graph
from ..kernels.optimise import sum_of_squares
from ..label_sets import held, said
from ..losses import LOSSES
from ..node import Moment
from ..ports import F32, I64, Arrays
from ..records import Records, as_floats
from ..schedules import factor
from ..settings import Training
from ..stages import Stage
from .average import Average
from .floats import start_weight_quantizers, with_float_activations
from .optimiser import Grouped
from .penalties import Penalties
from .plan import Plan, live, several_labels
from .progress import BatchDone
from .teacher import Teacher
from .watch import Watch

_LOOKS, _BETWEEN = 20, 10  # steps of an epoch whose metrics are found, and the least from one to the next
_CHANCE = 7  # parts the chance of augmentations from that of batches and operators


@dataclass
class Tally:
    """Sums over an epoch."""

    loss: float = 0.0
    right: int = 0
    records: int = 0

    def add(self, loss: float, right: int, records: int) -> None:
        """Count a batch with its mean loss."""
        self.loss += loss * records
        self.right += right
        self.records += records


class Descent:
    """The gradient stage of one run.

    Attributes:
        stages: the stages of binarization, in order.
        stage: the one under way, or None before the first.
        plan: the compiled graph of this stage.
        average: the running mean of the weights, or None.
        tally: sums over the epoch.
        metrics: figures of the last whole epoch.
    """

    def __init__(
        self,
        graph: Graph,
        weights: Weights,
        settings: Training,
        stages: tuple[Stage, ...],
        teacher: Teacher | None = None,
    ) -> None:
        self._graph, self._weights, self._settings = graph, weights, settings
        self._teacher = teacher
        self._several = several_labels(graph)
        self.stages, self.stage = stages, stages[0]
        self._begin(self.stage)
        self.tally = Tally()
        self.metrics: dict[str, float] = {}
        self._augmenting = _Augmenting(settings)
        self._losses = np.empty(settings.batch, np.float32)

    def _begin(self, stage: Stage) -> None:
        self.stage = stage
        graph = self._graph if stage.activations else with_float_activations(self._graph)
        self._drawn = graph
        self.plan = Plan(graph, self._weights, self._settings.batch)
        self._optimiser = Grouped(self.plan.parameters(), self._settings, signs=stage.weights)
        keep = self._settings.average
        names = [n for n in live(graph) if n in self.plan.operators]
        self.average = Average(self._weights, names, keep) if keep else None
        weight = self._settings.rule_weight
        self._penalties = Penalties(graph, weight, self.plan) if weight else None
        if self._teacher:
            self._teacher.match(graph, self._settings.attention_nodes)

    def enter(self, epoch: int) -> bool:
        """Get ready for an epoch, counted from 0, and return whether another stage begins with it."""
        stage = next(s for s in self.stages if s.begin <= epoch < s.end)
        if stage is self.stage:
            return epoch == stage.begin
        before, average = self._optimiser, self.average
        if stage.weights and not self.stage.weights:
            start_weight_quantizers(self._graph, self._weights)
        self._begin(stage)
        if not self._settings.fresh:
            self._optimiser.adopt(before)
            self.average = average
        return True

    def restore(self, epoch: int, optimiser: Arrays, average: Weights, steps: int) -> None:
        """Go on after `epoch` epochs from what a checkpoint kept."""
        stage = next((s for s in self.stages if s.begin < epoch <= s.end), self.stage)
        if stage is not self.stage:
            self._begin(stage)
        if optimiser:
            self._optimiser.restore(optimiser)
        if self.average and average:
            self.average.restore(average, steps)

    def state(self) -> Arrays:
        """Return the optimiser's state."""
        return self._optimiser.state()

    def shipped(self) -> Weights:
        """Return the weights that are scored and exported."""
        return self.average.over() if self.average else self._weights

    def epoch(self, epoch: int, data: Records) -> Iterator[BatchDone]:
        """Take the steps of an epoch, counted from 0."""
        settings, began = self._settings, time.perf_counter()
        self.tally = Tally()
        watch = Watch(self.plan, self._drawn)
        self.plan.reseed(settings.seed, epoch + 1)
        count = -(-len(data) // settings.batch)
        every = max(_BETWEEN, count // _LOOKS)
        for step, batch in enumerate(batches(data, settings.batch, settings.seed, epoch + 1), start=1):
            looked = step % every == 1
            if looked:
                watch.mark()
            done = epoch * count + step
            rate = settings.rate * self._factor(done, count)
            loss, right = self._step(batch, rate, done / (settings.epochs * count), (epoch, step))
            self.tally.add(loss, right, len(batch))
            pace = (time.perf_counter() - began) / step
            yield BatchDone(
                epoch=epoch + 1,
                epochs=settings.epochs,
                step=step,
                steps=count,
                loss=loss,
                accuracy=right / len(batch),
                rate=rate,
                records_per_second=self.tally.records / (time.perf_counter() - began),
                seconds_left=pace * (settings.epochs * count - done),
                metrics={**watch.step(), **self._kept()} if looked else {},
            )
        self.metrics = {**watch.epoch(), **self._kept()}

    def accuracy(self, records: Records) -> float:
        """Return the share of `records` that this stage's own forward pass gets right, as it now stands.

        Where something is not quantized yet this is not what the packed model scores.
        """
        self.plan.tell(replace(self._moment(1.0), learning=False))
        right, size = 0, self._settings.batch
        for at in range(0, len(records), size):
            part = records.take(slice(at, at + size))
            right += self._right(self.plan.forward(part), part.labels)
        return right / len(records)

    # Inside

    def _kept(self) -> dict[str, float]:
        """Return how well the last batch kept the rules, where they are learned with."""
        return self._penalties.figures() if self._penalties else {}

    def _factor(self, steps: int, count: int) -> float:
        """Return the factor of the learning rate after so many steps, of which an epoch has `count`."""
        settings, stage = self._settings, self.stage
        begin, end = (stage.begin, stage.end) if settings.fresh else (0, settings.epochs)
        share = (steps - begin * count) / ((end - begin) * count)
        warm = min(1.0, settings.warm_up / (end - begin))
        return factor(settings.schedule, share, warm=warm, floor=settings.floor)

    def _moment(self, share: float) -> Moment:
        narrow, stage = self._settings.gradient_products == "bfloat16", self.stage
        return Moment(share, weights=stage.weights, activations=stage.activations, bfloat16=narrow)

    def _step(self, records: Records, rate: float, share: float, place: tuple[int, int]) -> tuple[float, int]:
        batch = self._augmenting(records, place)
        told = self._losses[: len(records)]
        self.plan.tell(replace(self._moment(share), places=records.places, losses=told))
        scores = self.plan.forward(Records(batch.samples, records.labels, records.facts))
        losses, grad = self._loss(scores, batch)
        labelled = self._labelled(scores, grad, batch)
        also: dict[tuple[str, str], F32] = {}
        if self._teacher:
            taught = self._teacher.teach(self.plan, scores, batch, records)
            losses = np.float32(self._settings.label_weight) * losses + taught.losses
            grad = np.float32(self._settings.label_weight) * grad + taught.grad
            also.update(taught.also)
        if self._penalties:
            losses = losses + self._penalties.add(self.plan, also).astype(np.float32)
        told[...] = losses
        loss = float(losses.mean())
        if not np.isfinite(loss):
            words = f"The loss is no longer a number in epoch {place[0] + 1}."
            raise TrainError(words, do="Lower the learning rate, or add a Batch norm.")
        self.plan.backward(grad, also, labelled)
        self._shorten()
        self._optimiser.step(rate)
        if self.average:
            self.average.step()
        return loss, self._right(scores, batch.labels)

    def _right(self, scores: F32, labels: I64) -> int:
        return int((said(scores, several=self._several) == labels).sum())

    def _loss(self, scores: F32, batch: Batch) -> tuple[F32, F32]:
        """Return the loss of each record, and dL/dscores of their mean."""
        of, smoothing = LOSSES.make(self._settings.loss), self._settings.smoothing
        classes = scores.shape[1]
        labels, others = (
            held(some, classes) if self._several and some is not None else some
            for some in (batch.labels, batch.others)
        )
        losses, grad = of(scores, labels, smoothing)
        if others is None:
            return losses, grad
        other_losses, other_grad = of(scores, others, smoothing)
        share, rest = np.float32(batch.share), np.float32(1 - batch.share)
        return share * losses + rest * other_losses, share * grad + rest * other_grad

    def _labelled(self, scores: F32, grad: F32, batch: Batch) -> Labelled:
        """Return the part of the loss that labels have, for any scores of any records of the batch."""
        weight = np.float32(self._settings.label_weight if self._teacher else 1)

        def losses(scores: F32, who: I64) -> F32:
            others = None if batch.others is None else batch.others[who]
            found, _ = self._loss(scores, replace(batch, labels=batch.labels[who], others=others))
            return weight * found

        return Labelled(scores, weight * grad, losses)

    def _shorten(self) -> None:
        """Bring the gradient of all parameters together to the longest length that is allowed."""
        longest = self._settings.gradient_clip
        if not longest:
            return
        grads = [p.grad.reshape(-1) for p in self.plan.parameters().values()]
        length = float(np.sqrt(sum(sum_of_squares(g) for g in grads)))
        if length > longest:
            for g in grads:
                np.multiply(g, np.float32(longest / length), out=g)


class _Augmenting:
    """Makes a batch of what is taken from the records, in buffers that are made once."""

    def __init__(self, settings: Training) -> None:
        self._steps, self._seed, self._size = parse(settings.augment), settings.seed, settings.batch
        self._samples = self._spare = np.empty(0, np.float32)

    def __call__(self, records: Records, place: tuple[int, int]) -> Batch:
        """Return the records, changed as the settings say; chance comes from the seed and the place."""
        if not self._steps:
            return Batch(records.samples, records.labels, self._spare)
        n, shape = len(records), records.samples.shape[1:]
        if any(step.images for step in self._steps) and len(shape) not in (2, 3):
            words = f"Shift, rotate, flip and cutout change images; records have the shape {shape}."
            raise TrainError(words, do="Take them out of Augment in the training settings.")
        if not self._samples.size:
            self._samples, self._spare = (np.empty((self._size, *shape), np.float32) for _ in range(2))
        np.copyto(self._samples[:n], as_floats(records.samples))
        batch = Batch(self._samples[:n], records.labels, self._spare[:n])
        rng = np.random.default_rng([self._seed, *place, _CHANCE])
        for step in self._steps:
            step(batch, rng)
        return batch
