"""Transposed convolution: every element of a map paints a window of a larger one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..fields import choice
from ..hardware import gradient_products
from ..kernels.conv import fold_patches, gather_patches
from ..kernels.floats import dot_floats
from ..node import ShapeError, Specs, wired
from ..ports import F32, Array, Arrays, Spec
from ..precision import PRECISIONS
from .activations import ACTIVATION_QUANTIZERS
from .conv import WithFilters
from .conv_direct import DirectFilters, DirectProduct
from .conv_layer import Trained
from .conv_window import AXIS_CHOICES, Window, window_of
from .product import Activation
from .shipped import Multiplied


@dataclass(frozen=True)
class TransposedConv(WithFilters):
    """y[q, f] = scale[f] * sum over c and all p stride + t = q + b of w[f, t, c] x[p, c] + bias[f].

    It is the way back of a convolution from the larger map to the smaller: same padding makes every axis
    `stride` times as long (b elements are cut off before, as that convolution would pad), valid keeps all
    that is painted. Weights stand as (filters, taps x channels). Past the edge there is nothing, at every
    width. Source: Dumoulin & Visin 2016, arXiv:1603.07285.

    Attributes:
        filters: channels out.
        kernel, stride: elements that one element paints, and from one window to the next.
        padding: same or valid.
        pad_value: without effect, as nothing is padded.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
        axes: how many axes the window goes over.
    """

    kind: ClassVar[str] = "bnn.transposed_conv"
    title: ClassVar[str] = "Transposed convolution"
    icon: ClassVar[str] = "ph.arrows-out"
    order: ClassVar[int] = 16
    summary: ClassVar[str] = "A larger map, painted window by window; widths from 1 to 32 bits"
    pads: ClassVar[bool] = False
    citation: ClassVar[str] = "Dumoulin & Visin 2016, arXiv:1603.07285"

    axes: str = choice("2", AXIS_CHOICES, "Axes that the window goes over; what is left is channels")

    @property
    def over(self) -> int:
        return int(self.axes)

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if spec.type != "bits":
            row, kind = (
                PRECISIONS[self.activation_bits],
                ACTIVATION_QUANTIZERS.make(self.activation_quantizer),
            )
            if kind(row, kind.start(row, spec), self.estimator).offset is not None:
                title = ACTIVATION_QUANTIZERS[self.activation_quantizer]
                words = f"The activation quantizer {title!r} has an offset, which past the edge has no place."
                raise ShapeError(words, do="Choose another.", parameter="activation_quantizer")
        return super().specs(spec)

    def window(self, spec: Spec) -> Window:
        """Return the windows of the larger map: one for each element of what arrives."""
        given = window_of(spec.shape, self.over, kernel=1, stride=1)
        past = max(0, self.kernel - self.stride) if self.padding == "valid" else 0
        size = tuple(n * self.stride + past for n in given.size[3 - self.over :])
        made = window_of(size, self.over, kernel=self.kernel, stride=self.stride, padding=self.padding)
        return replace(made, channels=self.filters)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        window = self.window(spec)
        return (*window.size[3 - self.over :], self.filters)

    def weight_shape(self, spec: Spec) -> tuple[int, int]:
        return self.filters, self.window(spec).taps * self._channels(spec)

    def fan(self, spec: Spec) -> int:
        return self.window(spec).taps * (self._channels(spec) + self.filters)

    def trained(self, weights: Arrays, spec: Spec, batch: int) -> Trained:
        return DirectFilters(weights, self.quantized_by(), self._direct(spec))

    def multiplied(self, weight: Array, precision: str, activation: Activation, spec: Spec) -> Multiplied:
        return DirectProduct(weight, precision, activation, self._direct(spec))

    def _channels(self, spec: Spec) -> int:
        return window_of(spec.shape, self.over, kernel=1, stride=1).channels

    def _direct(self, spec: Spec) -> Transposed:
        return Transposed(self.window(spec), self._channels(spec), self.out_shape(spec))


class Transposed:
    """Products of single elements with whole windows, added where they overlap (conv_direct.Direct)."""

    def __init__(self, window: Window, channels: int, shape: tuple[int, ...]) -> None:
        self._window, self._channels, self.shape = window, channels, shape
        self._origins, self._starts, self._run = window.origins, window.starts(), window.run()
        self.length, self.outputs = window.places * channels, window.channels
        self.inputs = self.terms = window.taps * channels

    def products(self, maps: Array, values: Array, *, ordered: bool) -> Array:
        """Return the products, (n, *shape), of maps and weights of one dtype."""
        rows, by_element = maps.reshape(-1, self._channels), self._by_element(values)
        painted = np.empty((len(rows), by_element.shape[1]), maps.dtype)
        if maps.dtype == np.int32:
            # Whole numbers below 2^53 are exact in float64, in any order.
            painted[...] = rows.astype(np.float64) @ by_element.astype(np.float64)
        elif ordered:
            dot_floats(np.ascontiguousarray(rows), by_element, painted)
        else:
            np.matmul(rows, by_element, out=painted)
        padded = np.zeros((len(maps), self._window.elements), maps.dtype)
        fold_patches(painted, self._origins, self._starts, self._run, padded)
        return self._window.cropped(padded).reshape(len(maps), *self.shape)

    def weight_gradient(self, maps: F32, grad: F32, *, bfloat16: bool) -> F32:
        """Return dL/dvalues, float32 (outputs, inputs), for `grad`, float32 (n, *shape)."""
        rows = maps.reshape(-1, self._channels)
        by_element = gradient_products(rows.T, self._painted(grad), bfloat16=bfloat16)
        cube = by_element.reshape(self._channels, -1, self.outputs)
        return np.ascontiguousarray(cube.transpose(2, 1, 0)).reshape(self.outputs, self.inputs)

    def map_gradient(self, grad: F32, values: F32, *, bfloat16: bool) -> F32:
        """Return dL/dmaps, float32 (n, length)."""
        back = gradient_products(self._painted(grad), self._by_element(values).T, bfloat16=bfloat16)
        return back.reshape(len(grad), self.length)

    def _by_element(self, values: Array) -> Array:
        """Return weights, (outputs, taps x channels), as (channels, taps x outputs)."""
        cube = values.reshape(self.outputs, -1, self._channels)
        return np.ascontiguousarray(cube.transpose(2, 1, 0)).reshape(self._channels, -1)

    def _painted(self, grad: F32) -> F32:
        """Return the gradient of each painted window, float32 (n x places, taps x outputs)."""
        padded = self._window.bordered(grad.reshape(len(grad), -1), 0)
        out = np.empty((len(grad) * self._window.places, self._window.taps * self.outputs), np.float32)
        gather_patches(padded, self._origins, self._starts, self._run, out)
        return out
