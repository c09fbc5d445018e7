"""The sign activation: real numbers to 1 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ..fields import choice, hidden
from ..fusion import PerElement
from ..kernels.bits import pack_signs
from ..kernels.estimators import ESTIMATORS, WHOLE
from ..kernels.threads import share
from ..node import Cost, Family, Learning, Node, Operator, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec, words_for

_LEAST = 1 << 17  # numbers that are worth a thread


@dataclass(frozen=True)
class Sign(Node):
    """q = +1 where x >= 0, else -1, packed 64 to a word.

    The gradient is a straight-through estimator. Source: Hubara et al. 2016, arXiv:1602.02830.

    Attributes:
        estimator: what replaces the derivative.
        floats: whether it is trained as its float twin, the hard tanh, in a stage of float activations.
    """

    kind: ClassVar[str] = "bnn.sign"
    title: ClassVar[str] = "Sign"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.plus-minus"
    order: ClassVar[int] = 30
    summary: ClassVar[str] = "Real numbers to 1 bit"
    citation: ClassVar[str] = "Hubara et al. 2016, arXiv:1602.02830"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Numbers, best centred on 0"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("bits",), "Their signs, 1 bit each"),)

    estimator: str = choice("clipped", ESTIMATORS, "Gradient of the sign")
    floats: bool = hidden(False)

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", spec.shape) if self.floats else Spec("bits", spec.shape, "1", low=-1),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(0, (Work(spec.elements, "1", "1"),))

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        def signs(x: Array) -> Array:
            flat = np.ascontiguousarray(x).reshape(len(x), -1)
            words = np.empty((len(x), words_for(flat.shape[1])), np.uint64)
            pack_signs(flat, words)
            return words

        return PerElement(signs)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        if self.floats:
            return ClipOperator(weights, batch, spec)
        return SignOperator(self, weights, batch, spec.elements)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Gradient", ESTIMATORS[self.estimator].split()[0]),)


class SignOperator(Operator):
    """The sign in training: packs forward, estimates backward."""

    back_spare: ClassVar[Literal["own", "arrives", ""]] = "own"

    def __init__(self, node: Sign, weights: Arrays, batch: int, elements: int) -> None:
        super().__init__(weights)
        self._estimate, self._whole = ESTIMATORS.make(node.estimator), node.estimator in WHOLE
        self._words = np.empty((batch, words_for(elements)), np.uint64)
        self._grad_in = np.empty((batch, elements), np.float32)
        self._x: F32 = np.empty((0, elements), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._x = np.ascontiguousarray(x).reshape(len(x), -1)
        seen, words = self._x, self._words[: len(x)]
        least = max(1, _LEAST // max(1, seen.shape[1]))
        share(lambda a, b: pack_signs(seen[a:b], words[a:b]), len(x), least=least)
        return (words,)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        seen, given = self._x.reshape(-1), np.ascontiguousarray(grad).reshape(-1)
        out = given if self.grad_spare else self._grad_in[: len(grad)].reshape(-1)

        def part(begin: int, end: int) -> None:
            self._estimate(seen[begin:end], given[begin:end], self.moment.share, out[begin:end])

        share(part, out.size, least=out.size if self._whole else _LEAST, grain=16)
        return (out.reshape(grad.shape),)

    def metrics(self) -> dict[str, float]:
        """Return the share of inputs that the clipped estimator would stop."""
        return {"saturated": float((np.abs(self._x) > 1).mean())} if self._x.size else {}


class ClipOperator(Operator):
    """The float twin of a quantizer in training: clip(x, low, high), with its true derivative.

    Of a sign it is the hard tanh.
    """

    def __init__(self, weights: Arrays, batch: int, spec: Spec, low: float = -1.0, high: float = 1.0) -> None:
        super().__init__(weights)
        self._low, self._high = np.float32(low), np.float32(high)
        self._out = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)
        self._x: F32 = self._out[:0]

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._x,) = inputs
        return (np.clip(self._x, self._low, self._high, out=self._out[: len(self._x)]),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            return (None,)
        inside = (self._x >= self._low) & (self._x <= self._high)
        return (np.multiply(grad, inside, out=self._back[: len(grad)]),)
