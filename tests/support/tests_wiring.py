"""Graphs written as in a project file, for tests."""

from engine.graph import Graph


def wired(nodes, wires):
    """A graph of `{name: node}` and wires like 'a.out -> b.in'."""
    graph = Graph()
    for name, node in nodes.items():
        graph = graph.add(name, node)
    for text in wires:
        (a, x), (b, y) = (end.rsplit(".", 1) for end in text.split(" -> "))
        graph = graph.wire(a, x, b, y)
    return graph
