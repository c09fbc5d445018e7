"""What layers that work channel by channel share: the view of a batch by channel, and nodes that keep shape.

Feature maps have their channels last: (height, width, channels). Of a flat record every feature is a channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..node import Cost, Family, Learning, Node, Specs, Work, wired
from ..ports import Array, Port, Spec


def channels_of(spec: Spec) -> int:
    """Return how many channels a record has: the length of its last axis."""
    return spec.shape[-1] if spec.shape else 1


def by_channel(x: Array, channels: int) -> Array:
    """Return a batch, (n, *shape), as (n x places, channels); a view where it is contiguous."""
    return np.ascontiguousarray(x).reshape(-1, channels)


@dataclass(frozen=True)
class ShapeKeeper(Node):
    """Base of the nodes that give real numbers in the shape in which they take them."""

    family: ClassVar[Family] = "bnn"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real",), "Features; the last axis holds the channels"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "The same shape"),)

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", spec.shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(0, (Work(spec.elements),))


AXES = {"new": "In a new last axis: channels of a map", "last": "Beside one another in the last axis"}


def encoded(spec: Spec, bits: int, axis: str) -> Spec:
    """Return the spec of records whose every number became `bits` bits; `axis` is a key of AXES."""
    shape = (*spec.shape, bits) if axis == "new" else (*spec.shape[:-1], spec.shape[-1] * bits)
    return Spec("bits", shape, "1", low=-1)
