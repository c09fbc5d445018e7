"""Convolutions over maps of one, two and three axes, at every bit width of weights and activations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..node import Cost, Node, Operator, Predictor, ShapeError, Specs, Work, wired
from ..ports import Array, Arrays, Spec
from ..precision import PRECISIONS
from .conv_filters import Filters
from .conv_layer import MapLayer, Trained
from .conv_patches import Patches
from .conv_product import PatchProduct
from .conv_scale import InputScale, InputScaledOperator
from .conv_window import Window, window_of
from .product import Activation
from .shipped import Multiplied

INPUT_SCALES = {"none": "None", "mean": "Mean size of the window (XNOR-Net)"}


@dataclass(frozen=True)
class _Filters(Node):
    # A base of its own, so that the first question of the form is how many.
    filters: int = whole(32, 1, 65_536, "Channels of the map that comes out", unit="filters")


@dataclass(frozen=True)
class WithFilters(MapLayer, _Filters):
    """Base of the layers that are told how many channels come out."""

    def rows(self) -> tuple[tuple[str, str], ...]:
        window = " × ".join([str(self.kernel)] * self.over)
        chip = PRECISIONS[self.activation_bits].chip
        return (("Filters", f"{self.filters} of {window}"), ("Activations", chip))


@dataclass(frozen=True)
class Convolution(WithFilters):
    """What the convolutions share; `dims` says over how many axes one goes."""

    dims: ClassVar[int] = 0

    dilation: int = whole(1, 1, 63, "Elements from one tap of the window to the next", unit="elements")
    groups: int = whole(1, 1, 65_536, "Parts of the channels that are convolved apart", unit="groups")
    input_scale: str = choice(
        "none",
        INPUT_SCALES,
        "A factor for each position that says how large the numbers were whose signs count",
        citation="arXiv:1603.05279",
        when=lambda node: PRECISIONS[node.activation_bits].binary,
    )

    @property
    def over(self) -> int:
        return self.dims

    def window(self, spec: Spec) -> Window:
        made = window_of(
            spec.shape,
            self.dims,
            kernel=self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
        )
        for count, what in ((made.channels, "channels in"), (self.filters, "filters")):
            if count % self.groups:
                words = f"{self.groups} groups do not divide {count} {what}."
                raise ShapeError(words, do="Choose a number that divides both.", parameter="groups")
        return made

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if self._scaled and (spec.type == "bits" or not self.activation(spec).row.binary):
            words = "An input scale is of real numbers that are taken by their signs here."
            do = "Wire real numbers and set the activations to 1 bit, or choose no scale."
            raise ShapeError(words, do=do, parameter="input_scale")
        return super().specs(spec)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        return self.window(spec).out_shape(self.filters)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        cost, window = super().cost(spec), self.window(spec)
        if not self._scaled:
            return cost
        count = spec.elements + window.places * (window.taps + self.filters)
        return replace(cost, work=(*cost.work, Work(count)))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        if not self._scaled:
            return super().predictor(packed, spec)
        plain = {name: array for name, array in packed.items() if name != "bias"}
        product, scale = super().predictor(plain, spec), InputScale(self.window(spec))
        bias = packed.get("bias", np.zeros(self.filters, np.float32))

        def predict(x: Array) -> tuple[Array, ...]:
            (out,) = product(x)
            return (out * scale.forward(x).reshape(*out.shape[:-1], 1) + bias,)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        if not self._scaled:
            return super().operator(weights, batch, spec)
        inner = replace(self, input_scale="none", bias=False).operator(weights, batch, spec)
        return InputScaledOperator(weights, inner, InputScale(self.window(spec)), bias=self.bias)

    @property
    def _scaled(self) -> bool:
        return self.input_scale != "none"

    def weight_shape(self, spec: Spec) -> tuple[int, int]:
        window = self.window(spec)
        return self.filters, window.taps * window.channels // self.groups

    def fan(self, spec: Spec) -> int:
        window = self.window(spec)
        return window.taps * (window.channels + self.filters) // self.groups

    def trained(self, weights: Arrays, spec: Spec, batch: int) -> Trained:
        return Filters(weights, self.quantized_by(), self._patches(spec), batch)

    def multiplied(self, weight: Array, precision: str, activation: Activation, spec: Spec) -> Multiplied:
        return PatchProduct(weight, precision, activation, self._patches(spec))

    def _patches(self, spec: Spec) -> Patches:
        return Patches(self.window(spec), self.groups, self.pad(spec))


@dataclass(frozen=True)
class Conv1d(Convolution):
    """y[p, f] = scale[f] * sum over taps t, channels c of w[f, t, c] x[p stride + t dilation, c] + bias[f].

    The map is (length, channels); a flat record is a map of one channel. Weights stand as (filters, taps x
    channels) and are quantized as those of a dense layer, with a scale for each filter. Source of the 1-bit
    convolution: XNOR-Net, Rastegari et al. 2016, arXiv:1603.05279.

    Attributes:
        filters: channels out.
        kernel, stride, dilation: taps of the window, and how far apart windows and taps lie.
        padding: same or valid.
        pad_value: what 1-bit activations are past the edge; 0 is exact, by a correction at the border.
        groups: parts of the channels that are convolved apart.
        input_scale: none, or K of XNOR-Net: the mean over the window of the mean over channels of |x|.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
    """

    kind: ClassVar[str] = "bnn.conv1d"
    title: ClassVar[str] = "Convolution 1-D"
    icon: ClassVar[str] = "ph.activity"
    order: ClassVar[int] = 11
    summary: ClassVar[str] = "Filters slide along a series; weights and activations from 1 to 32 bits"
    dims: ClassVar[int] = 1


@dataclass(frozen=True)
class Conv2d(Convolution):
    """y[p, f] = scale[f] * sum over taps t, channels c of w[f, t, c] x[p stride + t dilation, c] + bias[f].

    p and t are (row, column). The map is (height, width, channels); a record (height, width) is a map of one
    channel. Weights stand as (filters, taps x channels) and are quantized as those of a dense layer, with a
    scale for each filter. Source of the 1-bit convolution: XNOR-Net, Rastegari et al. 2016, arXiv:1603.05279.

    Attributes:
        filters: channels out.
        kernel, stride, dilation: taps of the window, and how far apart windows and taps lie, on both axes.
        padding: same or valid.
        pad_value: what 1-bit activations are past the edge; 0 is exact, by a correction at the border.
        groups: parts of the channels that are convolved apart.
        input_scale: none, or K of XNOR-Net: the mean over the window of the mean over channels of |x|.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
    """

    kind: ClassVar[str] = "bnn.conv2d"
    title: ClassVar[str] = "Convolution 2-D"
    icon: ClassVar[str] = "ph.image"
    order: ClassVar[int] = 12
    summary: ClassVar[str] = "Filters slide over an image; weights and activations from 1 to 32 bits"
    dims: ClassVar[int] = 2


@dataclass(frozen=True)
class Conv3d(Convolution):
    """y[p, f] = scale[f] * sum over taps t, channels c of w[f, t, c] x[p stride + t dilation, c] + bias[f].

    p and t are (depth, row, column). The map is (depth, height, width, channels); a record of three axes is a
    map of one channel. Weights stand as (filters, taps x channels) and are quantized as those of a dense
    layer, with a scale for each filter. Source of the 1-bit convolution: XNOR-Net, Rastegari et al. 2016,
    arXiv:1603.05279.

    Attributes:
        filters: channels out.
        kernel, stride, dilation: taps of the window, and how far apart windows and taps lie, on all axes.
        padding: same or valid.
        pad_value: what 1-bit activations are past the edge; 0 is exact, by a correction at the border.
        groups: parts of the channels that are convolved apart.
        input_scale: none, or K of XNOR-Net: the mean over the window of the mean over channels of |x|.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
    """

    kind: ClassVar[str] = "bnn.conv3d"
    title: ClassVar[str] = "Convolution 3-D"
    icon: ClassVar[str] = "ph.cube"
    order: ClassVar[int] = 13
    summary: ClassVar[str] = "Filters slide through a volume; weights and activations from 1 to 32 bits"
    dims: ClassVar[int] = 3
