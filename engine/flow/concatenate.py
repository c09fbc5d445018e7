"""Joining the features or channels of two branches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..node import Learning, Node, Operator, Predictor, ShapeError, Specs, wired
from ..ports import F32, Array, Arrays, Port, Spec


@dataclass(frozen=True)
class Concatenate(Node):
    """y = [a, b]: the last axes joined, features of flat rows or channels of maps of one size."""

    kind: ClassVar[str] = "flow.concatenate"
    title: ClassVar[str] = "Concatenate"
    icon: ClassVar[str] = "ph.git-merge"
    order: ClassVar[int] = 60
    summary: ClassVar[str] = "Joins two branches side by side"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("a", ("real",), "The first features"),
        Port("b", ("real",), "The features that follow them"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "All of them in one row"),)

    def specs(self, *inputs: Spec | None) -> Specs:
        a, b = wired(inputs)
        if a.shape[:-1] != b.shape[:-1]:
            words = f"Both must be alike but for their last axis; a is {a.words()}, b is {b.words()}."
            raise ShapeError(words, do="Insert a Flatten before each, or pool the larger.", port="b")
        return (Spec("real", (*a.shape[:-1], a.shape[-1] + b.shape[-1])),)

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda a, b: (np.concatenate((a, b), axis=-1),)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        a, b = wired(inputs)
        return ConcatenateOperator(weights, batch, a, b)


class ConcatenateOperator(Operator):
    """Concatenation in training: each branch gets its part of the gradient."""

    def __init__(self, weights: Arrays, batch: int, a: Spec, b: Spec) -> None:
        super().__init__(weights)
        self._first = a.shape[-1]
        self._out = np.empty((batch, *a.shape[:-1], a.shape[-1] + b.shape[-1]), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        a, b = inputs
        out = self._out[: len(a)]
        out[..., : self._first] = a
        out[..., self._first :] = b
        return (out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None, None)
        return (grad[..., : self._first], grad[..., self._first :])
