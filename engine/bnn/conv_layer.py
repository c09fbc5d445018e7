"""What every layer of maps with weights shares: convolutions, depthwise, transposed and locally connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from ..fields import bit_width, choice, flag, whole
from ..kernels.estimators import ESTIMATORS
from ..node import Cost, Family, Learning, Moment, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec
from ..precision import PRECISIONS
from .activations import ACTIVATION_QUANTIZERS
from .conv_window import PADDINGS, Window, window_of
from .flips import Ahead, DrawingOperator, Units
from .linear import (
    LayerInput,
    activation_of,
    check_quantizers,
    input_arrays,
    input_bits,
    multiplied_width,
    planes_vary,
    ship,
    weight_arrays,
    weight_bits,
)
from .product import Activation, reason
from .shipped import Multiplied, Shipped
from .stored import numbers
from .weights import WEIGHT_QUANTIZERS, WeightQuantizer

PADS = {"-1": "-1", "0": "0", "1": "+1"}


@dataclass(frozen=True)
class Kind:
    """How the weights of a layer are quantized: keys of PRECISIONS, WEIGHT_QUANTIZERS and ESTIMATORS."""

    precision: str
    quantizer: str
    estimator: str


class Trained(Protocol):
    """The weights of a layer of maps in training.

    Attributes:
        quantizer: how they are quantized.
        moment: where the training stands.
        rng: drawn from by stochastic quantizers.
    """

    quantizer: WeightQuantizer
    moment: Moment
    rng: np.random.Generator

    def forward(self, seen: Array, activation: Activation, step: float, offset: float | None) -> F32:
        """Return the products, float32 (rows, outputs), of quantized maps; a view of a buffer."""

    def backward(self, grad: F32, *, maps_wanted: bool) -> F32 | None:
        """Return dL/d(step x level + offset), float32 (n, elements), or None; fill the weights' gradients."""

    def parameters(self) -> tuple[Parameter, ...]:
        """Return what is learned."""


@runtime_checkable
class Turning(Protocol):
    """The weights of a layer of maps in training, where what turned signs do is followed (flips.py)."""

    def differences(self, turned: Units) -> F32:
        """Return g of the signs of the last maps, float32 (n, elements), for the units that they move."""


@dataclass(frozen=True)
class MapLayer(Node):
    """Base of the layers of maps with weights: fields, and what becomes of them.

    A kind says the shapes (`window`, `weight_shape`, `out_shape`), the work (`count`), and how the product is
    taken in training (`trained`) and in an exported model (`multiplied`).
    """

    pads: ClassVar[bool] = True  # whether same padding surrounds what arrives
    family: ClassVar[Family] = "bnn"
    learning: ClassVar[Learning] = "gradient"
    citation: ClassVar[str] = "Rastegari et al. 2016, arXiv:1603.05279"
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("in", ("real", "bits"), "The map, channels last; one axis fewer means one channel"),
    )
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "A map, channels last"),)

    kernel: int = whole(3, 1, 63, "Elements of the window along each axis", unit="elements")
    stride: int = whole(1, 1, 63, "Elements from one position to the next", unit="elements")
    padding: str = choice("same", PADDINGS, "Whether the window may reach past the edge of the map")
    pad_value: str = choice(
        "-1",
        PADS,
        "What 1-bit activations are past the edge (pad_values in Larq); wider ones are always 0 there",
        when=lambda node: node.pads and node.padding == "same",
    )
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

    @property
    def over(self) -> int:
        """Return over how many axes it goes."""
        raise NotImplementedError

    def window(self, spec: Spec) -> Window:
        """Return the patches of what arrives.

        Raises:
            ShapeError: the record is no map of this many axes, or the kernel does not fit.
        """
        return window_of(spec.shape, self.over, kernel=self.kernel, stride=self.stride, padding=self.padding)

    def out_shape(self, spec: Spec) -> tuple[int, ...]:
        """Return the shape of the map that comes out."""
        raise NotImplementedError

    def weight_shape(self, spec: Spec) -> tuple[int, int]:
        """Return (outputs, inputs) of the weights; each output has a scale and a bias of its own."""
        raise NotImplementedError

    def fan(self, spec: Spec) -> int:
        """Return the inputs and outputs that one weight stands between, for Glorot's limits."""
        raise NotImplementedError

    def count(self, spec: Spec) -> int:
        """Return the multiply-accumulates of one record."""
        window = self.window(spec)
        return window.places * int(np.prod(self.weight_shape(spec)))

    def trained(self, weights: Arrays, spec: Spec, batch: int) -> Trained:
        """Return the weights in training."""
        raise NotImplementedError

    def multiplied(self, weight: Array, precision: str, activation: Activation, spec: Spec) -> Multiplied:
        """Return packed weights of a width ready to multiply."""
        raise NotImplementedError

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        check_quantizers(self, spec)
        return (Spec("real", self.out_shape(spec)),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        outputs, inside = self.weight_shape(spec)
        bits = weight_bits(self.weight_bits, self.weight_quantizer, outputs, inside)
        bits += input_bits(spec, self.activation_bits, self.activation_quantizer, outputs)
        bits += 32 * outputs * int(self.bias)
        count = WEIGHT_QUANTIZERS.make(self.weight_quantizer).bases * self.count(spec)
        width = multiplied_width(self.weight_bits, self.weight_quantizer)
        return Cost(bits, (Work(count, width, self.activation(spec).row.key),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        limit = np.sqrt(6.0 / self.fan(spec))  # Glorot & Bengio 2010
        weight = rng.uniform(-limit, limit, self.weight_shape(spec)).astype(np.float32)
        return {
            **weight_arrays(weight, self.weight_bits, self.weight_quantizer, self.kernel_shape(spec)),
            "bias": np.zeros(len(weight), np.float32),
            **input_arrays(spec, self.activation_bits, self.activation_quantizer),
        }

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        taken = self.taken(spec, weights)
        packed = ship(weights, self.weight_bits, self.weight_quantizer, self.estimator, taken.offset)
        if self.bias:
            packed["bias"] = weights["bias"].copy()
        if taken.quantizer:
            packed.update(taken.quantizer.pack(taken.quantizer.row, weights))
        return packed

    def may_be_shorter(self, name: str) -> bool:
        return planes_vary(self.weight_quantizer, name)

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        taken, (outputs, inside) = self.taken(spec, packed), self.weight_shape(spec)

        def made(weight: Array, width: str) -> Multiplied:
            return self.multiplied(weight, width, taken.activation, spec)

        product = Shipped(packed, self.weight_bits, inside, made, outputs)
        return product.predictor(taken, packed.get("bias", np.zeros(outputs, np.float32)))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return MapOperator(self, weights, batch, spec)

    def activation(self, spec: Spec) -> Activation:
        """Return the width of the activations."""
        return activation_of(spec, self.activation_bits, self.activation_quantizer)

    def pad(self, spec: Spec) -> int:
        """Return what padding counts."""
        return int(self.pad_value) if self.activation(spec).row.binary else 0

    def quantized_by(self) -> Kind:
        """Return how the weights are quantized."""
        return Kind(self.weight_bits, self.weight_quantizer, self.estimator)

    def taken(self, spec: Spec, arrays: Arrays, batch: int = 0) -> LayerInput:
        """Return how what arrives is quantized."""
        return LayerInput(
            spec, self.activation_bits, self.activation_quantizer, arrays, self.estimator, batch
        )

    def rows(self) -> tuple[tuple[str, str], ...]:
        window = " × ".join([str(self.kernel)] * self.over)
        return (("Window", window), ("Activations", PRECISIONS[self.activation_bits].chip))

    def weight_levels(self, packed: Arrays) -> Array | None:
        return numbers(packed, "", self.weight_bits)

    def kernel_shape(self, *inputs: Spec | None) -> tuple[int, ...]:
        (spec,) = wired(inputs)
        axes = (self.kernel,) * self.over
        return (*axes, self.weight_shape(spec)[1] // self.window(spec).taps)


class MapOperator(DrawingOperator):
    """A layer of maps in training."""

    output_spare: ClassVar[bool] = True
    back_spare: ClassVar[Literal["own", "arrives", ""]] = "own"

    def __init__(self, node: MapLayer, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._node, self._shape, self._out_shape = node, spec.shape, node.out_shape(spec)
        self.taken, self._trained = node.taken(spec, weights, batch), node.trained(weights, spec, batch)
        self._grad_bias = np.zeros_like(weights["bias"])
        width = multiplied_width(node.weight_bits, node.weight_quantizer)
        self._pair = PRECISIONS[width], self.taken.activation

    def follows(self, ahead: Ahead) -> bool:
        return ahead.units is not None and isinstance(self._trained, Turning)

    def parameters(self) -> tuple[Parameter, ...]:
        bias = (Parameter("bias", self.weights["bias"], self._grad_bias),) if self._node.bias else ()
        return (*self._trained.parameters(), *bias, *self.taken.parameters())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._trained.moment = self.taken.moment = self.moment
        self._trained.rng = self.taken.rng = self.rng
        seen = self.taken.take(x)
        out = self._trained.forward(seen, self.taken.now, self.taken.step, self.taken.offset)
        if self._node.bias:
            out += self.weights["bias"]
        return (out.reshape(len(x), *self._out_shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for p in self.parameters():
                p.grad.fill(0)
            return (None,)
        flat = np.ascontiguousarray(grad).reshape(-1, len(self._grad_bias))
        if self._node.bias:
            np.sum(flat, axis=0, out=self._grad_bias)
        wanted = self.input_wanted or self.taken.learns
        turned = self.turned(flat) if wanted else None
        if isinstance(turned, Units) and isinstance(self._trained, Turning):
            self._trained.backward(flat, maps_wanted=False)
            d_in: F32 | None = self._trained.differences(turned)
        else:
            d_in = self._trained.backward(flat, maps_wanted=wanted)
        if d_in is None:
            return (None,)
        return (self.taken.gradient(d_in.reshape(len(grad), *self._shape)),)

    def metrics(self) -> dict[str, float]:
        return super().metrics() | self._trained.quantizer.metrics()

    def hardware_profile(self) -> tuple[str, ...]:
        return (f"Products: {reason(*self._pair)}.", "Gradients: float32; under 1-bit signs by tables.")
