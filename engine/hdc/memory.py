"""The class memory: one binary prototype for each class, and the answer by Hamming distance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import TrainError
from ..fields import choice, real, whole
from ..kernels.bits import dot_signs
from ..kernels.counters import bundle_classes
from ..node import Cost, Family, Learning, Node, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, I32, I64, U64, Array, Arrays, Port, Spec, words_for
from .calibration import fitted_scale
from .codes import random_codes, signs_of
from .retraining import RULES, Lesson, packed_signs


@dataclass(frozen=True)
class ClassMemory(Node):
    """scores_k = scale (D - 2 Hamming(h, C_k)), C_k one packed prototype for each class.

    The bundle of each class, with a fixed vector where votes are even, is corrected by the learning rule.
    Of all rounds the prototypes that answer most training records stay. `scale` is found so that softmax of
    the scores is likeliest to give the training labels.

    Attributes:
        rule: how prototypes are corrected.
        rounds: how often the training records are gone through.
        rate: size of a correction, as a share of the mean counter.
    """

    kind: ClassVar[str] = "hdc.memory"
    title: ClassVar[str] = "Class memory"
    family: ClassVar[Family] = "hdc"
    icon: ClassVar[str] = "ph.brain"
    order: ClassVar[int] = 30
    summary: ClassVar[str] = "Learns one binary vector for each class and answers with the nearest"
    citation: ClassVar[str] = "Kanerva 1996; Duan et al. 2022, arXiv:2203.09680"
    learning: ClassVar[Learning] = "memory"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("hypervector",), "Encoded records"),
        Port("labels", ("labels",), "The classes to learn; not looked at when predicting"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("scores", ("scores",), "One score for each class"),)

    rule: str = choice("lehdc", RULES, "How prototypes are corrected after the first bundle")
    rounds: int = whole(10, 1, 1000, "How often the training records are gone through", unit="rounds")
    rate: float = real(0.02, 1e-6, 10.0, "Size of a correction, as a share of the mean counter")

    def specs(self, *inputs: Spec | None) -> Specs:
        _, labels = wired(inputs)
        if len(labels.classes) < 2:
            words = f"It needs two classes or more; the labels have {len(labels.classes)}."
            raise ShapeError(words, do="Choose data with a class column.", port="labels")
        if labels.several:
            words = "It learns one class a record; the data has several labels."
            raise ShapeError(words, do="Choose one label column in the data source.", port="labels")
        return (Spec("scores", (len(labels.classes),), classes=labels.classes, several=False),)

    def cost(self, *inputs: Spec | None) -> Cost:
        vector, labels = wired(inputs)
        classes = len(labels.classes)
        stored = 64 * classes * words_for(vector.elements) + 32
        return Cost(stored, (Work(classes * vector.elements, "1", "1"),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        vector, labels = wired(inputs)
        counters = np.zeros((len(labels.classes), vector.elements), np.float32)
        return {"counters": counters, "scale": np.zeros(1, np.float32)}

    def learn(
        self, weights: Arrays, labels: I64, rng: np.random.Generator, *inputs: Array
    ) -> Iterator[float]:
        known = labels >= 0
        vectors: U64 = np.ascontiguousarray(inputs[0][known])
        targets = np.ascontiguousarray(labels[known])
        if not len(targets):
            raise TrainError("No training record has a class.", do="Choose data with a class column.")
        lesson = Lesson(vectors, targets, self.rounds, self.rate, rng)
        counters = _bundle(lesson, weights["counters"].shape)
        best = -1.0
        for _ in RULES.make(self.rule)(lesson, counters):
            dots = _dots(vectors, packed_signs(counters), counters.shape[1])
            accuracy = float((dots.argmax(axis=1) == targets).mean())
            if accuracy > best:
                best = accuracy
                weights["counters"][...] = counters
                weights["scale"][...] = fitted_scale(dots, targets)
            yield best

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        return {"prototypes": packed_signs(weights["counters"]), "scale": weights["scale"].copy()}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        dimension = wired(inputs)[0].elements
        scale = packed["scale"][0]

        def predict(x: Array, labels: Array | None = None) -> tuple[Array, ...]:
            return (
                _dots(np.ascontiguousarray(x), packed["prototypes"], dimension).astype(np.float32) * scale,
            )

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Rule", RULES[self.rule]), ("Rounds", str(self.rounds if self.rule != "single" else 1)))

    def weight_levels(self, packed: Arrays) -> Array | None:
        return signs_of(packed["prototypes"], 64 * packed["prototypes"].shape[1])


def _bundle(lesson: Lesson, shape: tuple[int, ...]) -> F32:
    """Return the sums of each class's vectors, scaled to a mean size of 1; half a vote decides where even."""
    counters = np.empty(shape, np.float32)
    counters[...] = np.float32(0.5) * signs_of(random_codes(lesson.rng, 1, shape[1]), shape[1])
    bundle_classes(lesson.vectors, lesson.labels, counters)
    counters /= np.abs(counters).mean()
    return counters


def _dots(vectors: U64, prototypes: U64, dimension: int) -> I32:
    out = np.empty((len(vectors), len(prototypes)), np.int32)
    dot_signs(vectors, prototypes, dimension, out)
    return out
