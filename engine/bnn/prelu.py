"""PReLU: a rectifier whose negative slope is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import flag, real
from ..fusion import PerElement
from ..kernels.pointwise import prelu, prelu_back
from ..node import Cost, Operator, Parameter, Predictor, Work, wired
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper, by_channel, channels_of


@dataclass(frozen=True)
class PReLU(ShapeKeeper):
    """y = x where x > 0, else a x, with a learned for each channel or for all.

    Source: He et al. 2015, arXiv:1502.01852.

    Attributes:
        start_slope: a before training.
        shared: whether one slope serves all channels.
    """

    kind: ClassVar[str] = "bnn.prelu"
    title: ClassVar[str] = "PReLU"
    icon: ClassVar[str] = "ph.trend-up"
    order: ClassVar[int] = 210
    summary: ClassVar[str] = "A rectifier whose negative slope is learned, for each channel"
    citation: ClassVar[str] = "He et al. 2015, arXiv:1502.01852"

    start_slope: float = real(0.25, -1.0, 1.0, "Slope of negative numbers before training")
    shared: bool = flag(False, "One slope for all channels")

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(32 * self._slopes(spec), (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return {"slope": np.full(self._slopes(spec), self.start_slope, np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        channels = channels_of(spec)
        zeros = np.zeros(channels, np.float32)

        return rectifier(zeros, _spread(packed["slope"], channels), zeros)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return RectifierOperator(weights, batch, spec)

    def _slopes(self, spec: Spec) -> int:
        return 1 if self.shared else channels_of(spec)


def rectifier(shift: F32, slope: F32, lift: F32) -> Predictor:
    """Return the predictor of y = p(x - shift) + lift, all float32 (channels,)."""

    def bent(x: Array) -> Array:
        rows = by_channel(x, len(slope))
        out = np.empty(rows.shape, np.float32)
        prelu(rows, shift, slope, lift, out)
        return out.reshape(x.shape)

    # With a falling part it turns, and no threshold on its input stands for one on its output.
    return PerElement(bent, turns=bool((slope < 0).any()))


class RectifierOperator(Operator):
    """y = p(x - shift) + lift in training: PReLU, where shift and lift are not learned, and RPReLU."""

    def __init__(self, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._channels = channels_of(spec)
        self._zeros = np.zeros(self._channels, np.float32)
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)
        self._sums = np.zeros((3, self._channels), np.float64)
        self._grads = {name: np.zeros_like(w) for name, w in weights.items()}
        self._rows: F32 = np.empty((0, self._channels), np.float32)

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(name, self.weights[name], g) for name, g in self._grads.items())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._rows = by_channel(x, self._channels)
        out = self._out[: len(x)]
        prelu(self._rows, *self._curve(), self._get("lift"), by_channel(out, self._channels))
        return (out,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        self._sums.fill(0)
        if grad is None:
            self._tell()
            return (None,)
        back = self._back[: len(grad)]
        given = by_channel(grad, self._channels)
        prelu_back(self._rows, given, *self._curve(), by_channel(back, self._channels), self._sums)
        self._tell()
        return (back,)

    def metrics(self) -> dict[str, float]:
        """Return the mean learned slope."""
        return {"slope": float(self.weights["slope"].mean())}

    def _get(self, name: str) -> F32:
        return _spread(self.weights[name], self._channels) if name in self.weights else self._zeros

    def _curve(self) -> tuple[F32, F32]:
        return self._get("shift"), self._get("slope")

    def _tell(self) -> None:
        for row, name in enumerate(("shift", "slope", "lift")):
            if name in self._grads:
                sums = self._sums[row]
                self._grads[name][...] = sums if len(self._grads[name]) == self._channels else sums.sum()


def _spread(values: F32, channels: int) -> F32:
    return values if len(values) == channels else np.full(channels, values[0], np.float32)
