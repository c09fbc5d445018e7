"""A small network that maps whole filters to numbers: three convolutions over a filter's own axes."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from ...ports import F32, I64, Arrays

KERNELS = ("weight_map_1", "weight_map_2", "weight_map_3")
NORMS = (("weight_gain_1", "weight_shift_1"), ("weight_gain_2", "weight_shift_2"))
LEARNED = (*KERNELS, *NORMS[0], *NORMS[1])
_WIDEST = 128  # channels inside; the work of a step grows with their square
_TINY = np.float32(1e-5)


class _Layer(NamedTuple):
    """What the way back needs of one convolution with its norm.

    rows: float32 (outputs x places, taps x channels), the patches that went in.
    normed: float32 (outputs x places, channels), of mean 0 and deviation 1.
    over: float32 (channels,), 1 / deviation.
    on: bool, where the ReLU passes.
    """

    rows: F32
    normed: F32
    over: F32
    on: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def fresh_mapping(inputs: int, axes: tuple[int, ...]) -> Arrays:
    """Return the arrays of a mapping that gives 0 for every filter, float32.

    Args:
        inputs: the weights of a filter.
        axes: those of its kernel, channels last; () where a filter is a row without order.
    """
    shape = axes if math.prod(axes) == inputs and axes else (1, inputs)
    places, channels = shape[:-1], shape[-1]
    taps = math.prod(min(3, 2 * side - 1) for side in places)
    inside = min(2 * channels, _WIDEST)
    rng = np.random.default_rng(0)
    first, second = (
        (rng.standard_normal((taps, c, inside)) * math.sqrt(2 / (taps * c))).astype(np.float32)
        for c in (channels, inside)
    )
    arrays = dict(zip(KERNELS, (first, second, np.zeros((taps, inside, channels), np.float32)), strict=True))
    for gain, shift in NORMS:
        arrays[gain], arrays[shift] = np.ones(inside, np.float32), np.zeros(inside, np.float32)
    return arrays


class Mapping:
    """The network with the arrays of one layer: convolution, norm, ReLU, twice, and a last convolution.

    The norm takes its statistics over all filters of the layer and all places of each, in training and after.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._layers: list[_Layer] = []
        self._last: F32 = np.empty((0, 0), np.float32)

    def forward(self, v: F32) -> F32:
        """Return what it gives for filters, float32 (outputs, inputs): numbers of that shape."""
        taps, channels, _ = self._arrays[KERNELS[0]].shape
        near = _neighbours(taps, v.shape[1] // channels)
        self._layers, value = [], v.reshape(-1, channels)
        for kernel, (gain, shift) in zip(KERNELS[:2], NORMS, strict=True):
            rows = _patches(value, near)
            out = rows @ _flat(self._arrays[kernel])
            over = 1 / np.sqrt(out.var(axis=0) + _TINY)
            normed = (out - out.mean(axis=0)) * over
            value = normed * self._arrays[gain] + self._arrays[shift]
            self._layers.append(_Layer(rows, normed, over, value > 0))
            value = np.maximum(value, 0)
        self._last = _patches(value, near)
        given: F32 = (self._last @ _flat(self._arrays[KERNELS[2]])).reshape(v.shape)
        return given

    def backward(self, grad: F32, grads: Arrays) -> F32:
        """Return dL/dv of the last `forward` for `grad`, dL/d(given); fills `grads` of the arrays."""
        taps, _, channels = self._arrays[KERNELS[2]].shape
        near = _neighbours(taps, grad.shape[1] // channels)
        back = grad.reshape(-1, channels)
        grads[KERNELS[2]][...] = (self._last.T @ back).reshape(grads[KERNELS[2]].shape)
        back = _turned(back, self._arrays[KERNELS[2]], near)
        for i in (1, 0):
            kernel, (gain, shift), layer = KERNELS[i], NORMS[i], self._layers[i]
            back = back * layer.on
            grads[gain][...] = (back * layer.normed).sum(axis=0)
            grads[shift][...] = back.sum(axis=0)
            back = back * self._arrays[gain]
            along = (back * layer.normed).mean(axis=0)
            back = layer.over * (back - back.mean(axis=0) - layer.normed * along)
            grads[kernel][...] = (layer.rows.T @ back).reshape(grads[kernel].shape)
            back = _turned(back, self._arrays[kernel], near)
        return back.reshape(grad.shape)


def _flat(kernel: F32) -> F32:
    return kernel.reshape(-1, kernel.shape[2])


def _patches(value: F32, near: I64) -> F32:
    """Return each place's neighbours, (n x places, taps x channels), of (n x places, channels)."""
    places, taps = near.shape
    if taps == 1:
        return value
    maps = value.reshape(-1, places, value.shape[1])
    padded = np.concatenate([maps, np.zeros_like(maps[:, :1])], axis=1)
    return padded[:, near].reshape(len(value), -1)


def _turned(back: F32, kernel: F32, near: I64) -> F32:
    """Return dL/d(what a convolution took) for `back`, dL/d(what it gave): the kernel turned round."""
    out: F32 = _patches(back, near) @ _flat(np.ascontiguousarray(kernel[::-1].transpose(0, 2, 1)))
    return out


@cache
def _neighbours(taps: int, places: int) -> I64:
    """Return where the neighbours of each place of a kernel stand, int64 (places, taps); `places` outside."""
    over = max(1, round(math.log(taps, 3)))
    side = round(places ** (1 / over))
    reach = (0,) if taps == 1 else (-1, 0, 1)
    near = np.full((places, taps), places, np.int64)
    for i, at in enumerate(product(range(side), repeat=over)):
        for j, step in enumerate(product(reach, repeat=over)):
            there = [a + b for a, b in zip(at, step, strict=True)]
            if all(0 <= a < side for a in there):
                near[i, j] = sum(a * side**power for power, a in enumerate(reversed(there)))
    return near
