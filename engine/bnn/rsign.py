"""RSign: a sign with a learned threshold for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice, hidden
from ..fusion import PerElement
from ..kernels.bits import pack_signs
from ..kernels.estimators import ESTIMATORS
from ..node import Cost, Family, Learning, Node, Operator, Parameter, Predictor, Specs, Work, wired
from ..ports import F32, Array, Arrays, Port, Spec, words_for
from .maps import by_channel, channels_of


@dataclass(frozen=True)
class RSign(Node):
    """q = +1 where x + b >= 0, else -1, with b learned for each channel, packed 64 to a word.

    The gradient is a straight-through estimator at x + b; b's is the sum over its channel. Source: Liu et
    al. 2020 (ReActNet), arXiv:2003.03488, where the threshold is -b.

    Attributes:
        estimator: what replaces the derivative.
        floats: whether it is trained as its float twin, clip(x + b, -1, 1), in a stage of float activations.
    """

    kind: ClassVar[str] = "bnn.rsign"
    title: ClassVar[str] = "RSign"
    family: ClassVar[Family] = "bnn"
    icon: ClassVar[str] = "ph.plus-minus"
    order: ClassVar[int] = 35
    summary: ClassVar[str] = "Real numbers to 1 bit, by a learned threshold for each channel"
    citation: ClassVar[str] = "Liu et al. 2020, arXiv:2003.03488"
    learning: ClassVar[Learning] = "gradient"
    inputs: ClassVar[tuple[Port, ...]] = (Port("in", ("real",), "Numbers; the last axis holds the channels"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("out", ("bits",), "Their signs, 1 bit each"),)

    estimator: str = choice("approx_sign", ESTIMATORS, "Gradient of the sign")

    floats: bool = hidden(False)

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        return (Spec("real", spec.shape) if self.floats else Spec("bits", spec.shape, "1", low=-1),)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(32 * channels_of(spec), (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return {"bias": np.zeros(channels_of(spec), np.float32)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        def signs(x: Array) -> Array:
            moved = np.add(x, packed["bias"], dtype=np.float32).reshape(len(x), -1)
            words = np.empty((len(x), words_for(moved.shape[1])), np.uint64)
            pack_signs(moved, words)
            return words

        return PerElement(signs)

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return (SoftRSignOperator if self.floats else RSignOperator)(self, weights, batch, spec)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Gradient", ESTIMATORS[self.estimator].split()[0]),)


class RSignOperator(Operator):
    """The shifted sign in training: packs forward, estimates backward."""

    def __init__(self, node: RSign, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._estimate = ESTIMATORS.make(node.estimator)
        self._channels = channels_of(spec)
        self._words = np.empty((batch, words_for(spec.elements)), np.uint64)
        self._moved = np.empty((batch, *spec.shape), np.float32)
        self._back = np.empty((batch, *spec.shape), np.float32)
        self._grad = np.zeros_like(weights["bias"])
        self._n = 0

    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter("bias", self.weights["bias"], self._grad),)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._n = n = len(x)
        moved = np.add(x, self.weights["bias"], out=self._moved[:n])
        pack_signs(moved.reshape(n, -1), self._words[:n])
        return (self._words[:n],)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            self._grad.fill(0)
            return (None,)
        n = len(grad)
        back = self._back[:n]
        share = self.moment.share
        self._estimate(self._moved[:n].ravel(), np.ascontiguousarray(grad).ravel(), share, back.ravel())
        np.sum(by_channel(back, self._channels), axis=0, out=self._grad)
        return (back,)

    def metrics(self) -> dict[str, float]:
        """Return the share of inputs that the clipped estimator would stop."""
        return {"saturated": float((np.abs(self._moved[: self._n]) > 1).mean())} if self._n else {}


class SoftRSignOperator(RSignOperator):
    """The float twin of the shifted sign in training: clip(x + b, -1, 1), with its true derivative."""

    def __init__(self, node: RSign, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(node, weights, batch, spec)
        self._estimate = ESTIMATORS.make("clipped")
        self._out = np.empty((batch, *spec.shape), np.float32)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        self._n = n = len(x)
        moved = np.add(x, self.weights["bias"], out=self._moved[:n])
        return (np.clip(moved, -1, 1, out=self._out[:n]),)
