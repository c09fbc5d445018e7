"""Where the patches of a map lie: sizes, strides, dilation and padding of one convolution or pooling.

A map is channels last: (length, channels), (height, width, channels) or (depth, height, width, channels). A
record with one axis fewer has one channel. Every map is reckoned with three spatial axes, the missing ones
of size 1, so one set of rules serves all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
import numpy.typing as npt

from ..node import ShapeError
from ..ports import I64, U64, Array, words_for

AXES = {1: "(length, channels)", 2: "(height, width, channels)", 3: "(depth, height, width, channels)"}
AXIS_CHOICES = {str(dims): f"{dims}-D: {words}" for dims, words in AXES.items()}
PADDINGS = {"same": "Same: padded at the edges", "valid": "Valid: inside the map only"}
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Window:
    """The patches of one map.

    Attributes:
        dims: spatial axes, 1 to 3.
        size: spatial sizes of the map.
        channels: elements at one place of the map.
        kernel, stride, dilation: by axis.
        same: whether the map is padded so that size / stride positions come out, rounded up.
    """

    dims: int
    size: Triple
    channels: int
    kernel: Triple
    stride: Triple
    dilation: Triple
    same: bool

    @cached_property
    def reach(self) -> Triple:
        """Return how many elements a patch spans along each axis."""
        return _triple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @cached_property
    def positions(self) -> Triple:
        """Return how many patches there are along each axis."""
        if self.same:
            return _triple(-(-n // s) for n, s in zip(self.size, self.stride, strict=True))
        reach = zip(self.size, self.reach, self.stride, strict=True)
        return _triple((n - r) // s + 1 for n, r, s in reach)

    @cached_property
    def before(self) -> Triple:
        """Return the padding before the first element of each axis (the smaller half, as in Keras)."""
        return _triple(p // 2 for p in self._padding)

    @cached_property
    def padded(self) -> Triple:
        """Return the spatial sizes of the map with its padding."""
        return _triple(n + p for n, p in zip(self.size, self._padding, strict=True))

    @cached_property
    def places(self) -> int:
        """Return the number of patches of one record."""
        return prod(self.positions)

    @cached_property
    def taps(self) -> int:
        """Return the number of elements of a patch, of one channel."""
        return prod(self.kernel)

    @cached_property
    def length(self) -> int:
        """Return the number of elements of a map without its padding, all channels."""
        return prod(self.size) * self.channels

    @cached_property
    def elements(self) -> int:
        """Return the number of elements of a padded map, all channels."""
        return prod(self.padded) * self.channels

    @cached_property
    def pads(self) -> bool:
        """Whether there is padding at all."""
        return self.padded != self.size

    @property
    def tiles(self) -> bool:
        """Whether the patches cover the map and share no element."""
        apart = all(s >= r for s, r in zip(self.stride, self.reach, strict=True))
        return apart and not self.pads and self.places * self.taps * self.channels == self.elements

    def out_shape(self, channels: int) -> tuple[int, ...]:
        """Return the shape of a record with `channels` at each position."""
        return (*self.positions[3 - self.dims :], channels)

    @cached_property
    def origins(self) -> I64:
        """Return where each patch begins in the padded map, int64 (places,), in elements."""
        return self._offsets(self.positions, self.stride)

    def starts(self, group: int = 0, groups: int = 1) -> I64:
        """Return where each run of a patch begins, from its origin on, int64 (runs,), in elements."""
        whole = groups == 1 and self.dilation[2] == 1
        kernel = (*self.kernel[:2], 1) if whole else self.kernel
        return self._offsets(kernel, self.dilation) + group * (self.channels // groups)

    def run(self, groups: int = 1) -> int:
        """Return the length of one run: a row of the kernel, or the channels of one tap."""
        if groups == 1 and self.dilation[2] == 1:
            return self.kernel[2] * self.channels
        return self.channels // groups

    @cached_property
    def tap_starts(self) -> I64:
        """Return where each tap of a patch lies, from its origin on, int64 (taps,), in elements."""
        return self._offsets(self.kernel, self.dilation)

    @cached_property
    def outside(self) -> npt.NDArray[np.bool_]:
        """Return which taps of which patches lie in the padding, bool (places, taps)."""
        inside = np.zeros(self.padded, bool)
        inside[self.inner] = True
        one = replace(self, channels=1)
        outside: npt.NDArray[np.bool_] = ~inside.ravel()[one.origins[:, None] + one.tap_starts[None, :]]
        return outside

    @cached_property
    def inner(self) -> tuple[slice, slice, slice]:
        """Return where the map itself lies in the padded one."""
        a, b, c = (slice(b, b + n) for b, n in zip(self.before, self.size, strict=True))
        return a, b, c

    @cached_property
    def rows(self) -> I64:
        """Return where each row of the map begins in the padded one, int64, in elements."""
        grid = np.arange(prod(self.padded), dtype=np.int64).reshape(self.padded)
        return np.ascontiguousarray(grid[self.inner][:, :, 0].ravel() * self.channels)

    def pad(self, maps: Array, out: Array) -> Array:
        """Copy `maps` (n, ...) into the middle of `out` (n, elements), whose border stays."""
        inside = out.reshape(len(out), *self.padded, self.channels)[:, *self.inner]
        inside[...] = maps.reshape(inside.shape)
        return out

    def crop(self, maps: Array, out: Array) -> Array:
        """Copy the middle of padded `maps` (n, elements) into `out`, of n records."""
        inside = maps.reshape(len(maps), *self.padded, self.channels)[:, *self.inner]
        out.reshape(inside.shape)[...] = inside
        return out

    def bordered(self, maps: Array, value: float) -> Array:
        """Return `maps` (n, length) with their padding of `value`, (n, elements); themselves without."""
        if not self.pads:
            return np.ascontiguousarray(maps)
        return self.pad(maps, np.full((len(maps), self.elements), value, maps.dtype))

    def cropped(self, maps: Array) -> Array:
        """Return padded `maps` (n, elements) without their padding, (n, length)."""
        if not self.pads:
            return maps
        return self.crop(maps, np.empty((len(maps), self.length), maps.dtype))

    def border(self, records: int, *, ones: bool) -> U64:
        """Return packed maps of padding alone, uint64 (records, words): bits 0, or 1 where `ones`."""
        return np.full((records, words_for(self.elements)), 2**64 - 1 if ones else 0, np.uint64)

    @property
    def _padding(self) -> Triple:
        if not self.same:
            return (0, 0, 0)
        axes = zip(self.size, self.reach, self.stride, self.positions, strict=True)
        return _triple(max(0, (p - 1) * s + r - n) for n, r, s, p in axes)

    def _offsets(self, count: Triple, by: Triple) -> I64:
        sizes = self.padded
        places = [np.arange(n, dtype=np.int64) * b for n, b in zip(count, by, strict=True)]
        grid = (places[0][:, None, None] * sizes[1] + places[1][:, None]) * sizes[2] + places[2]
        return np.ascontiguousarray(grid.ravel() * self.channels)


def window_of(
    shape: tuple[int, ...],
    dims: int,
    *,
    kernel: int,
    stride: int,
    dilation: int = 1,
    padding: str = "same",
    name: str = "kernel",
) -> Window:
    """Return the patches of a record of `shape` under a layer of `dims` spatial axes.

    `name` is the parameter that holds `kernel`, for messages.

    Raises:
        ShapeError: the record has other axes, or the kernel does not fit into it.
    """
    if len(shape) not in (dims, dims + 1):
        axes = "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
        words = f"It takes maps {AXES[dims]}; these have {axes}, {_words(shape)}."
        do = "Use the layer of that many axes." if len(shape) > 1 else "Wire it before the Flatten."
        raise ShapeError(words, do=do, port="in")
    full = _full(shape[:dims], 1)
    channels = shape[dims] if len(shape) > dims else 1
    taps, steps, gaps = (_full((v,) * dims, 1) for v in (kernel, stride, dilation))
    made = Window(dims, full, channels, taps, steps, gaps, same=padding == "same")
    if not made.same and any(r > n for r, n in zip(made.reach, made.size, strict=True)):
        words = f"A window that reaches over {made.reach[2]} does not fit into {_words(shape)}."
        raise ShapeError(words, do="Make it smaller, or set the padding to same.", parameter=name)
    return made


def _full(sizes: tuple[int, ...], fill: int) -> Triple:
    return _triple((*(fill,) * (3 - len(sizes)), *sizes))


def _triple(numbers: Iterable[int]) -> Triple:
    a, b, c = numbers
    return a, b, c


def _words(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)
