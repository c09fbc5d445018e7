"""Making every record one row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from ..fusion import PerElement
from ..node import Node, Operator, Predictor, Specs, wired
from ..ports import F32, Array, Arrays, Port, Spec


@dataclass(frozen=True)
class Flatten(Node):
    """y = x read as one row, last axis fastest: element (i, j) of (h, w) becomes element i * w + j."""

    kind: ClassVar[str] = "flow.flatten"
    title: ClassVar[str] = "Flatten"
    icon: ClassVar[str] = "ph.rows"
    order: ClassVar[int] = 40
    passes: ClassVar[str] = "in"
    summary: ClassVar[str] = "Reads records of any shape as one row"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real", "bits"), "Records of any shape"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real", "bits"), "The same elements in one row"),)

    def specs(self, *inputs: Spec | None) -> Specs:
        (x,) = wired(inputs)
        return (replace(x, shape=(x.elements,)),)

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (x,) = wired(inputs)
        return PerElement(lambda array: _flat(array, x))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (x,) = wired(inputs)
        return FlattenOperator(weights, x)


class FlattenOperator(Operator):
    """Flattening in training: the gradient gets the old shape back. Both ways are views."""

    back_spare: ClassVar[Literal["own", "arrives", ""]] = "arrives"

    def __init__(self, weights: Arrays, spec: Spec) -> None:
        super().__init__(weights)
        self._spec = spec

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        return (_flat(x, self._spec),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        return (None if grad is None else grad.reshape(len(grad), *self._spec.shape),)

    def slopes(self) -> F32 | None:
        return np.ones(1, np.float32)


def _flat(array: Array, spec: Spec) -> Array:
    """Return `array` as rows; packed words are in that order already."""
    return array if spec.packed else array.reshape(len(array), -1)
