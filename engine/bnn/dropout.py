"""Dropout: numbers left out at random while training, all of them kept afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import flag, real
from ..fusion import PerElement
from ..node import Cost, Operator, Predictor, wired
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper


@dataclass(frozen=True)
class Dropout(ShapeKeeper):
    """y = m x / (1 - rate) in training, m = 0 with probability `rate`, else 1, drawn anew for every record.

    A shipped model passes x unchanged: the mean of y is x. Source: Hinton et al. 2012, arXiv:1207.0580.

    Attributes:
        rate: share of the numbers that are left out.
        channels: whether whole channels are left out together.
    """

    kind: ClassVar[str] = "bnn.dropout"
    title: ClassVar[str] = "Dropout"
    icon: ClassVar[str] = "ph.dots-nine"
    order: ClassVar[int] = 240
    summary: ClassVar[str] = "Leaves numbers out at random while training"
    citation: ClassVar[str] = "Hinton et al. 2012, arXiv:1207.0580"

    rate: float = real(0.2, 0.0, 0.95, "Share that is left out at every step")
    channels: bool = flag(False, "Leave out whole channels of a feature map together")

    def cost(self, *inputs: Spec | None) -> Cost:
        return Cost()

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return PerElement(lambda x: x)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return DropoutOperator(self, weights, batch, spec)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Left out", f"{self.rate:.0%}"),)


class DropoutOperator(Operator):
    """Dropout in training: one draw serves both ways."""

    def __init__(self, node: Dropout, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._rate = np.float32(node.rate)
        shape = (*(1 for _ in spec.shape[:-1]), spec.shape[-1]) if node.channels else spec.shape
        self._drawn = np.empty((batch, *shape), np.float32)
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        mask = self._drawn[: len(x)]
        if self.moment.learning:
            self.rng.random(out=mask, dtype=np.float32)
            np.greater_equal(mask, self._rate, out=mask)
            mask /= 1 - self._rate
        else:
            mask.fill(1)
        return (np.multiply(x, mask, out=self._out[: len(x)]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        n = len(grad)
        return (np.multiply(grad, self._drawn[:n], out=self._back[:n]),)
