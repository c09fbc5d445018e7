"""Adding what two branches say: the residual connection, and the product of two experts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..node import Cost, Learning, Node, Operator, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec


@dataclass(frozen=True)
class Add(Node):
    """y = a + b, element by element.

    Of features it is the residual connection (He et al. 2016, arXiv:1512.03385); of scores, which are
    logits, it multiplies the two experts' probabilities.
    """

    kind: ClassVar[str] = "flow.add"
    title: ClassVar[str] = "Residual add"
    icon: ClassVar[str] = "ph.plus-circle"
    order: ClassVar[int] = 50
    summary: ClassVar[str] = "Adds two branches of one shape"
    citation: ClassVar[str] = "He et al. 2016, arXiv:1512.03385"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("a", ("real",), "One branch"),
        Port("b", ("real",), "The other, of the same shape"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "Their sum"),)

    def specs(self, *inputs: Spec | None) -> Specs:
        a, b = wired(inputs)
        if a.shape != b.shape:
            raise ShapeError(
                f"Both branches must have one shape; a is {a.words()}, b is {b.words()}.",
                do="Make them equal, or join them with a Concatenate.",
                port="b",
            )
        return (Spec("real", a.shape, classes=a.classes or b.classes),)

    def cost(self, *inputs: Spec | None) -> Cost:
        a, _ = wired(inputs)
        return Cost(0, (Work(a.elements, "1", "32"),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda a, b: (a + b,)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        a, _ = wired(inputs)
        return AddOperator(weights, batch, a)


class AddOperator(Operator):
    """Addition in training: the gradient goes to both branches."""

    def __init__(self, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._out = np.empty((batch, *spec.shape), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        a, b = inputs
        return (np.add(a, b, out=self._out[: len(a)]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        return (grad, grad)
