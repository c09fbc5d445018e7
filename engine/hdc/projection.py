"""The projection encoder: the signs of random projections as one binary hypervector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..convert import bits_as_real
from ..fields import flag, whole
from ..kernels.bits import dot_signs, pack_signs
from ..kernels.hyper import project
from ..node import Cost, Family, Learning, Node, Predictor, Specs, Work, wired
from ..ports import F32, U64, Array, Arrays, Port, Spec, words_for
from .codes import random_codes, signs_of


@dataclass(frozen=True)
class ProjectionEncoder(Node):
    """h = sign(W (x - mean)), W random signs: the angle between records becomes Hamming distance.

    The mean of the training records is taken away first by default; without that, features that are never
    negative point one way and make all codes alike. Packed 1-bit inputs go through XNOR and popcount.

    Source: Thomas et al., arXiv:2010.07426.

    Attributes:
        dimension: bits of a hypervector.
        centre: whether the training mean is taken away.
        seed: where the random signs start.
    """

    kind: ClassVar[str] = "hdc.projection"
    title: ClassVar[str] = "Projection encoder"
    family: ClassVar[Family] = "hdc"
    icon: ClassVar[str] = "ph.projector-screen"
    order: ClassVar[int] = 20
    summary: ClassVar[str] = "Signs of random projections: records at a small angle share most bits"
    citation: ClassVar[str] = "Thomas et al. 2020, arXiv:2010.07426"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real", "bits"), "Features, of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("hypervector",), "The record as one vector of bits"),)

    dimension: int = whole(8192, 64, 65_536, "Bits of a hypervector", unit="bits")
    centre: bool = flag(True, "Take the mean of the training records away first")
    seed: int = whole(0, 0, 2**31 - 1, "Where the random signs start")

    def specs(self, *inputs: Spec | None) -> Specs:
        return (Spec("hypervector", (self.dimension,)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        stored = 64 * self.dimension * words_for(spec.elements) + 32 * spec.elements
        activation = spec.precision if spec.type == "bits" else "32"
        return Cost(stored, (Work(spec.elements * self.dimension, "1", activation),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        signs = random_codes(np.random.default_rng(self.seed), self.dimension, spec.elements)
        return {"signs": signs, "mean": np.zeros(spec.elements, np.float32)}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        if not self.centre:
            return weights
        features = len(weights["mean"])
        (x,) = inputs
        floats = signs_of(x, features) if x.dtype == np.uint64 else x.reshape(len(x), -1)
        return {**weights, "mean": floats.mean(axis=0, dtype=np.float64).astype(np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        mean: F32 = packed["mean"]
        by_feature = np.ascontiguousarray(signs_of(packed["signs"], spec.elements).T.astype(np.int8))
        if spec.packed:
            return self._of_signs(packed["signs"], self._sums(mean[None], by_feature)[0], spec.elements)

        def predict(x: Array) -> tuple[Array, ...]:
            floats = bits_as_real(x, spec) if spec.type == "bits" else x
            flat = np.asarray(floats, np.float32).reshape(len(x), -1)
            return (self._packed(self._sums(np.ascontiguousarray(flat - mean), by_feature)),)

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Dimension", f"{self.dimension:,}".replace(",", "\u202f")), ("Centre", _words(self.centre)))

    def weight_levels(self, packed: Arrays) -> Array | None:
        return signs_of(packed["signs"], 64 * packed["signs"].shape[1])

    def _of_signs(self, signs: U64, threshold: F32, features: int) -> Predictor:
        def predict(x: Array) -> tuple[Array, ...]:
            sums = np.empty((len(x), self.dimension), np.int32)
            dot_signs(np.ascontiguousarray(x), signs, features, sums)
            # W x - W mean; sums of signs are below 2^24, so float32 holds them as they are.
            return (self._packed(sums.astype(np.float32) - threshold),)

        return predict

    def _sums(self, x: F32, by_feature: Array) -> F32:
        out = np.empty((len(x), self.dimension), np.float32)
        project(x, by_feature, out)
        return out

    def _packed(self, sums: F32) -> U64:
        out = np.empty((len(sums), words_for(self.dimension)), np.uint64)
        pack_signs(sums, out)
        return out


def _words(yes: bool) -> str:
    return "on the training mean" if yes else "none"
