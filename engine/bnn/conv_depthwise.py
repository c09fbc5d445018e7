"""Depthwise convolution: every channel is filtered by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..kernels.depthwise import depthwise_gradients, dot_depthwise, fold_depthwise
from ..ports import F32, Array, Arrays, Spec
from .conv_direct import DirectFilters, DirectProduct
from .conv_layer import MapLayer, Trained
from .conv_window import AXIS_CHOICES, Window, window_of
from .product import Activation
from .shipped import Multiplied


@dataclass(frozen=True)
class DepthwiseConv(MapLayer):
    """y[p, c m + j] = scale[c m + j] * sum over taps t of w[c m + j, t] x[p stride + t dilation, c] + bias.

    m is `multiplier`, j = 0 to m - 1. Weights stand as (channels x m, taps), and each row has a scale. A
    window of one channel holds few numbers, so that sums are taken straight from the map, many channels at
    once. Source: Howard et al. 2017 (MobileNets), arXiv:1704.04861.

    Attributes:
        kernel, stride, dilation: taps of the window, and how far apart windows and taps lie.
        multiplier: filters of each channel.
        padding: same or valid.
        pad_value: what 1-bit activations are past the edge.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
        axes: how many axes the window goes over.
    """

    kind: ClassVar[str] = "bnn.depthwise_conv"
    title: ClassVar[str] = "Depthwise convolution"
    icon: ClassVar[str] = "ph.rows"
    order: ClassVar[int] = 14
    summary: ClassVar[str] = "Every channel is filtered by itself; weights and activations from 1 to 32 bits"
    citation: ClassVar[str] = "Howard et al. 2017, arXiv:1704.04861"

    multiplier: int = whole(1, 1, 1024, "Filters of each channel", unit="filters")
    dilation: int = whole(1, 1, 63, "Elements from one tap of the window to the next", unit="elements")
    axes: str = choice("2", AXIS_CHOICES, "Axes that the window goes over; what is left is channels")

    @property
    def over(self) -> int:
        return int(self.axes)

    def window(self, spec: Spec) -> Window:
        return window_of(
            spec.shape,
            self.over,
            kernel=self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
        )

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        return self.window(spec).out_shape(self.weight_shape(spec)[0])

    def weight_shape(self, spec: Spec) -> tuple[int, int]:
        window = self.window(spec)
        return window.channels * self.multiplier, window.taps

    def fan(self, spec: Spec) -> int:
        return self.window(spec).taps * (1 + self.multiplier)

    def trained(self, weights: Arrays, spec: Spec, batch: int) -> Trained:
        return DirectFilters(weights, self.quantized_by(), self._direct(spec))

    def multiplied(self, weight: Array, precision: str, activation: Activation, spec: Spec) -> Multiplied:
        return DirectProduct(weight, precision, activation, self._direct(spec))

    def _direct(self, spec: Spec) -> Depthwise:
        return Depthwise(self.window(spec), self.multiplier, self.pad(spec))


class Depthwise:
    """Products of windows with the weights of their own channel (conv_direct.Direct)."""

    def __init__(self, window: Window, each: int, pad: int) -> None:
        self._window, self._each, self._pad = window, each, pad
        self._origins, self._taps = window.origins, window.tap_starts
        self.length = window.length
        self.outputs, self.inputs, self.terms = window.channels * each, window.taps, window.taps
        self.shape = window.out_shape(self.outputs)

    def products(self, maps: Array, values: Array, *, ordered: bool) -> Array:
        """Return the products, (n, *shape), of maps and weights of one dtype; always in one order."""
        out = np.empty((len(maps) * self._window.places, self.outputs), maps.dtype)
        weights = np.ascontiguousarray(values.T)
        dot_depthwise(self._padded(maps), self._origins, self._taps, weights, self._each, out)
        return out.reshape(len(maps), *self.shape)

    def weight_gradient(self, maps: F32, grad: F32, *, bfloat16: bool) -> F32:
        """Return dL/dvalues, float32 (outputs, inputs), for `grad`, float32 (n, *shape).

        No product of matrices, so none of bfloat16.
        """
        part, out = np.empty((2, self.inputs, self.outputs), np.float32)
        rows = grad.reshape(-1, self.outputs)
        depthwise_gradients(self._padded(maps), self._origins, self._taps, rows, self._each, part, out)
        return out.T

    def map_gradient(self, grad: F32, values: F32, *, bfloat16: bool) -> F32:
        """Return dL/dmaps, float32 (n, length)."""
        padded = np.zeros((len(grad), self._window.elements), np.float32)
        weights, rows = np.ascontiguousarray(values.T), grad.reshape(-1, self.outputs)
        fold_depthwise(rows, self._origins, self._taps, weights, self._each, padded)
        return self._window.cropped(padded)

    def _padded(self, maps: Array) -> Array:
        return self._window.bordered(maps, self._pad)
