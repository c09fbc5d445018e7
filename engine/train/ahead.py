"""What the sums of layers whose input is drawn lead to, found by following the wires of a graph."""

from __future__ import annotations

from collections.abc import Mapping

from ..bnn.flips import Ahead, DrawingOperator
from ..graph import Graph, Wire
from ..node import Operator


def look_ahead(graph: Graph, operators: Mapping[str, Operator], end: Wire) -> tuple[Ahead, ...]:
    """Tell every layer whose signs pass back what turning them does where its sums lead, and return all that.

    Args:
        graph: whose wires are followed.
        operators: its nodes that take part, by name; `ahead` of those layers is set.
        end: the wire of the scores.
    """
    found = []
    for name, operator in operators.items():
        if isinstance(operator, DrawingOperator) and operator.taken.draws:
            ahead = _ahead(graph, operators, (name, graph.node(name).outputs[0].name), end)
            if ahead and operator.follows(ahead):
                operator.ahead = ahead
                found.append(ahead)
    return tuple(found)


def _ahead(graph: Graph, operators: Mapping[str, Operator], at: tuple[str, str], end: Wire) -> Ahead | None:
    """Return what the array `at` leads to, or None where turned signs are not followed there."""
    between: list[Operator] = []
    while True:
        readers = [w for w in graph.wires if (w.source, w.output) == at and w.target in operators]
        if at == (end.source, end.output):
            return None if readers else Ahead(tuple(between), None)
        if len(readers) != 1:
            return None
        reader = operators[readers[0].target]
        if isinstance(reader, DrawingOperator):
            return Ahead(tuple(between), reader.taken) if reader.taken.draws else None
        if reader.slopes() is None:
            return None
        between.append(reader)
        at = (readers[0].target, graph.node(readers[0].target).outputs[0].name)
