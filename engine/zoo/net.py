"""What the networks of the zoo share: their data, their first and last nodes, and the list they are on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..bnn.batch_norm import BatchNorm
from ..bnn.dense import Dense
from ..bnn.pooling import GlobalPool
from ..files.project import Project
from ..flow.output import ClassifierOutput
from ..flow.split import Split
from ..flow.standardise import Standardise
from ..settings import Training
from ..sources.idx import IdxImages
from ..templates.sketch import End, Sketch

Build = Callable[[], Project]
ZOO: dict[str, Build] = {}

_FILES = "train-{}-idx{}-ubyte.gz"
CLASSES = 10


def net(key: str) -> Callable[[Build], Build]:
    """Return the decorator that enters a function under `key`: its file is projects/zoo/KEY.polybit."""

    def enter(build: Build) -> Build:
        if key in ZOO:
            raise ValueError(f"the zoo has a network {key!r} already")
        ZOO[key] = build
        return build

    return enter


class Data(NamedTuple):
    """Where a network begins: images (28, 28) from 0 to 1, and their labels."""

    images: End
    labels: End


def mnist(sketch: Sketch) -> Data:
    """Draw the data: MNIST's training part, 50,000 records to learn from and 10,000 to validate on."""
    digits = sketch.add(
        "Digits", IdxImages(images=_FILES.format("images", 3), labels=_FILES.format("labels", 1))
    )
    split = Split(train=83.333, validation=16.667, test=0.0)
    parts = sketch.add("Split", split, digits, End(digits.node, "labels"))
    scaled = sketch.add("Standardise", Standardise(method="range_all"), parts)
    return Data(scaled, End(parts.node, "labels"))


def pooled_scores(sketch: Sketch, maps: End) -> End:
    """Draw how the residual networks end: the mean of each channel, then a float layer."""
    means = sketch.add("Global pool", GlobalPool(), maps)
    return sketch.add("Class scores", Dense(units=CLASSES, weight_bits="32"), means)


def normed_scores(sketch: Sketch, features: End, layer: Dense) -> End:
    """Draw a last layer and the norm that makes its sums logits."""
    return sketch.add("Score norm", BatchNorm(), sketch.add("Class scores", layer, features))


def finished(
    sketch: Sketch, scores: End, labels: End, *, name: str, about: str, training: Training
) -> Project:
    """Wire the answer and return the project."""
    sketch.add("Answer", ClassifierOutput(), scores, labels)
    return Project(graph=sketch.graph, training=training, name=name, about=about)


def recipe(*, epochs: int = 10, rate: float = 0.005) -> Training:
    """Return the settings of the zoo: Adam, 128 records a step, a cosine from `rate`."""
    return Training(epochs=epochs, batch=128, rate=rate)
