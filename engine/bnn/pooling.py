"""Pooling of maps: the largest or the mean of each window, or of the whole map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from ..convert import bits_as_real
from ..fields import choice, whole
from ..fusion import LargestOf
from ..kernels.conv import pad_bits
from ..kernels.pool import (
    max_pool,
    max_pool_back,
    max_pool_swap,
    mean_pool,
    mean_pool_back,
    or_pool,
    or_units,
)
from ..kernels.threads import share
from ..node import Cost, Family, Learning, Node, Operator, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, I64, U64, Array, Arrays, Port, Spec
from .conv_patches import unit_of
from .conv_window import AXIS_CHOICES, PADDINGS, Window, window_of

HOWS = {"mean": "Mean", "max": "Largest"}

_LEAST = 16  # records that are worth a thread


@dataclass(frozen=True)
class Pool(Node):
    """What the poolings share; `how` says which number of a window is given."""

    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.grid-four"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real", "bits"), "The map, channels last"),)

    def window(self, spec: Spec) -> Window:
        """Return the windows of what arrives."""
        raise NotImplementedError

    def way(self) -> str:
        """Return which number of a window is given, a key of HOWS."""
        raise NotImplementedError

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        """Return the shape of a record that comes out."""
        raise NotImplementedError

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        shape = self.out_shape(spec)
        return (replace(spec, shape=shape) if self.way() == "max" else Spec("real", shape),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        window = self.window(spec)
        count = window.places * window.taps * window.channels
        return Cost(0, (Work(count, spec.precision, spec.precision),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        pooling = Pooling(self.window(spec), spec, self.way())
        shape = self.out_shape(spec)

        def pooled(x: Array) -> Array:
            return _shaped(pooling.forward(np.ascontiguousarray(x)), shape)

        if self.way() != "max":
            return lambda x: (pooled(x),)
        signs = Pooling(self.window(spec), Spec("bits", spec.shape, "1", low=-1), "max")
        return LargestOf(pooled, pooling.members(), signs.forward)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return PoolOperator(self, weights, batch, spec)


@dataclass(frozen=True)
class MaxPool(Pool):
    """y[p, c] = max over the window at p of x[., c]; of 1-bit maps the OR of their packed bits.

    Padding never is the largest. The gradient goes to the first of the largest.

    Attributes:
        size: elements of the window along each axis.
        stride: elements from one window to the next; 0 is the size.
        padding: same or valid.
        axes: how many axes are pooled over.
    """

    kind: ClassVar[str] = "bnn.max_pool"
    title: ClassVar[str] = "Max pool"
    order: ClassVar[int] = 18
    summary: ClassVar[str] = "The largest of each window; an OR of bits on 1-bit maps"
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real", "bits"), "A smaller map of the same type"),)

    size: int = whole(2, 1, 63, "Elements of the window along each axis", unit="elements")
    stride: int = whole(0, 0, 63, "Elements from one window to the next; 0 is the size", unit="elements")
    padding: str = choice("valid", PADDINGS, "Whether the window may reach past the edge of the map")
    axes: str = choice("2", AXIS_CHOICES, "Axes that are pooled over; what is left is channels")

    def way(self) -> str:
        return "max"

    def window(self, spec: Spec) -> Window:
        return _window(self, spec)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        return _out_shape(self.window(spec), spec)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Window", " × ".join([str(self.size)] * int(self.axes))),)


@dataclass(frozen=True)
class AveragePool(Pool):
    """y[p, c] = mean over the window at p of x[., c], padding left out of sum and count.

    Bits count as numbers, and real numbers come out.

    Attributes:
        size: elements of the window along each axis.
        stride: elements from one window to the next; 0 is the size.
        padding: same or valid.
        axes: how many axes are pooled over.
    """

    kind: ClassVar[str] = "bnn.average_pool"
    title: ClassVar[str] = "Average pool"
    order: ClassVar[int] = 19
    summary: ClassVar[str] = "The mean of each window"
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "A smaller map of means"),)

    size: int = whole(2, 1, 63, "Elements of the window along each axis", unit="elements")
    stride: int = whole(0, 0, 63, "Elements from one window to the next; 0 is the size", unit="elements")
    padding: str = choice("valid", PADDINGS, "Whether the window may reach past the edge of the map")
    axes: str = choice("2", AXIS_CHOICES, "Axes that are pooled over; what is left is channels")

    def way(self) -> str:
        return "mean"

    def window(self, spec: Spec) -> Window:
        return _window(self, spec)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        return _out_shape(self.window(spec), spec)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Window", " × ".join([str(self.size)] * int(self.axes))),)


@dataclass(frozen=True)
class GlobalPool(Pool):
    """y[c] = mean, or the largest, of x[., c] over all places of the map.

    Attributes:
        how: the mean or the largest.
    """

    kind: ClassVar[str] = "bnn.global_pool"
    title: ClassVar[str] = "Global pool"
    order: ClassVar[int] = 19
    summary: ClassVar[str] = "One number for each channel of a map"
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real", "bits"), "One number for each channel"),)

    how: str = choice("mean", HOWS, "Which number stands for a channel")

    def way(self) -> str:
        return self.how

    def window(self, spec: Spec) -> Window:
        if len(spec.shape) not in (2, 3, 4):
            words = f"It takes maps of 2 to 4 axes, channels last; these are {spec.words()}."
            raise ShapeError(words, do="Wire it before the Flatten.", port="in")
        dims = len(spec.shape) - 1
        made = window_of(spec.shape, dims, kernel=1, stride=1, padding="valid")
        return replace(made, kernel=made.size)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        return (self.window(spec).channels,)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Gives", HOWS[self.how].lower()),)


class Pooling:
    """One pooling of maps, forward and back."""

    def __init__(self, window: Window, spec: Spec, how: str) -> None:
        self._window, self._spec, self._how = window, spec, how
        self._origins, self._taps = window.origins, window.tap_starts
        self._unit = unit_of([*self._origins, *self._taps, window.channels])
        self._count = np.full(window.places, window.taps, np.float32)
        if window.pads:
            self._count -= window.outside.sum(axis=1)

    def forward(self, maps: Array, out: Array | None = None) -> Array:
        """Return the pooled maps: (n, places, channels), or packed (n, words)."""
        if out is None:
            out = self.empty(len(maps))
        if self._spec.packed and self._how == "max":
            self._or(self.padded(maps), out)
        elif self._how == "max":
            flat = out.reshape(len(out), -1)
            max_pool(self.padded(maps), self._origins, self._taps, self._window.channels, flat)
        else:
            floats = bits_as_real(maps, self._spec) if self._spec.type == "bits" else maps
            mean_pool(self.padded(floats), self._origins, self._taps, self._count, out)
        return out

    def members(self) -> I64 | None:
        """Return the elements of each window, int64 (places * channels, taps), where none is in two."""
        if self._window.pads:
            return None
        taps = np.add.outer(self._origins, self._taps)
        channels = np.arange(self._window.channels)
        found = (taps[:, None, :] + channels[:, None]).reshape(-1, taps.shape[1])
        return found if len(np.unique(found)) == found.size else None

    def _or(self, maps: U64, out: U64) -> None:
        channels = self._window.channels
        if self._unit is None:
            or_pool(maps, self._origins, self._taps, channels, out)
            return
        bits, unit = 8 * self._unit.itemsize, self._unit
        out[:, -1] = 0
        origins, taps = self._origins // bits, self._taps // bits
        or_units(maps.view(unit), origins, taps, channels // bits, out.view(unit))

    def empty(self, records: int) -> Array:
        """Return a buffer for what comes out of `records` maps."""
        window = self._window
        shape = (window.places, window.channels)
        given = replace(self._spec, shape=shape) if self._how == "max" else Spec("real", shape)
        return given.array(records)

    def padded(self, maps: Array) -> Array:
        """Return maps with a border that changes nothing: (n, elements), or packed (n, words)."""
        if not self._window.pads:
            return maps if maps.dtype == np.uint64 else maps.reshape(len(maps), -1)
        if maps.dtype == np.uint64:
            bits = self._window.border(len(maps), ones=False)
            pad_bits(maps, self._window.rows, self._window.size[2] * self._window.channels, bits)
            return bits
        lowest = np.iinfo(np.int16).min if maps.dtype == np.int16 else -np.inf
        border = lowest if self._how == "max" else 0
        return self._window.pad(maps, np.full((len(maps), self._window.elements), border, maps.dtype))

    def backward(self, grad: F32, maps: Array, pooled: Array, out: F32) -> None:
        """Add the gradient of what came out to padded maps.

        Args:
            grad: float32 (n, places, channels); may be changed.
            maps: what came in.
            pooled: what came out.
            out: float32 (n, elements).
        """
        if self._how == "mean":
            mean_pool_back(grad, self._origins, self._taps, self._count, out)
            return
        if self._spec.type == "bits":
            shape = (self._window.places, self._window.channels)
            maps = bits_as_real(maps, self._spec)
            pooled = bits_as_real(pooled, replace(self._spec, shape=shape))
        seen = self.padded(np.ascontiguousarray(maps))
        max_pool_back(grad, seen, pooled.reshape(grad.shape), self._origins, self._taps, out)

    def swap(self, grad: F32, maps: F32, pooled: Array) -> None:
        """Put the gradient in the place of `maps`, float32 (n, ...), whose windows lie apart."""
        shape = (len(grad), self._window.places, self._window.channels)
        flat, out = maps.reshape(len(maps), -1), pooled.reshape(shape)
        max_pool_swap(grad.reshape(shape), flat, out, self._origins, self._taps)


class PoolOperator(Operator):
    """A pooling in training."""

    back_spare: ClassVar[Literal["own", "arrives", ""]] = "own"

    def __init__(self, node: Pool, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._window, self._how, self._spec = node.window(spec), node.way(), spec
        self._shape = node.out_shape(spec)
        self._pooling = Pooling(self._window, spec, self._how)
        self._out = self._pooling.empty(batch)
        self._grad = np.empty((batch, self._window.places, self._window.channels), np.float32)
        self._grad_maps = np.empty((batch, self._window.elements), np.float32)
        self._grad_in = np.empty((batch, *spec.shape), np.float32) if self._window.pads else self._grad_maps
        self._maps: Array = self._out[:0]
        self._apart = self._how == "max" and spec.type == "real" and self._window.tiles

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        maps = self._maps = np.ascontiguousarray(inputs[0])
        out = self._out[: len(maps)]
        share(lambda a, b: self._pooling.forward(maps[a:b], out[a:b]), len(maps), least=_LEAST)
        return (_shaped(out, self._shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        n = len(grad)
        if self.input_spare and self._apart:
            given, seen, out = np.ascontiguousarray(grad), self._maps, self._out
            share(lambda a, b: self._pooling.swap(given[a:b], seen[a:b], out[a:b]), n, least=_LEAST)
            return (seen,)
        mine, maps = self._grad[:n], self._grad_maps[:n]
        mine[...] = grad.reshape(mine.shape)
        maps.fill(0)
        self._pooling.backward(mine, self._maps, self._out[:n], maps)
        if self._window.pads:
            self._window.crop(maps, self._grad_in[:n])
        return (self._grad_in[:n].reshape(n, *self._spec.shape),)

    def hardware_profile(self) -> tuple[str, ...]:
        if self._spec.packed and self._how == "max":
            return ("OR of packed bits.",)
        return ("Channel by channel, as many at once as the vectors of the host hold.",)


def _window(node: MaxPool | AveragePool, spec: Spec) -> Window:
    return window_of(
        spec.shape,
        int(node.axes),
        kernel=node.size,
        stride=node.stride or node.size,
        padding=node.padding,
        name="size",
    )


def _out_shape(window: Window, spec: Spec) -> tuple[int, ...]:
    """Return the pooled shape: a record without an axis of channels gets none."""
    shape = window.out_shape(window.channels)
    return shape if len(spec.shape) > window.dims else shape[:-1]


def _shaped(array: Array, shape: tuple[int, ...]) -> Array:
    return array if array.dtype == np.uint64 else array.reshape(len(array), *shape)
