"""Multiplying two branches: one weighs the other, element by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..node import Cost, Learning, Node, Operator, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec


@dataclass(frozen=True)
class Multiply(Node):
    """y = a b, element by element: the element attention of BNext, Guo et al. 2022, arXiv:2211.12933."""

    kind: ClassVar[str] = "flow.multiply"
    title: ClassVar[str] = "Multiply"
    icon: ClassVar[str] = "ph.x-circle"
    order: ClassVar[int] = 55
    summary: ClassVar[str] = "Multiplies two branches of one shape, element by element"
    citation: ClassVar[str] = "Guo et al. 2022, arXiv:2211.12933"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("a", ("real",), "One branch"),
        Port("b", ("real",), "The other, of the same shape"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "Their product"),)

    def specs(self, *inputs: Spec | None) -> Specs:
        a, b = wired(inputs)
        if a.shape != b.shape:
            raise ShapeError(
                f"Both branches must have one shape; a is {a.words()}, b is {b.words()}.",
                do="Make them equal.",
                port="b",
            )
        return (Spec("real", a.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        a, _ = wired(inputs)
        return Cost(0, (Work(a.elements),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda a, b: (a * b,)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        a, _ = wired(inputs)
        return MultiplyOperator(weights, batch, a)


class MultiplyOperator(Operator):
    """Multiplication in training: the gradient of each branch is weighed by the other."""

    def __init__(self, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._pair: tuple[F32, F32] = (self._out[:0], self._out[:0])

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        a, b = self._pair = (inputs[0], inputs[1])
        return (np.multiply(a, b, out=self._out[: len(a)]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None, None)
        a, b = self._pair
        return (grad * b, grad * a)
