"""Channels beside themselves: how a shortcut grows where a block widens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import whole
from ..node import Cost, Family, Learning, Node, Operator, Predictor, Specs, wired
from ..ports import F32, Array, Arrays, Port, Spec
from .maps import channels_of


@dataclass(frozen=True)
class Duplicate(Node):
    """y = [x, x, ...]: the channels again and again, without a weight.

    With average pooling before it, it is the shortcut of a block that halves the map and doubles the
    channels. Source: Liu et al. 2020 (ReActNet), arXiv:2003.03488.

    Attributes:
        times: how often the channels stand there.
    """

    kind: ClassVar[str] = "bnn.duplicate"
    title: ClassVar[str] = "Duplicate channels"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.copy"
    order: ClassVar[int] = 300
    summary: ClassVar[str] = "Puts the channels beside themselves: a shortcut that widens"
    citation: ClassVar[str] = "Liu et al. 2020, arXiv:2003.03488"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real",), "Features; the last axis holds the channels"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "More channels"),)

    times: int = whole(2, 2, 64, "How often the channels stand there")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", (*spec.shape[:-1], channels_of(spec) * self.times)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        return Cost()

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda x: (np.concatenate((x,) * self.times, axis=-1),)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        return DuplicateOperator(weights, self.times)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Channels", f"× {self.times}"),)


class DuplicateOperator(Operator):
    """Duplication in training: the gradients of all copies add up."""

    def __init__(self, weights: Arrays, times: int) -> None:
        super().__init__(weights)
        self._times = times

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        return (np.concatenate((inputs[0],) * self._times, axis=-1),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        return (grad.reshape(*grad.shape[:-1], self._times, -1).sum(axis=-2),)
