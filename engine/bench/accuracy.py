"""What a low width costs in accuracy, and what training schemes win back: paired runs on MNIST.

Every figure is the share of the 10,000 validation records that the packed model answers right after its last
epoch. Two runs of a pair share seed, records and epochs. Choices were made on these validation records alone;
the test part of MNIST is not shipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..settings import Training
from ..train.loop import Run
from ..train.progress import EpochDone
from .differences import difference_row
from .networks import Layer, cnn, mlp, mnist_folder, project
from .pairs import LONG, SUITES, Row, Wanted

EPOCHS, RECORDS = 10, 50_000  # of the comparisons of widths
SHORT_EPOCHS, SHORT_RECORDS = 8, 5_000  # of the comparisons of schemes, five seeds each
_WIDTH_SEEDS, _SCHEME_SEEDS = 3, 5

_RELU: Layer = ("ReLU", "bnn.activation", {"function": "relu"})
_FLOATS = {"rate": 0.001}
_SIGNS = {"rate": 0.005}
_LEARNED = {"weight_quantizer": "lsq"}


@dataclass(frozen=True)
class Trial:
    """A network and how it is trained.

    Attributes:
        draw: returns its layers.
        settings: training settings that differ from the defaults here.
    """

    draw: Callable[[], list[Layer]]
    settings: dict[str, Any]

    def training(self, epochs: int, seed: int) -> Training:
        """Return all settings of a run."""
        return replace(Training(epochs=epochs, batch=128, seed=seed), **self.settings)


def _with_learned_steps(bits: str) -> list[Layer]:
    """Return the MLP with LSQ for weights and, behind its ReLUs, for activations."""
    layers = mlp(bits=bits, activation=_RELU)
    for i, (name, kind, fields) in enumerate(layers):
        if kind == "bnn.dense":
            layers[i] = (name, kind, {**fields, **_LEARNED, **(_inputs(bits) if name != "Dense 1" else {})})
    return layers


def _of_signs() -> list[Layer]:
    """Return the MLP of signs, whose batch norms keep the statistics of more batches."""
    kept = {"momentum": 0.99}
    return [(n, kind, {**f, **kept} if kind == "bnn.batch_norm" else f) for n, kind, f in mlp()]


def _inputs(bits: str) -> dict[str, Any]:
    return {"activation_bits": bits, "activation_quantizer": "lsq_unsigned"}


FLOAT_MLP = Trial(partial(mlp, bits="32", activation=_RELU), _FLOATS)
FLOAT_CNN = Trial(partial(cnn, bits="32", activation=_RELU), _FLOATS)
BINARY_CNN = Trial(cnn, _SIGNS)
WIDTHS: dict[str, tuple[Trial, Trial]] = {
    "MLP, 1 bit": (Trial(_of_signs, {"rate": 0.003}), FLOAT_MLP),
    **{
        f"MLP, {bits} bits": (Trial(partial(_with_learned_steps, bits), _FLOATS), FLOAT_MLP)
        for bits in ("2", "4", "8")
    },
    "CNN, 1 bit": (BINARY_CNN, FLOAT_CNN),
}
SCHEMES: dict[str, dict[str, Any]] = {
    "progressive binarization": {"stages": "activations"},
    "distillation": {"teacher": "self"},
}


@SUITES.option(
    "accuracy", "Accuracy", formula="packed models beside float32 twins, and schemes in pairs", group=LONG
)
def accuracy(wanted: Wanted) -> list[Row]:
    """Return accuracy by width, and the gain of every scheme; hours on one core."""
    return [*_by_width(wanted), *_by_scheme(wanted)]


def _by_width(wanted: Wanted) -> Iterator[Row]:
    seeds = range(min(wanted.pairs, _WIDTH_SEEDS))
    known: dict[int, list[float]] = {}  # a twin is trained once, though several are measured beside it
    for title, (trial, twin) in WIDTHS.items():
        if id(twin) not in known:
            words = f"float32 twin of {title}"
            known[id(twin)] = [_score(twin, words, EPOCHS, RECORDS, seed, wanted) for seed in seeds]
        ours = [_score(trial, title, EPOCHS, RECORDS, seed, wanted) for seed in seeds]
        yield difference_row(
            f"Accuracy, {title}, {EPOCHS} epochs", ours, known[id(twin)], "its float32 twin", wanted
        )


def _by_scheme(wanted: Wanted) -> Iterator[Row]:
    seeds = range(min(wanted.pairs, _SCHEME_SEEDS))
    plain = [_score(BINARY_CNN, "CNN, 1 bit", SHORT_EPOCHS, SHORT_RECORDS, s, wanted) for s in seeds]
    for title, settings in SCHEMES.items():
        trial = replace(BINARY_CNN, settings={**BINARY_CNN.settings, **settings})
        words = f"CNN, 1 bit, {title}"
        ours = [_score(trial, words, SHORT_EPOCHS, SHORT_RECORDS, seed, wanted) for seed in seeds]
        name = f"Accuracy, {words}, {SHORT_EPOCHS} epochs of {SHORT_RECORDS:,} records"
        yield difference_row(name, ours, plain, "the same without it", wanted)


def _score(trial: Trial, title: str, epochs: int, records: int, seed: int, wanted: Wanted) -> float:
    """Train, telling each epoch, and return the accuracy of the last in percent."""
    drawn = project(trial.draw(), mnist_folder(), trial.training(epochs, seed), records=records)
    threads = max(wanted.cores, default=1)
    last = math.nan
    for record in Run(drawn, threads=threads).steps():
        if isinstance(record, EpochDone) and record.stage == "gradient":
            last = 100 * record.accuracy
            told = f"epoch {record.epoch} of {record.epochs}, {last:.2f} % right, {record.seconds:.0f} s"
            wanted.note(f"{title}, seed {seed}: {told}")
    return last
