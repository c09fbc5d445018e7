"""Convolutions over maps of one, two and three axes, at every bit width of weights and activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import bit_width, choice, flag, whole
from ..kernels.estimators import ESTIMATORS
from ..levels import unpack_weights
from ..node import (
    Cost,
    Family,
    Learning,
    Node,
    Operator,
    Parameter,
    Predictor,
    ShapeError,
    Specs,
    Work,
    wired,
)
from ..ports import F32, Array, Arrays, Port, Spec
from ..precision import PRECISIONS
from .activations import ACTIVATION_QUANTIZERS
from .conv_filters import Filters, Kind, PatchProduct
from .conv_patches import Patches
from .conv_window import PADDINGS, Window, window_of
from .linear import LayerInput, check_quantizers, input_arrays, input_bits, ship, weight_arrays, weight_bits
from .product import WHY, Activation, way
from .shipped import Shipped
from .weights import WEIGHT_QUANTIZERS

PADS = {"-1": "-1", "0": "0", "1": "+1"}


@dataclass(frozen=True)
class Convolution(Node):
    """What the convolutions share; `dims` says over how many axes one goes."""

    dims: ClassVar[int] = 0
    family: ClassVar[Family] = "bnn"
    learning: ClassVar[Learning] = "gradient"
    citation: ClassVar[str] = "Rastegari et al. 2016, arXiv:1603.05279"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real", "bits"), "The map, channels last; one axis fewer means one channel"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "A map with a channel for each filter"),)

    filters: int = whole(32, 1, 65_536, "Channels of the map that comes out", unit="filters")
    kernel: int = whole(3, 1, 63, "Elements of the window along each axis", unit="elements")
    stride: int = whole(1, 1, 63, "Elements from one position to the next", unit="elements")
    dilation: int = whole(1, 1, 63, "Elements from one tap of the window to the next", unit="elements")
    padding: str = choice("same", PADDINGS, "Whether the window may reach past the edge of the map")
    pad_value: str = choice(
        "-1",
        PADS,
        "What 1-bit activations are past the edge (pad_values in Larq); wider ones are always 0 there",
        when=lambda node: node.padding == "same",
    )
    groups: int = whole(1, 1, 65_536, "Parts of the channels that are convolved apart", unit="groups")
    weight_bits: str = bit_width(
        "1", "Bits of each weight", citation="arXiv:1603.05279, 1605.04711, 1902.08153"
    )
    activation_bits: str = bit_width(
        "32", "Bits a real input is quantized to; a bits wire keeps its own width"
    )
    bias: bool = flag(True, "Add a trained number to every channel")
    estimator: str = choice("clipped", ESTIMATORS, "Gradient of the sign at 1 bit")
    weight_quantizer: str = choice(
        "standard",
        WEIGHT_QUANTIZERS,
        "How latent weights become levels",
        serving=lambda layer: WEIGHT_QUANTIZERS.serving(layer.weight_bits),
    )
    activation_quantizer: str = choice(
        "standard",
        ACTIVATION_QUANTIZERS,
        "How a real input becomes levels; a bits wire stays as it is",
        serving=lambda layer: ACTIVATION_QUANTIZERS.serving(layer.activation_bits),
    )

    def window(self, spec: Spec) -> Window:
        """Return the patches of what arrives.

        Raises:
            ShapeError: the record is no map of this many axes, or kernel or groups do not fit.
        """
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
        check_quantizers(self, spec)
        return (Spec("real", self.window(spec).out_shape(self.filters)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        patches, quantizer = self.patches(spec), WEIGHT_QUANTIZERS.make(self.weight_quantizer)
        bits = weight_bits(self.weight_bits, self.weight_quantizer, self.filters, patches.inputs)
        bits += input_bits(spec, self.activation_bits, self.activation_quantizer, self.filters)
        bits += 32 * self.filters * int(self.bias)
        activation = Activation.of(spec, self.activation_bits).row.key
        count = quantizer.bases * patches.window.places * patches.inputs * self.filters
        return Cost(bits, (Work(count, self.weight_bits, activation),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        window = self.window(spec)
        shape = (self.filters, window.taps * window.channels // self.groups)
        # Glorot & Bengio 2010; each output sees the taps of its group.
        limit = np.sqrt(6.0 / (window.taps * (window.channels + self.filters) / self.groups))
        weight = rng.uniform(-limit, limit, shape).astype(np.float32)
        return {
            **weight_arrays(weight, self.weight_bits, self.weight_quantizer),
            "bias": np.zeros(self.filters, np.float32),
            **input_arrays(spec, self.activation_bits, self.activation_quantizer),
        }

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        taken = self.taken(spec, weights)
        packed = ship(weights, self.weight_bits, self.weight_quantizer, self.estimator, taken.offset)
        if self.bias:
            packed["bias"] = weights["bias"].copy()
        if taken.quantizer:
            packed.update(taken.quantizer.pack(taken.activation.row, weights))
        return packed

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        taken, patches = self.taken(spec, packed), self.patches(spec)
        product = Shipped(
            packed, lambda weight: PatchProduct(weight, self.weight_bits, taken.activation, patches)
        )
        return product.predictor(taken, packed.get("bias", np.zeros(self.filters, np.float32)))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return ConvolutionOperator(self, weights, batch, spec)

    def patches(self, spec: Spec) -> Patches:
        """Return how what arrives is cut into patches."""
        binary = Activation.of(spec, self.activation_bits).row.binary
        return Patches(self.window(spec), self.groups, int(self.pad_value) if binary else 0)

    def taken(self, spec: Spec, arrays: Arrays, batch: int = 0) -> LayerInput:
        """Return how what arrives is quantized."""
        return LayerInput(
            spec, self.activation_bits, self.activation_quantizer, arrays, self.estimator, batch
        )

    def rows(self) -> tuple[tuple[str, str], ...]:
        window = " × ".join([str(self.kernel)] * self.dims)
        return (
            ("Filters", f"{self.filters} of {window}"),
            ("Activations", PRECISIONS[self.activation_bits].chip),
        )

    def weight_levels(self, packed: Arrays) -> Array | None:
        inputs = packed["weight"].shape[-1] * (1 if PRECISIONS[self.weight_bits].is_float else 64)
        return unpack_weights(packed["weight"], self.weight_bits, inputs)

    def kernel_shape(self, *inputs: Spec | None) -> tuple[int, ...]:
        (spec,) = wired(inputs)
        return (*(self.kernel,) * self.dims, self.window(spec).channels // self.groups)


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
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
    """

    kind: ClassVar[str] = "bnn.conv1d"
    title: ClassVar[str] = "Convolution 1-D"
    icon: ClassVar[str] = "ph.wave-sine"
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


class ConvolutionOperator(Operator):
    """A convolution in training: packed products forward at 1 bit, float products backward."""

    def __init__(self, node: Convolution, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._node, self._shape = node, spec.shape
        (self._out,) = node.specs(spec)
        self._input, patches = node.taken(spec, weights, batch), node.patches(spec)
        self._window = patches.window
        kind = Kind(node.weight_bits, node.weight_quantizer, node.estimator)
        chosen = way(PRECISIONS[node.weight_bits], self._input.activation)
        self._filters = Filters(weights, kind, patches, batch, signs=chosen == "xnor")
        self._grad_bias = np.zeros_like(weights["bias"])
        pads = patches.window.pads
        self._grad_in = np.empty((batch if pads else 0, *spec.shape), np.float32)
        self._ways = WHY[chosen]

    def parameters(self) -> tuple[Parameter, ...]:
        bias = (Parameter("bias", self.weights["bias"], self._grad_bias),) if self._node.bias else ()
        return (*self._filters.parameters(), *bias, *self._input.parameters())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._filters.moment = self._input.moment = self.moment
        self._filters.rng = self._input.rng = self.rng
        seen = self._input.take(x)
        out = self._filters.forward(seen, self._input.now, self._input.step, self._input.offset)
        if self._node.bias:
            out += self.weights["bias"]
        return (out.reshape(len(x), *self._out.shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for p in self.parameters():
                p.grad.fill(0)
            return (None,)
        flat = np.ascontiguousarray(grad).reshape(-1, self._node.filters)
        if self._node.bias:
            np.sum(flat, axis=0, out=self._grad_bias)
        wanted = self.input_wanted or self._input.learns
        maps = self._filters.backward(flat, maps_wanted=wanted)
        if maps is None:
            return (None,)
        if self._window.pads:
            maps = self._window.crop(maps, self._grad_in[: len(grad)])
        return (self._input.gradient(maps.reshape(len(grad), *self._shape)),)

    def hardware_profile(self) -> tuple[str, ...]:
        return (f"Products of patches: {self._ways}.", "Gradients: float32 products by BLAS.")
