"""The graph a user draws, as a value: every edit returns a new Graph, so undo is keeping the old one.

It knows no array and no Qt. A wire goes from an output port to an input port; an output may feed many
inputs, an input takes one wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from .errors import GraphError
from .node import Node, ShapeError, Specs, changed
from .ports import CONVERSIONS, Port, Spec


class Wire(NamedTuple):
    """One wire, by node and port names."""

    source: str
    output: str
    target: str
    input: str

    def __str__(self) -> str:
        return f"{self.source}.{self.output} -> {self.target}.{self.input}"


@dataclass(frozen=True)
class Placed:
    """A node and where its top left corner stands on the canvas, in scene pixels."""

    node: Node
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Problem:
    """Something wrong with a graph, in words a person can act on.

    Attributes:
        node: the node's name, "" for the graph as a whole.
        what: what is wrong.
        do: what to do about it.
        port: the input or output at fault, or "".
        parameter: the parameter at fault, or "".
        level: errors keep the graph from training; warnings do not.
    """

    node: str
    what: str
    do: str = ""
    port: str = ""
    parameter: str = ""
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = ".".join(part for part in (self.node, self.port or self.parameter) if part)
        return " ".join(part for part in (f"{place}:" if place else "", self.what, self.do) if part)


@dataclass(frozen=True)
class _Checked:
    """Specs as far as they can be known, and every problem found on the way."""

    inputs: dict[str, tuple[Spec | None, ...]] = field(default_factory=dict)
    outputs: dict[str, Specs] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Graph:
    """Nodes by name, and wires.

    Attributes:
        nodes: name -> node with its place, in the order they were added.
        wires: every wire, in the order they were drawn.
    """

    nodes: Mapping[str, Placed] = field(default_factory=dict)
    wires: tuple[Wire, ...] = ()

    # Edits

    def add(self, name: str, node: Node, x: float = 0.0, y: float = 0.0) -> Graph:
        """Return this graph with `node` added as `name`."""
        if name in self.nodes:
            raise GraphError(f"A node named {name!r} is there already.")
        if not name or "." in name or "/" in name or name != name.strip():
            raise GraphError(f"A node cannot be named {name!r}: names have no dots, slashes or outer spaces.")
        return replace(self, nodes={**self.nodes, name: Placed(node, x, y)})

    def remove(self, *names: str) -> Graph:
        """Return this graph without the named nodes and their wires."""
        for name in names:
            self.placed(name)
        nodes = {k: v for k, v in self.nodes.items() if k not in names}
        wires = tuple(w for w in self.wires if w.source not in names and w.target not in names)
        return Graph(nodes, wires)

    def rename(self, old: str, new: str) -> Graph:
        """Return this graph with one node under another name."""
        placed = self.placed(old)
        if new == old:
            return self
        Graph(self.nodes).add(new, placed.node)
        nodes = {new if k == old else k: v for k, v in self.nodes.items()}
        swap = {old: new}
        wires = tuple(
            Wire(swap.get(w.source, w.source), w.output, swap.get(w.target, w.target), w.input)
            for w in self.wires
        )
        return Graph(nodes, wires)

    def change(self, name: str, **values: Any) -> Graph:
        """Return this graph with fields of one node changed."""
        placed = self.placed(name)
        return self._with(name, replace(placed, node=changed(placed.node, values)))

    def move(self, places: Mapping[str, tuple[float, float]]) -> Graph:
        """Return this graph with nodes at other places, in scene pixels."""
        nodes = dict(self.nodes)
        for name, (x, y) in places.items():
            nodes[name] = replace(self.placed(name), x=float(x), y=float(y))
        return replace(self, nodes=nodes)

    def wire(self, source: str, output: str, target: str, input: str) -> Graph:
        """Return this graph with a wire; an input that had one loses the old.

        Raises:
            GraphError: the wire does not fit; the message is the reason.
        """
        wire = Wire(source, output, target, input)
        reason = self.refusal(wire)
        if reason:
            raise GraphError(reason)
        kept = tuple(w for w in self.wires if (w.target, w.input) != (target, input))
        return replace(self, wires=(*kept, wire))

    def unwire(self, wire: Wire) -> Graph:
        """Return this graph without `wire`."""
        if wire not in self.wires:
            raise GraphError(f"There is no wire {wire}.")
        return replace(self, wires=tuple(w for w in self.wires if w != wire))

    # Questions

    def placed(self, name: str) -> Placed:
        """Return the named node and its place."""
        if name not in self.nodes:
            raise GraphError(f"There is no node {name!r}; there are {', '.join(self.nodes) or 'none'}.")
        return self.nodes[name]

    def node(self, name: str) -> Node:
        """Return the named node."""
        return self.placed(name).node

    def free_name(self, base: str) -> str:
        """Return `base`, or `base 2`, `base 3` ... : the first that no node has."""
        if base not in self.nodes:
            return base
        return next(n for i in range(2, len(self.nodes) + 3) if (n := f"{base} {i}") not in self.nodes)

    def refusal(self, wire: Wire) -> str:
        """Return why `wire` may not be drawn, in a sentence, or "" where it may."""
        ends = (
            self._end(wire.source, wire.output, output=True),
            self._end(wire.target, wire.input, output=False),
        )
        if isinstance(ends[0], str):
            return ends[0]
        if isinstance(ends[1], str):
            return ends[1]
        given, port = ends[0].accepts[0], ends[1]
        if not port.takes(given):
            return f"{wire.target} {wire.input!r} takes {_or(port.accepts)}; {wire.source} gives {given}."
        if wire.source == wire.target or wire.source in self._downstream(wire.target):
            return f"A wire from {wire.source} to {wire.target} would close a circle."
        return ""

    def conversion(self, wire: Wire) -> str:
        """Return the words of the conversion that happens on `wire`, or "" where types are equal."""
        given = self._port(wire.source, wire.output, output=True).accepts[0]
        to = self._port(wire.target, wire.input, output=False).conversion(given)
        return CONVERSIONS[given, to] if to else ""

    def into(self, name: str) -> tuple[Wire | None, ...]:
        """Return the wire of each input of a node, None where there is none."""
        by_end = {(w.target, w.input): w for w in self.wires}
        return tuple(by_end.get((name, p.name)) for p in self.node(name).inputs)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return the node names, every node after all that feed it."""
        waiting = {name: sum(w.target == name for w in self.wires) for name in self.nodes}
        ready = [name for name, count in waiting.items() if count == 0]
        out: list[str] = []
        while ready:
            name = ready.pop(0)
            out.append(name)
            for wire in self.wires:
                if wire.source == name:
                    waiting[wire.target] -= 1
                    if waiting[wire.target] == 0:
                        ready.append(wire.target)
        return tuple(out)

    def upstream(self, name: str) -> set[str]:
        """Return `name` and every node that feeds it, directly or not."""
        found, look = {name}, [name]
        while look:
            here = look.pop()
            new = {w.source for w in self.wires if w.target == here} - found
            found |= new
            look.extend(new)
        return found

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Return the names of the nodes of a kind, in running order."""
        return tuple(name for name in self.order if self.nodes[name].node.kind == kind)

    def input_specs(self, name: str) -> tuple[Spec | None, ...]:
        """Return the spec at each input of a node, after conversion; None where it is not known."""
        return self._checked.inputs[name]

    def output_specs(self, name: str) -> Specs:
        """Return the spec of each output of a node; () where a problem keeps it from being known."""
        return self._checked.outputs.get(name, ())

    def spec(self, wire: Wire) -> Spec | None:
        """Return what `wire` carries, before conversion, or None where it is not known."""
        specs = self.output_specs(wire.source)
        ports = [p.name for p in self.node(wire.source).outputs]
        return specs[ports.index(wire.output)] if specs else None

    def problems(self) -> tuple[Problem, ...]:
        """Return everything wrong with the graph, in running order."""
        return tuple(self._checked.problems)

    # Inside

    def _with(self, name: str, placed: Placed) -> Graph:
        return replace(self, nodes={**self.nodes, name: placed})

    def _end(self, name: str, port: str, *, output: bool) -> Port | str:
        if name not in self.nodes:
            return f"There is no node {name!r}; there are {', '.join(self.nodes) or 'none'}."
        found = self.nodes[name].node.port(port, output=output)
        if found:
            return found
        kind = self.nodes[name].node
        there = ", ".join(p.name for p in (kind.outputs if output else kind.inputs)) or "none"
        return f"{name} has no {'output' if output else 'input'} {port!r}; there are {there}."

    def _port(self, name: str, port: str, *, output: bool) -> Port:
        end = self._end(name, port, output=output)
        if isinstance(end, str):
            raise GraphError(end)
        return end

    def _downstream(self, name: str) -> set[str]:
        found, look = {name}, [name]
        while look:
            here = look.pop()
            new = {w.target for w in self.wires if w.source == here} - found
            found |= new
            look.extend(new)
        return found

    @cached_property
    def _checked(self) -> _Checked:
        out = _Checked()
        for name in self.order:
            self._check_node(name, out)
        if self.nodes and not any(p.node.kind == "flow.output" for p in self.nodes.values()):
            words = "Nothing says which scores are the answer."
            out.problems.append(Problem("", words, "Add a Classifier output and wire scores to it."))
        return out

    def _check_node(self, name: str, out: _Checked) -> None:
        node = self.nodes[name].node
        specs: list[Spec | None] = []
        missing = False
        for port, wire in zip(node.inputs, self.into(name), strict=True):
            spec = self._arriving(wire, port, out) if wire else None
            specs.append(spec)
            if not wire and port.required:
                out.problems.append(
                    Problem(name, f"Input '{port.name}' is not wired.", _feed(port), port=port.name)
                )
            missing = missing or (spec is None and (port.required or wire is not None))
        out.inputs[name] = tuple(specs)
        if missing:
            return
        try:
            out.outputs[name] = node.specs(*specs)
            out.problems.extend(Problem(name, words, level="warning") for words in node.warnings(*specs))
        except ShapeError as error:
            problem = Problem(name, error.what, error.do, port=error.port, parameter=error.parameter)
            out.problems.append(problem)

    def _arriving(self, wire: Wire, port: Port, out: _Checked) -> Spec | None:
        given = out.outputs.get(wire.source, ())
        if not given:
            return None
        names = [p.name for p in self.nodes[wire.source].node.outputs]
        spec = given[names.index(wire.output)]
        to = port.conversion(spec.type)
        return converted(spec, to) if to else spec


def converted(spec: Spec, to: str) -> Spec:
    """Return the spec of `spec` read as type `to` (see ports.CONVERSIONS)."""
    if to == "bits":
        return Spec("bits", spec.shape, "1", low=-1)
    return Spec("real" if to == "real" else "scores", spec.shape, classes=spec.classes)


def _or(words: tuple[str, ...]) -> str:
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _feed(port: Port) -> str:
    return f"Drag a wire to it from an output that gives {_or(port.accepts)}."
