"""Locally connected layer: a convolution whose filters are other ones at every position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice
from ..hardware import gradient_products
from ..kernels.floats import dot_floats
from ..ports import F32, Array, Arrays, Spec
from .conv import WithFilters
from .conv_direct import DirectFilters, DirectProduct
from .conv_layer import Trained
from .conv_patches import Patches
from .conv_window import AXIS_CHOICES, Window
from .product import Activation
from .shipped import Multiplied


@dataclass(frozen=True)
class LocalConv(WithFilters):
    """y[p, f] = scale[p, f] * sum over taps t, channels c of w[p, f, t, c] x[p stride + t, c] + bias[p, f].

    As a convolution, but weights, scale and bias belong to the position too: for maps whose places mean
    different things. Weights stand as (positions x filters, taps x channels). In Keras and Larq it is
    LocallyConnected1D and 2D.

    Attributes:
        filters: channels out.
        kernel, stride: taps of the window, and how far apart windows lie.
        padding: same or valid.
        pad_value: what 1-bit activations are past the edge.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel at every position.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
        axes: how many axes the window goes over.
    """

    kind: ClassVar[str] = "bnn.local_conv"
    title: ClassVar[str] = "Locally connected"
    icon: ClassVar[str] = "ph.map-pin"
    order: ClassVar[int] = 17
    summary: ClassVar[str] = "A convolution with filters of its own at every position"
    citation: ClassVar[str] = ""

    axes: str = choice("2", AXIS_CHOICES, "Axes that the window goes over; what is left is channels")

    @property
    def over(self) -> int:
        return int(self.axes)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        return self.window(spec).out_shape(self.filters)

    def weight_shape(self, spec: Spec) -> tuple[int, int]:
        window = self.window(spec)
        return window.places * self.filters, window.taps * window.channels

    def count(self, spec: Spec) -> int:
        return int(np.prod(self.weight_shape(spec)))

    def fan(self, spec: Spec) -> int:
        window = self.window(spec)
        return window.taps * (window.channels + self.filters)

    def trained(self, weights: Arrays, spec: Spec, batch: int) -> Trained:
        return DirectFilters(weights, self.quantized_by(), self._direct(spec))

    def multiplied(self, weight: Array, precision: str, activation: Activation, spec: Spec) -> Multiplied:
        return DirectProduct(weight, precision, activation, self._direct(spec))

    def _direct(self, spec: Spec) -> Local:
        return Local(self.window(spec), self.filters, self.pad(spec))


class Local:
    """Products of each patch with the weights of its own position (conv_direct.Direct)."""

    def __init__(self, window: Window, filters: int, pad: int) -> None:
        self._window, self._filters, self._pad = window, filters, pad
        self._patches = Patches(window, 1, pad)
        self.length, self.shape = window.length, window.out_shape(filters)
        self.outputs, self.inputs = window.places * filters, self._patches.inputs
        self.terms = self.inputs

    def products(self, maps: Array, values: Array, *, ordered: bool) -> Array:
        """Return the products, (n, *shape), of maps and weights of one dtype."""
        rows, weights = self._rows(maps), self._by_place(values).transpose(0, 2, 1)
        if maps.dtype == np.int32:
            # Whole numbers below 2^53 are exact in float64, in any order.
            out = np.matmul(rows.astype(np.float64), weights.astype(np.float64)).astype(np.int32)
        elif ordered:
            out = np.empty((len(rows), len(maps), self._filters), np.float32)
            for place, row, weight in zip(out, rows, weights, strict=True):
                dot_floats(np.ascontiguousarray(row), np.ascontiguousarray(weight), place)
        else:
            out = np.matmul(rows, weights)
        return np.ascontiguousarray(out.transpose(1, 0, 2)).reshape(len(maps), *self.shape)

    def weight_gradient(self, maps: F32, grad: F32, *, bfloat16: bool) -> F32:
        """Return dL/dvalues, float32 (outputs, inputs), for `grad`, float32 (n, *shape)."""
        turned = self._grad(grad).transpose(0, 2, 1)
        found = gradient_products(turned, self._rows(maps), bfloat16=bfloat16)
        return found.reshape(self.outputs, self.inputs)

    def map_gradient(self, grad: F32, values: F32, *, bfloat16: bool) -> F32:
        """Return dL/dmaps, float32 (n, length)."""
        rows = gradient_products(self._grad(grad), self._by_place(values), bfloat16=bfloat16)
        rows = rows.transpose(1, 0, 2)
        padded = np.zeros((len(grad), self._window.elements), np.float32)
        self._patches.fold(np.ascontiguousarray(rows).reshape(-1, self.inputs), 0, padded)
        return self._window.cropped(padded)

    def _rows(self, maps: Array) -> Array:
        """Return the patches, (places, n, inputs)."""
        rows = self._patches.rows(self._window.bordered(maps, self._pad), 0)
        return rows.reshape(len(maps), self._window.places, self.inputs).transpose(1, 0, 2)

    def _by_place(self, values: Array) -> Array:
        return values.reshape(self._window.places, self._filters, self.inputs)

    def _grad(self, grad: F32) -> F32:
        return grad.reshape(len(grad), self._window.places, self._filters).transpose(1, 0, 2)
