"""Learned scales of channels, rows and columns, as XNOR-Net++ has them behind a 1-bit convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..fields import choice
from ..fusion import PerElement
from ..node import Cost, Operator, Parameter, Predictor, Work, wired
from ..ports import F32, Array, Arrays, Spec
from .maps import ShapeKeeper

FORMS = {
    "channel": "One for each channel (case 1)",
    "whole": "One for each element (case 2)",
    "place": "Channels times places (case 3)",
    "axes": "Channels times rows times columns (case 4)",
}


@dataclass(frozen=True)
class Rescale(ShapeKeeper):
    """y = x G, with G learned: a[c], g[p, c], a[c] b[p], or a[c] b[row] e[column]; all 1 at the start.

    The last form has the fewest numbers that still tell places apart. Behind a convolution with 1-bit weights
    and activations it takes the place of scales that are reckoned from them. Source: XNOR-Net++, Bulat &
    Tzimiropoulos 2019, arXiv:1909.13863, section 3.

    Attributes:
        form: which factors there are.
    """

    kind: ClassVar[str] = "bnn.rescale"
    title: ClassVar[str] = "Learned scales"
    icon: ClassVar[str] = "ph.arrows-down-up"
    order: ClassVar[int] = 245
    summary: ClassVar[str] = "Learned factors of channels, rows and columns (XNOR-Net++)"
    citation: ClassVar[str] = "Bulat & Tzimiropoulos 2019, arXiv:1909.13863"

    form: str = choice("axes", FORMS, "What has a factor of its own")

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        return Cost(32 * sum(int(np.prod(s)) for s in self._shapes(spec)), (Work(spec.elements),))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return {f"scale_{i}": np.ones(s, np.float32) for i, s in enumerate(self._shapes(spec))}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        factor = _product(packed)
        return PerElement(lambda x: np.asarray(x * factor, np.float32))

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        return RescaleOperator(weights)

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Factors", FORMS[self.form].split(" (")[0].lower()),)

    def _shapes(self, spec: Spec) -> list[tuple[int, ...]]:
        """Return the shape of each factor, with an axis for each of the map."""
        *places, channels = spec.shape
        one = (1,) * len(places)
        if self.form == "whole":
            return [spec.shape]
        factors = [(*one, channels)]
        if self.form == "place" and places:
            factors.append((*places, 1))
        if self.form == "axes":
            factors += [(*one[:i], n, *one[i + 1 :], 1) for i, n in enumerate(places)]
        return factors


class RescaleOperator(Operator):
    """Learned scales in training."""

    def __init__(self, weights: Arrays) -> None:
        super().__init__(weights)
        self._grads = {name: np.zeros_like(array) for name, array in weights.items()}
        self._x: F32 = np.empty(0, np.float32)

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(n, self.weights[n], g) for n, g in self._grads.items())

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (self._x,) = inputs
        return (self._x * _product(self.weights),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        if grad is None:
            for g in self._grads.values():
                g.fill(0)
            return (None,)
        by_element = np.einsum("n...,n...->...", grad, self._x)
        for name, g in self._grads.items():
            others = {n: a for n, a in self.weights.items() if n != name}
            axes = tuple(i for i, n in enumerate(g.shape) if n == 1)
            g[...] = (by_element * _product(others)).sum(axis=axes, keepdims=True)
        return (grad * _product(self.weights),)


def _product(factors: Arrays) -> F32:
    whole = np.ones((), np.float32)
    for _, factor in sorted(factors.items()):
        whole = whole * factor
    return np.asarray(whole, np.float32)
