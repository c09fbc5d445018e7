"""The four dense layers of attention: to queries, keys and values, and back; one array name before each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..node import Moment, Parameter
from ..ports import F32, Array, Arrays, Spec
from .latent import Linear
from .linear import LayerInput, input_arrays, ship, weight_arrays
from .product import Product
from .shipped import Shipped

FIRST, LAST = ("query", "key", "value"), "out"
_INPUTS = ("in", "mid")  # what the first three layers share, and what the last one takes
_QUANTIZER, _ESTIMATOR = "standard", "clipped"


def projection_arrays(
    rng: np.random.Generator, weight_bits: str, activation_bits: str, features: int, inner: int
) -> Arrays:
    """Return the fresh arrays of the four layers: Glorot & Bengio 2010, and what their inputs learn."""
    arrays: Arrays = {}
    for name in (*FIRST, LAST):
        shape = (features, inner) if name == LAST else (inner, features)
        limit = np.sqrt(6.0 / sum(shape))
        weight = rng.uniform(-limit, limit, shape).astype(np.float32)
        arrays |= _named(name, weight_arrays(weight, weight_bits, _QUANTIZER))
        arrays[f"{name}_bias"] = np.zeros(shape[0], np.float32)
    for name, size in zip(_INPUTS, (features, inner), strict=True):
        arrays |= _named(name, input_arrays(Spec("real", (size,)), activation_bits, _QUANTIZER))
    return arrays


def packed_projections(
    weights: Arrays, weight_bits: str, activation_bits: str, features: int, inner: int
) -> Arrays:
    """Return the shipped arrays of the four layers."""
    packed: Arrays = {}
    for name in (*FIRST, LAST):
        packed |= _named(name, ship(_of(name, weights), weight_bits, _QUANTIZER, _ESTIMATOR))
        packed[f"{name}_bias"] = weights[f"{name}_bias"].copy()
    for name, size in zip(_INPUTS, (features, inner), strict=True):
        taken = _input(size, activation_bits, _of(name, weights))
        if taken.quantizer:
            packed |= _named(name, taken.quantizer.pack(taken.quantizer.row, _of(name, weights)))
    return packed


class ShippedProjections:
    """The four layers of an exported model."""

    def __init__(
        self, packed: Arrays, weight_bits: str, activation_bits: str, features: int, inner: int
    ) -> None:
        self._taken = [
            _input(size, activation_bits, _of(name, packed))
            for name, size in zip(_INPUTS, (features, inner), strict=True)
        ]
        self._products = {
            name: Shipped(
                _of(name, packed),
                weight_bits,
                inner if name == LAST else features,
                self._maker(features, inner, name),
            )
            for name in (*FIRST, LAST)
        }
        self._biases = {name: packed[f"{name}_bias"] for name in (*FIRST, LAST)}

    def _maker(self, features: int, inner: int, name: str) -> Callable[[Array, str], Product]:
        activation, inputs = self._taken[name == LAST].activation, inner if name == LAST else features
        return lambda weight, width: Product(weight, width, activation, inputs)

    def first(self, rows: F32) -> tuple[F32, F32, F32]:
        """Return queries, keys and values, float32 (rows, inner), of tokens, float32 (rows, features)."""
        taken = self._taken[0]
        seen = taken.shipped(rows)
        query, key, value = (self._products[name](seen, taken.step, self._biases[name]) for name in FIRST)
        return query, key, value

    def last(self, rows: F32) -> F32:
        """Return what the last layer gives, float32 (rows, features), for float32 (rows, inner)."""
        taken = self._taken[1]
        return self._products[LAST](taken.shipped(rows), taken.step, self._biases[LAST])


class Projections:
    """The four layers in training."""

    def __init__(
        self, weights: Arrays, weight_bits: str, activation_bits: str, features: int, inner: int, rows: int
    ) -> None:
        self._weights = weights
        self._inputs = [
            _input(size, activation_bits, _of(name, weights), rows)
            for name, size in zip(_INPUTS, (features, inner), strict=True)
        ]
        self._layers = {
            name: Linear(_of(name, weights), weight_bits, _QUANTIZER, _ESTIMATOR, rows)
            for name in (*FIRST, LAST)
        }
        self._biases = {name: np.zeros_like(weights[f"{name}_bias"]) for name in (*FIRST, LAST)}

    def parameters(self) -> tuple[Parameter, ...]:
        """Return everything that is learned, under the names of `projection_arrays`."""
        found: list[Parameter] = []
        for name, layer in self._layers.items():
            found += [_renamed(name, p) for p in layer.parameters()]
            found.append(Parameter(f"{name}_bias", self._weights[f"{name}_bias"], self._biases[name]))
        for name, taken in zip(_INPUTS, self._inputs, strict=True):
            found += [_renamed(name, p) for p in taken.parameters()]
        return tuple(found)

    def tell(self, moment: Moment, rng: np.random.Generator) -> None:
        """Tell every part where the training stands."""
        for layer in self._layers.values():
            layer.moment, layer.rng = moment, rng
        for taken in self._inputs:
            taken.moment, taken.rng = moment, rng

    def first(self, rows: F32) -> tuple[F32, F32, F32]:
        """Return queries, keys and values, float32 (rows, inner), of tokens, float32 (rows, features)."""
        taken = self._inputs[0]
        seen = taken.take(rows)
        query, key, value = (
            self._layers[name].forward(seen, taken.now, taken.step, taken.offset)
            + self._weights[f"{name}_bias"]
            for name in FIRST
        )
        return query, key, value

    def last(self, rows: F32) -> F32:
        """Return what the last layer gives, float32 (rows, features), for float32 (rows, inner)."""
        taken = self._inputs[1]
        out: F32 = self._layers[LAST].forward(taken.take(rows), taken.now, taken.step, taken.offset)
        return out + self._weights[f"{LAST}_bias"]

    def last_back(self, grad: F32) -> F32:
        """Return dL/drows of `last` for `grad`, dL/d(what it gave)."""
        back = self._back(LAST, grad)
        return self._inputs[1].gradient(back)

    def first_back(self, *grads: F32) -> F32:
        """Return dL/drows of `first` for the gradients of queries, keys and values."""
        total: F32 = np.zeros((len(grads[0]), self._layers["query"].inputs), np.float32)
        for name, grad in zip(FIRST, grads, strict=True):
            total += self._back(name, grad)
        return self._inputs[0].gradient(total)

    def stop(self) -> None:
        """Zero every gradient: nothing comes back in this step."""
        for p in self.parameters():
            p.grad.fill(0)

    def _back(self, name: str, grad: F32) -> F32:
        np.sum(grad, axis=0, out=self._biases[name])
        back = self._layers[name].backward(grad, rows_wanted=True)
        if back is None:
            raise RuntimeError("rows are wanted, and none came back")
        return back


def _input(size: int, bits: str, arrays: Arrays, batch: int = 0) -> LayerInput:
    return LayerInput(Spec("real", (size,)), bits, _QUANTIZER, arrays, _ESTIMATOR, batch)


def _named(name: str, arrays: Arrays) -> Arrays:
    return {f"{name}_{key}": array for key, array in arrays.items()}


def _of(name: str, arrays: Arrays) -> Arrays:
    """Return the arrays of one layer without its name: the same arrays, changed in place by the optimiser."""
    return {key.removeprefix(f"{name}_"): a for key, a in arrays.items() if key.startswith(f"{name}_")}


def _renamed(name: str, p: Parameter) -> Parameter:
    return replace(p, name=f"{name}_{p.name}")
