"""Blur pooling: a map made smaller without aliasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, whole
from ..node import Cost, Family, Learning, Node, Operator, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec

_ROWS = {"2": (1, 1), "3": (1, 2, 1), "5": (1, 4, 6, 4, 1)}
SIZES = {"2": "2 × 2, flat", "3": "3 × 3, binomial", "5": "5 × 5, binomial"}


@dataclass(frozen=True)
class BlurPool(Node):
    """y = the map blurred by a fixed binomial filter, of which every `stride`-th place is kept.

    The filter is the outer product of (1 2 1) / 4, or of (1 1) / 2 or (1 4 6 4 1) / 16, by channel; past the
    edge the map is 0, as many places before as after it (one more after, where the number is odd). Source:
    Zhang 2019, arXiv:1904.11486.

    Attributes:
        size: width of the filter.
        stride: places from one kept place to the next.
    """

    kind: ClassVar[str] = "bnn.blur_pool"
    title: ClassVar[str] = "Blur pool"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.drop-half"
    order: ClassVar[int] = 180
    summary: ClassVar[str] = "Halves a map behind a fixed blur, so that no detail turns into noise"
    citation: ClassVar[str] = "Zhang 2019, arXiv:1904.11486"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "A map (height, width, channels)"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("real",), "The smaller map"),)

    size: str = choice("3", SIZES, "Width of the filter")
    stride: int = whole(2, 1, 8, "Places from one kept place to the next", unit="places")

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if len(spec.shape) not in (2, 3):
            words = f"It takes maps of (height, width, channels); these are {spec.words()}."
            raise ShapeError(words, port="in")
        height, width = (-(-n // self.stride) for n in spec.shape[:2])
        return (Spec("real", (height, width, *spec.shape[2:])),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (out,) = self.specs(*inputs)
        return Cost(0, (Work(out.elements * len(_ROWS[self.size]) ** 2),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        blur = _Blur(self, spec)
        return lambda x: (blur.forward(x),)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return BlurPoolOperator(weights, _Blur(self, spec))

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Stride", str(self.stride)),)


class _Blur:
    """The filter on maps of one shape: each tap adds a slice of the padded map, in one order."""

    def __init__(self, node: BlurPool, spec: Spec) -> None:
        row = np.array(_ROWS[node.size], np.float32)
        self._row, self._stride = row / row.sum(), node.stride  # powers of 2: every weight is exact
        self._shape = (*spec.shape[:2], spec.shape[2] if len(spec.shape) == 3 else 1)
        self._given = spec.shape
        self._out = tuple(-(-n // node.stride) for n in spec.shape[:2])
        pads = [
            max(0, (m - 1) * node.stride + len(row) - n)
            for m, n in zip(self._out, spec.shape[:2], strict=True)
        ]
        self._before = tuple(p // 2 for p in pads)
        self._padded = tuple(n + p for n, p in zip(spec.shape[:2], pads, strict=True))

    def forward(self, x: Array) -> F32:
        n, (top, left) = len(x), self._before
        height, width, channels = self._shape
        padded = np.zeros((n, *self._padded, channels), np.float32)
        padded[:, top : top + height, left : left + width] = x.reshape(n, *self._shape)
        out = np.zeros((n, *self._out, channels), np.float32)
        for weight, rows, columns in self._taps():
            out += padded[:, rows, columns] * weight
        return out.reshape(n, *self._out, *self._given[2:])

    def backward(self, grad: F32) -> F32:
        n, (top, left) = len(grad), self._before
        height, width, channels = self._shape
        padded = np.zeros((n, *self._padded, channels), np.float32)
        given = grad.reshape(n, *self._out, channels)
        for weight, rows, columns in self._taps():
            padded[:, rows, columns] += given * weight
        inner = padded[:, top : top + height, left : left + width]
        return np.ascontiguousarray(inner).reshape(n, *self._given)

    def _taps(self) -> list[tuple[np.float32, slice, slice]]:
        reach = [slice(0, (m - 1) * self._stride + 1, self._stride) for m in self._out]
        return [
            (
                a * b,
                slice(i, i + reach[0].stop, self._stride),
                slice(j, j + reach[1].stop, self._stride),
            )
            for i, a in enumerate(self._row)
            for j, b in enumerate(self._row)
        ]


class BlurPoolOperator(Operator):
    """Blur pooling in training: the gradient is spread by the same filter."""

    def __init__(self, weights: Arrays, blur: _Blur) -> None:
        super().__init__(weights)
        self._blur = blur

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        return (self._blur.forward(inputs[0]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        return (None if grad is None else self._blur.backward(grad),)
