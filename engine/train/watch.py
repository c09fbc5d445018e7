"""What is watched while weights move: flips, dead channels, saturation, the size of gradients; all sampled.

Names are stable: `NODE: flipped`, `NODE: dead`, `NODE: saturated`, `NODE: at limit`, `NODE: gradient`, and
`gradient` for all parameters together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph
from ..kernels.optimise import sum_of_squares
from ..node import Parameter
from ..ports import Array, Spec
from .plan import Plan

_SIGNS = 4096  # latent weights whose signs are compared from step to step
_RECORDS = 64  # records of a batch whose activations are looked at


class Watch:
    """Watches a plan over an epoch."""

    def __init__(self, plan: Plan, graph: Graph) -> None:
        self._plan, self._graph = plan, graph
        self._parameters = plan.parameters()
        self._latent = {_node(k): p for k, p in self._parameters.items() if p.binary}
        self._before = {k: p.value >= 0 for k, p in self._latent.items()}
        self._last = {k: _sampled(p) for k, p in self._latent.items()}

    def mark(self) -> None:
        """Remember the signs before a step that is looked at."""
        self._last = {k: _sampled(p) for k, p in self._latent.items()}

    def step(self) -> dict[str, float]:
        """Return the figures of the step just taken since `mark`: flips are shares of the step."""
        flips = {f"{k}: flipped": _share(_sampled(p) != self._last[k]) for k, p in self._latent.items()}
        return {**flips, **self._figures()}

    def epoch(self) -> dict[str, float]:
        """Return the figures of the epoch: flips are shares of it, the others those of the last step."""
        flips = {f"{k}: flipped": _share((p.value >= 0) != self._before[k]) for k, p in self._latent.items()}
        return {**flips, **self._figures()}

    def _figures(self) -> dict[str, float]:
        found = {f"{n}: {k}": v for n, op in self._plan.operators.items() for k, v in op.metrics().items()}
        for key, p in self._latent.items():
            if p.limit is not None:
                found[f"{key}: at limit"] = _share(np.abs(_spread(p.value)) >= 0.999 * p.limit)
        for name in self._plan.operators:
            found.update({f"{name}: {k}": v for k, v in self._activations(name).items()})
        return {**found, **self._gradients()}

    def _gradients(self) -> dict[str, float]:
        squares: dict[str, float] = {}
        for key, p in self._parameters.items():
            squares[_node(key)] = squares.get(_node(key), 0.0) + sum_of_squares(p.grad.reshape(-1))
        lengths = {f"{k}: gradient": float(np.sqrt(v)) for k, v in squares.items()}
        return {**lengths, "gradient": float(np.sqrt(sum(squares.values())))}

    def _activations(self, name: str) -> dict[str, float]:
        """Return the share of dead channels of what a node gives as signs, or makes signs of."""
        for port, spec in zip(self._graph.node(name).outputs, self._graph.output_specs(name), strict=True):
            if spec.type == "bits" and spec.packed:
                return {"dead": _dead_signs(self._plan.value(name, port.name)[:_RECORDS], spec)}
        node = self._graph.node(name)
        given = self._graph.input_specs(name)[:1]
        if given and given[0] and given[0].type == "real" and node.values().get("activation_bits") == "1":
            wire = self._graph.into(name)[0]
            if wire:
                x = self._plan.value(wire.source, wire.output)[:_RECORDS].reshape(-1, given[0].shape[-1])
                ones = x >= 0
                dead = ones.all(axis=0) | ~ones.any(axis=0)
                return {"dead": _share(dead), "saturated": _share(np.abs(x) > 1)}
        return {}


def _dead_signs(words: Array, spec: Spec) -> float:
    """Return the share of channels (the last axis) that have one sign alone in all records and places."""
    both = np.stack([np.bitwise_and.reduce(words, axis=0), np.bitwise_or.reduce(words, axis=0)])
    bits = np.unpackbits(both.view(np.uint8), axis=1, bitorder="little")[:, : spec.elements]
    every, some = bits.reshape(2, -1, spec.shape[-1] if spec.shape else 1)
    dead = every.all(axis=0) | ~some.any(axis=0)
    return _share(dead)


def _sampled(p: Parameter) -> Array:
    return _spread(p.value) >= 0


def _spread(value: Array) -> Array:
    """Return up to about `_SIGNS` numbers, evenly spread over an array."""
    flat = value.reshape(-1)
    return flat[:: max(1, flat.size // _SIGNS)]


def _share(which: Any) -> float:
    """Return the share of an array of yes and no that is yes; 0 for an empty one."""
    return float(np.mean(which)) if np.size(which) else 0.0


def _node(key: str) -> str:
    return key.split("/")[0]
