"""Bit planes: a number as the bits of its level, so that a first layer of 1 bit can read 8-bit data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..kernels.encode import pack_planes_beside
from ..node import Cost, Family, Learning, Node, Predictor, Specs, Work, wired
from ..ports import I16, Array, Arrays, Port, Spec, words_for
from .maps import AXES, encoded


@dataclass(frozen=True)
class BitPlanes(Node):
    """q_i = +1 where bit i of the level is 1, else -1; level = round((2^bits - 1) (x - low) / (high - low)).

    low and high are the smallest and the largest training value; what lies beyond is clipped. The level is
    sum_i 2^i (q_i + 1) / 2, the lowest bit first. No gradient passes: it stands before what learns. Source of
    the bit planes of a first layer: Hubara et al. 2016, arXiv:1602.02830.

    Attributes:
        bits: bits of each number.
        axis: whether the bits stand in a new last axis or widen the last one.
    """

    kind: ClassVar[str] = "bnn.bit_planes"
    title: ClassVar[str] = "Bit planes"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.stack"
    order: ClassVar[int] = 410
    summary: ClassVar[str] = "Numbers to the bits of their levels, as input of a 1-bit layer"
    citation: ClassVar[str] = "Hubara et al. 2016, arXiv:1602.02830"
    learning: ClassVar[Learning] = "fit"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Records of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("bits",), "The bits of each number, lowest first"),)

    bits: int = whole(8, 1, 12, "Bits of each number", unit="bits")
    axis: str = choice("new", AXES, "Where the bits of a number stand")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (encoded(spec, self.bits, self.axis),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(64, (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        return {"low": np.zeros(1, np.float32), "scale": np.full(1, (1 << self.bits) - 1, np.float32)}

    def fit(self, weights: Arrays, *inputs: Array) -> Arrays:
        (x,) = inputs
        low, high = float(x.min()), float(x.max())
        scale = ((1 << self.bits) - 1) / (high - low) if high > low else 0.0
        return {"low": np.full(1, low, np.float32), "scale": np.full(1, scale, np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        top = (1 << self.bits) - 1

        def predict(x: Array) -> tuple[Array, ...]:
            flat = np.ascontiguousarray(x).reshape(len(x), -1)
            levels: I16 = np.clip(np.rint((flat - packed["low"]) * packed["scale"]), 0, top).astype(np.int16)
            words = np.empty((len(x), words_for(flat.shape[1] * self.bits)), np.uint64)
            pack_planes_beside(levels, self.bits, words)
            return (words,)

        return predict

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Bits", f"{self.bits} a number"),)
