"""Maxout: the largest of a few neighbouring channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import whole
from ..node import Cost, Family, Learning, Node, Operator, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec


@dataclass(frozen=True)
class Maxout(Node):
    """y_j = max of x_(jk) to x_(jk + k - 1): each output is the largest of `pieces` channels in a row.

    The gradient goes to the largest, to the first of equals. Source: Goodfellow et al. 2013, arXiv:1302.4389.

    Attributes:
        pieces: channels that one output is the largest of.
    """

    kind: ClassVar[str] = "bnn.maxout"
    title: ClassVar[str] = "Maxout"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.arrow-fat-lines-up"
    order: ClassVar[int] = 230
    summary: ClassVar[str] = "The largest of a few neighbouring channels"
    citation: ClassVar[str] = "Goodfellow et al. 2013, arXiv:1302.4389"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real",), "Features; the last axis holds the channels"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "Fewer channels"),)

    pieces: int = whole(2, 2, 64, "Channels that one output is the largest of", unit="channels")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        channels = spec.shape[-1] if spec.shape else 0
        if channels % self.pieces or not channels:
            words = f"{channels} channels cannot be parted into groups of {self.pieces}."
            raise ShapeError(words, do="Change Pieces or the layer before.", parameter="pieces")
        return (Spec("real", (*spec.shape[:-1], channels // self.pieces)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(0, (Work(spec.elements),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda x: (np.ascontiguousarray(x).reshape(*x.shape[:-1], -1, self.pieces).max(-1),)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return MaxoutOperator(self, weights, batch, spec)


class MaxoutOperator(Operator):
    """Maxout in training."""

    def __init__(self, node: Maxout, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._pieces = node.pieces
        self._back = np.empty((batch, *spec.shape), np.float32)
        self._place = np.zeros((0, 1), np.int64)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        groups = x.reshape(*x.shape[:-1], -1, self._pieces)
        self._place = groups.argmax(-1)[..., None]
        return (np.take_along_axis(groups, self._place, -1)[..., 0],)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        back = self._back[: len(grad)]
        back.fill(0)
        groups = back.reshape(*back.shape[:-1], -1, self._pieces)
        np.put_along_axis(groups, self._place, grad[..., None], -1)
        return (back,)
