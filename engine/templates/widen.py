"""A wider graph: more units and filters in every hidden layer, against what low widths lose."""

from __future__ import annotations

from ..errors import GraphError
from ..graph import Graph

_COUNTS = ("units", "filters")


def widened(graph: Graph, factor: float) -> Graph:
    """Return `graph` with `factor` times the units and filters of every hidden layer.

    Layers whose features are the scores of an answer keep theirs. Groups of a depthwise convolution grow with
    its filters. Source: Mishra et al. 2017 (WRPN), arXiv:1709.01134.

    Args:
        graph: what to widen.
        factor: above 0; counts are rounded, to 1 at least.

    Raises:
        GraphError: the factor is not above 0, or a layer would grow past its limits.
    """
    if not factor > 0:
        raise GraphError(f"The factor must be above 0; got {factor:g}.")
    last = _answering(graph)
    for name in graph.order:
        node = graph.node(name)
        for count in _COUNTS:
            if count in node.about() and name not in last:
                kept = int(getattr(node, count))
                values = {count: max(1, round(kept * factor))}
                if getattr(node, "groups", 1) == kept:
                    values["groups"] = values[count]
                graph = graph.change(name, **values)
    return graph


def _answering(graph: Graph) -> set[str]:
    """Return the layers between which and an answer stands no other layer: their units are the classes."""
    found: set[str] = set()
    look = [w.source for name in graph.of_kind("flow.output") for w in graph.into(name) if w]
    while look:
        name = look.pop()
        if any(count in graph.node(name).about() for count in _COUNTS):
            found.add(name)
        else:
            look.extend(w.source for w in graph.into(name) if w)
    return found
