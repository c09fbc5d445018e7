"""Channel shuffle: the groups of a grouped convolution exchange what they know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import whole
from ..node import Cost, Operator, Predictor, ShapeError, Specs, wired
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper, channels_of


@dataclass(frozen=True)
class ChannelShuffle(ShapeKeeper):
    """y_(j g + i) = x_(i m + j) for g groups of m channels: (g, m) channels read as (m, g).

    Source: Zhang et al. 2018 (ShuffleNet), arXiv:1707.01083.

    Attributes:
        groups: g.
    """

    kind: ClassVar[str] = "bnn.shuffle"
    title: ClassVar[str] = "Channel shuffle"
    icon: ClassVar[str] = "ph.shuffle"
    order: ClassVar[int] = 310
    summary: ClassVar[str] = "Deals the channels of each group out over all groups"
    citation: ClassVar[str] = "Zhang et al. 2018, arXiv:1707.01083"

    groups: int = whole(2, 2, 1024, "Groups whose channels are mixed", unit="groups")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if channels_of(spec) % self.groups:
            words = f"{channels_of(spec)} channels cannot be parted into {self.groups} groups."
            raise ShapeError(words, do="Change Groups or the layer before.", parameter="groups")
        return super().specs(spec)

    def cost(self, *inputs: Spec | None) -> Cost:
        return Cost()

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return lambda x: (_dealt(x, self.groups),)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return ShuffleOperator(weights, self.groups, channels_of(spec) // self.groups)


class ShuffleOperator(Operator):
    """The shuffle in training: the gradient is dealt back."""

    def __init__(self, weights: Arrays, groups: int, members: int) -> None:
        super().__init__(weights)
        self._groups, self._members = groups, members

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        return (_dealt(inputs[0], self._groups),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        return (None if grad is None else _dealt(grad, self._members),)


def _dealt(x: Array, groups: int) -> Array:
    parted = x.reshape(*x.shape[:-1], groups, -1)
    return np.ascontiguousarray(np.swapaxes(parted, -1, -2)).reshape(x.shape)
