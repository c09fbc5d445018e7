"""A graph in the making: each node is added with the wires that feed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..graph import Graph
from ..node import Node


class End(NamedTuple):
    """Where a wire begins: a node's name and one of its outputs."""

    node: str
    output: str


class Sketch:
    """Draws a graph node by node.

    Attributes:
        graph: what is drawn so far.
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = graph or Graph()
        self._block = ""

    def add(self, name: str, node: Node, *feeds: End | None) -> End:
        """Add `node` with its first inputs wired to `feeds`, and return its first output.

        Args:
            name: what to call it; a number is added where the name is taken, and the block's name put before.
            node: the node.
            feeds: what feeds its inputs, in their order; None leaves one open.
        """
        full = self.graph.free_name(f"{self._block} {name}" if self._block else name)
        self.graph = self.graph.add(full, node)
        for port, feed in zip(node.inputs, feeds, strict=False):
            if feed is not None:
                self.graph = self.graph.wire(feed.node, feed.output, full, port.name)
        return End(full, node.outputs[0].name if node.outputs else "")

    @contextmanager
    def block(self) -> Iterator[str]:
        """Put `B1`, `B2` ... before the names of nodes added meanwhile: the first that no node bears."""
        taken = {name.partition(" ")[0] for name in self.graph.nodes}
        before = self._block
        self._block = next(f"B{i}" for i in range(1, len(taken) + 2) if f"B{i}" not in taken)
        yield self._block
        self._block = before
