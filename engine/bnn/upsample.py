"""Upsampling: a larger map in which every element is repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..kernels.conv import gather_bits
from ..node import Cost, Family, Learning, Node, Operator, Predictor, Specs, wired
from ..ports import F32, I64, Array, Arrays, Port, Spec
from .conv_window import AXIS_CHOICES, Window, window_of


@dataclass(frozen=True)
class Upsample(Node):
    """y[p, c] = x[p // factor, c]: every element stands `factor` times along each axis.

    Bits stay packed. The gradient of an element is the sum over its copies.

    Attributes:
        factor: copies along each axis.
        axes: how many axes become longer.
    """

    kind: ClassVar[str] = "bnn.upsample"
    title: ClassVar[str] = "Upsample"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.corners-out"
    order: ClassVar[int] = 19
    summary: ClassVar[str] = "A larger map in which every element is repeated"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real", "bits"), "The map, channels last"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real", "bits"), "A larger map of the same type"),)

    factor: int = whole(2, 1, 16, "Copies of each element along each axis", unit="copies")
    axes: str = choice("2", AXIS_CHOICES, "Axes that become longer; what is left is channels")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        dims = self._window(spec).dims
        longer = tuple(n * self.factor for n in spec.shape[:dims])
        return (replace(spec, shape=(*longer, *spec.shape[dims:])),)

    def cost(self, *inputs: Spec | None) -> Cost:
        return Cost()

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        starts, channels = self._starts(spec)
        (out,) = self.specs(spec)

        def predict(x: Array) -> tuple[Array, ...]:
            if not spec.packed:
                places = np.ascontiguousarray(x).reshape(len(x), -1, channels)
                return (places[:, starts // channels].reshape(len(x), *out.shape),)
            bits = out.array(len(x))
            gather_bits(np.ascontiguousarray(x), np.zeros(1, np.int64), starts, channels, bits)
            return (bits,)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return UpsampleOperator(weights, self.predictor(weights, spec), spec, self.factor, self._window(spec))

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Factor", str(self.factor)),)

    def _window(self, spec: Spec) -> Window:
        return window_of(spec.shape, int(self.axes), kernel=1, stride=1, name="axes")

    def _starts(self, spec: Spec) -> tuple[I64, int]:
        """Return where the channels of each place that comes out begin in the map, and how many there are."""
        window = self._window(spec)
        grid = np.arange(window.places, dtype=np.int64).reshape(window.size)
        for axis in range(3 - window.dims, 3):
            grid = np.repeat(grid, self.factor, axis=axis)
        return grid.ravel() * window.channels, window.channels


class UpsampleOperator(Operator):
    """Upsampling in training."""

    def __init__(
        self, weights: Arrays, predictor: Predictor, spec: Spec, factor: int, window: Window
    ) -> None:
        super().__init__(weights)
        self._predictor, self._spec = predictor, spec
        self._split = [part for n in window.size[3 - window.dims :] for part in (n, factor)]
        self._channels = window.channels

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        return self._predictor(*inputs)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        copies = np.ascontiguousarray(grad).reshape(len(grad), *self._split, self._channels)
        total: F32 = copies.sum(axis=tuple(range(2, 1 + len(self._split), 2)))
        return (total.reshape(len(grad), *self._spec.shape),)
