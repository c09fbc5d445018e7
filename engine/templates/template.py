"""What a template is, and the decorator that enters one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import GraphError
from ..graph import Graph, Wire
from ..node import Family
from .sketch import End, Sketch


@dataclass(frozen=True)
class Size:
    """How large a block is drawn.

    Attributes:
        channels: channels, or features, that come in.
        out: channels that go out; 0 for as many as come in.
        stride: 2 halves the map.
    """

    channels: int
    out: int = 0
    stride: int = 1

    @property
    def given(self) -> int:
        """Return the channels that go out."""
        return self.out or self.channels


Draw = Callable[[Sketch, End | None, Size], End]


@dataclass(frozen=True)
class Template:
    """A fragment of a graph.

    Attributes:
        key: its name in code.
        title: its name in the palette.
        summary: one line.
        citation: the paper, or "".
        draw: draws it: (sketch, what feeds it or None, size) -> what it gives.
        growth: channels out for each channel in that the palette draws it with.
        stride: the stride that the palette draws it with.
        family: the section of the palette it stands in.
        icon: a Phosphor icon name.
    """

    key: str
    title: str
    summary: str
    citation: str
    draw: Draw
    growth: int = 1
    stride: int = 1
    family: Family = "bnn"
    icon: str = "ph.squares-four"

    def insert(self, graph: Graph, feed: End | None = None, *, channels: int = 32) -> Inserted:
        """Return `graph` with this fragment in it, one edit in all.

        Args:
            graph: where to.
            feed: an output that feeds it, whose shape then says how many channels there are; with None the
                inputs that want it are left open.
            channels: how many channels come in where nothing feeds it.

        Raises:
            GraphError: `feed` gives nothing that the fragment can take.
        """
        if feed is not None:
            spec = graph.spec(Wire(*feed, "", ""))
            if spec is None or not spec.shape:
                words = f"{self.title} cannot be fed by {feed.node}: its shape is not known."
                raise GraphError(words, do="Mend what stands before it first.")
            channels = spec.shape[-1]
        sketch = Sketch(graph)
        with sketch.block():
            end = self.draw(sketch, feed, Size(channels, channels * self.growth, self.stride))
        names = tuple(name for name in sketch.graph.nodes if name not in graph.nodes)
        return Inserted(sketch.graph, names, end)


@dataclass(frozen=True)
class Inserted:
    """A graph after a template was inserted.

    Attributes:
        graph: the graph; the new nodes all stand at (0, 0), to be arranged.
        names: the new nodes, in the order they were drawn.
        end: what the fragment gives.
    """

    graph: Graph
    names: tuple[str, ...]
    end: End


TEMPLATES: dict[str, Template] = {}


def template(
    key: str, title: str, *, summary: str, citation: str = "", growth: int = 1, stride: int = 1
) -> Callable[[Draw], Draw]:
    """Return the decorator that enters a drawing function under `key`."""

    def enter(draw: Draw) -> Draw:
        if key in TEMPLATES:
            raise ValueError(f"there is a template {key!r} already")
        TEMPLATES[key] = Template(key, title, summary, citation, draw, growth, stride)
        return draw

    return enter
