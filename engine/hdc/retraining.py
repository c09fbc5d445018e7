"""Learning rules of a class memory: how counters are corrected after the first bundle.

A rule takes a `Lesson` and the counters, float32 (classes, dimension), which already hold the bundle of each
class scaled to a mean size of 1. It changes them in place and yields once for each round; what ships are the
signs of the counters, whatever the rule itself answers with. A new rule is one decorated function here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..kernels.bits import dot_signs, pack_signs, unpack_signs
from ..kernels.counters import retrain, retrain_quantized
from ..kernels.optimise import adam_step
from ..options import Family
from ..ports import F32, I64, U64, words_for


@dataclass(frozen=True)
class Lesson:
    """What a rule learns from.

    Attributes:
        vectors: uint64 (n, words), packed.
        labels: int64 (n,), from 0.
        rounds: how often the records are gone through.
        rate: size of a correction, as a share of the mean counter.
        rng: where the order of the records comes from.
    """

    vectors: U64
    labels: I64
    rounds: int
    rate: float
    rng: np.random.Generator

    def orders(self) -> Iterator[tuple[float, I64]]:
        """Yield the share of the rounds that lies behind, and a fresh order, int64 (n,), for each round."""
        for i in range(self.rounds):
            yield i / self.rounds, self.rng.permutation(len(self.labels)).astype(np.int64)


Rule = Callable[[Lesson, F32], Iterator[None]]

RULES: Family[Rule] = Family("hdc.retraining", "Learning rules of a class memory")
_BATCH = 64  # records between two looks at the signs of the counters


def packed_signs(counters: F32) -> U64:
    """Return the signs of counters, uint64 (classes, words)."""
    out = np.empty((len(counters), words_for(counters.shape[1])), np.uint64)
    pack_signs(counters, out)
    return out


@RULES.option(
    "lehdc",
    "LeHDC",
    formula="gradient of the cross-entropy of C.h / sqrt(D), C = sign(c), straight through to c; Adam",
    citation="Duan et al. 2022, arXiv:2203.09680",
)
def lehdc(lesson: Lesson, counters: F32) -> Iterator[None]:
    """Train the memory as one binary layer: straight-through signs, cross-entropy, Adam, cosine schedule."""
    counters *= np.float32(0.5)  # inside -1 to 1, where the clipped estimator lets gradients pass
    np.clip(counters, -1, 1, out=counters)
    dimension = counters.shape[1]
    scale = np.float32(1.0 / np.sqrt(dimension))
    first, second = np.zeros((2, counters.size), np.float32)
    bounds, no_decay = np.array([-1, 1], np.float32), np.zeros(2, np.float32)
    x = np.empty((min(_BATCH, len(lesson.labels)), dimension), np.float32)
    step, steps = 0, lesson.rounds * -(-len(lesson.labels) // _BATCH)
    for _, order in lesson.orders():
        for at in range(0, len(order), _BATCH):
            rows = order[at : at + _BATCH]
            p = _residual(lesson.vectors[rows], lesson.labels[rows], counters, scale)
            h = x[: len(rows)]
            unpack_signs(lesson.vectors[rows], h)
            grad = np.where(np.abs(counters) <= 1, p.T @ h, np.float32(0))
            step += 1
            rate = 0.5 * lesson.rate * (1 + np.cos(np.pi * step / steps))
            correct = np.array([1 / (1 - 0.9**step), 1 / (1 - 0.999**step)], np.float32)
            adam_step(
                counters.reshape(-1),
                grad.reshape(-1),
                first,
                second,
                np.float32(rate),
                correct,
                no_decay,
                bounds,
            )
        yield


@RULES.option(
    "quanthd",
    "QuantHD",
    formula="where the signs of c answer j instead of y: c_y += a h, c_j -= a h",
    citation="Imani et al. 2019 (QuantHD)",
)
def quanthd(lesson: Lesson, counters: F32) -> Iterator[None]:
    """Correct the counters where their signs answer wrong; the signs are taken anew every 64 records."""
    for behind, order in lesson.orders():
        for at in range(0, len(order), _BATCH):
            rows = order[at : at + _BATCH]
            signs, rate = packed_signs(counters), lesson.rate * (1 - behind)
            retrain_quantized(lesson.vectors, lesson.labels, rows, signs, counters, rate)
        yield


@RULES.option(
    "adapthd",
    "AdaptHD",
    formula="where c answers j instead of y: c_y += a h, c_j -= a h, a falling to 0",
    citation="Imani et al. 2019 (AdaptHD)",
)
def adapthd(lesson: Lesson, counters: F32) -> Iterator[None]:
    """Correct the counters where they themselves, by cosine, answer wrong; the rate falls with the rounds."""
    for behind, order in lesson.orders():
        retrain(lesson.vectors, lesson.labels, order, counters, lesson.rate * (1 - behind), False)
        yield


@RULES.option(
    "onlinehd",
    "OnlineHD",
    formula="where c answers j instead of y: c_y += a (1 - s_y) h, c_j -= a (1 - s_j) h, s the cosine",
    citation="Hernandez-Cano et al. 2021 (OnlineHD)",
)
def onlinehd(lesson: Lesson, counters: F32) -> Iterator[None]:
    """Correct the counters where they answer wrong, the less the more they are like the record already."""
    for _, order in lesson.orders():
        retrain(lesson.vectors, lesson.labels, order, counters, lesson.rate, True)
        yield


@RULES.option("single", "Single pass", formula="C_k = majority of the vectors of class k")
def single_pass(lesson: Lesson, counters: F32) -> Iterator[None]:
    """Leave the bundles as they are."""
    yield


def _residual(vectors: U64, labels: I64, counters: F32, scale: np.float32) -> F32:
    """Return dL/d(h . sign(c)), float32 (n, classes), of the mean cross-entropy of scale h . sign(c)."""
    dots = np.empty((len(vectors), len(counters)), np.int32)
    dot_signs(vectors, packed_signs(counters), counters.shape[1], dots)
    logits = dots.astype(np.float32) * scale
    p: F32 = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    p *= scale / np.float32(len(labels))
    return p
