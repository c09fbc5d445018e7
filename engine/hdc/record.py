"""The record encoder: a row of numbers as one binary hypervector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..kernels.hyper import encode_records
from ..node import Cost, Family, Learning, Node, Predictor, Specs, Work, wired
from ..ports import Array, Arrays, Port, Spec, words_for
from .codes import level_codes, random_codes, signs_of

SKIP = {"lowest": "Leave out the lowest level", "none": "Bundle every feature"}
LIMITS = {"feature": "Each feature's own", "all": "One for all features"}


@dataclass(frozen=True)
class RecordEncoder(Node):
    """h = majority over the features i of item_i xor level(x_i), with a fixed vector where votes are even.

    Every feature has a random item code. The range from a feature's lowest to its highest training value is
    cut into levels, whose codes are alike when the levels are near (threshold interpolation). A feature at
    its lowest level is nothing, such as the background of an image, and is left out by default: bundled, it
    would make all codes alike.

    Sources: binary spatter codes, Kanerva 1996; level codes, Nunes et al., arXiv:2205.07920.

    Attributes:
        dimension: bits of a hypervector.
        levels: levels that a feature's range is cut into.
        skip: whether features at their lowest level are left out.
        limits: whether each feature has a range of its own or all share one.
        seed: where the random codes start.
    """

    kind: ClassVar[str] = "hdc.record"
    title: ClassVar[str] = "Record encoder"
    family: ClassVar[Family] = "hdc"
    icon: ClassVar[str] = "ph.fingerprint"
    order: ClassVar[int] = 10
    summary: ClassVar[str] = (
        "Binds a code for each feature to a code for its level and bundles them by majority"
    )
    citation: ClassVar[str] = "Kanerva 1996; Nunes et al. 2022, arXiv:2205.07920"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "The record, of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("hypervector",), "The record as one vector of bits"),)

    dimension: int = whole(8192, 64, 65_536, "Bits of a hypervector", unit="bits")
    levels: int = whole(
        64, 2, 256, "Levels that a feature's range is cut into", unit="levels", citation="arXiv:2205.07920"
    )
    skip: str = choice("lowest", SKIP, "What happens to a feature at its lowest level")
    limits: str = choice(
        "feature", LIMITS, "The range that is cut into levels, found on the training records"
    )
    seed: int = whole(0, 0, 2**31 - 1, "Where the random codes start")

    def specs(self, *inputs: Spec | None) -> Specs:
        return (Spec("hypervector", (self.dimension,)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        """Return the cost of one record with every feature bundled, which is the most there can be."""
        (spec,) = wired(inputs)
        vectors = spec.elements + self.levels + 1
        stored = 64 * words_for(self.dimension) * vectors + 64 * spec.elements
        return Cost(stored, (Work(spec.elements * self.dimension, "1", "1"),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        own = np.random.default_rng(self.seed)
        span = np.zeros((2, spec.elements), np.float32)
        span[1] = 1
        return {
            "items": random_codes(own, spec.elements, self.dimension),
            "levels": level_codes(own, self.levels, self.dimension),
            "tie": random_codes(own, 1, self.dimension)[0],
            "span": span,
        }

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        flat = inputs[0].reshape(len(inputs[0]), -1)
        low, high = np.fmin.reduce(flat, axis=0), np.fmax.reduce(flat, axis=0)
        if self.limits == "all":
            low, high = np.full_like(low, np.fmin.reduce(low)), np.full_like(high, np.fmax.reduce(high))
        return {**weights, "span": np.stack([low, high]).astype(np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        first = int(self.skip == "lowest")

        def predict(x: Array) -> tuple[Array, ...]:
            flat = np.ascontiguousarray(x, np.float32).reshape(len(x), -1)
            out = np.empty((len(x), words_for(self.dimension)), np.uint64)
            encode_records(flat, packed["span"], packed["items"], packed["levels"], packed["tie"], first, out)
            return (out,)

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Dimension", f"{self.dimension:,}".replace(",", "\u202f")), ("Levels", str(self.levels)))

    def weight_levels(self, packed: Arrays) -> Array | None:
        return signs_of(packed["items"], self.dimension)
