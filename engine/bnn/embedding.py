"""Embedding: a learned vector for each level or category, at every bit width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import bit_width, choice, whole
from ..kernels.estimators import ESTIMATORS
from ..levels import Quantized
from ..node import (
    Cost,
    Family,
    Learning,
    Node,
    Operator,
    Parameter,
    Predictor,
    ShapeError,
    Specs,
    Work,
    wired,
)
from ..ports import F32, I64, Array, Arrays, Port, Spec
from ..precision import PRECISIONS
from .linear import check_quantizers, planes_vary, ship, weight_arrays, weight_bits
from .stored import numbers
from .weights import WEIGHT_QUANTIZERS


@dataclass(frozen=True)
class Embedding(Node):
    """y = row k of a learned table, for each whole number k of a record, or each category of its facts.

    Real numbers are rounded and clipped to 0 to levels - 1, and one table serves all places. Of facts, every
    column of categories has rows of its own, and one more for a gap. Rows are quantized as the weights of a
    layer are, with a scale for each row.

    Attributes:
        levels: rows of the table, where numbers come; categories say themselves how many they are.
        dimensions: numbers of a row.
        weight_bits: width of the table.
        estimator: gradient of the sign at 1 bit.
        weight_quantizer: how latent numbers become levels.
    """

    kind: ClassVar[str] = "bnn.embedding"
    title: ClassVar[str] = "Embedding"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.table"
    order: ClassVar[int] = 420
    summary: ClassVar[str] = "A learned vector for each level or category, from 1 to 32 bits"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real", "facts"), "Whole numbers, or categories"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "A vector for each, in a new last axis"),)

    levels: int = whole(16, 2, 65_536, "Different whole numbers, from 0", unit="levels")
    dimensions: int = whole(32, 1, 65_536, "Numbers that stand for one of them")
    weight_bits: str = bit_width("1", "Bits of each number in the table")
    estimator: str = choice("clipped", ESTIMATORS, "Gradient of the sign at 1 bit")
    weight_quantizer: str = choice(
        "standard",
        WEIGHT_QUANTIZERS,
        "How latent numbers become levels",
        serving=lambda layer: WEIGHT_QUANTIZERS.serving(layer.weight_bits),
    )

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        check_quantizers(self, spec)
        if spec.type == "facts":
            plain = [c.name for c in spec.columns if not c.categories]
            if plain or not spec.columns:
                words = f"It takes categories; {plain[0]} holds numbers." if plain else "There are no facts."
                raise ShapeError(words, do="Choose columns of categories in the data source.", port="in")
            return (Spec("real", (len(spec.columns), self.dimensions)),)
        return (Spec("real", (*spec.shape, self.dimensions)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        bits = weight_bits(self.weight_bits, self.weight_quantizer, self._rows(spec), self.dimensions)
        return Cost(bits, (Work(self.specs(spec)[0].elements, self.weight_bits),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        table = rng.uniform(-0.5, 0.5, (self._rows(spec), self.dimensions)).astype(np.float32)
        return weight_arrays(table, self.weight_bits, self.weight_quantizer)

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        return ship(weights, self.weight_bits, self.weight_quantizer, self.estimator)

    def may_be_shorter(self, name: str) -> bool:
        return planes_vary(self.weight_quantizer, name)

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        table = self._shipped(packed)
        return lambda x: (table[self.places(x, spec)],)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return EmbeddingOperator(self, weights, spec)

    def places(self, x: Array, spec: Spec) -> I64:
        """Return the row of the table for each number or category of a batch, int64 of its shape."""
        if spec.type != "facts":
            rounded: I64 = np.clip(np.rint(np.nan_to_num(x)), 0, self.levels - 1).astype(np.int64)
            return rounded
        sizes = np.array([len(c.categories) for c in spec.columns])
        first = np.cumsum(sizes + 1) - (sizes + 1)
        known = ~np.isnan(x) & (x >= 0) & (x < sizes)
        found: I64 = np.where(known, np.nan_to_num(x), sizes).astype(np.int64) + first
        return found

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Dimensions", str(self.dimensions)),)

    def weight_levels(self, packed: Arrays) -> Array | None:
        return numbers(packed, "", self.weight_bits, self.dimensions)

    def _rows(self, spec: Spec) -> int:
        return sum(len(c.categories) + 1 for c in spec.columns) if spec.type == "facts" else self.levels

    def _shipped(self, packed: Arrays) -> F32:
        rows = packed["weight"].shape[0 if PRECISIONS[self.weight_bits].store != "planes" else 1]
        ones = np.ones(rows, np.float32)
        total = np.zeros((rows, self.dimensions), np.float32)
        for name in [n for n in packed if n == "weight" or n.startswith("weight_")]:
            suffix = name.removeprefix("weight")
            values = numbers(packed, suffix, self.weight_bits, self.dimensions)
            total += values * packed.get("scale" + suffix, ones)[:, None]
            if "offset" + suffix in packed:
                total += packed["offset" + suffix][:, None]
        return total


class EmbeddingOperator(Operator):
    """The table in training: gradients add up in the rows that were looked up."""

    def __init__(self, node: Embedding, weights: Arrays, spec: Spec) -> None:
        super().__init__(weights)
        self._node, self._spec = node, spec
        row = PRECISIONS[node.weight_bits]
        self._quantizer = WEIGHT_QUANTIZERS.make(node.weight_quantizer)(row, weights, node.estimator)
        self._grad = np.zeros_like(weights["weight"])
        self._places = np.zeros(0, np.int64)

    def parameters(self) -> tuple[Parameter, ...]:
        weight = Parameter("weight", self.weights["weight"], self._grad, self._quantizer.limit())
        return (weight, *self._quantizer.parameters())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        self._quantizer.moment, self._quantizer.rng = self.moment, self.rng
        self._places = self._node.places(inputs[0], self._spec)
        weight = self.weights["weight"]
        table = _effective(self._quantizer.at_this_moment(weight)) if self.moment.weights else weight
        return (table[self._places],)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        self._grad.fill(0)
        for g in self._quantizer.grads.values():
            g.fill(0)
        if grad is not None:
            rows = np.ascontiguousarray(grad).reshape(-1, self._node.dimensions)
            np.add.at(self._grad, self._places.ravel(), rows)
            if self.moment.weights:
                self._grad[...] = self._quantizer.gradient(self.weights["weight"], self._grad)
        return (None,)


def _effective(quantized: Quantized) -> F32:
    """Return quantized rows as the numbers they count, all bases added up."""
    total = np.zeros(quantized.values.shape, np.float32)
    part: Quantized | None = quantized
    while part is not None:
        total += part.values * part.scale[:, None]
        if part.offset is not None:
            total += part.offset[:, None]
        part = part.more
    return total
