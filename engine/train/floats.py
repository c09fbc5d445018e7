"""The graph of a stage in which activations are floats: signs become their float twins."""

from __future__ import annotations

from ..graph import Graph

TWIN = "floats"  # the hidden field of a node whose bits can be floats for a while


def with_float_activations(graph: Graph) -> Graph:
    """Return `graph` with every node that gives bits and has a float twin giving floats instead.

    Layers that took those bits as they came take the floats as they come. A node whose bits something else
    needs as bits stays as it is.
    """
    for name in graph.order:
        if TWIN in graph.node(name).about():
            after = _passing(graph.change(name, **{TWIN: True}), graph)
            if not any(p.level == "error" for p in after.problems()):
                graph = after
    return graph


def _passing(after: Graph, before: Graph) -> Graph:
    """Return `after` with the layers that took bits in `before` and take floats now not quantizing them."""
    for name in before.order:
        pairs = zip(before.input_specs(name), after.input_specs(name), strict=True)
        changed = any(a and b and (a.type, b.type) == ("bits", "real") for a, b in pairs)
        if changed and "activation_bits" in after.node(name).about():
            after = after.change(name, activation_bits="32")
    return after
