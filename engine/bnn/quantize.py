"""The quantized activation: real numbers to 1 to 8 bits, or through a clip at 16 and 32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import bit_width, hidden
from ..fusion import PerElement
from ..kernels.levels import quantize
from ..node import Cost, Family, Learning, Node, Operator, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec
from ..precision import PRECISIONS
from .sign import ClipOperator, Sign


@dataclass(frozen=True)
class Quantize(Node):
    """q = round(n clip(x, 0, 1)) / n with n = 2^bits - 1, for 2 to 8 bits.

    At 1 bit it is the sign; ternary is round(clip(x, -1, 1)); 16 bits round to IEEE half and 32 change
    nothing. The gradient passes where the clip does not hold. Source: DoReFa-Net, Zhou et al. 2016,
    arXiv:1606.06160.

    Attributes:
        bits: width of the activations.
        floats: whether it is trained as its float twin, the clip, in a stage of float activations.
    """

    kind: ClassVar[str] = "bnn.quantize"
    title: ClassVar[str] = "Quantize"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.chart-bar"
    order: ClassVar[int] = 40
    summary: ClassVar[str] = "Real numbers to levels of 1 to 8 bits, or half floats"
    citation: ClassVar[str] = "Zhou et al. 2016, arXiv:1606.06160"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Numbers; 0 to 1 is kept, the rest clipped"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("bits",), "Their levels"),)

    bits: str = bit_width("4", "Bits of each activation", citation="arXiv:1606.06160")
    floats: bool = hidden(False)

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        row = PRECISIONS[self.bits]
        if self.floats and not row.is_float:
            return (Spec("real", spec.shape),)
        if row.binary:
            return Sign().specs(spec)
        if row.is_float:
            return (Spec("bits", spec.shape, self.bits),)
        low, high = self.range
        return (Spec("bits", spec.shape, self.bits, step=1.0 / high, low=low),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(0, (Work(spec.elements),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        if PRECISIONS[self.bits].binary:
            return Sign().predictor(packed, *inputs)
        return PerElement(self.levels)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        row, (spec,) = PRECISIONS[self.bits], wired(inputs)
        if self.floats and not row.is_float:
            return ClipOperator(weights, batch, spec, low=-1.0 if row.binary or self.range[0] else 0.0)
        if row.binary:
            return Sign().operator(weights, batch, *inputs)
        return QuantizeOperator(self, weights)

    @property
    def range(self) -> tuple[int, int]:
        row = PRECISIONS[self.bits]
        return (-1, 1) if row.low == -1 else (0, row.high - row.low)

    def levels(self, x: Array) -> Array:
        """Return int16 levels of float32 `x`, of its shape; at 16 and 32 bits the float32 numbers."""
        row = PRECISIONS[self.bits]
        if row.is_float:
            return x.astype(np.float16).astype(np.float32) if row.store == "half" else x
        low, high = self.range
        flat = np.ascontiguousarray(x).reshape(len(x), -1)
        out = np.empty(flat.shape, np.int16)
        quantize(flat, np.float32(1.0 / high), low, high, out)
        return out.reshape(x.shape)


class QuantizeOperator(Operator):
    """The quantizer in training."""

    def __init__(self, node: Quantize, weights: Arrays) -> None:
        super().__init__(weights)
        self._node = node
        self._x: F32 = np.empty(0, np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._x,) = inputs
        return (self._node.levels(self._x),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        if PRECISIONS[self._node.bits].is_float:
            return (grad,)
        low = -1 if self._node.range[0] else 0
        return (np.where((self._x >= low) & (self._x <= 1), grad, np.float32(0)),)
