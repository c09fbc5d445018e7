"""Scales moved between layers, which change nothing of what a network of floats answers."""

from __future__ import annotations

import numpy as np

from ..files.store import Weights
from ..graph import Graph
from ..node import Node
from ..ports import F32

_LINEAR = {"relu", "leaky_relu"}  # f(s x) = s f(x) for s > 0
_LAYERS = {"bnn.dense", "bnn.conv1d", "bnn.conv2d", "bnn.conv3d"}  # rows are outputs, channels come last
_PASSING = {"flow.flatten", "bnn.max_pool", "bnn.avg_pool", "bnn.dropout"}
_MOST = 1e4  # no scale is moved by more


def equalize(graph: Graph, weights: Weights) -> list[tuple[str, str]]:
    """Even out the channels between each pair of layers, in place; return the pairs, first and second.

    A channel whose range is r1 where it is made and r2 in the weights that take it is scaled by
    sqrt(r1 r2) / r1 there and by the inverse here, so that both ranges are their geometric mean (Nagel et al.
    2019, arXiv:1906.04721). Between the two may stand what passes positive factors on: ReLU, leaky ReLU, max
    and mean pooling, flatten, dropout. A batch norm makes a channel by gamma and beta.
    """
    pairs = []
    for second in graph.order:
        first = _maker(graph, second)
        if first and _even(graph.node(first), weights[first], graph.node(second), weights[second]):
            pairs.append((first, second))
    return pairs


def _maker(graph: Graph, name: str) -> str:
    """Return the layer or norm whose channels, and nobody else, a layer takes, or ""."""
    node = graph.node(name)
    if node.kind not in _LAYERS or getattr(node, "groups", 1) != 1:
        return ""
    while True:
        (wire,) = graph.into(name)
        if wire is None or sum(w[:2] == wire[:2] for w in graph.wires) > 1:
            return ""
        name, node = wire.source, graph.node(wire.source)
        if node.kind in _LAYERS or node.kind == "bnn.batch_norm":
            return name
        if node.kind not in _PASSING and getattr(node, "function", "") not in _LINEAR:
            return ""


def _even(maker: Node, made: dict[str, F32], taker: Node, taken: dict[str, F32]) -> bool:
    """Move the scales of one pair; return whether they could be."""
    norm = maker.kind == "bnn.batch_norm"
    rows = ("gamma", "beta") if norm else ("weight", "bias")
    if not all(name in made for name in rows) or "weight" not in taken:
        return False
    weight, first = taken["weight"], made[rows[0]]
    channels = len(first)
    if weight.shape[1] % channels or not _plain(maker, taker):
        return False
    columns = weight.reshape(len(weight), -1, channels)
    sizes = np.abs(first.reshape(channels, -1)).max(axis=1)
    wants = np.abs(columns).max(axis=(0, 1))
    fine = (sizes > 0) & (wants > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(fine, np.clip(np.sqrt(wants / sizes), 1 / _MOST, _MOST), 1).astype(np.float32)
    for name in rows:
        array = made[name]
        array *= factor.reshape(channels, *(1,) * (array.ndim - 1))
    columns /= factor
    return True


def _plain(maker: Node, taker: Node) -> bool:
    """Whether both are floats, and neither scales or shifts by place."""
    fields = [node.values() for node in (maker, taker)]
    floats = all(v.get("weight_bits", "32") == "32" for v in fields)
    return (
        floats and fields[1].get("activation_bits") == "32" and fields[0].get("over", "channel") == "channel"
    )
