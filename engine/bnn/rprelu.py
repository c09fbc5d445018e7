"""RPReLU: a PReLU whose bend stands where training puts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import real
from ..node import Cost, Operator, Predictor, Work, wired
from ..ports import Arrays, Spec
from .maps import ShapeKeeper, channels_of
from .prelu import RectifierOperator, rectifier


@dataclass(frozen=True)
class RPReLU(ShapeKeeper):
    """y = p(x - g) + z, p(v) = v where v > 0, else a v, with g, a and z learned for each channel.

    Source: Liu et al. 2020 (ReActNet), arXiv:2003.03488.

    Attributes:
        start_slope: a before training; g and z begin at 0.
    """

    kind: ClassVar[str] = "bnn.rprelu"
    title: ClassVar[str] = "RPReLU"
    icon: ClassVar[str] = "ph.trend-up"
    order: ClassVar[int] = 220
    summary: ClassVar[str] = "PReLU with a learned shift before and after: it reshapes what a sign sees"
    citation: ClassVar[str] = "Liu et al. 2020, arXiv:2003.03488"

    start_slope: float = real(0.25, -1.0, 1.0, "Slope below the bend before training")

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(3 * 32 * channels_of(spec), (Work(3 * spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        c = channels_of(spec)
        return {
            "shift": np.zeros(c, np.float32),
            "slope": np.full(c, self.start_slope, np.float32),
            "lift": np.zeros(c, np.float32),
        }

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        return rectifier(packed["shift"], packed["slope"], packed["lift"])

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return RectifierOperator(weights, batch, spec)
