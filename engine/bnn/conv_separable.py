"""Separable convolution: a depthwise convolution and one of 1 x 1 behind it, as one layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..fields import bit_width, whole
from ..node import Cost, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Spec
from .activations import ACTIVATION_QUANTIZERS
from .conv import Conv1d, Conv2d, Conv3d, WithFilters
from .conv_depthwise import DepthwiseConv

FIRST, SECOND = "depthwise_", "pointwise_"
_POINTWISE = {1: Conv1d, 2: Conv2d, 3: Conv3d}


@dataclass(frozen=True)
class _Between(Node):
    filters: int = whole(32, 1, 65_536, "Channels of the map that comes out", unit="filters")
    multiplier: int = whole(1, 1, 1024, "Filters of each channel in the depthwise part", unit="filters")
    between_bits: str = bit_width("32", "Bits that the second part takes of what the first gives")


@dataclass(frozen=True)
class SeparableConv(DepthwiseConv, WithFilters, _Between):
    """y = pointwise(depthwise(x)): every channel filtered by itself, then channels mixed place by place.

    The two parts are the depthwise convolution and the convolution of kernel 1 of this library, with the same
    widths and quantizers for their weights; what goes between is quantized to `between_bits`, by the
    quantizer of the activations where it serves that width, else by the standard. In Keras it is
    SeparableConv1D and 2D, in Larq QuantSeparableConv1D and 2D. Source: Howard et al. 2017, arXiv:1704.04861.

    Attributes:
        filters: channels out.
        kernel, stride, dilation: taps of the depthwise part, and how far apart windows and taps lie.
        multiplier: filters of each channel in the depthwise part.
        between_bits: width that the second part takes.
        padding: same or valid.
        pad_value: what 1-bit activations are past the edge.
        weight_bits: width of the weights.
        activation_bits: width a real input is quantized to.
        bias: whether a trained float is added to every channel that comes out.
        estimator: gradient of the sign, for 1-bit weights and 1-bit activations.
        weight_quantizer: how latent weights become levels.
        activation_quantizer: how a real input becomes levels.
        axes: how many axes the window goes over.
    """

    kind: ClassVar[str] = "bnn.separable_conv"
    title: ClassVar[str] = "Separable convolution"
    icon: ClassVar[str] = "ph.stack"
    order: ClassVar[int] = 15
    summary: ClassVar[str] = "A depthwise convolution, then channels mixed place by place"

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        first, second = self.parts
        return second.specs(*first.specs(spec))

    @property
    def parts(self) -> tuple[Node, Node]:
        """Return the two layers it is made of."""
        mine = {k: v for k, v in self.values().items() if k in DepthwiseConv.about()}
        shared = {k: mine[k] for k in ("weight_bits", "estimator", "weight_quantizer")}
        serves = ACTIVATION_QUANTIZERS.get_option(self.activation_quantizer).fits(self.between_bits)
        first = DepthwiseConv(**{**mine, "bias": False})
        second = _POINTWISE[self.over](
            **shared,
            kernel=1,
            filters=self.filters,
            activation_bits=self.between_bits,
            activation_quantizer=self.activation_quantizer if serves else "standard",
            bias=self.bias,
        )
        return first, second

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        costs = [node.cost(given) for node, given in self._parts(spec)]
        work: tuple[Work, ...] = sum((c.work for c in costs), ())
        return Cost(sum(c.weight_bits for c in costs), work)

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return _joined([node.start(rng, given) for node, given in self._parts(spec)])

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        return _joined([node.pack(arrays, *given) for node, arrays, given in self.layers(weights, *inputs)])

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        first, second = (
            node.predictor(arrays, *given) for node, arrays, given in self.layers(packed, *inputs)
        )
        return lambda x: second(*first(x))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        made = [node.operator(arrays, batch, *given) for node, arrays, given in self.layers(weights, *inputs)]
        return SeparableOperator(weights, made)

    def layers(
        self, weights: Arrays, *inputs: Spec | None
    ) -> tuple[tuple[Node, Arrays, tuple[Spec | None, ...]], ...]:
        (spec,) = wired(inputs)
        parts = zip(self._parts(spec), _parted(weights), strict=True)
        return tuple((node, arrays, (given,)) for (node, given), arrays in parts)

    def weight_levels(self, packed: Arrays) -> Array | None:
        return self.parts[1].weight_levels(_parted(packed)[1])

    def kernel_shape(self, *inputs: Spec | None) -> tuple[int, ...]:
        return ()

    def _parts(self, spec: Spec) -> tuple[tuple[Node, Spec], tuple[Node, Spec]]:
        first, second = self.parts
        return (first, spec), (second, first.specs(spec)[0])


class SeparableOperator(Operator):
    """The two parts in training, one behind the other."""

    def __init__(self, weights: Arrays, parts: list[Operator]) -> None:
        super().__init__(weights)
        self._first, self._second = parts

    def parameters(self) -> tuple[Parameter, ...]:
        parts = ((FIRST, self._first), (SECOND, self._second))
        return tuple(replace(p, name=prefix + p.name) for prefix, part in parts for p in part.parameters())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        for part in (self._first, self._second):
            part.moment, part.rng = self.moment, self.rng
        self._first.input_wanted = self.input_wanted
        return self._second.execute(*self._first.execute(*inputs))

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        return self._first.gradient(*self._second.gradient(*grads))

    def metrics(self) -> dict[str, float]:
        parts = ((FIRST, self._first), (SECOND, self._second))
        return {prefix + key: value for prefix, part in parts for key, value in part.metrics().items()}

    def hardware_profile(self) -> tuple[str, ...]:
        return (*self._first.hardware_profile(), *self._second.hardware_profile())


def _joined(parts: list[Arrays]) -> Arrays:
    names = zip((FIRST, SECOND), parts, strict=True)
    return {prefix + name: array for prefix, arrays in names for name, array in arrays.items()}


def _parted(arrays: Arrays) -> list[Arrays]:
    return [
        {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        for prefix in (FIRST, SECOND)
    ]
